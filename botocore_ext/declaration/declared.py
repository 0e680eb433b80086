"""``Declared``: the options that a class declares, and the values that code gives."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from inspect import Parameter, Signature, get_annotations
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from botocore.credentials import CredentialProvider

from ..options import Option, near, option

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:  # typing.dataclass_transform came with Python 3.11

    def dataclass_transform(**_: object) -> Callable[[Any], Any]:
        """Do nothing at run time."""
        return lambda decorated: decorated


#: Options of the AWS SDK for JavaScript that have another name in Python, where case is not all.
_OTHER_NAMES = {
    "authorizationToken": "aws_container_authorization_token",
    "credentialsFullUri": "aws_container_credentials_full_uri",
    "expiryWindow": "refresh_window",
    "ssoClient": "client",
    "stsConfig": "client_config",
}
#: Those that Python has no option for -> what there is in their place.
_NO_OPTIONS = {
    "callerClientConfig": "leave it out, because inner clients are configured as the session is",
    "clientPlugins": "register handlers of botocore events with the session, for inner clients too",
    "logger": "leave it out, and call boto3.set_stream_logger('botocore_ext') once",
    "parentClientConfig": "leave it out, because inner clients are configured as the session is",
    "roleAssumer": "pass a function that returns credentials in the place of the provider",
}
#: Names that Python, or botocore's base class, uses for something else in every provider.
_RESERVED = {"self", "session"}


@dataclass_transform(kw_only_default=True, field_specifiers=(option,))
class Declared(ABC, CredentialProvider):
    """What takes options that its class declares."""

    #: The public name under which the class is its own factory.
    FACTORY: ClassVar[str]
    _options: ClassVar[tuple[Option, ...]]
    __signature__: ClassVar[Signature]

    def __init_subclass__(cls) -> None:
        """Give the class the signature that its options spell.

        Raises:
            TypeError: An option has the name of something that every provider has.
        """
        super().__init_subclass__()
        for name, one in vars(cls).items():
            if isinstance(one, Option) and _is_taken(name, cls.__mro__[1:]):
                msg = (
                    f"{cls.__name__} has an option {name!r}, but every provider uses this name for "
                    "something else: choose another name (ini= may stay what it is)"
                )
                raise TypeError(msg)
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
                msg = f"{self.FACTORY}() has no option {name!r}: {_instead(name, known)}"
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


def _is_taken(name: str, parents: Iterable[type]) -> bool:
    """Whether an option cannot have this name, because a parent has something else by it."""
    found = [vars(parent)[name] for parent in parents if name in vars(parent)]
    is_other = any(not isinstance(one, Option) for one in found)
    return is_other or name in _RESERVED or name.startswith("_")


def _instead(name: str, known: Sequence[str]) -> str:
    """Say what to write instead of an option that is not there; it may be one of JavaScript's."""
    if name in _NO_OPTIONS:
        return _NO_OPTIONS[name]
    in_python = _OTHER_NAMES.get(name) or re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    similar = near(in_python, known)
    return f"did you mean {similar!r}?" if similar else f"its options are {', '.join(known)}"


def _declared(cls: type) -> tuple[Option, ...]:
    """Return the options of a class and its parents, its own first.

    A class that has a plain value in the place of a parent's option has no such option.
    """
    found: dict[str, Any] = {}
    for parent in cls.__mro__:
        for name, one in vars(parent).items():
            found.setdefault(name, one)
    return tuple(one for one in found.values() if isinstance(one, Option))


def _signature(cls: type, options: Iterable[Option]) -> Signature:
    """Return the signature of a class that is called with these options, by keyword."""
    types: dict[str, Any] = {}
    for parent in reversed(cls.__mro__):
        types |= get_annotations(parent)
    keyword = Parameter.KEYWORD_ONLY
    return Signature(
        [
            Parameter(o.name, keyword, default=o.default, annotation=types.get(o.name, Any))
            for o in options
        ]
    )


def _rebuild(kind: type[Declared], given: dict[str, Any]) -> Declared:
    return kind(**given)
