"""``TokenCell``: the tokens of a provider, and whose keys were obtained with them."""

from collections.abc import Mapping
from operator import itemgetter
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from .credentials import ProviderCredentials


class TokenCell:
    """What the bound copies of one provider share: tokens, kept ids, and who must hear of them."""

    def __init__(self, tokens: Mapping[str, Any]) -> None:
        """Start with the tokens that the factory was given."""
        self.tokens = dict(tokens)
        #: Ids that a provider keeps between fetches, by where they hold.
        self.kept: dict[str, str] = {}
        #: The credentials in use, with the distances that each was added with. It has no lock: a
        #: callback of the garbage collector may come here at any time, and each step is atomic.
        self._users: WeakKeyDictionary[ProviderCredentials, set[int]] = WeakKeyDictionary()

    def add_user(self, credentials: "ProviderCredentials", distance: int) -> None:
        """Tell ``credentials`` of changes from now on.

        Args:
            credentials: Those that are obtained with the tokens.
            distance: Through how many other providers.
        """
        self._users.setdefault(credentials, set()).add(distance)

    def users(self) -> "list[ProviderCredentials]":
        """Return the credentials that are in use, each behind those that it is obtained with."""
        living = [one for reference in self._users.keyrefs() if (one := reference()) is not None]
        found = [(one, max(self._users.get(one) or {0})) for one in living]
        return [credentials for credentials, _ in sorted(found, key=itemgetter(1))]
