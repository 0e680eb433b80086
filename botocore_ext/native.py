"""botocore's own providers and fetchers in the hands of ours.

They read, parse and ask; what they raise is said in this package's terms, so that a chain knows
whether to go on, and so that no error shows what a file or a process gave.
"""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from botocore import exceptions
from botocore.credentials import CredentialProvider, Credentials

from .errors import ConfigurationError, FetchError, NotConfigured, ProviderError
from .inner_calls import unlogged
from .keys import Keys

_LOG_IN = "{error}: log in again with `{login}`"

#: What botocore's fetchers raise -> which error of ours it is, and its text. ``{error}`` is what
#: botocore says; it stands only where that cannot hold what a file or a process gave.
MEANINGS: Mapping[type[Exception], tuple[type[ProviderError], str]] = {
    exceptions.PartialCredentialsError: (ConfigurationError, "{error}: set both keys, or neither"),
    exceptions.ConfigParseError: (ConfigurationError, "{error}: correct the syntax of the file"),
    exceptions.InvalidConfigError: (ConfigurationError, "{error}"),
    exceptions.InvalidIMDSEndpointError: (
        ConfigurationError,
        "{error}: correct AWS_EC2_METADATA_SERVICE_ENDPOINT or ec2_metadata_service_endpoint",
    ),
    exceptions.InvalidIMDSEndpointModeError: (
        ConfigurationError,
        "{error}: set AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE to ipv4 or ipv6",
    ),
    exceptions.MetadataRetrievalError: (
        NotConfigured,
        "{error}: allow IMDSv1, or look why the service gives no token",
    ),
    exceptions.MissingDependencyException: (
        ConfigurationError,
        "{error} (or `pip install botocore-ext[login]`)",
    ),
    exceptions.SSOError: (FetchError, _LOG_IN),
    exceptions.TokenRetrievalError: (FetchError, _LOG_IN),
    exceptions.LoginError: (FetchError, _LOG_IN),
    exceptions.CredentialRetrievalError: (FetchError, "{error}: run the command by hand"),
    subprocess.TimeoutExpired: (
        FetchError,
        "the command took longer than its timeout: run it by hand, or raise the timeout",
    ),
    OSError: (FetchError, "{error}: check the path and who may use it"),
    # What is not as it should be may be a secret: nothing of it is shown.
    AttributeError: (FetchError, "{place} gave something that cannot be read: {malformed}"),
    LookupError: (FetchError, "{place} gave something incomplete: {malformed}"),
    TypeError: (FetchError, "{place} gave something that cannot be read: {malformed}"),
    ValueError: (FetchError, "{place} gave something that cannot be read: {malformed}"),
}


@contextmanager
def native(
    method: str | None,
    place: str,
    malformed: str,
    login: str = "",
) -> Iterator[None]:
    """Run code of botocore's, out of every log, and say its errors in our terms.

    Args:
        method: The provider's, for the error.
        place: Whence the keys come, as an error names it.
        malformed: The remedy where what comes from there is not as it should be.
        login: The command that logs in again.

    Raises:
        ProviderError: See ``MEANINGS``. Errors of services and connections pass unchanged.
    """
    try:
        with unlogged():
            yield
    except ProviderError:
        raise
    except tuple(MEANINGS) as error:
        kind, text = next(MEANINGS[one] for one in MEANINGS if isinstance(error, one))
        said = error.strerror if isinstance(error, OSError) else str(error)
        said = getattr(error, "kwargs", {}).get("error_msg") or said
        fact = text.format(
            error=str(said).strip().rstrip("."), place=place, malformed=malformed, login=login
        )
    else:
        return
    raise kind(provider=method, error_msg=fact)


def as_loaded(credentials: Credentials | None) -> Keys:
    """Read keys that botocore has just obtained, without its obtaining them again.

    It would do so where they expire soon: a process would run twice.
    """
    if credentials is None:
        raise LookupError  # for ``MEANINGS``
    setattr(credentials, "refresh_needed", lambda *_: False)  # noqa: B010 - a method, for mypy
    return Keys.from_credentials(credentials)


def static_keys(profile: str, provider: CredentialProvider) -> Keys | None:
    """Return the keys that stand in a profile, read by a provider of botocore's; None if none do.

    Raises:
        ConfigurationError: The access key stands there alone.
    """
    with native(provider.METHOD, f"profile '{profile}'", "correct it"):
        found = provider.load()
    return found and Keys.from_credentials(found).through(("CREDENTIALS_PROFILE",))
