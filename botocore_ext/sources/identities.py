"""Where the id of a Cognito identity is kept between fetches.

An id is no secret, but it decides whose data the keys open: it is shared only under a key that
holds pool, region, endpoint, account and user, and a value that does not look like an identity of
the pool's region is not used.
"""

import logging
from collections.abc import MutableMapping
from dataclasses import dataclass

from ..declaration import values

logger = logging.getLogger(__name__)

#: Ids that ``user_identifier`` shares between the providers of this process.
_by_user: dict[str, str] = {}


@dataclass(frozen=True)
class KeptIdentities:
    """The places that may know the identity of one user in one pool."""

    key: str
    region: str
    #: The provider's own.
    mine: dict[str, str]
    #: Whether the user is named, so that the process may share the identity.
    by_user: bool
    #: The caller's; None where it must not be used. Whatever it does, no fetch fails.
    cache: MutableMapping[str, str] | None

    def find(self) -> str | None:
        """Return the kept id, or None."""
        return self._in_memory.get(self.key) or self._cached()

    def keep(self, identity: str) -> str:
        """Keep ``identity``; return it, or the one that another thread has kept meanwhile."""
        identity = self._in_memory.setdefault(self.key, identity)
        self.mine.pop(self.key, None)  # the identity in use is the last one
        self.mine[self.key] = identity
        if self.cache is not None and self._cached() != identity:
            try:
                self.cache[self._cache_key] = identity
            except Exception as error:  # noqa: BLE001 - a failing cache never fails a fetch
                _warn("written", error)
        return identity

    def drop(self, identity: str) -> None:
        """Forget ``identity`` wherever it is kept."""
        for known in (self.mine, self._in_memory):
            if known.get(self.key) == identity:
                known.pop(self.key, None)
        if self.cache is not None and self._cached() == identity:
            try:
                del self.cache[self._cache_key]
            except Exception as error:  # noqa: BLE001 - as above
                _warn("written", error)

    @property
    def _cache_key(self) -> str:
        return f"botocore-ext:cognito-identity:{self.key}"

    @property
    def _in_memory(self) -> dict[str, str]:
        """What decides among the threads of this process."""
        return _by_user if self.by_user else self.mine

    def _cached(self) -> str | None:
        if self.cache is None:
            return None
        try:
            kept = values.cognito_id(self.cache[self._cache_key])
        except KeyError:
            return None
        except Exception as error:  # noqa: BLE001 - as above
            _warn("read", error)
            return None
        return kept if kept.partition(":")[0] == self.region else None


def _warn(done: str, error: Exception) -> None:
    # Its type alone: the text of a cache's error may hold the password of the cache.
    kind = type(error).__name__
    logger.warning("The cache of Cognito identities cannot be %s (%s)", done, kind)
