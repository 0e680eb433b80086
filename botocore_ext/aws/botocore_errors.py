"""botocore's own providers and fetchers in the hands of ours.

They read, parse and ask; what they raise is said in this package's terms, so that a chain knows
whether to go on, and so that no error shows what a file or a process gave.
"""

import subprocess
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from botocore import exceptions
from botocore.session import Session

from ..errors import ConfigurationError, FetchError, NotConfigured, ProviderError
from ..runtime.context import redact_logs
from .clients import is_of_a_handler, is_of_a_parser
from .frozen_credentials import FieldError

T = TypeVar("T")

_BETWEEN = "check that nothing between here and AWS changes it"
#: What is not as it should be may be a secret: nothing of it is shown.
_MALFORMED = (FetchError, "{place} gave something that cannot be read: {remedy}")

#: What botocore's fetchers raise -> which error of ours it is, and its text. Of ``error`` only
#: that is shown which cannot hold what a file, a process or a service gave.
MEANINGS: Mapping[type[Exception], tuple[type[ProviderError], str]] = {
    exceptions.PartialCredentialsError: (
        ConfigurationError,
        "{place} has an access key but no {error.kwargs[cred_var]}: set both, or neither",
    ),
    exceptions.ConfigParseError: (
        ConfigurationError,
        (
            "{error.kwargs[path]} cannot be read as an AWS config or credentials file: correct "
            "its syntax"
        ),
    ),
    exceptions.ProfileNotFound: (
        ConfigurationError,
        (
            "there is no profile '{error.kwargs[profile]}' in the AWS files: add it, or correct "
            "AWS_PROFILE or profile_name"
        ),
    ),
    exceptions.InvalidIMDSEndpointError: (
        ConfigurationError,
        (
            "{error.kwargs[endpoint]} is no address of a metadata service: correct "
            "AWS_EC2_METADATA_SERVICE_ENDPOINT or ec2_metadata_service_endpoint"
        ),
    ),
    exceptions.InvalidIMDSEndpointModeError: (
        ConfigurationError,
        (
            "{error.kwargs[mode]} is neither ipv4 nor ipv6: correct "
            "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE or ec2_metadata_service_endpoint_mode"
        ),
    ),
    exceptions.MetadataRetrievalError: (
        NotConfigured,
        (
            "{place} gave no token, and asking without one (IMDSv1) is disabled: raise the hop "
            "limit of the instance for containers, or allow IMDSv1"
        ),
    ),
    exceptions.MissingDependencyException: (ConfigurationError, "{error.kwargs[msg]}"),
    exceptions.SSOTokenLoadError: (
        FetchError,
        "{place} has no accessToken or no expiresAt: {remedy}",
    ),
    exceptions.UnauthorizedSSOTokenError: (
        FetchError,
        "{place} holds a token that has expired or is not accepted any more: {remedy}",
    ),
    exceptions.TokenRetrievalError: (
        FetchError,
        "{place} holds a token that has expired and could not be renewed: {remedy}",
    ),
    exceptions.LoginRefreshRequired: (
        FetchError,
        "{place} is of a login that has expired, or whose password has changed: {remedy}",
    ),
    exceptions.LoginInsufficientPermissions: (
        FetchError,
        "{place} is of a user who may not renew it: allow signin:CreateOAuth2Token",
    ),
    exceptions.LoginTokenLoadError: (
        FetchError,
        "{place} cannot be used ({error.kwargs[error_msg]}): {remedy}",
    ),
    exceptions.LoginError: (
        FetchError,
        "{place} holds a refresh token that is not accepted: {remedy}",
    ),
    subprocess.CalledProcessError: (
        FetchError,
        "{place} ended with status {error.returncode}: run the command by hand to see why",
    ),
    subprocess.TimeoutExpired: (
        FetchError,
        (
            "{place} took longer than {error.timeout:g} seconds and was ended: run the command by "
            "hand to see what it waits for, or raise timeout"
        ),
    ),
    OSError: (FetchError, "{place} cannot be used ({error.strerror}): {remedy}"),
    LookupError: (
        FetchError,
        "{error} is missing in {place}, or in what the service answered: {remedy}",
    ),
    exceptions.ParamValidationError: _MALFORMED,
    FieldError: (FetchError, "{place} gave credentials that cannot be used ({error}): {remedy}"),
    ArithmeticError: _MALFORMED,
    AttributeError: _MALFORMED,
    RuntimeError: _MALFORMED,
    TypeError: _MALFORMED,
    ValueError: _MALFORMED,
}


def native(method: str | None, place: str, remedy: str, work: Callable[[], T]) -> T:
    """Return what code of botocore's returns; run it out of every log, say its errors in our terms.

    It is a function rather than a context manager, so that what botocore raised, and the secrets
    in it, is not the context of our error.

    Args:
        method: The provider's, for the error.
        place: Whence the keys come, as an error names it.
        remedy: What to do where that is not as it should be.
        work: Calls botocore.

    Raises:
        ProviderError: See ``MEANINGS``. Errors of services and connections pass unchanged.
    """
    try:
        return redact_logs(work)
    except tuple(MEANINGS) as error:
        meaning = _meaning(error)
        if meaning is None:
            raise
        kind, text = meaning
        fact = text.format(error=error, place=place, remedy=remedy)
    raise kind(provider=method, error_msg=fact)


def _meaning(error: Exception) -> tuple[type[ProviderError], str] | None:
    """Return the row of an error; None for what says itself what it is.

    Many of botocore's are an ``OSError`` or a ``ValueError``, too: a silent service is no file.
    """
    if isinstance(error, ProviderError) or is_of_a_handler(error):
        return None
    if is_of_a_parser(error):
        return FetchError, "{place} was used, and the answer of AWS cannot be read: " + _BETWEEN
    rows = [row for row in MEANINGS if isinstance(error, row)]
    if isinstance(error, exceptions.BotoCoreError):
        rows = [row for row in rows if issubclass(row, exceptions.BotoCoreError)]
    return MEANINGS[rows[0]] if rows else None


# Settings of botocore's that it reads for every session, and cannot make its providers without.

#: Settings of the metadata service, under the names that botocore has for them.
METADATA_NUMBERS = ("metadata_service_timeout", "metadata_service_num_attempts")


def whole_number(session: Session, method: str | None, name: str) -> Any:
    """Return a number among botocore's settings; what is none is a ``ValueError`` of botocore's.

    Raises:
        ConfigurationError: It is no whole number.
    """
    try:
        return session.get_config_variable(name)
    except ValueError:
        pass
    fact = f"{name} is not a whole number: correct AWS_{name.upper()}, or {name} in the profile"
    raise ConfigurationError(provider=method, error_msg=fact)


def made_by_botocore(session: Session, method: str | None, make: Callable[[], T]) -> T:
    """Return botocore's own providers as ``make`` makes them, beside one of ours.

    Raises:
        ConfigurationError: One of their settings is none, whether or not they are ever asked.
    """

    def work() -> T:
        for name in METADATA_NUMBERS:
            whole_number(session, method, name)
        return make()

    return native(method, "the AWS config", "correct it", work)
