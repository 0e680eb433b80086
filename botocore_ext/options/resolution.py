"""Where the values of options come from: code, a profile or the environment.

Each option is resolved once for each binding, to its value and its origin. Errors and ``explain``
use the same result. A token is resolved at each fetch, because code may replace it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NoReturn, TypeVar

from ..errors import ConfigurationError, NotConfigured
from .option import Declared, Option
from .scope import Scope

#: Beginnings of a comment in other parsers; botocore keeps comments as part of the value.
_COMMENTS = (" ;", " #", "\t;", "\t#")
CODE, PROFILE, ENVIRONMENT = "code", "profile", "environment"
#: The attribute of an option with its name in each kind of origin.
_NAMES = {CODE: "name", PROFILE: "ini", ENVIRONMENT: "env"}


class Origin:
    """Code, a profile or the environment, with the values that it sets, which ``repr`` hides."""

    def __init__(
        self, kind: str, values: Mapping[str, Any], name: str = "", scope: Scope | None = None
    ) -> None:
        """Take what is known of the origin.

        Args:
            kind: ``CODE``, ``PROFILE`` or ``ENVIRONMENT``.
            values: The values, by the names that options have in this origin.
            name: The factory or the profile.
            scope: For a profile, the scope in which its settings are read.
        """
        self.kind, self.values, self.name, self.scope = kind, values, name, scope

    def key(self, option: Option) -> str | None:
        """Return the name of the option in this origin; None if it cannot be set here."""
        name: str | None = getattr(option, _NAMES[self.kind])
        if self.kind == ENVIRONMENT and option.also_env and not self.values.get(name or ""):
            return option.also_env if self.values.get(option.also_env) else name
        return name

    def has(self, option: Option) -> bool:
        """Whether the option is set here; an empty variable does not count, as in all AWS SDKs."""
        if self.kind == ENVIRONMENT:
            return bool(self.values.get(self.key(option) or ""))
        return self.values.get(getattr(option, _NAMES[self.kind]) or "") is not None

    def read(self, option: Option) -> Any:
        """Return the converted value of an option that is set here.

        Raises:
            ValueError: It is malformed, or contains a comment, which botocore does not remove.
        """
        value = self.values[str(self.key(option))]
        if self.kind == PROFILE and not value:
            raise ValueError("is empty")
        if self.kind != CODE and not option.allow_comments:
            check_texts(_texts(value), self.kind)
        if self.scope is not None and option.read is not None:
            value = option.read(value, self.scope)
        return option.parse(value)

    def where(self, option: Option) -> str:
        """Return where the option is set, for the fact of an error."""
        if self.kind == CODE:
            return f"{option.name} passed to {self.name}()"
        if self.kind == PROFILE:
            return f"{option.ini} in profile '{self.name}'"
        return f"the environment variable {self.key(option)}"

    def remedy(self, option: Option) -> str:
        """Return how to set the option here, for the remedy of an error."""
        if self.kind == CODE:
            keyword = "" if option.positional else f"{option.name}="
            return f"pass {keyword}{option.code_example} to {self.name}()"
        if self.scope is not None:
            line, file = f"{option.ini} = {option.example}", self.scope.config_file
            return f"set {line} in profile '{self.name}' of {file}"
        return f"set the environment variable {option.env}={option.example}"


def check_texts(texts: Sequence[str], kind: str) -> None:
    """Refuse quotes, and comments in a profile, which would be part of a value.

    Raises:
        ValueError: There is one.
    """
    if any(len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" for text in texts):
        raise ValueError("is in quotes, which would be part of the value (remove the quotes)")
    if kind == PROFILE and any(mark in text for text in texts for mark in _COMMENTS):
        raise ValueError(
            "contains ' ;' or ' #', which botocore keeps as part of the value "
            "(put the comment on a line of its own)"
        )


def _texts(value: str | Mapping[str, str]) -> list[str]:
    """Return the texts in the value of a setting, which may be an indented block."""
    if isinstance(value, str):
        return [value]
    return [text.strip() for line in value.items() for text in line]


class Resolved:
    """The result of resolving an option. Its ``repr`` hides the value."""

    def __init__(
        self, value: Any, origin: Origin | None = None, problem: str | None = None
    ) -> None:
        """Take the value, the origin that sets it, and why the value cannot be used.

        If nothing sets the option, the value is the default, and there is no origin.
        """
        self.value, self.origin, self.problem = value, origin, problem


def resolve(option: Option, origins: Sequence[Origin]) -> Resolved:
    """Resolve ``option`` from the first of ``origins`` that sets it."""
    for origin in origins:
        if origin.has(option):
            try:
                return Resolved(origin.read(option), origin)
            except ConfigurationError as error:  # in what the value refers to, with the remedy
                fact = f"{origin.where(option)} {error.reason}"
            except ValueError as error:
                fact = f"{origin.where(option)} {error}: for example, {origin.remedy(option)}"
            return Resolved(None, origin, fact)
    return Resolved(option.default)


T = TypeVar("T")


class Binding:
    """The scope of a bound provider, and the objects that were created for it, once each."""

    def __init__(self, scope: Scope | None, **created: Any) -> None:
        """Take the scope (None: it is created on first use) and objects that exist already."""
        self.scope = scope
        #: The values of options that were read and do not change (see ``Option``).
        self.values: dict[str, Any] = {}
        self._created = created

    def once(self, name: str, create: Callable[[], T]) -> T:
        """Return the object ``name``, created by the first call; racing threads get the same."""
        if name not in self._created:
            self._created.setdefault(name, create())
        found: T = self._created[name]
        return found

    def get(self, name: str) -> Any:
        """Return the object ``name`` if ``once`` has created it; else None."""
        return self._created.get(name)

    def has(self, name: str) -> bool:
        """Whether ``once`` has created this object."""
        return name in self._created

    def reread(self, reading: Scope) -> "Binding":
        """Return a binding with the same credentials whose files were read again."""
        names = [name for name in ("own_scope", "credentials") if self.has(name)]
        return Binding(self.scope, **{name: self._created[name] for name in names}, reading=reading)


class Specification(Declared):
    """A provider without credentials: its options and their values."""

    #: Options other than tokens that may change while the provider is bound.
    _CHANGING: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, *unnamed: NoReturn, **given: Any) -> None:
        super().__init__(*unnamed, **given)
        self._binding = Binding(None)

    @property
    def scope(self) -> Scope:
        """The session, profile, environment and clock of this provider."""
        return self._binding.scope or self._binding.once("own_scope", Scope)

    def is_selected(self) -> bool:
        """Whether an option that selects this provider is set.

        A provider built in code that the environment cannot select always is.
        """
        selecting, scope = self._selecting(), self.scope
        if scope.profile is None and not any(one.env for one in selecting):
            return not scope.is_bare or bool(self._code_values)
        return scope.allows(self.METHOD) and any(self._resolution(one).origin for one in selecting)

    def _reason_not_selected(self) -> str:
        """Return why this provider is not configured; called only if it is not."""
        origins = [one for one in self._origins() if self.scope.profile is None or one.kind != CODE]
        names = [origin.key(one) for origin in origins for one in self._selecting()]
        known = list(dict.fromkeys(name for name in names if name))
        if not known:
            return f"it is configured in code only: pass {self.FACTORY}(...) to the chain"
        return f"none of {', '.join(known)} is set" if len(known) > 1 else f"{known[0]} is not set"

    def _not_configured(self) -> NotConfigured:
        """Return the error of a fetch while this provider is not configured."""
        return NotConfigured(provider=self.METHOD, error_msg=self._reason_not_selected())

    def check(self) -> None:
        """Check all options; a token may still be missing.

        Raises:
            ConfigurationError: An option is missing or malformed.
        """
        given = self._code_values
        for one in self._options:
            is_given = given.get(one.name) is not None
            origin = self._resolution(one).origin if is_given or one.token else None
            if is_given and (origin is None or origin.kind != CODE):
                raise ConfigurationError(
                    provider=self.METHOD,
                    error_msg=f"{one.name} passed to {self.FACTORY}() is not used without "
                    "an address: pass the address, too",
                )
            if origin is not None or not one.token:
                self._option_value(one)

    def _check_given(self, given: Mapping[str, Any]) -> None:
        """Check the values of options that code sets.

        Raises:
            ConfigurationError: One is malformed.
        """
        for one in self._options:
            if given.get(one.name) is not None:
                self._value_in_code(one, given)

    def _value_in_code(self, wanted: Option, given: Mapping[str, Any]) -> Any:
        """Return the value of an option that code may set, or its default.

        Raises:
            ConfigurationError: It is malformed.
        """
        found = resolve(wanted, [Origin(CODE, given, self.FACTORY)])
        if found.problem is not None:
            raise ConfigurationError(provider=self.METHOD, error_msg=found.problem)
        return found.value

    def _resolution(self, wanted: Option) -> Resolved:
        """Return an option, resolved.

        A token from code is resolved now, because code may replace it. One from the environment or
        a profile stays with the address that was resolved with it: a token that is set later may
        be for another host. The source of a token, such as a file, is read at each fetch.
        """
        if wanted.token and self._code_values.get(wanted.name) is not None:
            return resolve(wanted, self._origins_of(wanted))
        found = self._binding.once("options", self._resolve_options)
        return found.get(wanted.name) or Resolved(wanted.default)

    def _option_value(self, wanted: Option) -> Any:
        """Return the current value (see ``Option``).

        Raises:
            ConfigurationError: The option is missing or malformed.
        """
        binding = self._binding  # before the resolution: files may be read again meanwhile
        found = self._resolution(wanted)
        if found.origin is None and wanted.required:
            raise self._missing(wanted)
        if found.problem is not None:
            raise ConfigurationError(provider=self.METHOD, error_msg=found.problem)
        if not wanted.token and wanted.name not in self._CHANGING:
            binding.values[wanted.name] = found.value
        return found.value

    def _key_of(self, name: str) -> str:
        """Return the name of an option in the origin that sets it."""
        wanted = self._option_named(name)
        origin = self._resolution(wanted).origin
        return str(origin.key(wanted)) if origin else name

    def _set_in(self, name: str) -> str:
        """Return where an option is set, with the file of a profile, for an error."""
        wanted = self._option_named(name)
        origin: Any = self._resolution(wanted).origin
        if origin.kind == PROFILE:
            return f"{wanted.ini} in {self.scope.profile_in_file}"
        return str(origin.where(wanted))

    def _missing(self, *wanted: Option) -> ConfigurationError:
        """Return the error for options of which one must be set, with all ways to set them."""
        origins = list(self._origins_of(wanted[0])) or list(self._origins())
        if self.scope.profile is not None and not self._code_values:
            origins = [one for one in origins if one.kind != CODE]  # it was not built in code
        names = " or ".join(dict.fromkeys(str(origins[0].key(one)) for one in wanted))
        remedies = ", or ".join(
            origin.remedy(one) for one in wanted for origin in origins if origin.key(one)
        )
        return ConfigurationError(
            provider=self.METHOD,
            error_msg=f"{names} is not set{self._where(origins)}: for example, {remedies}",
        )

    def _where(self, origins: Sequence[Origin]) -> str:
        """Return the origin in which an option is not set; other origins do not count."""
        if any(origin.kind != CODE for origin in origins):
            return f" in profile '{self.scope.profile}'" if self.scope.profile else ""
        other = next(one.name for one in self._selecting() if origins[0].has(one))
        return f" in code, where {other} is set"

    def _resolve_options(self) -> dict[str, Resolved]:
        """Resolve the options that are set; a token from code is resolved at each read instead."""
        origins = self._binding.once("origins", self._eligible_origins)
        own = self._selecting_origin(origins)
        found = {}
        for one in self._options:
            eligible = own if one.same_origin else origins
            if one.token:
                eligible = [origin for origin in eligible if origin.kind != CODE]
            resolved = resolve(one, eligible)
            if resolved.origin is not None:  # a default is not kept: there may be many providers
                found[one.name] = resolved
        return found

    def _origins(self) -> list[Origin]:
        """Return the origins of options of this provider, in order of precedence."""
        scope = self.scope
        found = [Origin(CODE, self._code_values, self.FACTORY)]
        if scope.profile is not None:
            profile = Origin(PROFILE, scope.profile_values, scope.profile, scope)
            found.append(profile)
            if not scope.is_bare or any(map(profile.has, self._selecting())):
                return found  # a provider that a profile selects uses this profile only
        return [*found, Origin(ENVIRONMENT, scope.environ)]

    def _origins_of(self, wanted: Option) -> Sequence[Origin]:
        """Return the origins of one option; for an identity, only the one that selects it."""
        origins = self._binding.once("origins", self._eligible_origins)
        return self._selecting_origin(origins) if wanted.same_origin else origins

    def _eligible_origins(self) -> list[Origin]:
        """Return the origins to use; a provider may leave some out."""
        return self._origins()

    def _selecting_origin(self, origins: Sequence[Origin]) -> Sequence[Origin]:
        selecting = self._selecting()
        return [origin for origin in origins if any(map(origin.has, selecting))][:1]
