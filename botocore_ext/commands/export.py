"""``botocore-ext export``: the credentials of a profile, for programs that do not use this package.

``credential_process = botocore-ext export --profile mobile`` brings them to every AWS SDK and tool.
The formats are those of ``aws configure export-credentials``:
https://docs.aws.amazon.com/cli/latest/reference/configure/export-credentials.html
"""

import argparse
import json
import re
import shlex
import sys
from collections.abc import Callable, Mapping
from functools import partial

from botocore.session import Session

from ..aws.frozen_credentials import FrozenCredentials, rfc_3339
from ..profiles.inert import profile_of
from ..system import hand_down, system_environment
from .failures import CommandError
from .lookup import add_profile, look_up, show_seconds

#: Names the profiles that are being exported, outermost first, to processes that this one starts.
PROFILES = "_BOTOCORE_EXT_PROFILES"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    add_profile(parser)
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default="process",
        help="process (default): JSON as a credential_process prints it; env: lines for a shell "
        "to evaluate; env-no-export: the same without export; fish, powershell, windows-cmd: lines "
        "for these shells; json: all that is known",
    )
    parser.add_argument(
        "--show-secrets", action="store_true", help="print the secrets even to a terminal"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the credentials and return 0."""
    if sys.stdout.isatty() and not arguments.show_secrets:
        raise CommandError(
            reason="the credentials are secret, and standard output is a terminal: redirect it, or "
            "add --show-secrets"
        )
    session = Session(profile=arguments.profile)
    _guard_export_loop(profile_of(session))
    with show_seconds():
        credentials = look_up(session).frozen()
    sys.stdout.write(FORMATS[arguments.format](credentials))
    return 0


def _guard_export_loop(profile: str) -> None:
    """Refuse to export a profile from a process that the export of this profile started.

    ``aws configure export-credentials`` does the same with a variable of its own.
    """
    exporting = [one for one in system_environment().get(PROFILES, "").split("\n") if one]
    if profile in exporting:
        raise CommandError(
            reason=f"the credential_process of profile '{profile}' is a loop "
            f"({' -> '.join([*exporting, profile])}): let it export another profile"
        )
    hand_down(PROFILES, "\n".join([*exporting, profile]))


def _members(credentials: FrozenCredentials) -> dict[str, str | None]:
    """Return the credentials as a credential process names them; None for what is not known."""
    end = credentials.expiration
    return {
        "AccessKeyId": credentials.access_key,
        "SecretAccessKey": credentials.secret_key,
        "SessionToken": credentials.token,
        "Expiration": rfc_3339(end) if end else None,
        "AccountId": credentials.account_id,
    }


def _as_process(credentials: FrozenCredentials) -> str:
    known = {name: value for name, value in _members(credentials).items() if value is not None}
    return json.dumps({"Version": 1, **known}, indent=2) + "\n"


def _as_json(credentials: FrozenCredentials) -> str:
    members = {**_members(credentials), "IdentityId": credentials.identity_id}
    return json.dumps(members, indent=2) + "\n"


def _as_variables(line: Callable[[str, str], str], credentials: FrozenCredentials) -> str:
    members = _members(credentials)
    variables = {
        "AWS_ACCESS_KEY_ID": members["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": members["SecretAccessKey"],
        "AWS_SESSION_TOKEN": members["SessionToken"],
        "AWS_CREDENTIAL_EXPIRATION": members["Expiration"],
    }
    return "".join(f"{line(name, text)}\n" for name, text in variables.items() if text)


# Quoted, unlike in AWS CLI: an endpoint may return anything, and a shell would run it.


def _fish(name: str, text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"set -gx {name} '{escaped}'"


def _powershell(name: str, text: str) -> str:
    # Single quotes of typography, too, end a string in PowerShell.
    escaped = re.sub("(['\\u2018-\\u201b])", r"\1\1", text)
    return f"$Env:{name} = '{escaped}'"


def _windows_cmd(name: str, text: str) -> str:
    if set(text) & set('"%!'):
        raise CommandError(
            reason=f"{name} contains a character that cmd would interpret: use another format"
        )
    return f'set "{name}={text}"'


FORMATS: Mapping[str, Callable[[FrozenCredentials], str]] = {
    "process": _as_process,
    "env": partial(_as_variables, lambda name, text: f"export {name}={shlex.quote(text)}"),
    "env-no-export": partial(_as_variables, lambda name, text: f"{name}={shlex.quote(text)}"),
    "fish": partial(_as_variables, _fish),
    "powershell": partial(_as_variables, _powershell),
    "windows-cmd": partial(_as_variables, _windows_cmd),
    "json": _as_json,
}
