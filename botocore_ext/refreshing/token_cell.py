"""``TokenCell``: the tokens of a provider, and whose keys were obtained with them."""

import threading
from collections.abc import Mapping
from operator import itemgetter
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from ..threads.concurrency import ProcessLocal

if TYPE_CHECKING:
    from .credentials import ProviderCredentials


class TokenCell:
    """What the bound copies of one provider share: tokens, kept ids, and who must hear of them."""

    def __init__(self, tokens: Mapping[str, Any]) -> None:
        """Start with the tokens that the factory was given."""
        self.tokens = dict(tokens)
        #: Ids that a provider keeps between fetches, by where they hold.
        self.kept: dict[str, str] = {}
        self._lock = ProcessLocal(threading.Lock)
        self._users: WeakKeyDictionary[ProviderCredentials, int] = WeakKeyDictionary()

    def add_user(self, credentials: "ProviderCredentials", distance: int) -> None:
        """Tell ``credentials`` of changes from now on.

        Args:
            credentials: Those that are obtained with the tokens.
            distance: Through how many other providers.
        """
        with self._lock.get():
            self._users[credentials] = max(distance, self._users.get(credentials, 0))

    def users(self) -> "list[ProviderCredentials]":
        """Return the credentials that are in use, each behind those that it is obtained with."""
        with self._lock.get():
            found = list(self._users.items())
        return [credentials for credentials, _ in sorted(found, key=itemgetter(1))]
