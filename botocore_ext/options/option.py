"""``Option``: one option of a provider, declared once.

The typed keyword of the factory, the ini key, the environment variable, the documentation and the
texts of errors all come from the declaration in the class body.
"""

import inspect
import re
import textwrap
from abc import ABCMeta
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar, cast

from botocore.credentials import CredentialProvider

from ..errors import near

if TYPE_CHECKING:
    from .scope import Scope


F = TypeVar("F", bound=Callable[..., Any])


class Option:
    """A descriptor that returns the current value of an option, or its default.

    Reading raises ``ConfigurationError`` for a required option that nothing sets and for a
    malformed value. Assigning works for ``token`` options only.
    """

    help: str
    default: Any = None
    #: Its name in a profile of the AWS config or credentials file.
    ini: str | None = None
    #: The environment variable; only names that AWS defines.
    env: str | None = None
    #: Another variable that is read if ``env`` is not set.
    also_env: str | None = None
    #: A value for documentation and errors: a string, or a number.
    example: str | int = "VALUE"
    #: Setting it selects the provider; so does its ini key in a profile.
    selects: bool = False
    #: Without it the provider cannot work.
    required: bool = False
    #: Passed to the factory by position.
    positional: bool = False
    #: Hidden in ``repr``: a secret, or an object of the caller, whose ``repr`` may show one.
    secret: bool = False
    #: Can be replaced after construction; a required one can be set only then.
    token: bool = False
    #: Belongs to the identity: taken only from the origin that sets the selecting option.
    same_origin: bool = False
    #: The value may contain " ;" and " #", which in other options are an error.
    allow_comments: bool = False
    #: Checks a value, from code or from text, and converts it; ValueError says what is wrong.
    parse: Callable[[Any], Any] = staticmethod(lambda value: value)
    #: Converts ini text before ``parse``, such as a reference to a token, within a scope.
    read: "Callable[[Any, Scope], Any] | None" = None
    #: The example as Python code; None: the ``repr`` of ``example``.
    code: str | None = None

    def __init__(self, **declaration: Any) -> None:
        """Take the attributes of this class by keyword.

        Raises:
            TypeError: There is no such attribute.
        """
        #: The keyword of the factory.
        self.name = ""
        for name, value in declaration.items():
            if name not in Option.__annotations__:
                raise TypeError(f"option() has no argument {name!r}")
            setattr(self, name, value)

    @property
    def code_example(self) -> str:
        """A value as it is written in Python code."""
        return self.code or repr(self.example)

    @property
    def keyword(self) -> str:
        """The name in the signature of the factory."""
        return f"*{self.name}" if self.positional else self.name

    @property
    def default_text(self) -> str:
        """The value if nothing sets the option, for documentation."""
        if self.required:
            return "Required"
        if self.default is None:
            return "Optional"
        is_number = isinstance(self.default, (int, float)) and not isinstance(self.default, bool)
        shown = f"{self.default:g}" if is_number else self.default
        return f"By default {shown}"

    def __set_name__(self, owner: type, name: str) -> None:
        """Take the name from the class body."""
        self.name, self.__doc__ = name, self.help

    def __get__(self, owner: Any, kind: type) -> Any:
        """Return the declaration on the class, the value on a provider."""
        if owner is None:
            return self
        values, name = owner._binding.values, self.name
        return values[name] if name in values else owner._option_value(self)

    def __set__(self, owner: Any, value: object) -> None:
        """Replace a token; other options do not change."""
        if not self.token:
            raise AttributeError(f"{self.name} cannot be changed: create a new provider")
        owner._replace_token(self.name, value)


class _OptionMethod(Option):
    """An option of the same name as a method. Only ``_option_value`` returns its value."""

    def __init__(self, method: Any, **declaration: Any) -> None:
        super().__init__(**declaration)
        self._method = method

    def __get__(self, owner: Any, kind: type) -> Any:
        """Return the declaration on the class, the method on a provider."""
        return self if owner is None else self._method.__get__(owner, kind)


def option(**declaration: Any) -> Any:
    """Declare an option of a provider, with the attributes of ``Option`` by keyword.

    Raises:
        TypeError: There is no such attribute.
    """
    return Option(**declaration)  # typed Any, so that the annotation is the type of the value


def option_method(**declaration: Any) -> Callable[[F], F]:
    """Declare an ``Option`` with the name of the decorated method, which reading it returns."""
    declare: Any = partial(_OptionMethod, **declaration)
    return cast("Callable[[F], F]", declare)


def option_like(declared: Option, **changes: Any) -> Any:
    """Declare an ``Option`` like another one, but for ``changes``."""
    given = {
        name: vars(declared)[name] for name in Option.__annotations__ if name in vars(declared)
    }
    return Option(**(given | changes))


# ``Declared``: a class with options, and the values that code sets.

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:  # typing.dataclass_transform came with Python 3.11

    def dataclass_transform(**_: object) -> Callable[[Any], Any]:
        """Do nothing at run time."""
        return lambda decorated: decorated


#: Options of the AWS SDK for JavaScript with another name in Python; others differ in case only.
_OTHER_NAMES = {
    "authorizationToken": "aws_container_authorization_token",
    "credentialsFullUri": "aws_container_credentials_full_uri",
    "expiryWindow": "refresh_window",
    "ssoClient": "client",
    "stsConfig": "client_config",
}
#: Options of it that Python does not have -> what to do instead.
_NO_OPTIONS = {
    "callerClientConfig": "leave it out, because inner clients have the configuration of the "
    "session",
    "clientPlugins": "register event handlers with the botocore session, which inner "
    "clients call, too",
    "parentClientConfig": "leave it out, because inner clients have the configuration of the "
    "session",
    "roleAssumer": "pass a function that returns credentials instead of the provider",
}
#: Names that Python, or botocore's base class, uses for something else in every provider.
_RESERVED = {"self", "session"}


class _OptionsMeta(ABCMeta):
    """Creates the docstring and signature of a class when they are read, not at import."""

    #: The options of the class and its parents.
    _options: tuple[Option, ...] = ()

    @property
    def __doc__(cls) -> str | None:  # type: ignore[override]  # a property instead of a string
        """The docstring of the class body, and an ``Args:`` section, required options first."""
        text: str | None = vars(cls).get("__doc__")
        if not cls._options:
            return text
        types = annotations(cls)
        options = sorted(cls._options, key=lambda one: not one.required)
        lines = (_argument(one, types.get(one.name, Any)) for one in options)
        return "\n".join((f"{inspect.cleandoc(text or cls.__name__)}\n\nArgs:", *lines))

    @property
    def __signature__(cls) -> Signature:
        """The signature with the options as keywords.

        Raises:
            AttributeError: The class has its own ``__init__``, whose signature Python uses.
        """
        if not cls._options or "__init__" in vars(cls):
            raise AttributeError(cls.__name__)
        return _signature(cls, cls._options)


#: Types of options by their public name, which texts show instead of what they consist of.
ALIASES: dict[str, Any] = {}


def type_text(annotation: Any) -> str:
    """Return an annotation as it is written in code, without the modules of its names."""
    text = _short(annotation)
    for name, alias in ALIASES.items():
        text = text.replace(_short(alias), name)
    return text


def _short(annotation: Any) -> str:
    written = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    short = re.sub(r"\b\w+(?:\.\w+)*\.(?=\w)", "", written)
    return re.sub(r"^Union\[(\w+), (.+)\]$", r"\1 | \2", short)  # of Literal, until Python 3.14


def _argument(one: Option, annotation: Any) -> str:
    """Return the lines of an option in an ``Args:`` section."""
    default = "" if one.default_text == "Optional" else f" {one.default_text}."
    text = f"{one.keyword} ({type_text(annotation)}): {one.help}{default}".replace("`", "``")
    wrapper = textwrap.TextWrapper(96, " " * 4, " " * 8, break_long_words=False)
    wrapper.break_on_hyphens = False
    return wrapper.fill(text)


@dataclass_transform(kw_only_default=True)
class Declared(CredentialProvider, metaclass=_OptionsMeta):
    """A class with options; its instances take their values by keyword."""

    #: The public name of the class, which is its own factory.
    FACTORY: ClassVar[str]
    #: The options of the class and its parents.
    _options: ClassVar[tuple[Option, ...]] = ()

    def __init_subclass__(cls) -> None:
        """Collect the options of the class.

        Raises:
            TypeError: An option has the name of another attribute of all providers.
        """
        super().__init_subclass__()
        found: dict[str, Any] = dict(vars(cls))
        parents = cls.__mro__[1:]
        for name, one in vars(cls).items():
            if not isinstance(one, Option):
                continue
            others = [vars(parent)[name] for parent in parents if name in vars(parent)]
            is_other = not all(isinstance(other, Option) for other in others)
            if is_other or name in _RESERVED or name.startswith("_"):
                raise TypeError(
                    f"{cls.__name__} has an option {name!r}, but every provider uses this name for "
                    "something else: choose another name (ini= can stay the same)"
                )
        for parent in parents:
            if parent not in Declared.__mro__:
                found |= {name: one for name, one in vars(parent).items() if name not in found}
        # Its own first. A plain value in the class body removes the option of a parent.
        cls._options = tuple(one for one in found.values() if isinstance(one, Option))
        if not hasattr(cls, "FACTORY"):
            cls.FACTORY = cls.__name__

    def __init__(self, *unnamed: NoReturn, **given: Any) -> None:
        """Take options by keyword; None means not given."""
        super().__init__()
        if unnamed:  # such as the options object of the AWS SDK for JavaScript
            first = self._options[0]
            raise TypeError(
                f"{self.FACTORY}() takes its options by name: {first.name}={first.code_example}"
            )
        known = [one.name for one in self._options]
        for name in given:
            if name not in known:
                raise TypeError(f"{self.FACTORY}() has no option {name!r}: {_instead(name, known)}")
        #: The options that code set. Bound copies share it, so that a new token is in all of them.
        self._code_values = {name: value for name, value in given.items() if value is not None}

    @classmethod
    def options(cls) -> tuple[Option, ...]:
        """All options, those of the class itself first."""
        return cls._options

    @classmethod
    def _selecting(cls) -> tuple[Option, ...]:
        return tuple(one for one in cls._options if one.selects)

    @classmethod
    def _option_named(cls, name: str) -> Option:
        return next(one for one in cls._options if one.name == name)

    def __repr__(self) -> str:
        """Show the options that code set, without the values of secret ones."""
        given = self._code_values
        shown = (
            f"{one.name}={'<hidden>' if one.secret else repr(given[one.name])}"
            for one in self._options
            if one.name in given
        )
        return f"{self.FACTORY}({', '.join(shown)})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the options that code set; session, clients and credentials are left out."""
        return partial(type(self), **self._code_values), ()


def _instead(name: str, known: Sequence[str]) -> str:
    """Return what to write instead of an unknown option, which may be one of JavaScript."""
    if name in _NO_OPTIONS:
        return _NO_OPTIONS[name]
    in_python = _OTHER_NAMES.get(name) or re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    similar = near(in_python, known)
    return f"did you mean {similar!r}?" if similar else f"its options are {', '.join(known)}"


def _signature(cls: type, options: Iterable[Option]) -> Signature:
    """Return the signature of a class that takes these options by keyword."""
    types = annotations(cls)
    keyword = Parameter.KEYWORD_ONLY
    return Signature(
        [
            Parameter(o.name, keyword, default=o.default, annotation=types.get(o.name, Any))
            for o in options
        ]
    )


def annotations(cls: type) -> dict[str, Any]:
    """Return the annotations of a class and its parents."""
    of: Any = cls
    found = dict(inspect.get_annotations(of.__init__))  # one of its own may say more
    for parent in reversed(cls.__mro__):
        found |= inspect.get_annotations(parent)
    return found
