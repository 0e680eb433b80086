"""Which provider a profile selects, and what in it contradicts that."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..chain import CredentialChain
from ..errors import ConfigurationError
from ..options import nearest
from ..provider import Provider
from ..scope import Scope
from .bystanders import BOTOCORES_SOURCES
from .index import ENTRIES, Entry, source_by_name
from .misspelt import warn_if_misspelt

logger = logging.getLogger(__name__)

#: Keywords of options that may well be keys of somebody else's in a profile.
_OTHERS_KEYS = {"account_id", "timeout"}


@dataclass(frozen=True, eq=False)
class ProfileScope(Scope):
    """The scope of providers that a profile selects, for itself or as the source of its role."""

    #: What the profile's ``credential_source`` names; None: the profile selects for itself.
    source: type[Provider] | None = None

    def allows(self, method: str | None) -> bool:
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
        problem = _contradiction(values, selecting, self.source) or _keyword(values, provider)
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
        return self.source or provider


def source_of(values: Mapping[str, Any]) -> type[Provider] | None:
    """Return our provider that the profile's role names as its source, if it is one of ours."""
    named = values.get("credential_source")
    if "role_arn" not in values or "source_profile" in values or not isinstance(named, str):
        return None
    return source_by_name(named)


def _contradiction(
    values: Mapping[str, Any],
    selecting: Mapping[type[Provider], str],
    source: type[Provider] | None,
) -> str | None:
    """Say what the profile cannot mean; None if all is well."""
    provider, key = next(iter(selecting.items()))
    if provider is CredentialChain:
        return _chain_contradiction(values, key, source)
    if len(selecting) > 1:
        return f"has both {' and '.join(selecting.values())}: keep one of them"
    if key == "web_identity_token" and "web_identity_token_file" in values:
        return (
            "has both web_identity_token and web_identity_token_file: keep one of them "
            "(web_identity_token = file://PATH reads a file too)"
        )
    if source is not None and source is not provider:
        return (
            f"has both credential_source = {values['credential_source']} and {key}: the role "
            f"takes its credentials from the source, so {key} would not be used; remove one of "
            "them"
        )
    if source is not None and key == "web_identity_token":
        return (
            "has credential_source and web_identity_token, which both need a role_arn of their "
            "own: put web_identity_token and its role_arn into a second profile, and name that "
            "with source_profile"
        )
    return (
        None if source is not None or "role_arn" not in values else _unused(values, provider, key)
    )


def _chain_contradiction(
    values: Mapping[str, Any], key: str, source: type[Provider] | None
) -> str | None:
    """Say why a role and a chain do not belong together; other keys are options of its links."""
    if source not in (None, CredentialChain):
        named = values["credential_source"]
        return (
            f"has both credential_source = {named} and {key}: the role takes its credentials "
            f"from the source, so {key} would not be used; remove one of them"
        )
    if source is None and "role_arn" in values and "web_identity_token" not in values:
        return _unused(values, CredentialChain, key)
    return None


def _keyword(values: Mapping[str, Any], provider: type[Provider]) -> str | None:
    """Say which key is the keyword of an option: what it means to limit would not be limited."""
    for one in provider.options():
        is_keyword = one.ini not in (None, one.name) and one.name not in _OTHERS_KEYS
        if is_keyword and one.name in values:
            return f"has the key {one.name}, which is its name in code: write {one.ini}"
    return None


def _unused(values: Mapping[str, Any], provider: type[Provider], key: str) -> str | None:
    """Say why a role and our key do not belong together."""
    named = values.get("credential_source")
    if named is not None and named not in BOTOCORES_SOURCES and "source_profile" not in values:
        known = [*BOTOCORES_SOURCES, *(entry.canonical_name for entry in ENTRIES)]
        return (
            f"has credential_source = {named}, which names no provider: did you mean "
            f"{nearest(str(named), known)}?"
        )
    for other in ("source_profile", "credential_source"):
        if other in values:
            return (
                f"has both {other} and {key}: the role takes its credentials from {other}, so "
                f"{key} would not be used; remove one of them"
            )
    if key == "web_identity_token":
        return None
    return (
        f"has both role_arn and {key}, but does not say how they belong together: add "
        f"credential_source = {provider.CANONICAL_NAME} to assume the role with the keys of "
        f"{key}, or remove role_arn"
    )


def selecting_keys(values: Mapping[str, Any]) -> Iterator[tuple[Entry, str]]:
    """Give each provider that a key of the profile selects, with the key."""
    for entry in ENTRIES:
        keys = [key for key in entry.selecting if key in values]
        if keys:
            yield entry, keys[0]
