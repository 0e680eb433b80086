"""Keys that stand in the AWS files themselves, read by botocore's providers."""

from collections.abc import Callable
from functools import cache, partial

from botocore.configloader import load_config, raw_config_parse
from botocore.credentials import ConfigProvider, CredentialProvider, SharedCredentialProvider
from botocore.session import Session

from ..keys import Keys
from .native import native


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

    def work() -> Keys | None:
        found = provider.load()
        return found and Keys.from_credentials(found).through(("CREDENTIALS_PROFILE",))

    return native(provider.METHOD, place, "correct it", work)
