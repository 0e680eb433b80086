"""Where the id of a Cognito identity is kept between fetches.

An id is no secret, but it decides whose data the keys open: it is shared only under a key that
holds pool, region, endpoint, account and user, and a value that does not look like an identity of
the pool's region is not used.
"""

import logging
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass

from . import values

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
        for known in self._in_memory():
            if self.key in known:
                return known[self.key]
        return self._cached()

    def keep(self, identity: str) -> str:
        """Keep ``identity``; return it, or the one that another thread has kept meanwhile."""
        for known in self._in_memory():
            identity = known.setdefault(self.key, identity)
        if self.cache is not None and self._cached() != identity:
            try:
                self.cache[self._cache_key] = identity
            except Exception as error:  # noqa: BLE001 - a failing cache never fails a fetch
                logger.warning("The cache of Cognito identities cannot be written: %r", error)
        return identity

    def drop(self, identity: str) -> None:
        """Forget ``identity`` wherever it is kept."""
        for known in self._in_memory():
            if known.get(self.key) == identity:
                known.pop(self.key, None)
        if self.cache is not None and self._cached() == identity:
            try:
                del self.cache[self._cache_key]
            except Exception as error:  # noqa: BLE001 - as above
                logger.warning("The cache of Cognito identities cannot be written: %r", error)

    @property
    def _cache_key(self) -> str:
        return f"botocore-ext:cognito-identity:{self.key}"

    def _in_memory(self) -> Iterator[dict[str, str]]:
        yield self.mine
        if self.by_user:
            yield _by_user

    def _cached(self) -> str | None:
        if self.cache is None:
            return None
        try:
            kept = values.cognito_id(self.cache[self._cache_key])
        except KeyError:
            return None
        except Exception as error:  # noqa: BLE001 - as above
            logger.warning("The cache of Cognito identities cannot be read: %r", error)
            return None
        return kept if kept.partition(":")[0] == self.region else None
