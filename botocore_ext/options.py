"""``Option``: one setting of a provider, declared once.

From the one line in a provider's class body follow the typed keyword of the factory, the ini
key, the environment variable, the row in the documentation and the text of every error.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, overload

if TYPE_CHECKING:
    from .scope import Scope


class OptionOwner(Protocol):
    """What an option needs of the provider it belongs to."""

    def option_value(self, wanted: "Option", /) -> Any:
        """Return the value in force."""

    def replace_token(self, name: str, value: object, /) -> None:
        """Use another value from now on."""


def _as_given(value: Any) -> Any:
    return value


@dataclass(eq=False)
class Option:
    """A descriptor: reading it gives the value that is in force, or the default.

    Reading raises ``ConfigurationError`` for a required option that nothing sets and for a
    malformed value. Assigning works for ``token`` options only.
    """

    help: str
    default: Any = None
    #: The key in a profile of the AWS config or credentials file.
    ini: str | None = None
    #: The environment variable; only names that AWS defines.
    env: str | None = None
    #: A value as documentation and error texts show it.
    example: str = "VALUE"
    #: Setting it calls for this provider; a profile with its ini key is this provider's.
    selects: bool = False
    #: Without it the provider cannot work.
    required: bool = False
    #: Given to the factory by position.
    positional: bool = False
    #: Kept out of ``repr``: a secret, or an object of the caller's, whose own may show one.
    secret: bool = False
    #: May be replaced on the living provider; a required one may come after construction.
    token: bool = False
    #: Belongs to the identity: taken only from the origin that gives the selecting option.
    one_origin: bool = False
    #: The value may hold " ;" and " #", which elsewhere betray a comment.
    verbatim: bool = False
    #: Checks a value, from code or from text, and converts it; ValueError says what is wrong.
    parse: Callable[[Any], Any] = _as_given
    #: Converts ini text before ``parse`` where it means more than the text, within a scope.
    read: "Callable[[Any, Scope], Any] | None" = None
    #: The same as Python code; None: ``example`` as a string.
    code: str | None = None
    name: str = field(default="", init=False)

    @property
    def code_example(self) -> str:
        """A value as it stands in Python code."""
        return self.code or repr(self.example)

    def __set_name__(self, owner: type, name: str) -> None:
        """Learn the keyword's name from the class body."""
        self.name = name

    @overload
    def __get__(self, owner: None, kind: type) -> "Option": ...
    @overload
    def __get__(self, owner: OptionOwner, kind: type) -> Any: ...
    def __get__(self, owner: OptionOwner | None, kind: type) -> Any:
        """Give the declaration on the class, the value on a provider."""
        return self if owner is None else owner.option_value(self)

    def __set__(self, owner: OptionOwner, value: object) -> None:
        """Replace a token; every other option is settled at construction."""
        if not self.token:
            msg = f"{self.name} cannot be changed: build a new provider"
            raise AttributeError(msg)
        owner.replace_token(self.name, value)


def option(**declaration: Any) -> Any:
    """Declare an ``Option``; typed Any so that the annotation is the type of its value."""
    return Option(**declaration)


def nearest(name: str, known: Iterable[str]) -> str:
    """The one of ``known`` that looks most like ``name``."""
    return _closest(name, known, 0)[0]


def near(name: str, known: Iterable[str]) -> str | None:
    """The one of ``known`` for which ``name`` may be a slip; None if there is none."""
    return next(iter(_closest(name, known, 0.6)), None)


def _closest(name: str, known: Iterable[str], cutoff: float) -> list[str]:
    import difflib  # noqa: PLC0415 - wanted for an error only

    by_lower = {one.lower(): one for one in sorted(known)}
    found = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=cutoff)
    return [by_lower[one] for one in found]
