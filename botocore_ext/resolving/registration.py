"""The place in a session where its credential resolver is made, the first time it is needed.

This module looks at the ``_components`` of a session, and what they hold: botocore has no other
way to see what is registered without making it. Where they are not there, nothing is.
"""

import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary, ref

from botocore.credentials import CredentialProvider, CredentialResolver, Credentials
from botocore.session import Session

from ..threads.concurrency import Once
from .bystanders import is_async

#: The component that holds a session's resolver.
COMPONENT = "credential_provider"


#: Makes the resolver that another library registered, or returns it.
Theirs: TypeAlias = Callable[[], Any]


class Registration(Once[CredentialResolver]):
    """The factory of a session's resolver, until the session uses it."""

    def __init__(
        self,
        make: Callable[[], CredentialResolver],
        front: Sequence[CredentialProvider],
        only: CredentialProvider | None,
        theirs: Theirs | None = None,
    ) -> None:
        """Take the factory, and what it makes the resolver of.

        Args:
            make: Makes the resolver.
            front: The providers of code that it puts first.
            only: The one that it uses alone.
            theirs: What another library registered (see ``registered``).
        """
        super().__init__(make)
        self.front, self.only, self.theirs = front, only, theirs


#: The registrations that sessions hold and have not used yet.
_pendings: "WeakKeyDictionary[Session, ref[Registration]]" = WeakKeyDictionary()


def pending(session: Session) -> Registration | None:
    """Return the registration that the session has not used yet, if there is one."""
    found = _pendings.get(session)
    return None if found is None else found()


def registered(session: Session) -> Theirs | None:
    """Return what another library registered for the session's resolver; None: nothing."""
    components = getattr(session, "_components", None)
    make: Theirs | None = getattr(components, "_deferred", {}).get(COMPONENT)
    if make is not None:
        return None if make == getattr(session, "_create_credential_resolver", None) else make
    resolver = getattr(components, "_components", {}).get(COMPONENT)
    return None if resolver is None else lambda: resolver


def register(session: Session, registration: Registration) -> None:
    """Let the session make its resolver so, when it needs one."""
    _pendings[session] = ref(registration)
    session.lazy_register_component(COMPONENT, registration)


class _Nothing(CredentialResolver):
    """Finds nothing for who looks only at what is there; other threads find what they would."""

    def __init__(self, make: Callable[[], CredentialResolver]) -> None:
        super().__init__([])
        self._make, self._thread = make, threading.get_ident()

    def load_credentials(self) -> Credentials | None:
        is_other = threading.get_ident() != self._thread
        return self._make().load_credentials() if is_other else None


class _AsyncNothing:
    """Finds nothing, and is awaited for that; a resolver."""

    async def load_credentials(self) -> Any:
        return None


def loaded_credentials(session: Session) -> Any:
    """Return the credentials that the session holds, without making it look for any."""
    waiting = pending(session)
    resolver: Any = None if waiting else session.get_component(COMPONENT)
    nothing = _AsyncNothing() if is_async(session) else _Nothing(waiting or (lambda: resolver))
    try:
        session.register_component(COMPONENT, nothing)
        found: Any = session.get_credentials()
        return _returned(found) if is_async(session) else found
    finally:  # whatever becomes of the caller, the session is as it was
        if waiting is None:
            session.register_component(COMPONENT, resolver)
        else:
            session.lazy_register_component(COMPONENT, waiting)


def _returned(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Return what a coroutine returns that has nothing to wait for; None of another one."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    coroutine.close()
    return None
