"""Credentials that a process prints.

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

REMEDY = (
    "run the command by hand; it must print "
    '{"Version": 1, "AccessKeyId": "...", "SecretAccessKey": "..."} and exit with status 0'
)


def command(value: object) -> str:
    """A command line that can be split into words."""
    text = types.text(value)
    try:
        compat_shell_split(text)
    except ValueError as error:
        raise ValueError(f"cannot be split into words ({error})") from None
    return text


class ProcessProvider(FilesProvider):
    """Credentials from the `credential_process` of a profile, run on every refresh."""

    METHOD = "custom-process"
    CANONICAL_NAME = "CustomProcess"
    FACTORY = "from_process"
    FEATURE_IDS = ("CREDENTIALS_PROFILE_PROCESS", "CREDENTIALS_PROCESS")

    credential_process: str = option(
        ini="credential_process",
        example="/opt/bin/get-credentials --user me",
        selects=True,
        required=True,
        secret=True,
        allow_comments=True,
        parse=command,
        help="The command. It is split into words as by a shell, and run without a shell.",
    )
    timeout: float | None = option(
        code="60",
        parse=types.seconds,
        help="Seconds after which the process is terminated; by default never, because it may wait "
        "for the answer to an MFA prompt.",
    )

    def fetch(self) -> FrozenCredentials:
        """Run the process once.

        Raises:
            FetchError: The process failed, took too long, or printed something else.
        """
        self.check()
        setting = self._option_named("credential_process")
        origin: Any = self._resolution(setting).origin  # there is one: the command is checked

        def work() -> FrozenCredentials:
            output = output_of(compat_shell_split(self.credential_process), self.timeout)
            return _parse(output, self.scope.profile_values)

        return pause_budget(partial(native, self.METHOD, origin.where(setting), REMEDY, work))


def _parse(output: Output, profile: Mapping[str, Any]) -> FrozenCredentials:
    """Return the credentials that a process printed; the account defaults to the profile's."""
    if output.printed is None:
        raise FieldError("it", f"is more than {LARGEST} bytes")
    if output.status:
        raise CalledProcessError(output.status, "credential_process")
    answer = json.loads(output.printed.decode("utf-8"))
    if isinstance(answer, Mapping) and answer.get("Version") != 1:
        raise FieldError("Version", "is not 1")
    credentials = FrozenCredentials.from_mapping(answer)
    if credentials.account_id:
        return credentials
    return replace(credentials, account_id=profile.get("aws_account_id"))


from_process = ProcessProvider
