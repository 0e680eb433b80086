"""Static credentials, from environment variables and from the AWS files.

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

#: Field of credentials -> its setting in the AWS files.
SETTINGS = {
    "AccessKeyId": "aws_access_key_id",
    "SecretAccessKey": "aws_secret_access_key",
    "SessionToken": "aws_session_token",
    "AccountId": "aws_account_id",
}
#: Field of credentials -> its environment variable.
_VARIABLES = {field: name.upper() for field, name in SETTINGS.items()}

# The AWS files.


def static_sources(files: Session, profile: str) -> list[Callable[[], FrozenCredentials | None]]:
    """Return readers of the credentials file and of the config file, for one profile.

    Each reads its file once, as botocore does with everything else in the files.
    """
    paths = [str(files.get_config_variable(name)) for name in ("credentials_file", "config_file")]
    in_credentials = SharedCredentialProvider(paths[0], profile, cache(raw_config_parse))
    in_config = ConfigProvider(paths[1], profile, cache(load_config))
    return [
        partial(static_credentials, f"profile '{profile}' of {path}", provider)
        for path, provider in zip(paths, (in_credentials, in_config), strict=True)
    ]


def static_credentials(source: str, provider: CredentialProvider) -> FrozenCredentials | None:
    """Return the credentials in a profile of one file, which ``source`` names, or None.

    Raises:
        ConfigurationError: The profile has an access key ID, but no secret access key.
    """
    loaded = native(provider.METHOD, source, "correct it", provider.load)
    credentials = loaded and _from_settings(provider.METHOD, loaded, SETTINGS, f" in {source}")
    return credentials and credentials.with_features(("CREDENTIALS_PROFILE",))


def _from_settings(
    method: str | None, credentials: Credentials, names: Mapping[str, str], where: str = ""
) -> FrozenCredentials:
    """Return credentials that botocore read from settings or variables with these names.

    Raises:
        ConfigurationError: A value cannot be used.
    """
    try:
        return FrozenCredentials.from_credentials(credentials)
    except FieldError as error:
        fact = f"{names.get(error.field, error.field)}{where} {error.fact}: correct it"
    raise ConfigurationError(provider=method, error_msg=fact)


# The environment.


class EnvironmentProvider(Provider):
    """Credentials in `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`."""

    METHOD = "env"
    CANONICAL_NAME = "Environment"
    FACTORY = "from_env"
    FEATURE_IDS = ("CREDENTIALS_ENV_VARS",)

    def is_selected(self) -> bool:
        """Whether there is an access key ID; white space is none, as in other AWS SDKs."""
        return bool(self.scope.environ.get(EnvProvider.ACCESS_KEY, "").strip())

    def _reason_not_selected(self) -> str:
        """See ``Specification._reason_not_selected``."""
        return f"{EnvProvider.ACCESS_KEY} is not set"

    def fetch(self) -> FrozenCredentials:
        """Read the variables."""
        remedy = "set the variables again"
        loaded = native(self.METHOD, "the environment", remedy, self._load_with_botocore)
        if loaded is None:
            raise self._not_configured()
        credentials = _from_settings(self.METHOD, loaded, _VARIABLES)
        return replace(credentials, expiration=self._expiration())

    def _load_with_botocore(self) -> Credentials | None:
        # Security: no function that raises an error has the environment as a variable, because
        # error trackers send the variables of a traceback to a server.
        environ = self.scope.environ
        # Without the expiration, about which the errors of botocore name no variable.
        variables = {name: environ[name] for name in environ if name != EnvProvider.EXPIRY_TIME}
        return EnvProvider(variables).load()

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
            error_msg=f"the credentials in the environment expired at {text} ({name}): set the "
            "variables again, or unset them",
        )


from_env = EnvironmentProvider
