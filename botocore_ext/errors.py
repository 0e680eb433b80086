"""The errors of this package, and helpers for their texts.

::

    botocore.exceptions.CredentialRetrievalError
    +-- ProviderError
        +-- NotConfigured         nothing configures the provider (also a NoCredentialsError)
        +-- ConfigurationError    an option or setting is missing or malformed
        +-- FetchError            the source of the credentials failed
        |   +-- MfaCodeError      no MFA code was entered
        +-- ChainError            no link of a chain returned credentials

Code that catches botocore's errors catches these too. Errors of AWS services (STS, Cognito) are
never wrapped: ``except ClientError`` works.
"""

import re
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    MetadataRetrievalError,
    NoCredentialsError,
    ParamValidationError,
    SSLError,
)

#: The user and password before the host of a URL.
_USER = re.compile(r"(?<=//)[^/?#\s]*@")
#: The longest text of a process or another library that an error or a log line shows.
LONGEST_TEXT = 1024


class ProviderError(CredentialRetrievalError):
    """The base of all errors of this package.

    Args:
        provider: The ``METHOD`` of the provider that raises it.
        error_msg: The fact, then the remedy. Never the value of a secret.
    """

    #: Whether a credential chain continues with its next link after this error
    #: (``tryNextLink`` in the AWS SDK for JavaScript).
    try_next_link: bool = False

    def __init__(self, *, provider: str | None, error_msg: str) -> None:
        super().__init__(provider=str(provider), error_msg=error_msg)
        #: The fact and the remedy, without the beginning that botocore adds.
        self.reason = error_msg


class NotConfigured(  # noqa: N818 - the name of an outcome, not of a failure  # pyright: ignore[reportIncompatibleVariableOverride]  # botocore-stubs' kwargs
    ProviderError, NoCredentialsError
):
    """Nothing configures this provider; a chain continues with its next link.

    It is also a ``NoCredentialsError``, which callers of botocore catch.
    """

    try_next_link = True


class ConfigurationError(ProviderError):
    """The provider is selected, but an option is missing or malformed."""


class FetchError(ProviderError):
    """The provider is configured, but its source failed."""


class MfaCodeError(FetchError):
    """The callback returned no MFA code; the next use calls it again."""


class Attempt(NamedTuple):
    """The outcome of one link of a chain."""

    #: The link's name, as the user wrote it.
    link: str
    #: Why it returned no credentials.
    reason: str
    #: The error; None if a third-party provider returned None.
    error: Exception | None = None


class ChainError(ProviderError):
    """No link of a chain returned credentials.

    Args:
        provider: The ``METHOD`` of the chain.
        attempts: One for each link, in order.
    """

    def __init__(self, *, provider: str | None, attempts: Sequence[Attempt]) -> None:
        """Write one line for each link."""
        self.attempts = tuple(attempts)
        #: All links let the chain continue, so an outer chain continues too.
        self.try_next_link = True
        # The lines of a chain within this one are indented further.
        lines = "".join(
            "\n  " + f"{one.link}: {one.reason}".replace("\n", "\n  ") for one in attempts
        )
        super().__init__(
            provider=provider, error_msg=f"no link of the chain returned credentials{lines}"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as the attempts."""
        return partial(ChainError, provider=self.kwargs["provider"], attempts=self.attempts), ()


#: Error codes of STS and Cognito after which another attempt does not help.
_FINAL_CODES = {
    "AccessDenied", "AccessDeniedException", "IDPRejectedClaim", "InvalidIdentityToken",
    "MalformedPolicyDocument", "PackedPolicyTooLarge", "RegionDisabledException",
    "NotAuthorizedException", "ResourceNotFoundException",
}  # fmt: skip
#: The operations to which this applies, CreateSession of IAM Roles Anywhere among them. Others are
#: called by functions of the user, for example to read a secret store, and may succeed later.
_CREDENTIAL_OPERATIONS = {
    "AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "GetFederationToken",
    "GetSessionToken", "GetCredentialsForIdentity", "GetId", "GetOpenIdToken",
    "GetOpenIdTokenForDeveloperIdentity", "GetRoleCredentials", "CreateToken", "CreateOAuth2Token",
    "CreateSession",
}  # fmt: skip
#: Parts of the message of a final code that mean that the call may succeed later. Cognito has no
#: separate code for an expired login ("Invalid login token. Token expired: ..."), nor has STS for
#: an identity provider that it could not reach ("Couldn't retrieve verification key ...").
_TEMPORARY = {"NotAuthorizedException": "expired", "InvalidIdentityToken": "verification key"}
#: Parts of the message of STS that mean that the MFA code is wrong.
_WRONG_MFA_CODE = {
    "AccessDenied": "MultiFactorAuthentication failed",
    "ValidationError": "'tokenCode'",
}


def is_recoverable(error: Exception) -> bool:
    """Return whether the same fetch may succeed later without a change of the configuration.

    The rule is AWS's cross-SDK credential refresh behavior: every error is recoverable, except
    refusals by STS and Cognito and errors in the configuration.
    """
    if isinstance(error, ClientError):
        code, message = _refusal(error)
        is_final = code in _FINAL_CODES and error.operation_name in _CREDENTIAL_OPERATIONS
        return not is_final or (code in _TEMPORARY and _TEMPORARY[code] in message.lower())
    return not isinstance(error, (ConfigurationError, ParamValidationError))


def is_wrong_mfa_code(error: Exception) -> bool:
    """Return whether the MFA code was wrong or missing."""
    if isinstance(error, ClientError):
        code, message = _refusal(error)
        return code in _WRONG_MFA_CODE and _WRONG_MFA_CODE[code] in message
    return isinstance(error, MfaCodeError)


def _refusal(error: ClientError) -> tuple[str, str]:
    """Return the code and the message of a service error."""
    details = error.response.get("Error", {})
    return str(details.get("Code")), str(details.get("Message"))


def redacted_text(error: Exception) -> str:
    """Return the text of an error if it cannot contain a secret, else the name of its class.

    The errors of other libraries can contain one, as can errors of botocore that quote them.
    """
    if isinstance(error, ClientError):
        text = str(error)  # of the service: it must not control a terminal, nor begin a log record
        return text if text.isprintable() else ascii(text)[1:-1]
    if isinstance(error, ProviderError):
        return str(error)
    quotes = "{error}" in getattr(error, "fmt", "") and not isinstance(error, SSLError)
    if quotes or not isinstance(error, BotoCoreError) or isinstance(error, MetadataRetrievalError):
        return type(error).__name__
    return shorten(without_users(str(error).partition(", value: ")[0]))


def without_users(text: str) -> str:
    """Return a text without the users and passwords in its URLs."""
    return _USER.sub("", text)


def shorten(text: str) -> str:
    """Return a text of a process or another library, cut to ``LONGEST_TEXT`` characters."""
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 3]}..."


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the name in ``known`` that is most like ``name``."""
    return _closest(name, known, 0)[0]


def near(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the name in ``known`` that a misspelled ``name`` may mean; None if there is none."""
    return next(iter(_closest(name, known, cutoff)), None)


def _closest(name: str, known: Iterable[str], cutoff: float) -> list[str]:
    import difflib  # noqa: PLC0415 - needed for an error only

    by_lower = {one.lower(): one for one in sorted(known)}
    found = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=cutoff)
    return [by_lower[one] for one in found]


def no_credentials_from(
    only: Any, where: str = "this session takes credentials from this provider only, and it"
) -> NotConfigured:
    """Return the error for a provider without credentials that nothing may replace."""
    reason = getattr(only, "_reason_not_selected", None)
    return NotConfigured(
        provider=str(only.METHOD),
        error_msg=f"{where} has none here{f' ({reason()})' if reason else ''}: configure it, or "
        "pass another provider",
    )
