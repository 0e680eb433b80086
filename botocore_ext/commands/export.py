"""``botocore-ext export``: the keys of a profile, for programs that do not know this package.

``credential_process = botocore-ext export --profile mobile`` gives them to every AWS SDK and tool.
The forms are those of ``aws configure export-credentials``:
https://docs.aws.amazon.com/cli/latest/reference/configure/export-credentials.html
"""

import argparse
import json
import shlex
import sys
from collections.abc import Callable, Mapping
from datetime import timezone
from functools import partial

from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from ..aws.frozen_credentials import FieldError, FrozenCredentials
from ..errors import shown
from ..session.hook import extend
from ..system import hand_down, system_environment

#: Holds the profiles that are being exported, outermost first, for processes that this one starts.
PROFILES = "_BOTOCORE_EXT_PROFILES"


class NotExportedError(BotoCoreError):
    """There is nothing to print, or nobody to print it to."""

    fmt = "{reason}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``run``."""
    parser.add_argument("--profile", help="the profile; without it that of the environment")
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default="process",
        help="process (default): JSON as a credential_process prints it; env: lines for a shell "
        "to evaluate; env-no-export: the same without export; json: all that is known of the keys",
    )
    parser.add_argument(
        "--show-secrets", action="store_true", help="print the secrets also to a terminal"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the keys and return 0; or say why not, on one line of standard error, and return 1."""
    try:
        _look_at_the_output(is_told_to=arguments.show_secrets)
        sys.stdout.write(FORMATS[arguments.format](keys_of(arguments.profile)))
        sys.stdout.flush()
    except (BotoCoreError, ClientError) as error:
        why = shown(error)
    except OSError as error:
        why = str(error)
    except KeyboardInterrupt:
        why = "the search for credentials was interrupted"
    except Exception as error:  # noqa: BLE001 - no traceback: it may show keys
        kind = type(error).__name__
        why = f"the search for credentials ended with {kind}: see what botocore-ext explain says"
    else:
        return 0
    sys.stderr.write(f"botocore-ext: {' '.join(why.split())}\n")
    return 1


def _look_at_the_output(*, is_told_to: bool) -> None:
    if sys.stdout.isatty() and not is_told_to:
        raise NotExportedError(
            reason="the keys are secrets, and standard output is a terminal: send it elsewhere, or "
            "add --show-secrets"
        )


def keys_of(profile: str | None) -> FrozenCredentials:
    """Return the keys that a session with this profile signs with after ``install()``.

    Raises:
        NotExportedError: There are none, or finding them takes this profile's keys.
        botocore.exceptions.BotoCoreError: The profile cannot be resolved.
        botocore.exceptions.ClientError: STS or Cognito refused.
    """
    session = Session(profile=profile)
    name = session.get_config_variable("profile") or "default"
    _see_to_it_that_it_ends(name)
    extend(session)
    credentials = session.get_credentials()
    if credentials is None:
        raise NotExportedError(
            reason=f"neither profile '{name}' nor anything after it has credentials: add keys to "
            "the profile, or name another with --profile"
        )
    try:
        return FrozenCredentials.from_credentials(credentials)
    except FieldError as error:
        reason = f"the credentials of profile '{name}' cannot be used ({error}): correct them"
    raise NotExportedError(reason=reason)


def _see_to_it_that_it_ends(profile: str) -> None:
    """Refuse what a process started that was to export the same profile.

    ``aws configure export-credentials`` does so with a variable of its own.
    """
    way = [one for one in system_environment().get(PROFILES, "").split("\n") if one]
    if profile in way:
        raise NotExportedError(
            reason=f"the credential_process of profile '{profile}' goes in a circle "
            f"({' -> '.join([*way, profile])}): let it export another profile"
        )
    hand_down(PROFILES, "\n".join([*way, profile]))


def _members(keys: FrozenCredentials) -> dict[str, str | None]:
    """Return the keys as a credential process names them; None for what is not known."""
    end = keys.expiration
    return {
        "AccessKeyId": keys.access_key,
        "SecretAccessKey": keys.secret_key,
        "SessionToken": keys.token,
        "Expiration": end.astimezone(timezone.utc).isoformat() if end else None,
        "AccountId": keys.account_id,
    }


def _as_process(keys: FrozenCredentials) -> str:
    known = {name: value for name, value in _members(keys).items() if value is not None}
    return json.dumps({"Version": 1, **known}, indent=2) + "\n"


def _as_json(keys: FrozenCredentials) -> str:
    return json.dumps({**_members(keys), "IdentityId": keys.identity_id}, indent=2) + "\n"


def _as_variables(before: str, keys: FrozenCredentials) -> str:
    members = _members(keys)
    variables = {
        "AWS_ACCESS_KEY_ID": members["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": members["SecretAccessKey"],
        "AWS_SESSION_TOKEN": members["SessionToken"],
        "AWS_CREDENTIAL_EXPIRATION": members["Expiration"],
    }
    # Quotes where AWS CLI has none: an endpoint may give anything, and a shell would run it.
    lines = [f"{before}{name}={shlex.quote(text)}\n" for name, text in variables.items() if text]
    return "".join(lines)


FORMATS: Mapping[str, Callable[[FrozenCredentials], str]] = {
    "process": _as_process,
    "env": partial(_as_variables, "export "),
    "env-no-export": partial(_as_variables, ""),
    "json": _as_json,
}
