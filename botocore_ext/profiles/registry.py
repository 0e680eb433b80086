"""Providers and token schemes of this package and of other installed packages: found by name.

Another package declares them as entry points of the group ``botocore_ext.providers``, named as the
ini key that selects the provider, and ``botocore_ext.tokens``, named as the scheme. Reading entry
points takes 12 to 18 ms, and is done only for a name that neither AWS nor this package knows.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from botocore.credentials import CredentialProvider

from ..catalogue import INSERTED, PROFILE, ROLE_KEYS, ROWS, SCHEMES, Row, find, load_object
from ..errors import ConfigurationError
from ..system import uses_plugins
from .inert import AWS_KEYS

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

logger = logging.getLogger(__name__)


def reset() -> None:
    """Let the entry points be read again: packages were installed or removed."""
    _read.cache_clear()
    _row.cache_clear()


def _entries(group: str) -> "dict[str, tuple[EntryPoint, ...]]":
    """Return the entry points by their names; none if plugins are switched off."""
    return _read(group) if uses_plugins() else {}


@cache
def _read(group: str) -> "dict[str, tuple[EntryPoint, ...]]":
    """Return the entry points of ``botocore_ext.GROUP`` by their names."""
    metadata = import_module("importlib.metadata")
    found: dict[str, tuple[EntryPoint, ...]] = {}
    try:
        for one in metadata.entry_points(group=f"botocore_ext.{group}"):
            found[one.name] = (*found.get(one.name, ()), one)
    except Exception as error:  # noqa: BLE001 - any package of the environment may be damaged
        logger.warning(
            "The entry points of installed packages cannot be read (%s), so their providers and "
            "token schemes are not used",
            type(error).__name__,
        )
    return found


def _packages_of(found: "Iterable[EntryPoint]") -> str:
    """Return the names of the packages that entry points belong to."""
    return " and ".join(sorted(str(one.dist.name) for one in found if one.dist is not None))


def _load(one: "EntryPoint") -> Any:
    """Import what an entry point names.

    Raises:
        ValueError: That fails; the text follows the name of the package.
    """
    try:
        return one.load()
    except Exception as error:
        missing = f": {error.name}" if isinstance(error, ImportError) and error.name else ""
        raise ValueError(f"cannot be imported ({type(error).__name__}{missing})") from error


# Providers.

#: The settings that only this package has.
OUR_KEYS = {key for row in ROWS for key in row.keys} - AWS_KEYS
_KNOWN = AWS_KEYS | OUR_KEYS
#: Settings of AWS's own that providers of other packages may read.
_SHARED = {"duration_seconds", "external_id", "region", "role_arn", "role_session_name"}
_PACKAGE = f"{__name__.partition('.')[0]}."


def rows_of(values: Mapping[str, Any]) -> tuple[Row, ...]:
    """Return the providers that settings may select: this package's, then those they name."""
    found = list(INSERTED)
    for key in unknown_keys(values):
        entries = _entries("providers").get(key)
        if entries and (row := _row(entries)) not in found:
            found.append(row)
    return (*found, PROFILE) if profile_key(values) else tuple(found)


def profile_key(values: Mapping[str, Any]) -> str | None:
    """Return the setting that selects the provider of whole profiles, or None."""
    reload, key = PROFILE.selecting[0], next((key for key in ROLE_KEYS if key in values), None)
    if str(values.get(reload, "false")).strip().lower() != "false":
        return reload
    return key if key and source_of(values) is not None else None


def source_of(values: Mapping[str, Any]) -> Row | None:
    """Return the provider of this package that is the source of the profile's role, or None."""
    named = values.get("credential_source")
    if "role_arn" not in values or "source_profile" in values or not isinstance(named, str):
        return None
    row = find_source(named)
    return row if row is not None and row.source_of == "us" else None


def plugin_keys(values: Mapping[str, Any]) -> set[str]:
    """Return the settings of other packages that those of a profile may mean."""
    if not unknown_keys(values):
        return set()
    of_rows = (key for row in rows_of(values) if row.package for key in row.keys)
    return {*of_rows, *_entries("providers")}


def unknown_keys(values: Collection[str]) -> list[str]:
    """Return the settings of a profile that neither AWS nor this package knows."""
    return [key for key in values if key not in _KNOWN and not key.startswith("cli_")]


def find_source(name: str) -> Row | None:
    """Return the provider that a ``credential_source`` names, or None.

    Providers of this package and of plugins are found by canonical name, METHOD and factory, in any
    case. Those of botocore keep its rules: their canonical names are case-sensitive, and their
    METHODs are not names of a source.
    """
    row = find(name)
    wanted = name.strip().lower()
    if row is None:
        return find_plugin(name)
    if row.source_of is None or (row.is_native and wanted == row.method):
        return None
    if row.source_of == "us" or wanted == row.factory or name == row.canonical_name:
        return row
    return None


def source_names() -> list[str]:
    """Return the canonical names of all sources, for an error."""
    ours = [row for row in ROWS if row.source_of == "botocore" or not row.is_native]
    return [row.canonical_name for row in (*ours, *usable_plugins())]


def plugins() -> list[Row]:
    """Return the providers of other packages, including those that cannot be used."""
    found: list[Row] = []
    for entries in _entries("providers").values():
        if (row := _row(entries)) not in found:
            found.append(row)
    return found


def usable_plugins() -> list[Row]:
    """Return the providers of other packages."""
    return [row for row in plugins() if row.problem is None]


def find_plugin(name: str) -> Row | None:
    """Return the provider of another package with this name; None if there is none.

    It has a ``problem`` if it cannot be used, or may be in a package that cannot be imported.
    """
    wanted = name.strip().lower()
    rows = plugins()
    found = [one for one in rows if wanted in (one.canonical_name.lower(), one.method, one.factory)]
    if len(found) == 1:
        return found[0]
    packages = " and ".join(sorted(one.package for one in found))
    problem = f"names {name}, which the packages {packages} both have: uninstall one of them"
    if not found:
        broken = [one for one in rows if not one.home]
        if not broken:
            return None
        problem = f"names {name}, which is not a known provider, and {broken[0].problem}"
    return _unusable(name, packages, problem)


@cache
def _row(entries: "Sequence[EntryPoint]") -> Row:
    """Return the provider that the entry points of one name declare."""
    options: Any
    key, packages = entries[0].name, _packages_of(entries)
    if len(entries) > 1:
        problem = f"has {key}, which the packages {packages} both have: uninstall one of them"
        return _unusable(key, packages, problem)
    if key in _KNOWN:
        return _unusable(key, packages, _refusal(key, packages, "AWS or botocore_ext has that key"))
    try:
        kind = _load(*entries)
    except ValueError as error:
        problem = f"needs {key} of the package {packages}, which {error}: reinstall the package"
        return _unusable(key, packages, problem)
    if not (isinstance(kind, type) and issubclass(kind, CredentialProvider)) or not (
        options := getattr(kind, "options", tuple)()
    ):
        fact = "its entry point names no subclass of botocore_ext.Provider"
        return _unusable(key, packages, _refusal(key, packages, fact))
    fault = _fault(kind, key, options) or _missing_entry(entries[0], options)
    selecting = [one.ini for one in options if one.ini and one.selects]
    return Row(
        getattr(kind, "FACTORY", key),
        str(kind.METHOD),
        str(kind.CANONICAL_NAME),
        f"{entries[0].module}:{entries[0].attr}",
        {one.ini: one.name for one in options if one.ini},
        (key, *selecting) if fault else tuple(selecting),
        source_of="us",
        package=packages,
        problem=_refusal(key, packages, fault) if fault else None,
    )


def _unusable(name: str, packages: str, problem: str) -> Row:
    """Return the row of a provider of which only a name is known."""
    names, keys = (name, name, name), {name: name}
    return Row(*names, "", keys, (name,), source_of="us", package=packages, problem=problem)


def _refusal(key: str, package: str, fact: str) -> str:
    return f"has {key} of the package {package}, which cannot be used: {fact}"


def _fault(kind: Any, key: str, options: Iterable[Any]) -> str | None:
    """Return why a provider is refused; None if it is not."""
    if kind.__abstractmethods__:
        return f"{kind.__name__} has no {' and no '.join(sorted(kind.__abstractmethods__))}()"
    names = {"METHOD": kind.METHOD, "CANONICAL_NAME": kind.CANONICAL_NAME, "FACTORY": kind.FACTORY}
    for what, start in (("METHOD", "custom-"), ("CANONICAL_NAME", "Custom")):
        if not str(names[what]).startswith(start):
            return f"{what} = {names[what]} does not begin with {start}"
    for what, name in names.items():
        if find(str(name)):
            return f"{what} = {name} is the name of a provider of botocore_ext"
    inherited = [
        id(one)
        for base in kind.__mro__
        if base.__module__.startswith(_PACKAGE)
        for one in vars(base).values()
    ]
    for one in options:
        is_own = one.selects or (id(one) not in inherited and one.ini not in _SHARED)
        if one.ini in _KNOWN and is_own:
            return f"its option {one.name} has the key {one.ini} of AWS or botocore_ext"
    if key not in [one.ini for one in options if one.selects]:
        return f"{key} is not the ini key of an option that selects {kind.__name__}"
    return None


def _missing_entry(entry: "EntryPoint", options: Iterable[Any]) -> str | None:
    """Return which entry point the provider lacks, if it lacks one."""
    for one in options:
        declared = _entries("providers").get(one.ini, ())
        if one.selects and one.ini and entry.value not in [other.value for other in declared]:
            return f"it has no entry point for {one.ini}, which selects it too"
    return None


# Token schemes.


def find_scheme(name: str) -> Callable[[str, Any], Any] | None:
    """Return the function ``(rest, scope)`` of a token scheme, in lower case; None if none has it.

    Raises:
        ConfigurationError: The package that has it cannot be used, or two have it.
    """
    for scheme in SCHEMES:
        if scheme.name == name:
            create: Callable[[str, Any], Any] = load_object(scheme.home)
            return create
    found = _entries("tokens").get(name, ())
    if not found:
        return None
    packages = _packages_of(found)
    fact = f"{name}:// of the package {packages}, whose entry point names no function: update it"
    if len(found) > 1:
        fact = f"{name}://, which the packages {packages} both have: uninstall one of them"
    else:
        try:
            create = _load(*found)
        except ValueError as error:
            fact = f"{name}:// of the package {packages}, which {error}: reinstall the package"
        else:
            if callable(create):
                return create
    raise ConfigurationError(provider=None, error_msg=f"uses {fact}")


def scheme_names() -> list[str]:
    """Return every token scheme, for the nearest to a misspelled one."""
    return [*(one.name for one in SCHEMES), *_entries("tokens")]


def scheme_forms() -> str:
    """Return how token references are written, for an error."""
    forms = [
        *(one.forms for one in SCHEMES),
        *(f"{name}://..." for name in sorted(_entries("tokens"))),
    ]
    if not uses_plugins():
        forms.append("and those of other packages, without BOTOCORE_EXT_NO_PLUGINS")
    return ", ".join(forms)
