"""Which provider a profile selects."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..chain import CredentialChain
from ..errors import ConfigurationError
from ..provider import Provider
from ..scope import Scope
from .contradictions import contradiction, keyword
from .index import ENTRIES, Entry, source_by_name
from .misspelt import warn_if_misspelt

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class ProfileScope(Scope):
    """The scope of providers that a profile selects, for itself or as the source of its role."""

    #: What the profile's ``credential_source`` names; None: the profile selects for itself.
    source: type[Provider] | None = None

    def allows(self, method: str | None, /) -> bool:
        """Whether the profile selects the provider ``method``.

        Raises:
            ConfigurationError: The profile contradicts itself.
        """
        # Not a cached_property: on Python 3.10 and 3.11 that has a lock, which a fork would copy.
        if "selected" not in vars(self):
            vars(self)["selected"] = self._select()
        selected: type[Provider] | None = vars(self)["selected"]
        return selected is not None and method == selected.METHOD

    def _select(self) -> type[Provider] | None:
        values, name = self.profile_values, str(self.profile)
        if self.source is None:
            for key in values:
                warn_if_misspelt(key, name)
            if source_of(values) is not None:
                return None  # the role's business, see botocore_ext.resolving.roles
        selecting = {entry.kind(): key for entry, key in selecting_keys(values)}
        if not selecting:
            return self.source
        provider, key = next(iter(selecting.items()))
        problem = contradiction(values, selecting, self.source) or keyword(values, provider)
        if problem is not None:
            where = f"profile '{name}' of {self.config_file}"
            raise ConfigurationError(provider=provider.METHOD, error_msg=f"{where} {problem}")
        if "aws_access_key_id" in values and provider is not CredentialChain:
            logger.warning(
                "Profile '%s' has both %s and aws_access_key_id: the keys of %s are used; "
                "remove one of the two",
                name,
                key,
                provider.METHOD,
            )
        return provider


def source_of(values: Mapping[str, Any]) -> type[Provider] | None:
    """Return our provider that the profile's role names as its source, if it is one of ours."""
    named = values.get("credential_source")
    if "role_arn" not in values or "source_profile" in values or not isinstance(named, str):
        return None
    return source_by_name(named)


def selecting_keys(values: Mapping[str, Any]) -> Iterator[tuple[Entry, str]]:
    """Give each provider that a key of the profile selects, with the key."""
    for entry in ENTRIES:
        keys = [key for key in entry.selecting if key in values]
        if keys:
            yield entry, keys[0]
