"""``TokenCell``: the tokens of a provider, and whose keys were obtained with them."""

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

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
        self._users: WeakSet[ProviderCredentials] = WeakSet()

    def add_user(self, credentials: "ProviderCredentials") -> None:
        """Tell ``credentials`` of changes from now on."""
        with self._lock.get():
            self._users.add(credentials)

    def users(self) -> "list[ProviderCredentials]":
        """Return the credentials that are in use."""
        with self._lock.get():
            return list(self._users)
