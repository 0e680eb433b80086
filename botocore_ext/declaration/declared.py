"""``Declared``: the options that a class declares, and the values that code gives."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from inspect import Parameter, Signature, get_annotations
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from botocore.credentials import CredentialProvider

from ..options import Option, nearest, option

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:  # typing.dataclass_transform came with Python 3.11

    def dataclass_transform(**_: object) -> Callable[[Any], Any]:
        """Do nothing at run time."""
        return lambda decorated: decorated


@dataclass_transform(kw_only_default=True, field_specifiers=(option,))
class Declared(ABC, CredentialProvider):
    """What takes options that its class declares."""

    #: The public name under which the class is its own factory.
    FACTORY: ClassVar[str]
    _options: ClassVar[tuple[Option, ...]]
    __signature__: ClassVar[Signature]

    def __init_subclass__(cls) -> None:
        """Give the class the signature that its options spell."""
        super().__init_subclass__()
        cls._options = _declared(cls)
        if not hasattr(cls, "FACTORY"):
            cls.FACTORY = cls.__name__
        # Where a class has an __init__ of its own, Python knows its signature.
        if cls._options and "__init__" not in vars(cls):
            cls.__signature__ = _signature(cls, cls._options)

    def __init__(self, *unnamed: NoReturn, **given: Any) -> None:
        """Take options by keyword; None means not given."""
        super().__init__()
        if unnamed:  # such as the object of options that JavaScript takes
            first = self.options()[0]
            msg = f"{self.FACTORY}() takes its options by name: {first.name}={first.code_example}"
            raise TypeError(msg)
        known = [one.name for one in self.options()]
        for name in given:
            if name not in known:
                similar = nearest(name, known)
                msg = f"{self.FACTORY}() has no option {name!r}: did you mean {similar!r}?"
                raise TypeError(msg)
        self._given = {name: value for name, value in given.items() if value is not None}

    @classmethod
    def options(cls) -> tuple[Option, ...]:
        """Every option, the class's own first."""
        return cls._options

    @classmethod
    def option_named(cls, name: str) -> Option:
        """Return the declaration of an option."""
        return next(one for one in cls._options if one.name == name)

    @abstractmethod
    def given(self) -> Mapping[str, Any]:
        """The options that code set."""

    def __repr__(self) -> str:
        """Show the options that code set; of a secret one only that it is there."""
        given = self.given()
        shown = (
            f"{one.name}={'<hidden>' if one.secret else repr(given[one.name])}"
            for one in self.options()
            if one.name in given
        )
        return f"{self.FACTORY}({', '.join(shown)})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as the options that code set; session, clients and keys stay."""
        return _rebuild, (type(self), dict(self.given()))


def _declared(cls: type) -> tuple[Option, ...]:
    """Return the options of a class and its parents, its own first."""
    found: dict[str, Option] = {}
    for parent in cls.__mro__:
        for name, one in vars(parent).items():
            if isinstance(one, Option):
                found.setdefault(name, one)
    return tuple(found.values())


def _signature(cls: type, options: Iterable[Option]) -> Signature:
    """Return the signature of a class that is called with these options, by keyword."""
    types: dict[str, Any] = {}
    for parent in reversed(cls.__mro__):
        types |= get_annotations(parent)
    keyword = Parameter.KEYWORD_ONLY
    return Signature(
        [Parameter(o.name, keyword, default=o.default, annotation=types[o.name]) for o in options]
    )


def _rebuild(kind: type[Declared], given: dict[str, Any]) -> Declared:
    return kind(**given)
