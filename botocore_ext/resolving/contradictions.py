"""What a profile cannot mean: keys that contradict the provider that another one selects."""

from collections.abc import Mapping
from typing import Any

from ..chain import CredentialChain
from ..options import nearest
from ..provider import Provider
from .bystanders import BOTOCORES_SOURCES
from .index import ENTRIES, source_name

#: Keywords of options that may well be keys of somebody else's in a profile.
_OTHERS_KEYS = {"account_id", "timeout"}


def contradiction(
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


def keyword(values: Mapping[str, Any], provider: type[Provider]) -> str | None:
    """Say which key is the keyword of an option: what it means to limit would not be limited."""
    for one in provider.options():
        is_keyword = one.ini not in (None, one.name) and one.name not in _OTHERS_KEYS
        if is_keyword and one.name in values:
            return f"has the key {one.name}, which is its name in code: write {one.ini}"
    return None


def _unused(values: Mapping[str, Any], provider: type[Provider], key: str) -> str | None:
    """Say why a role and our key do not belong together."""
    named = values.get("credential_source")
    is_known = named is None or source_name(str(named)) in BOTOCORES_SOURCES
    if not is_known and "source_profile" not in values:
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
