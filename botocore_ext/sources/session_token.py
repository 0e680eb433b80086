"""The token of a session of IAM Identity Center, which AWS CLI keeps and every SDK renews."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

from botocore.tokens import FrozenAuthToken, SSOTokenProvider
from botocore.utils import JSONFileCache, SSOTokenLoader, parse_timestamp

from .token_cache import ReplacedMeanwhileError, TokenCache

logger = logging.getLogger(__name__)


_REGISTERED = "registrationExpiresAt"
#: For a token file that does not say until when its client is registered: botocore renews no such
#: token, the other SDKs do, and the service knows.
_SOME_TIME = "9999-12-31T23:59:59Z"


class _Renewable(JSONFileCache):
    """A ``TokenCache`` of which botocore renews every token that has a refresh token."""

    def __init__(self, cache: TokenCache) -> None:
        self._cache = cache

    def __contains__(self, key: object) -> bool:
        return key in self._cache

    def __getitem__(self, key: str) -> Any:
        found = self._cache[key]
        return {**found, _REGISTERED: found.get(_REGISTERED) or _SOME_TIME}

    def __setitem__(self, key: str, value: Mapping[str, Any]) -> None:
        is_known = value.get(_REGISTERED) != _SOME_TIME
        self._cache[key] = {one: value[one] for one in value if is_known or one != _REGISTERED}


class SessionToken:
    """A token that is renewed in time; while it is valid it outlives a failed renewal.

    botocore's provider sees to that only where the service answers that it refuses.
    """

    def __init__(
        self,
        cache: TokenCache,
        section: Mapping[str, str],
        client: Callable[..., Any],
        now: Callable[[], datetime],
    ) -> None:
        """Take what is needed.

        Args:
            cache: Where the token is kept.
            section: The session: ``name``, ``sso_start_url`` and ``sso_region``.
            client: Makes the client that renews it.
            now: Tells the time.
        """
        self._cache, self._name, self._now = _Renewable(cache), section["name"], now
        config = {
            "profiles": {"it": {"sso_session": self._name}},
            "sso_sessions": {self._name: section},
        }
        # What botocore's provider needs of a session: its configuration and its clients.
        session: Any = SimpleNamespace(full_config=config, create_client=client)
        self._provider = SSOTokenProvider(session, self._cache, now, profile_name="it")

    def load_token(self) -> "SessionToken":
        """Return what gives the token, as botocore's fetcher asks for it."""
        return self

    def get_frozen_token(self) -> FrozenAuthToken:
        """Return the token, renewed if it expires soon; one round trip then."""
        try:
            found: FrozenAuthToken = self._provider.load_token().get_frozen_token()
        except ReplacedMeanwhileError:
            return self.get_frozen_token()
        except Exception as error:
            kept = SSOTokenLoader(cast("Any", self._cache))("", self._name)
            left = (parse_timestamp(kept["expiresAt"]) - self._now()).total_seconds()
            if left <= 0:
                raise
            fact = "The token of sso-session %s cannot be renewed (%s); it is valid for %d seconds"
            logger.warning(fact, self._name, type(error).__name__, left)
            return FrozenAuthToken(kept["accessToken"])
        return found
