"""Keys from environment variables.

https://docs.aws.amazon.com/sdkref/latest/guide/feature-static-credentials.html
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import cache, partial

from botocore.configloader import load_config, raw_config_parse
from botocore.credentials import (
    ConfigProvider,
    CredentialProvider,
    Credentials,
    EnvProvider,
    SharedCredentialProvider,
)
from botocore.session import Session

from ..aws.botocore_errors import native
from ..aws.frozen_credentials import FieldError, FrozenCredentials, expiration
from ..errors import ConfigurationError, FetchError
from .base import Provider

# Keys that stand in the AWS files themselves, read by botocore's providers.

#: Field of the keys -> the setting that has it in the AWS files, and in capitals in the
#: environment.
SETTINGS = {
    "AccessKeyId": "aws_access_key_id",
    "SecretAccessKey": "aws_secret_access_key",
    "SessionToken": "aws_session_token",
    "AccountId": "aws_account_id",
}


def static_sources(
    files: Session, profile: str
) -> tuple[Callable[[], FrozenCredentials | None], Callable[[], FrozenCredentials | None]]:
    """Return what reads the keys that stand in a profile of the credentials and the config file.

    The files are read once, as botocore reads the rest of them.
    """
    paths = [str(files.get_config_variable(name)) for name in ("credentials_file", "config_file")]
    in_credentials = SharedCredentialProvider(paths[0], profile, cache(raw_config_parse))
    in_config = ConfigProvider(paths[1], profile, cache(load_config))
    places = [f"profile '{profile}' of {path}" for path in paths]
    return partial(static_keys, places[0], in_credentials), partial(
        static_keys, places[1], in_config
    )


def static_keys(place: str, provider: CredentialProvider) -> FrozenCredentials | None:
    """Return the keys that stand in a profile, read by a provider of botocore's; None if none do.

    Args:
        place: The profile and its file, for an error: a key and its secret stand in one file.
        provider: Reads that file.

    Raises:
        ConfigurationError: The access key stands there alone.
    """
    found = native(provider.METHOD, place, "correct it", provider.load)
    keys = found and from_settings(provider.METHOD, found, SETTINGS, f" in {place}")
    return keys and keys.through(("CREDENTIALS_PROFILE",))


def from_settings(
    method: str | None, credentials: Credentials, names: Mapping[str, str], where: str = ""
) -> FrozenCredentials:
    """Read keys that somebody wrote into settings.

    Args:
        method: The provider's, for an error.
        credentials: As botocore has read them.
        names: Field of the keys -> the setting.
        where: Where the setting is.

    Raises:
        ConfigurationError: One of them cannot be used.
    """
    try:
        return FrozenCredentials.from_credentials(credentials)
    except FieldError as error:
        fact = f"{names.get(error.field, error.field)}{where} {error.fact}: correct it"
    raise ConfigurationError(provider=method, error_msg=fact)


_VARIABLES = {field: name.upper() for field, name in SETTINGS.items()}


class EnvironmentProvider(Provider):
    """The keys in `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`."""

    METHOD = "env"
    CANONICAL_NAME = "Environment"
    FACTORY = "from_env"
    FEATURE_IDS = ("CREDENTIALS_ENV_VARS",)

    def is_selected(self) -> bool:
        """Whether there is an access key."""
        return bool(self.scope.environ.get(EnvProvider.ACCESS_KEY))

    def _reason_not_selected(self) -> str:
        """See ``Specification._reason_not_selected``."""
        return f"{EnvProvider.ACCESS_KEY} is not set"

    def fetch(self) -> FrozenCredentials:
        """Read the variables."""
        environ = self.scope.environ
        # botocore would refuse expired keys without saying whose they are.
        unlimited = {name: environ[name] for name in environ if name != EnvProvider.EXPIRY_TIME}
        load = EnvProvider(unlimited).load
        found = native(self.METHOD, "the environment", "set the variables anew", load)
        if found is None:
            raise self._not_configured()
        keys = from_settings(self.METHOD, found, _VARIABLES)
        return replace(keys, expiration=self._expiration())

    def _expiration(self) -> datetime | None:
        name = EnvProvider.EXPIRY_TIME
        text = self.scope.environ.get(name)
        if not text:
            return None
        moment: datetime | None = None
        with suppress(ValueError):
            moment = expiration(text)
        if moment is None:
            raise ConfigurationError(
                provider=self.METHOD,
                error_msg=f"{name} is not an RFC 3339 time: set it to one such as "
                "2030-01-01T00:00:00Z, or unset it",
            )
        if moment.timestamp() > self.scope.clock.now():
            return moment
        raise FetchError(
            provider=self.METHOD,
            error_msg=f"the keys in the environment expired at {text} ({name}): renew the "
            "variables, or unset them",
        )


from_env = EnvironmentProvider
