"""Where the id of a Cognito identity is kept between fetches.

An id is no secret, but it decides whose data the keys open: it is shared only under a key that
holds pool, region, endpoint, account and user, and a value that does not look like an identity of
the pool's region is not used.
"""

import logging
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from operator import delitem, setitem
from typing import TypeVar

from ..declaration import values

T = TypeVar("T")

logger = logging.getLogger(__name__)

#: Ids that ``user_identifier`` shares between the providers of this process.
_by_user: dict[str, str] = {}


def reset() -> None:
    """Forget the ids that ``user_identifier`` shares in this process."""
    _by_user.clear()


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
        if self._cached() != identity:
            self._use("written", lambda cache: setitem(cache, self._cache_key, identity))
        return identity

    def replace(self, identity: str, merged: str) -> None:
        """Keep ``merged`` wherever ``identity`` is kept."""
        if self._in_memory.get(self.key) == identity:
            self._in_memory[self.key] = merged
        self.keep(merged)

    def drop(self, identity: str) -> None:
        """Forget ``identity`` wherever it is kept."""
        for known in (self.mine, self._in_memory):
            if known.get(self.key) == identity:
                known.pop(self.key, None)
        if self._cached() == identity:
            self._use("written", lambda cache: delitem(cache, self._cache_key))

    @property
    def _cache_key(self) -> str:
        return f"botocore-ext:cognito-identity:{self.key}"

    @property
    def _in_memory(self) -> dict[str, str]:
        """What decides among the threads of this process."""
        return _by_user if self.by_user else self.mine

    def _cached(self) -> str | None:
        return self._use("read", self._read)

    def _read(self, cache: MutableMapping[str, str]) -> str | None:
        try:
            kept = values.cognito_id(cache[self._cache_key])
        except KeyError:
            return None
        return kept if kept.partition(":")[0] == self.region else None

    def _use(self, done: str, work: Callable[[MutableMapping[str, str]], T]) -> T | None:
        """Return what ``work`` returns; None without a cache, and if that fails."""
        if self.cache is None:
            return None
        try:
            return work(self.cache)
        except Exception as error:  # noqa: BLE001 - a failing cache never fails a fetch
            # Its type alone: the text may hold the password of the cache.
            kind = type(error).__name__
            logger.warning("The cache of Cognito identities cannot be %s (%s)", done, kind)
            return None
