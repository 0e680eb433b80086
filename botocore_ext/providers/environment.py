"""Keys from environment variables.

https://docs.aws.amazon.com/sdkref/latest/guide/feature-static-credentials.html
"""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from botocore.credentials import EnvProvider

from ..errors import ConfigurationError, FetchError
from ..keys import Keys, expiration
from ..provider import Provider
from ..sources.native import native
from ..sources.static_keys import SETTINGS, from_settings

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

    def why_not(self) -> str:
        """See ``Specification.why_not``."""
        return f"{EnvProvider.ACCESS_KEY} is not set"

    def fetch(self) -> Keys:
        """Read the variables."""
        environ = self.scope.environ
        # botocore would refuse expired keys without saying whose they are.
        unlimited = {name: environ[name] for name in environ if name != EnvProvider.EXPIRY_TIME}
        load = EnvProvider(unlimited).load
        found = native(self.METHOD, "the environment", "set the variables anew", load)
        if found is None:
            raise self.not_here()
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
