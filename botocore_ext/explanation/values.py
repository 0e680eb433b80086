"""What may be shown of the value of a setting: never a secret, nor what may be a misplaced one."""

import re
from datetime import timedelta
from typing import Any

from ..errors import without_users
from ..options import references, types
from ..options.option import Option

#: Settings of botocore whose values may be shown; of all others only that they are set.
_PUBLIC = {
    "aws_account_id", "credential_source", "duration_seconds", "mfa_serial", "role_arn",
    "role_session_name", "source_profile", "sso_account_id", "sso_region", "sso_role_name",
    "sso_session", "sso_start_url", "web_identity_token_file", "login_session",
    "AWS_ACCOUNT_ID", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_CREDENTIAL_EXPIRATION",
    "AWS_CREDENTIAL_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_WEB_IDENTITY_TOKEN_FILE",
    "BOTO_CONFIG",
}  # fmt: skip
_HIDDEN = "(set)"
#: Longer values are cut to a beginning that does not reveal a misplaced token.
_LONGEST, _BEGINNING = 120, 16
_SCHEMES = ("http", "https")
#: A malformed value of this length is too short for an access key, a secret or a token.
_SHORT = 12


def redact(name: str, value: object) -> str:
    """Return what may be shown of a setting that botocore reads."""
    if name.lower() == "aws_access_key_id":
        return "*" * 16 + str(value)[-4:]
    if name == "AWS_CONTAINER_CREDENTIALS_FULL_URI":
        return _url(str(value))
    return printable(value) if name in _PUBLIC else _HIDDEN


def redact_option(option: Option, value: Any, *, is_text: bool, is_malformed: bool) -> str:
    """Return what may be shown of an option of a provider of this package, as it was written.

    In a file (``is_text``) a token may be a reference. A malformed value may be a misplaced secret.
    """
    if option.parse is types.full_uri and not is_malformed:
        return _url(str(value))
    if option.secret and is_text and option.read is references.references:
        return _HIDDEN if is_malformed else _logins(value)
    if option.secret:
        return _reference(value) if is_text and option.read is references.reference else _HIDDEN
    if is_malformed:
        shown = printable(value)
        return shown if len(shown) <= _SHORT or shown.startswith("arn:") else "(malformed)"
    return _public(value)


def _reference(value: Any) -> str:
    """Return what may be shown of a token in a file."""
    return printable(references.public_text(value) or _HIDDEN)


def _logins(value: Any) -> str:
    """Return what may be shown of names and their tokens in a file."""
    entries = references.on_one_line(value) if isinstance(value, str) else value
    # Without a reference on its right-hand side a name may be the beginning of a token.
    return ", ".join(
        f"{printable(name)} = {_reference(one)}" if references.public_text(one) else _HIDDEN
        for name, one in entries.items()
    )


def _public(value: Any) -> str:
    if isinstance(value, (str, int, float, timedelta)):
        return printable(value)
    if isinstance(value, (list, tuple)):
        return printable(", ".join(map(_public, value)))
    return f"<{type(value).__name__}>"  # an object may show a secret


def printable(value: object) -> str:
    """Return a value that is not a secret, shortened, and without what controls a terminal."""
    text = str(value)
    text = text if text.isprintable() else ascii(text)[1:-1]
    return text if len(text) <= _LONGEST else f"{text[:_BEGINNING]}..."


def _url(url: str) -> str:
    """Return scheme and host of a URL."""
    scheme = url.partition("://")[0].lower()
    return printable(f"{scheme}://{host_of(url)}/...") if scheme in _SCHEMES else _HIDDEN


def host_of(url: str) -> str:
    """Return host and port of a URL; its user, path and query may hold a secret."""
    return re.split("[/?#]", without_users(url).partition("//")[2], maxsplit=1)[0]
