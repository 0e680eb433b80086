"""Which provider a profile selects: pure functions of its settings.

Nothing here loads a provider of this package or does I/O. Providers of other packages that the
profile names are imported, because their classes declare which settings they have.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..catalogue import CHAIN, INSERTED, PROFILE, ROLE_KEYS, Row
from ..errors import near, nearest
from .inert import AWS_KEYS
from .registry import (
    OUR_KEYS,
    find_source,
    plugin_keys,
    profile_key,
    rows_of,
    source_names,
    source_of,
    unknown_keys,
)

#: The settings that botocore reads as static credentials.
STATIC_SETTINGS = frozenset({"aws_access_key_id", "aws_secret_access_key"})
#: Names of options that may be settings of other tools; without them the identity is the same.
_COMMON_NAMES = {"account_id", "timeout"}


class Selection(NamedTuple):
    """The provider that a profile selects, or the error in the profile."""

    #: None: no provider of this package.
    row: Row | None = None
    #: The setting that selects it.
    key: str = ""
    #: Why the profile contradicts itself; None if it does not.
    problem: str | None = None


def select(values: Mapping[str, Any], source: Row | None = None) -> Selection:
    """Return what a profile selects for itself.

    With ``source``, the provider that ``credential_source`` names: for the source of its role.
    """
    whole = profile_key(values) if source is None else None
    if whole is not None:
        return Selection(PROFILE, whole)  # it selects for itself
    ignored = [key for key in ROLE_KEYS if key in values]
    if source is None and ignored and _OUR_KEYS & values.keys():
        return Selection(PROFILE, ignored[0], _why_ignored(values, ignored[0]))
    if source is None and source_of(values) is not None:
        return Selection()  # the settings are for the source of its role
    selecting = [(row, key) for row, key in selecting_keys(values) if row is not PROFILE]
    if not selecting:
        return Selection(source, problem=source and source.problem)
    row, key = selecting[0]
    named = [one for one in (source, *(row for row, _ in selecting)) if one is not None]
    problem = next((one.problem for one in named if one.problem), None)
    problem = problem or _contradiction(values, selecting, source) or _wrong_name(values, named)
    return Selection(row, key, problem)


def selecting_keys(values: Mapping[str, Any]) -> Iterator[tuple[Row, str]]:
    """Yield each provider that a setting of the profile selects, with the setting."""
    for row in rows_of(values):
        keys = [key for key in row.selecting if key in values]
        if row is PROFILE:
            keys = [str(profile_key(values))]
        if keys:
            yield row, keys[0]


def reason_not_selected(values: Mapping[str, Any], row: Row) -> str:
    """Return why the profile does not select a provider; the text follows the profile's name."""
    written = [key for key in row.selecting if key in values]
    if written and source_of(values) is not None:
        return f"uses {written[0]} for the source of its role"
    if written and CHAIN.selecting[0] in values:
        return f"uses {written[0]} for a link of its chain"
    return f"has no {' or '.join(row.selecting)}"


def _why_ignored(values: Mapping[str, Any], key: str) -> str:
    """Return why a setting of a role has no effect, for an error."""
    if {"source_profile", "credential_source"} & values.keys() and "role_arn" in values:
        return (
            f"has {key}, which botocore ignores when it assumes the role: add "
            "botocore_ext_reload = true to have botocore_ext assume it, or remove "
            f"{key}"
        )
    return (
        f"has {key}, but no role that other credentials assume: remove it (a web identity has "
        "web_identity_policy_arns, and its tags are in its token)"
    )


def _contradiction(
    values: Mapping[str, Any], selecting: Sequence[tuple[Row, str]], source: Row | None
) -> str | None:
    """Return why the profile contradicts itself; None if it does not."""
    row, key = selecting[0]
    if row is CHAIN:
        return _chain_contradiction(values, selecting, source)
    if len(selecting) > 1:
        return f"has both {' and '.join(key for _, key in selecting)}: keep one of them"
    if key == "web_identity_token" and "web_identity_token_file" in values:
        return (
            "has both web_identity_token and web_identity_token_file: keep one of them "
            "(web_identity_token = file://PATH reads a file too)"
        )
    if source not in (None, row):
        return _why_unused(values, key)
    if source is not None:
        return _of_its_own(values, row, key)
    return _of_role(values, row, key) if "role_arn" in values else None


def _chain_contradiction(
    values: Mapping[str, Any], selecting: Sequence[tuple[Row, str]], source: Row | None
) -> str | None:
    """Return how a role contradicts a chain, or None; other settings are options of its links."""
    key = selecting[0][1]
    if source not in (None, CHAIN):
        return _why_unused(values, key)
    is_of_link = any(_owns_role(values, row) for row, _ in selecting)
    if source is None and "role_arn" in values and not is_of_link:
        return _of_role(values, CHAIN, key)
    return None


def _owns_role(values: Mapping[str, Any], row: Row) -> bool:
    """Whether the role belongs to a provider; Cognito assumes one in its classic flow."""
    is_classic = values.get("cognito_flow") == "classic"
    return "role_arn" in row.keys and (is_classic or "cognito_flow" not in row.keys)


def _of_its_own(values: Mapping[str, Any], row: Row, key: str) -> str | None:
    """Return why the source of a role needs a profile of its own; None if it does not."""
    if _owns_role(values, row):
        return (
            f"has credential_source and {key}, which both need a role_arn of their own: put {key} "
            "and its role_arn into a second profile, and name that with source_profile"
        )
    if "cognito_developer_provider" in values and "cognito_developer_provider" in row.keys:
        return (
            "has credential_source and cognito_developer_provider, which needs a source_profile "
            f"of its own: put {key} and its settings into a second profile, and name that with "
            "source_profile"
        )
    return None


def _why_unused(values: Mapping[str, Any], key: str) -> str:
    return (
        f"has both credential_source = {values['credential_source']} and {key}: the role takes its "
        f"credentials from the source, so {key} would not be used; remove one of them"
    )


def _wrong_name(values: Mapping[str, Any], rows: Iterable[Row]) -> str | None:
    """Return which setting is the name in code, or almost the name, of a setting of a provider.

    Without it the provider would return another identity, such as that of a guest.
    """
    for row in rows:
        for key, name in _names_in_code(values, row):
            if name not in _COMMON_NAMES:
                return f"has the setting {name}, which is the name in code: write {key}"
        for name in unknown_keys(values):
            meant = near(name, row.keys, _SIMILARITY)
            if meant is not None and meant not in values:
                return _unknown(name, meant)
    return None


def _names_in_code(values: Mapping[str, Any], row: Row) -> Iterator[tuple[str, str]]:
    """Yield the settings that are written as an option in code, after the right name."""
    # botocore reads the names of settings in lower case: those of JavaScript have no underscores.
    written = {name.replace("_", ""): name for name in unknown_keys(values)}
    for key, name in row.keys.items() if not row.package else ():
        found = written.get(name.replace("_", ""))
        if found is not None:
            yield key, found


def _unknown(name: str, meant: str) -> str:
    return f"has the setting {name}, which botocore_ext does not know: did you mean {meant}?"


def _of_role(values: Mapping[str, Any], row: Row, key: str) -> str | None:
    """Return how a role contradicts a setting that selects a provider; None if it does not."""
    named = values.get("credential_source")
    if named is not None and "source_profile" not in values and find_source(str(named)) is None:
        return _no_source(named)
    is_owner, is_signed = _owns_role(values, row), "cognito_developer_provider" in values
    for other in ("source_profile", "credential_source"):
        if other in values and not (is_owner and is_signed and other == "source_profile"):
            return (
                f"has both {other} and {key}: the role takes its credentials from {other}, so "
                f"{key} would not be used; remove one of them"
            )
    if is_owner:
        return None
    classic = ", add cognito_flow = classic for Cognito's classic flow"
    return (
        f"has both role_arn and {key}, but does not say how they belong together: add "
        f"credential_source = {row.canonical_name} to assume the role with the credentials of "
        f"{key}{classic if 'cognito_flow' in row.keys else ''}, or remove role_arn"
    )


def _no_source(named: object) -> str:
    return (
        f"has credential_source = {named}, which is not a known provider: did you mean "
        f"{nearest(str(named), source_names())}?"
    )


# Roles.


class RoleSource(NamedTuple):
    """The source of the credentials that assume the role of a profile."""

    #: The profile that ``source_profile`` names.
    profile: str | None = None
    #: The provider that ``credential_source`` names.
    row: Row | None = None
    problem: str | None = None


def role_source(
    name: str, profiles: Mapping[str, Mapping[str, Any]], visited: Sequence[str]
) -> RoleSource:
    """Return the source of the credentials that assume the role of a profile, or the error.

    ``visited`` is the ``source_profile`` chain up to this profile.
    """
    values = profiles[name]
    source, named = values.get("source_profile"), values.get("credential_source")
    if source is not None and named is not None:
        problem = "has both source_profile and credential_source: keep one of them"
        return RoleSource(problem=problem)
    if named is not None:
        row = find_source(str(named))
        return RoleSource(row=row, problem=row.problem if row else _no_source(named))
    if source is None:
        return RoleSource(
            problem="has role_arn, but no source of the credentials that assume the role: add "
            "source_profile = NAME or credential_source = NAME"
        )
    if source not in profiles:
        similar = near(str(source), profiles)
        remedy = f"did you mean {similar}?" if similar else "add it, or correct the name"
        return RoleSource(problem=f"has source_profile = {source}, which does not exist: {remedy}")
    is_own = source == name and bool(STATIC_SETTINGS & profiles[source].keys())
    if source in visited and not is_own:
        chain = " -> ".join([*visited, str(source)])
        return RoleSource(
            problem=f"depends on itself ({chain}): correct source_profile in one of them"
        )
    return RoleSource(profile=str(source))


# Misspelled settings.

_OUR_KEYS = OUR_KEYS - {*ROLE_KEYS}
#: How similar a setting must be to one of this package to count as misspelled.
_SIMILARITY = 0.85
#: Prefixes that only settings of this package have.
_PREFIXES = (
    "aws_container_", "cognito", "container_authorization", "container_credentials",
    "credential_chain", "roles_anywhere", "web_identity_p",
)  # fmt: skip
#: Names in code of the settings that select a provider -> the settings.
_SELECTING = {row.keys[key]: key for row in INSERTED[1:] for key in row.selecting}
#: Options of these providers that cannot be set in a profile.
_CODE_ONLY = {
    "cache", "client", "client_config", "logger", "master_credentials",
    "role_assumer_with_web_identity",
}  # fmt: skip


def without_effect(values: Mapping[str, Any], row: Row | None) -> Iterator[str]:
    """Yield warnings about settings that look like settings of this package but are not used.

    ``row`` is the provider that the profile selects.
    """
    of_plugins = plugin_keys(values)
    in_code = {name: key for key, name in _names_in_code(values, row)} if row else _SELECTING
    for key in unknown_keys(values):
        if key in of_plugins:
            continue
        meant = in_code.get(key) or meant_by(key)
        meant = meant or (meant_by(key, of_plugins) if of_plugins else None)
        if meant is not None:
            yield _unknown(key, meant)
        elif row is not None and key in _CODE_ONLY:
            yield f"has the setting {key}, which can be set in code only: remove it"


def meant_by(key: str, known: Collection[str] = _OUR_KEYS) -> str | None:
    """Return the setting in ``known`` that a misspelled one means; None if it is not misspelled."""
    if key in known or key in AWS_KEYS or key in ROLE_KEYS:
        return None
    is_ours = known is _OUR_KEYS and key.startswith(_PREFIXES)
    return nearest(key, known) if is_ours else near(key, known, _SIMILARITY)
