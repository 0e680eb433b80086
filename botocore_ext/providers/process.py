"""Keys that a process prints.

https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
"""

from subprocess import Popen, TimeoutExpired
from typing import Any

from botocore.credentials import ProcessProvider as NativeProcessProvider

from .. import values
from ..files import FilesProvider
from ..inner_calls import unhurried
from ..keys import Keys
from ..native import as_loaded, native
from ..options import option


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
        parse=values.text,
        help="The command. It is split as a shell would, and run without one.",
    )
    timeout: float | None = option(
        default=None,
        example="60",
        code="60",
        parse=values.seconds,
        help="Seconds after which the process is ended; by default never, because people answer "
        "MFA prompts in it.",
    )

    def fetch(self) -> Keys:
        """Run the process once."""
        profile = {**self.scope.profile_values, "credential_process": self.credential_process}
        seconds = self.timeout

        def popen(arguments: list[str], **options: Any) -> "Popen[bytes]":
            return _Process(seconds, arguments, **options)

        place = "the credential process"
        if self.scope.profile:
            place += f" of profile '{self.scope.profile}'"
        with (
            unhurried(),
            native(self.METHOD, place, "it must print the keys as JSON, and exit with 0"),
        ):
            found = NativeProcessProvider("it", lambda: {"profiles": {"it": profile}}, popen).load()
            return as_loaded(found)


class _Process(Popen[bytes]):
    """A process that is waited for no longer than it may take."""

    def __init__(self, seconds: float | None, arguments: list[str], **options: Any) -> None:
        self._seconds = seconds
        super().__init__(arguments, **options)

    def communicate(self, input: Any = None, timeout: float | None = None) -> Any:  # noqa: A002 - Popen's name
        try:
            return super().communicate(input, timeout or self._seconds)
        except TimeoutExpired:
            self.kill()
            self.__exit__(None, None, None)
            raise


from_process = ProcessProvider
