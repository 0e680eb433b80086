"""The error tree: what went wrong, and whether a chain may go on.

Every error of this package is a botocore ``CredentialRetrievalError``, so code that
already catches botocore's errors catches these. Errors of AWS services (STS, Cognito) are
never wrapped: ``except ClientError`` keeps working.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    MetadataRetrievalError,
    NoCredentialsError,
    ParamValidationError,
    SSLError,
)

#: What stands before the host of a URL: a user and a password.
_USER = re.compile(r"(?<=//)[^/?#\s]*@")
#: Characters of what others wrote that an error or a log may show.
LONGEST_TEXT = 1024


class ProviderError(CredentialRetrievalError):
    """The root of our errors.

    Args:
        provider: The ``METHOD`` of the provider that raises it.
        error_msg: The fact, then the remedy. Never the value of a secret.
    """

    #: Whether a credential chain steps over this error and asks its next link
    #: (``tryNextLink`` of the AWS SDK for JavaScript).
    try_next_link: bool = False

    def __init__(self, *, provider: str | None, error_msg: str) -> None:
        super().__init__(provider=str(provider), error_msg=error_msg)
        #: The fact and the remedy, without botocore's opening words.
        self.reason = error_msg


class NotConfigured(  # noqa: N818 - the name that chains speak of  # pyright: ignore[reportIncompatibleVariableOverride]  # botocore-stubs' kwargs
    ProviderError,
    NoCredentialsError,
):
    """Nothing configures this provider here; a chain goes on to its next link.

    It is also what callers of botocore catch where there are no credentials.
    """

    try_next_link = True


class ConfigurationError(ProviderError):
    """The provider was asked for, but an option is missing or malformed."""


class FetchError(ProviderError):
    """The provider was asked for and configured, but its source failed."""


class MfaCodeError(FetchError):
    """The caller's function returned no code of the MFA device; the next use asks again."""


@dataclass(frozen=True)
class Attempt:
    """What one link of a chain came to."""

    #: The link's name, as the user wrote it.
    link: str
    #: Why it gave no keys.
    reason: str
    #: What it raised; None where a provider of others' simply has none.
    error: Exception | None = None


class ChainError(ProviderError):
    """No link of a chain gave keys.

    Args:
        provider: The ``METHOD`` of the chain.
        attempts: One for each link, in order.
    """

    def __init__(self, *, provider: str | None, attempts: Sequence[Attempt]) -> None:
        """Write one line for each link."""
        self.attempts = tuple(attempts)
        #: Links are stepped over by errors that let a chain go on, and so is a chain of them.
        self.try_next_link = True
        # The lines of a chain within this one stand further in: they are not links of this one.
        lines = "".join(
            "\n  " + f"{one.link}: {one.reason}".replace("\n", "\n  ") for one in attempts
        )
        super().__init__(provider=provider, error_msg=f"no link of the chain has keys{lines}")

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as the attempts."""
        return _rebuild_chain_error, (self.kwargs["provider"], self.attempts)


def _rebuild_chain_error(provider: str, attempts: Sequence[Attempt]) -> ChainError:
    return ChainError(provider=provider, attempts=attempts)


#: Codes with which STS and Cognito say that asking again will not help.
_FINAL_CODES = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "IDPRejectedClaim",
        "InvalidIdentityToken",
        "MalformedPolicyDocument",
        "PackedPolicyTooLarge",
        "RegionDisabledException",
        "NotAuthorizedException",
        "ResourceNotFoundException",
    },
)
#: The operations that say so of keys. The same codes of others come from a user's own function,
#: whose secret store may refuse today and not tomorrow.
_KEY_OPERATIONS = frozenset(
    {
        "AssumeRole",
        "AssumeRoleWithSAML",
        "AssumeRoleWithWebIdentity",
        "GetFederationToken",
        "GetSessionToken",
        "GetCredentialsForIdentity",
        "GetId",
        "GetOpenIdToken",
        "GetOpenIdTokenForDeveloperIdentity",
        "GetRoleCredentials",
        "CreateToken",
        "CreateOAuth2Token",
    },
)


#: What the message of a final code contains where the same call may succeed later. Cognito has no
#: code of its own for a login that has expired ("Invalid login token. Token expired: ..."), nor
#: STS for an identity provider that it could not reach ("Couldn't retrieve verification key ...").
_PASSES = {
    "NotAuthorizedException": "expired",
    "InvalidIdentityToken": "verification key",
}
#: What the message of STS contains where it is the code of an MFA device that is wrong.
_WRONG_MFA_CODE = {
    "AccessDenied": "MultiFactorAuthentication failed",
    "ValidationError": "'tokenCode'",
}


def is_recoverable(error: Exception) -> bool:
    """Whether the same fetch may succeed later without a change of the configuration.

    The rule is AWS's cross-SDK credential refresh behaviour: everything is, but for refusals
    by STS and Cognito and for what is wrong in the configuration.
    """
    if isinstance(error, ClientError):
        code, message = _refusal(error)
        is_final = code in _FINAL_CODES and error.operation_name in _KEY_OPERATIONS
        return not is_final or (code in _PASSES and _PASSES[code] in message.lower())
    return not isinstance(error, (ConfigurationError, ParamValidationError))


def is_wrong_mfa_code(error: Exception) -> bool:
    """Whether a person gave a wrong code of an MFA device, or none."""
    if isinstance(error, ClientError):
        code, message = _refusal(error)
        return code in _WRONG_MFA_CODE and _WRONG_MFA_CODE[code] in message
    return isinstance(error, MfaCodeError)


def _refusal(error: ClientError) -> tuple[str, str]:
    """Return the code and the message of a service."""
    details = error.response.get("Error", {})
    return str(details.get("Code")), str(details.get("Message"))


def shown(error: Exception) -> str:
    """Return the text of an error where that cannot hold a token, else the name of its class.

    It can in the errors of other libraries, and in those of botocore that quote them, an endpoint
    or a value.
    """
    if isinstance(error, (ProviderError, ClientError)):
        return str(error)
    quotes = "{error}" in getattr(error, "fmt", "") and not isinstance(error, SSLError)
    if quotes or not isinstance(error, BotoCoreError) or isinstance(error, MetadataRetrievalError):
        return type(error).__name__
    return shortened(without_users(str(error).partition(", value: ")[0]))


def without_users(text: str) -> str:
    """Return a text without the users and passwords of the URLs in it."""
    return _USER.sub("", text)


def shortened(text: str) -> str:
    """Return what a process or another library wrote, in at most ``LONGEST_TEXT`` characters."""
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 3]}..."


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the one of ``known`` that looks most like ``name``."""
    return _closest(name, known, 0)[0]


def near(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the one of ``known`` for which ``name`` may be a slip; None if there is none."""
    return next(iter(_closest(name, known, cutoff)), None)


def _closest(name: str, known: Iterable[str], cutoff: float) -> list[str]:
    import difflib  # noqa: PLC0415 - wanted for an error only

    by_lower = {one.lower(): one for one in sorted(known)}
    found = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=cutoff)
    return [by_lower[one] for one in found]


def nothing_from(only: Any) -> NotConfigured:
    """Return the error where the provider that is asked alone has nothing."""
    reason = getattr(only, "_reason_not_selected", None)
    return NotConfigured(
        provider=str(only.METHOD),
        error_msg="this session takes credentials from this provider alone, and it has none here"
        f"{f' ({reason()})' if reason else ''}: set what it needs, or pass another provider",
    )
