"""Keys that a process prints.

https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
"""

from functools import partial
from subprocess import CalledProcessError, Popen, TimeoutExpired
from typing import Any

from botocore.compat import compat_shell_split
from botocore.credentials import ProcessProvider as NativeProcessProvider

from ..calls.budget import run_unhurried
from ..declaration import times, values
from ..declaration.files import FilesProvider
from ..keys import Keys
from ..options import option
from ..sources.native import as_loaded, native

_REMEDY = (
    "run the command by hand, which must print "
    '{"Version": 1, "AccessKeyId": "...", "SecretAccessKey": "..."} and end with status 0'
)


def command(value: object) -> str:
    """A command line that can be split into words."""
    found = values.text(value)
    try:
        compat_shell_split(found)
    except ValueError as error:
        msg = f"cannot be split into words ({error})"
        raise ValueError(msg) from None
    return found


class ProcessProvider(FilesProvider):
    """The keys that the `credential_process` of a profile prints, run at every fetch."""

    METHOD = "custom-process"
    CANONICAL_NAME = "CustomProcess"
    FACTORY = "from_process"
    FEATURE_IDS = ("CREDENTIALS_PROFILE_PROCESS", "CREDENTIALS_PROCESS")

    credential_process: str = option(
        default=None,
        ini="credential_process",
        example="/opt/bin/get-keys --user me",
        selects=True,
        required=True,
        secret=True,
        verbatim=True,
        parse=command,
        help="The command. It is split as a shell would, and run without one.",
    )
    timeout: float | None = option(
        default=None,
        example="60",
        code="60",
        parse=times.seconds,
        help="Seconds after which the process is ended; by default never, because people answer "
        "MFA prompts in it.",
    )

    def fetch(self) -> Keys:
        """Run the process once."""
        profile = {**self.scope.profile_values, "credential_process": self.credential_process}
        config = {"profiles": {"it": profile}}
        popen: Any = partial(_Process, self.timeout)
        load: Any = NativeProcessProvider("it", lambda: config, popen).load  # there is a command
        work = partial(native, self.METHOD, self._place(), _REMEDY, lambda: as_loaded(load()))
        return run_unhurried(work)

    def _place(self) -> str:
        one = self.option_named("credential_process")
        origin: Any = self._origin(one)  # there is one: the command has been read
        return str(origin.place(one))


class _Process(Popen[bytes]):
    """A process that is waited for no longer than it may take."""

    def __init__(self, seconds: float | None, arguments: list[str], **options: Any) -> None:
        self._seconds = seconds
        super().__init__(arguments, **options)

    def communicate(self, input: Any = None, timeout: float | None = None) -> Any:  # noqa: A002 - Popen's name
        try:
            printed = super().communicate(input, timeout or self._seconds)
        except TimeoutExpired:
            self.kill()
            self.__exit__(None, None, None)
            raise
        if self.returncode:  # botocore would show what it printed to its standard error
            raise CalledProcessError(self.returncode, "credential_process")
        return printed


from_process = ProcessProvider
