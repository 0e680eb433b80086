"""``Specification``: what a provider is, and where the values of its options come from."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..errors import ConfigurationError, NotConfigured
from ..options import Option
from ..scope import Scope
from .declared import Declared
from .origins import Code, Environment, Origin, Profile


class Specification(Declared):
    """What a provider is, before it belongs to a session: its options and their values."""

    @property
    @abstractmethod
    def scope(self) -> Scope:
        """Where the outside world comes from."""

    def is_selected(self) -> bool:
        """Whether an option that selects this provider is set.

        A provider built in code that the environment cannot select always is.
        """
        selecting = [one for one in self.options() if one.selects]
        if self.scope.profile is None and not any(one.env for one in selecting):
            return not self.scope.is_bare or bool(self.given())
        return self.scope.allows(self.METHOD) and any(self._origin(one) for one in selecting)

    def why_not(self) -> str:
        """Say why nothing selects this provider; asked only where that is so."""
        origins = [one for one in self._origins() if self.scope.profile is None or one.is_text]
        selecting = [one for one in self.options() if one.selects]
        names = [origin.key(one) for origin in origins for one in selecting]
        known = list(dict.fromkeys(name for name in names if name))
        if not known:
            return f"only code can say what it needs: pass {self.FACTORY}(...) to the chain"
        return f"none of {', '.join(known)} is set" if len(known) > 1 else f"{known[0]} is not set"

    def not_here(self) -> NotConfigured:
        """Return the error for a fetch although nothing selects this provider."""
        return NotConfigured(provider=self.METHOD, error_msg=self.why_not())

    def check(self) -> None:
        """Read every option once; a token may still come.

        Raises:
            ConfigurationError: An option is missing or malformed.
        """
        for one in self.options():
            origin = self._origin(one)
            if self.given().get(one.name) is not None and not isinstance(origin, Code):
                raise ConfigurationError(
                    provider=self.METHOD,
                    error_msg=f"{one.name} passed to {self.FACTORY}() has no address beside it: "
                    "what is sent to an endpoint comes from where its address comes from",
                )
            if origin is not None or not one.token:
                self.option_value(one)

    def check_given(self, given: Mapping[str, Any]) -> None:
        """Check the values that code gives for options.

        Raises:
            ConfigurationError: One is malformed.
        """
        code = Code(given, self.FACTORY)
        for one in self.options():
            if given.get(one.name) is not None:
                self.value_from(code, one)

    def option_value(self, wanted: Option) -> Any:
        """Return the value in force (see ``Option``)."""
        origin = self._origin(wanted)
        if origin is None:
            if wanted.required:
                raise self.missing(wanted)
            return wanted.default
        return self.value_from(origin, wanted)

    def value_from(self, origin: Origin, wanted: Option) -> Any:
        """Return the value that an origin has, checked and converted.

        Raises:
            ConfigurationError: It is malformed.
        """
        try:
            value = origin.get(wanted)
            if isinstance(origin, Profile) and wanted.read is not None:
                value = wanted.read(value, self.scope)
            return wanted.parse(value)
        except ValueError as error:
            fact = f"{origin.place(wanted)} {error}: {origin.remedy(wanted)}"
        raise ConfigurationError(provider=self.METHOD, error_msg=fact)

    def origins_in_force(self) -> Iterator[tuple[Option, Origin]]:
        """Give every option that is set, with where its value comes from."""
        for one in self.options():
            origin = self._origin(one)
            if origin is not None:
                yield one, origin

    def key_of(self, name: str) -> str:
        """Return the option ``name`` as the user who set it wrote it."""
        wanted = self.option_named(name)
        origin = self._origin(wanted)
        return str(origin.key(wanted)) if origin else name

    def missing(self, *wanted: Option) -> ConfigurationError:
        """Return the error for options of which one must be set, naming every way to set them."""
        origins = list(self._origins_of(wanted[0])) or list(self._origins())
        if self.scope.profile is not None and not self.given():
            origins = [one for one in origins if one.is_text]  # code cannot reach what it built
        ways = [(origin, one) for one in wanted for origin in origins if origin.key(one)]
        names = " or ".join(dict.fromkeys(str(origins[0].key(one)) for one in wanted))
        remedies = ", or ".join(origin.remedy(one) for origin, one in ways)
        return ConfigurationError(
            provider=self.METHOD, error_msg=f"{names} is not set{self._where(origins)}: {remedies}"
        )

    def _where(self, origins: list[Origin]) -> str:
        """Say where an option is not set, although it may be in a place that does not count."""
        if any(origin.is_text for origin in origins):
            return f" in profile '{self.scope.profile}'" if self.scope.profile else ""
        beside = next(one.name for one in self.options() if one.selects and origins[0].has(one))
        return f" in code, where {beside} is"

    def _origins(self) -> Iterator[Origin]:
        """From the highest to the lowest."""
        scope = self.scope
        yield Code(self.given(), self.FACTORY)
        if scope.profile is not None:
            profile = Profile(scope.profile_values, scope.profile, lambda: scope.config_file)
            yield profile
            if not scope.is_bare or any(profile.has(one) for one in self._options if one.selects):
                return  # what a profile selects takes nothing from elsewhere
        yield Environment(scope.environ)

    def _origin(self, wanted: Option) -> Origin | None:
        """The highest origin that sets ``wanted``; of an identity, only the one that selects."""
        return next((one for one in self._origins_of(wanted) if one.has(wanted)), None)

    def _origins_of(self, wanted: Option) -> Iterable[Origin]:
        """Those that ``wanted`` may come from: of an identity, only the one that selects."""
        origins = self._origins()
        if not wanted.one_origin:
            return origins
        selecting = [one for one in self.options() if one.selects]
        return [origin for origin in origins if any(map(origin.has, selecting))][:1]
