"""Keys that stand in the AWS files themselves, read by botocore's providers."""

from collections.abc import Callable, Mapping
from functools import cache, partial

from botocore.configloader import load_config, raw_config_parse
from botocore.credentials import (
    ConfigProvider,
    CredentialProvider,
    Credentials,
    SharedCredentialProvider,
)
from botocore.session import Session

from ..errors import ConfigurationError
from ..keys import FieldError, Keys
from .native import native

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
) -> tuple[Callable[[], Keys | None], Callable[[], Keys | None]]:
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


def static_keys(place: str, provider: CredentialProvider) -> Keys | None:
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
) -> Keys:
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
        return Keys.from_credentials(credentials)
    except FieldError as error:
        fact = f"{names.get(error.field, error.field)}{where} {error.fact}: correct it"
    raise ConfigurationError(provider=method, error_msg=fact)
