"""Functions and credentials that can be passed instead of a provider."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from botocore.credentials import CredentialProvider, Credentials, ReadOnlyCredentials

from ..aws.frozen_credentials import PER_REQUEST, FieldError, FrozenCredentials
from ..errors import FetchError
from ..options import types
from ..options.option import ALIASES, option
from ..refresh.credentials import ProviderCredentials
from ..runtime.awaiting import result_of
from ..runtime.context import guard_recursion
from .base import Provider

_Found: TypeAlias = FrozenCredentials | Credentials | Mapping[str, Any] | None
#: A function that returns credentials, or None if it has none. With aiobotocore it may be a
#: coroutine function.
Function: TypeAlias = Callable[[], _Found | Awaitable[_Found]]
#: A provider, or what can be passed instead.
Source: TypeAlias = CredentialProvider | Function | FrozenCredentials | Credentials
ALIASES["Source"] = Source


class FunctionProvider(Provider):
    """A callable that is used as a provider."""

    METHOD = "custom-function"
    CANONICAL_NAME = "CustomFunction"
    FACTORY = "from_function"

    function: Function = option(
        required=True,
        selects=True,
        example="my_function",
        parse=types.function,
        help="Returns `FrozenCredentials`, botocore credentials or a mapping; None: not here.",
    )

    @property
    def _label(self) -> str:
        """The name of the function."""
        return getattr(self.function, "__qualname__", type(self.function).__name__)

    @property
    def _identity(self) -> object:
        """See ``Provider._identity``; a function may be used by several providers."""
        return self.function

    def __repr__(self) -> str:
        """Show the name of the function only: the arguments of a partial may be secrets."""
        return f"{self.FACTORY}({self._label})"

    def _reason_not_selected(self) -> str:
        """See ``Specification._reason_not_selected``."""
        return f"{self._label} returned None: it has no credentials here"

    def _guarded_fetch(self) -> FrozenCredentials:
        """See ``Provider._guarded_fetch``; the call itself is guarded."""
        return self.fetch()

    def load(self) -> ProviderCredentials | None:
        """Call the function once; None if it has no credentials, which only a call shows."""
        if self._binding.has("credentials"):
            return super().load()
        returned = self._call()
        credentials = None if returned is None else super().load()
        if credentials is not None:
            credentials._start_with(returned)
        return credentials

    def fetch(self) -> FrozenCredentials:
        """Call the function.

        Raises:
            NotConfigured: It returned None.
            FetchError: It did not return credentials.
            Exception: The error of the function, unchanged.
        """
        credentials = self._call()
        if credentials is None:
            raise self._not_configured()
        return credentials

    def _call(self) -> FrozenCredentials | None:
        try:
            return guard_recursion(self._identity, self._label, self._call_unguarded)
        except FieldError as error:
            fact = f"{self._label} did not return credentials: {error}"
        raise FetchError(provider=self.METHOD, error_msg=fact)

    def _call_unguarded(self) -> FrozenCredentials | None:
        # Security: on its own, so that a traceback has no variable with the credentials.
        found = result_of(self.function(), self.METHOD, self._label)
        return None if found is None else FrozenCredentials.of(found)


def as_provider(source: object) -> CredentialProvider:
    """Return ``source`` as a provider: it is one, or credentials, or a callable that returns them.

    Raises:
        TypeError: It is none of these.
    """
    check_source(source)
    if isinstance(source, CredentialProvider):
        return source
    if isinstance(source, (FrozenCredentials, Credentials)):
        return FunctionProvider(function=_constant(source))
    function: Any = source
    return FunctionProvider(function=function)


def as_only_provider(source: object) -> CredentialProvider:
    """Return ``source`` as the only provider of a session or client; may be ``per_request()``.

    Raises:
        TypeError: It is neither that nor a source.
    """
    if isinstance(source, CredentialProvider) and source.METHOD == PER_REQUEST:
        return source
    return as_provider(source)


def check_source(source: object) -> None:
    """Check that ``source`` is accepted where a provider is.

    Raises:
        TypeError: It is neither a provider, nor a callable, nor credentials.
    """
    is_provider = isinstance(source, (CredentialProvider, FrozenCredentials, Credentials))
    if is_provider and PER_REQUEST in (
        getattr(source, "METHOD", None),
        getattr(source, "method", None),
    ):
        raise TypeError(
            "per_request() is not one identity: pass it to Session(credentials=...) or "
            "client(credentials=...), and pass a provider here"
        )
    if is_provider or (callable(source) and not isinstance(source, type)):
        return
    if isinstance(source, (Mapping, ReadOnlyCredentials)):
        remedy = "to use these credentials, pass a function that returns them"
    elif isinstance(source, type):
        remedy = f"call it: {_name(source)}(...)"
    else:
        remedy = "pass a provider such as from_http(...), or a callable that returns credentials"
    # Never the value, which may be a misplaced secret.
    kind = _name(source) if isinstance(source, type) else f"a value of type {type(source).__name__}"
    raise TypeError(f"{kind} is not a credential provider: {remedy}")


def _constant(credentials: FrozenCredentials | Credentials) -> Function:
    """Return a function that returns these credentials and has the name of their class."""

    def constant() -> FrozenCredentials | Credentials:
        return credentials

    constant.__qualname__ = type(credentials).__name__
    return constant


def _name(kind: type) -> str:
    """Return the name by which users call a class: for a provider, that of the factory."""
    return str(getattr(kind, "FACTORY", kind.__name__))


def credentials_or_provider(value: object) -> CredentialProvider | Credentials:
    """A provider, a callable, refreshable credentials, or frozen credentials."""
    if isinstance(value, Credentials):
        return value
    if isinstance(value, Mapping):
        return as_provider(_read(value))
    is_source = isinstance(value, (CredentialProvider, FrozenCredentials)) or callable(value)
    if isinstance(value, type) or not is_source:
        found = f"{_name(value)} (call it)" if isinstance(value, type) else type(value).__name__
        raise ValueError(f"must be a provider, a callable or credentials, not {found}")
    return as_provider(value)


def _read(mapping: Mapping[str, Any]) -> FrozenCredentials:
    try:
        return FrozenCredentials.from_mapping(mapping)
    except FieldError as error:
        msg = f"cannot be read as credentials ({error})"
    raise ValueError(msg)
