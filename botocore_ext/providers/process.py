"""Keys that a process prints.

https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from subprocess import CalledProcessError
from typing import Any

from botocore.compat import compat_shell_split

from ..aws.botocore_errors import native
from ..aws.frozen_credentials import FieldError, FrozenCredentials
from ..options import types
from ..options.option import option
from ..runtime.deadline import pause_budget
from ..runtime.process import LARGEST, Output, output_of
from .files import FilesProvider

_REMEDY = (
    "run the command by hand, which must print "
    '{"Version": 1, "AccessKeyId": "...", "SecretAccessKey": "..."} and end with status 0'
)


def command(value: object) -> str:
    """A command line that can be split into words."""
    found = types.text(value)
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
        allow_comments=True,
        parse=command,
        help="The command. It is split as a shell would, and run without one.",
    )
    timeout: float | None = option(
        default=None,
        example="60",
        code="60",
        parse=types.seconds,
        help="Seconds after which the process is ended; by default never, because people answer "
        "MFA prompts in it.",
    )

    def fetch(self) -> FrozenCredentials:
        """Run the process once.

        Raises:
            FetchError: It failed, took too long, or printed something else.
        """
        arguments = list(compat_shell_split(self.credential_process))

        def work() -> FrozenCredentials:
            return _keys(output_of(arguments, self.timeout), self.scope.profile_values)

        return pause_budget(partial(native, self.METHOD, self._where_set(), _REMEDY, work))

    def _where_set(self) -> str:
        one = self._option_named("credential_process")
        origin: Any = self._resolution(one).origin  # there is one: the command has been read
        return str(origin.where(one))


def _keys(output: Output, profile: Mapping[str, Any]) -> FrozenCredentials:
    """Read what a process printed; the account, where it names none, is that of the profile."""
    if output.printed is None:
        raise FieldError("it", f"is more than {LARGEST} bytes")
    if output.status:
        raise CalledProcessError(output.status, "credential_process")
    answer = json.loads(output.printed.decode("utf-8"))
    if isinstance(answer, Mapping) and answer.get("Version") != 1:
        raise FieldError("Version", "is not 1")
    keys = FrozenCredentials.from_mapping(answer)
    return keys if keys.account_id else replace(keys, account_id=profile.get("aws_account_id"))


from_process = ProcessProvider
