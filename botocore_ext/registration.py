"""The place in a session where its credential resolver is made, the first time it is needed."""

from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakKeyDictionary, ref

from botocore.credentials import CredentialProvider, CredentialResolver
from botocore.session import Session

from .concurrency import Once

#: The component that holds a session's resolver.
COMPONENT = "credential_provider"


class Registration(Once[CredentialResolver]):
    """The factory of a session's resolver, until the session uses it."""

    def __init__(
        self,
        make: Callable[[], CredentialResolver],
        front: Sequence[CredentialProvider],
        only: CredentialProvider | None,
    ) -> None:
        """Take the factory, and which providers of code it puts first, or uses alone."""
        super().__init__(make)
        self.front, self.only = front, only


#: The registrations that sessions hold and have not used yet.
_pendings: "WeakKeyDictionary[Session, ref[Registration]]" = WeakKeyDictionary()


def pending(session: Session) -> Registration | None:
    """Return the registration that the session has not used yet, if there is one."""
    found = _pendings.get(session)
    return None if found is None else found()


def register(session: Session, registration: Registration) -> None:
    """Let the session make its resolver so, when it needs one."""
    _pendings[session] = ref(registration)
    session.lazy_register_component(COMPONENT, registration)


def loaded_credentials(session: Session) -> Any:
    """Return the credentials that the session holds, without making it look for any."""
    waiting = pending(session)
    resolver = None if waiting else session.get_component(COMPONENT)
    session.register_component(COMPONENT, CredentialResolver([]))
    try:
        return session.get_credentials()
    finally:  # whatever becomes of the caller, the session is as it was
        if waiting is None:
            session.register_component(COMPONENT, resolver)
        else:
            session.lazy_register_component(COMPONENT, waiting)
