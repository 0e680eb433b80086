"""Our providers in the place where a profile has them, loaded only if a key of it selects them."""

import logging

from botocore.credentials import CredentialProvider

from .index import ENTRIES, Entry
from .profiles import ProfileScope, selecting_keys

logger = logging.getLogger(__name__)


def providers_of(scope: ProfileScope) -> list[CredentialProvider]:
    """Return ours for a profile, in order, without loading those that no key of it selects.

    The first is always there: it warns of keys that are misspelt.
    """
    values = scope.profile_values
    real = [ENTRIES[0], *(entry for entry, _ in selecting_keys(values))]
    return [entry.kind()().bind(scope) if entry in real else Unselected(entry) for entry in ENTRIES]


class Unselected(CredentialProvider):
    """Keeps the place of a provider that nothing selects, for who looks for it by name."""

    def __init__(self, entry: Entry) -> None:
        """Take the names of the provider."""
        super().__init__()
        self.METHOD, self.CANONICAL_NAME = entry.method, entry.canonical_name

    def load(self) -> None:
        """Return None, as the provider itself would."""
        logger.debug("Not called for: %s, because nothing selects it", self.METHOD)
