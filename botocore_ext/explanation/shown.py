"""What may be shown of what somebody has set."""

import re

from ..errors import without_users

#: What may be shown in full; of everything else only that it is set.
_SHOWN = {
    "aws_account_id", "credential_source", "duration_seconds", "mfa_serial", "role_arn",
    "role_session_name", "source_profile", "sso_account_id", "sso_region", "sso_role_name",
    "sso_session", "sso_start_url", "web_identity_token_file", "login_session",
    "AWS_ACCOUNT_ID", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_CREDENTIAL_EXPIRATION",
    "AWS_CREDENTIAL_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_WEB_IDENTITY_TOKEN_FILE",
    "BOTO_CONFIG",
}  # fmt: skip
_LONGEST = 120


def shown(name: str, value: object) -> str:
    """Return what may be shown of a setting that botocore reads."""
    if name.lower() == "aws_access_key_id":
        return "*" * 16 + str(value)[-4:]
    return readable(value) if name in _SHOWN else "(set)"


def host_of(url: str) -> str:
    """Return host and port of a URL: what stands before and behind them may be a secret."""
    return re.split("[/?#]", without_users(url).partition("//")[2], maxsplit=1)[0]


def readable(value: object) -> str:
    """Return a value that is no secret; a terminal shall not be told what to do by it."""
    text = str(value)
    return text if text.isprintable() and len(text) <= _LONGEST else "(set)"
