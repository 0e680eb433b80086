"""Providers and token schemes of this package and of other installed packages: found by name.

Another package declares them as entry points of the group ``botocore_ext.providers``, named as the
ini key that selects the provider, and ``botocore_ext.tokens``, named as the scheme. Reading entry
points takes 12 to 18 ms, and is done only for a name that neither AWS nor this package knows.
"""

import logging
from collections.abc import Callable, Iterable
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..catalogue import SCHEMES, load_object
from ..system import uses_plugins

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

logger = logging.getLogger(__name__)


def reset() -> None:
    """Let the entry points be read again: packages were installed or removed."""
    _read.cache_clear()


def entries(group: str, name: str) -> "tuple[EntryPoint, ...]":
    """Return the entry points with this name; none if plugins are switched off."""
    return _all(group).get(name, ())


def _all(group: str) -> "dict[str, tuple[EntryPoint, ...]]":
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


def packages_of(found: "Iterable[EntryPoint]") -> str:
    """Return the names of the packages that entry points belong to."""
    return " and ".join(sorted(str(one.dist.name) for one in found if one.dist is not None))


def load_plugin(one: "EntryPoint") -> Any:
    """Import what an entry point names.

    Raises:
        ValueError: That fails; the text follows the name of the package.
    """
    try:
        return one.load()
    except Exception as error:
        missing = f": {error.name}" if isinstance(error, ImportError) and error.name else ""
        msg = f"cannot be imported ({type(error).__name__}{missing})"
        raise ValueError(msg) from error


# Token schemes.


def find_scheme(name: str) -> Callable[[str, Any], Any] | None:
    """Return the function ``(rest, scope)`` of a token scheme, in lower case; None if none has it.

    Raises:
        ValueError: The package that has it cannot be imported, or two have it.
    """
    for scheme in SCHEMES:
        if scheme.name == name:
            create: Callable[[str, Any], Any] = load_object(scheme.home)
            return create
    found = entries("tokens", name)
    if not found:
        return None
    packages = packages_of(found)
    if len(found) > 1:
        msg = f"uses {name}://, which the packages {packages} both have (uninstall one of them)"
        raise ValueError(msg)
    try:
        create = load_plugin(*found)
    except ValueError as error:
        msg = f"uses {name}:// of the package {packages}, which {error}"
        raise ValueError(msg) from error
    if not callable(create):
        msg = f"uses {name}:// of the package {packages}, whose entry point names no function"
        raise ValueError(msg)
    return create


def scheme_names() -> list[str]:
    """Return every token scheme, for the nearest to a misspelled one."""
    return [*(one.name for one in SCHEMES), *_all("tokens")]


def scheme_forms() -> str:
    """Return how token references are written, for an error."""
    forms = [*(one.forms for one in SCHEMES), *(f"{name}://..." for name in sorted(_all("tokens")))]
    if not uses_plugins():
        forms.append("and those of other packages, without BOTOCORE_EXT_NO_PLUGINS")
    return ", ".join(forms)
