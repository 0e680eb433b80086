"""``per_request`` and ``use_credentials``: another identity at each request of a client."""

import copy
from collections.abc import Callable, Coroutine
from functools import partial, wraps
from inspect import (
    isasyncgen,
    isasyncgenfunction,
    iscoroutine,
    iscoroutinefunction,
    isgenerator,
    isgeneratorfunction,
)
from typing import TYPE_CHECKING, Any, TypeVar, cast

from botocore.credentials import CredentialProvider, Credentials

from ..aws.clients import InnerClients
from ..aws.frozen_credentials import PER_REQUEST, FrozenCredentials
from ..errors import no_credentials_from
from ..options.scope import Scope
from ..refresh.identities import Identity, PerRequestCredentials
from ..refresh.identity_hooks import register_hooks
from ..refresh.rejections import resend_rejected
from ..runtime.context import InForce, identity_in_force
from .base import Provider
from .function import FunctionProvider, Source, check_source

if TYPE_CHECKING:
    from typing_extensions import Self

F = TypeVar("F", bound=Callable[..., Any])


class PerRequest(CredentialProvider):
    """Makes a session or client sign each request as the identity in force.

    ``use_credentials`` puts an identity in force. Pass this to ``Session(credentials=...)`` or
    ``client(credentials=...)``.
    """

    METHOD = PER_REQUEST
    CANONICAL_NAME = "CustomPerRequest"

    def __init__(self, default: Source | None = None, *, max_identities: int = 10_000) -> None:
        """Take what to use without an identity; nothing is loaded yet.

        Args:
            default: A provider, a callable or credentials for requests without an identity in
                force. None: such a request is an error.
            max_identities: For how many providers a session keeps credentials. Those of providers
                that no longer exist are not kept in any case.

        Raises:
            TypeError: ``default`` is none of these.
            ValueError: ``max_identities`` is less than 1.
        """
        super().__init__()
        if default is not None:
            check_source(default)
        if max_identities < 1:
            raise ValueError(f"max_identities is {max_identities}: it must be 1 or more")
        self._default, self._max_identities = default, max_identities
        self._scope: Scope | None = None

    def __repr__(self) -> str:
        """Show the arguments, of a default the name only."""
        default = None if self._default is None else Identity(self._default).name
        return f"per_request(default={default}, max_identities={self._max_identities})"

    def bind(self, scope: Scope) -> "PerRequest":
        """Return a copy for a session."""
        bound = PerRequest(self._default, max_identities=self._max_identities)
        bound._scope = scope
        return bound

    @property
    def scope(self) -> Scope:
        """The session of this copy, and what belongs to it."""
        return self._scope or Scope()

    def identity(self) -> Identity | None:
        """Return the identity of a request that is made now; None if there is none."""
        found = identity_in_force.get()
        default = None if self._default is None else Identity(self._default)
        return (found and found.identity) or default

    def load(self) -> PerRequestCredentials:
        """Return credentials that are those of the identity in force, at each use."""
        scope = self.scope
        loading = partial(_loading, scope, InnerClients())
        credentials = PerRequestCredentials(loading, self._default, self._max_identities, self)
        if scope.given_session is not None:
            resend_rejected(scope.given_session, credentials)
            register_hooks(scope.given_session)
        return credentials


per_request = PerRequest


def _loading(
    scope: Scope, clients: InnerClients, reference: Callable[[], Any]
) -> Callable[[], Credentials]:
    """Return the function that loads the credentials of a source (see ``Loading``).

    It has no strong reference to the source, so that its credentials live no longer than it.
    """
    source = reference()
    provider: Any
    if isinstance(source, CredentialProvider) and not isinstance(source, Provider):
        provider = _Weak(reference)
    else:
        provider = source
        if not isinstance(source, Provider):
            provider = FunctionProvider(function=_weak_function(reference, source))
        # The clients that obtain credentials are not signed, so all identities share them.
        provider = provider.bind(Scope.like(scope, shared_clients=clients))
    return partial(_load, provider)


def _load(provider: Any) -> Credentials:
    found: Credentials | None = provider.load()
    if found is None:
        raise no_credentials_from(provider, "the provider of use_credentials()")
    return found


class _Weak:
    """A third-party provider that is referred to weakly."""

    def __init__(self, reference: Callable[[], Any]) -> None:
        self._reference = reference
        self.METHOD = reference().METHOD

    def load(self) -> Credentials | None:
        """Return what the provider returns, which is in force now and so exists."""
        found: Credentials | None = self._reference().load()
        return found


def _weak_function(reference: Callable[[], Any], source: Any) -> Callable[[], Any]:
    """Return a function that calls the source, or returns it if it is credentials."""

    def function() -> Any:
        found = reference()
        if callable(found):
            return found()
        # A copy: what is returned is kept, and would keep the source.
        return copy.copy(found) if isinstance(found, FrozenCredentials) else found

    function.__qualname__ = getattr(source, "__qualname__", type(source).__name__)
    return function


class use_credentials:  # noqa: N801 - it is used as a function
    """Put an identity in force: clients with ``per_request()`` sign as it.

    It is a context manager, synchronous and asynchronous, and a decorator of functions and
    coroutine functions. The identity is in force in the current task or thread only, and in those
    that are started with a copy of its context, such as asyncio tasks.
    """

    def __init__(self, credentials: Source) -> None:
        """Take the identity; nothing is loaded yet.

        Args:
            credentials: A provider, a callable that returns credentials, or credentials. Use the
                same object for the same identity: its credentials are kept with it.

        Raises:
            TypeError: It is none of these.
        """
        check_source(credentials)
        self._source = credentials

    def __repr__(self) -> str:
        """Show the name of the provider only."""
        return f"use_credentials({Identity(self._source).name})"

    def __enter__(self) -> "Self":
        """Put the identity in force."""
        # A new one for each block: it keeps what the sessions in use have made of the source.
        identity, before = Identity(self._source), identity_in_force.get()
        try:
            identity_in_force.set(InForce(identity, self, before))
            return self  # noqa: TRY300 - the interrupt may come here, too
        except BaseException:  # pragma: no cover - an interrupt, with which a test traces
            # The block is not entered, and so not left either.
            identity_in_force.set(before)
            raise

    def __exit__(self, *_: object) -> None:
        """Restore the identity that was in force before.

        Raises:
            RuntimeError: Another ``use_credentials`` has been entered since and not left, or this
                is not the context in which it was entered.
        """
        innermost = identity_in_force.get()
        try:
            is_in_order = self._leave(innermost)
        except BaseException:  # pragma: no cover - an interrupt, with which a test traces
            if identity_in_force.get() is innermost:
                self._leave(innermost)
            raise
        if not is_in_order:
            raise RuntimeError(
                "use_credentials() was left in another order, or in another task or thread, than "
                "it was entered: leave it where you entered it, and do not yield inside it"
            )

    def _leave(self, innermost: InForce | None) -> bool:
        """Restore what was in force before; return whether this is the block entered last."""
        found = innermost
        while found is not None and found.owner is not self:
            found = found.previous
        if found is not None:  # also if one that was entered later is still in force
            identity_in_force.set(found.previous)
        return found is not None and found is innermost

    async def __aenter__(self) -> "Self":
        """Put the identity in force."""
        return self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        """Restore the identity that was in force before (see ``__exit__``)."""
        self.__exit__()

    def __call__(self, function: F) -> F:
        """Return ``function``, called with this identity in force.

        A coroutine that it returns is awaited with the identity in force, too.

        Raises:
            TypeError: It is a generator function, or returns a generator: the body would run after
                the call has returned.
        """
        if isgeneratorfunction(function) or isasyncgenfunction(function):
            raise _generator_refused()

        @wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with self:
                returned = function(*args, **kwargs)
            # Another decorator may hide the kind of the function.
            if isgenerator(returned) or isasyncgen(returned):
                raise _generator_refused()
            return awaited(returned) if iscoroutine(returned) else returned

        async def awaited(coroutine: Coroutine[Any, Any, Any]) -> Any:
            with self:
                return await coroutine

        @wraps(function)
        async def awaiting(*args: Any, **kwargs: Any) -> Any:
            with self:
                return await function(*args, **kwargs)

        return cast("F", awaiting if iscoroutinefunction(function) else wrapper)


def _generator_refused() -> TypeError:
    return TypeError(
        "use_credentials() cannot decorate a generator function, whose caller would have the "
        "identity between two yields: decorate what consumes it"
    )
