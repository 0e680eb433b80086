"""The options that a class declares, and the signature that they spell."""

from collections.abc import Iterable
from inspect import Parameter, Signature, get_annotations
from typing import Any

from ..options import Option


def declared(cls: type) -> tuple[Option, ...]:
    """Return the options of a class and its parents, its own first."""
    found: dict[str, Option] = {}
    for parent in cls.__mro__:
        for name, one in vars(parent).items():
            if isinstance(one, Option):
                found.setdefault(name, one)
    return tuple(found.values())


def signature(cls: type, options: Iterable[Option]) -> Signature:
    """Return the signature of a class that is called with these options, by keyword."""
    types: dict[str, Any] = {}
    for parent in reversed(cls.__mro__):
        types |= get_annotations(parent)
    keyword = Parameter.KEYWORD_ONLY
    return Signature(
        [Parameter(o.name, keyword, default=o.default, annotation=types[o.name]) for o in options]
    )
