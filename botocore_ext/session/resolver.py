"""The resolver of a session: botocore's own, with our providers in it if they can have a part.

Our providers, and what is for aiobotocore, are imported within functions: most sessions need
neither.

This module touches the ``_create_credential_resolver`` and ``_last_client_region_used`` of a
session, each with a fallback. Besides, only ``registration``, ``keys``, ``hook`` and
``aio.credentials`` touch names of botocore and boto3 that begin with an underscore. What else the
package needs of botocore is listed in ``tests/test_botocore_seams.py``.
"""

import threading
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary, ref

import botocore.credentials
import botocore.session
from botocore.credentials import (
    AssumeRoleProvider,
    CredentialProvider,
    CredentialResolver,
    Credentials,
)
from botocore.session import Session

from ..profiles.inert import is_async, is_inert, is_plain, is_plain_role
from ..profiles.plain_roles import PlainRoleProvider, replace_roles
from ..runtime.single_flight import NeedsItselfError, Once, SingleFlight, StillUnderWayError

# The place in a session where its credential resolver is made, the first time it is needed.
#
# This module looks at the ``_components`` of a session, and what they hold: botocore has no other
# way to see what is registered without making it. Where they are not there, nothing is.

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


# The resolver of a session: botocore's, walked once for all threads that come together.

#: Seconds to wait for the walk of another thread: longer than a token process may take.
_LONGEST_WAIT = 120


class SessionResolver(CredentialResolver):
    """A resolver whose concurrent callers share one walk, and a later caller walks anew."""

    def __init__(
        self,
        providers: list[CredentialProvider],
        only: CredentialProvider | None = None,
    ) -> None:
        """Take the providers in order, and the one that is asked alone, if one is."""
        super().__init__(providers)
        self.only = only
        self._flight: SingleFlight[Credentials | None] = SingleFlight()

    def load_credentials(self) -> Credentials | None:
        """Return the first credentials found, or None.

        Raises:
            NotConfigured: The session was built for one provider, and that has nothing.
        """
        try:
            return self._flight.run(self._walk, timeout=_LONGEST_WAIT)
        except (NeedsItselfError, StillUnderWayError):
            # A provider that uses this session, or that keeps another thread waiting: without us
            # it would be asked again, too, and a provider of others may be prepared for that.
            # Ours see a circle themselves.
            return self._walk()

    def _walk(self) -> Credentials | None:
        if self.only is None:
            return super().load_credentials()
        found: Credentials | None = self.only.load()
        if found is None:
            from ..errors import nothing_from

            raise nothing_from(self.only)
        return found


def create_resolver(
    session: botocore.session.Session,
    front: Sequence[CredentialProvider],
    only: CredentialProvider | None,
    region: str | None = None,
    theirs: Theirs | None = None,
) -> CredentialResolver:
    """Build botocore's own resolver and put our providers into it, if they can have a part.

    Args:
        session: Whose it is.
        front: What code puts first.
        only: What code lets be asked alone.
        region: That of the first client of the session that this one stands for, if there is one.
        theirs: Makes a resolver that another library registered: it stays what it is.
    """
    region = region or first_region(session)
    if only is not None:
        check_alone(session, only)  # again: the profile may be another one by now
    elif theirs is not None:
        return _with_ours(theirs(), session, region, front)
    resolver = plain_resolver(session)
    if only is None and not takes_providers(resolver):
        return resolver  # a session class has a resolver of another kind
    if is_async(session):
        return _create_async_resolver(resolver, session, region, front, only)
    if only is not None:
        from ..providers.insertion import bind_all

        return SessionResolver(providers_of(resolver), *bind_all([only], session, region))
    profiles, profile = session.full_config["profiles"], _profile(session)
    if not front and is_plain_role(profiles, profile):
        _rebuild_roles(resolver, session, region)
    elif front or not is_inert(profiles, profile):
        put_into(resolver, session, region, front)
    if type(resolver) is not CredentialResolver:
        return resolver  # a session class with a resolver of its own keeps it
    return SessionResolver(resolver.providers)


def _with_ours(
    resolver: Any, session: botocore.session.Session, region: str | None, front: Sequence[Any]
) -> CredentialResolver:
    """Put our providers into the resolver of another library, if they can have a part."""
    is_ours = front or not is_plain(session.full_config["profiles"], _profile(session))
    if is_ours and takes_providers(resolver):
        put_into(resolver, session, region, front)
    theirs: CredentialResolver = resolver
    return theirs


def providers_of(resolver: Any) -> list[CredentialProvider]:
    """Return the providers of a resolver; none if it is of another kind than botocore's."""
    return list(getattr(resolver, "providers", ()))


def plain_resolver(session: botocore.session.Session) -> CredentialResolver:
    """Return a resolver as the session makes one without us."""
    fallback = partial(botocore.credentials.create_credential_resolver, session)
    resolver: CredentialResolver = getattr(session, "_create_credential_resolver", fallback)()
    return resolver


def _create_async_resolver(
    resolver: CredentialResolver,
    session: botocore.session.Session,
    region: str | None,
    front: Sequence[CredentialProvider],
    only: CredentialProvider | None,
) -> CredentialResolver:
    """Put our providers into aiobotocore's own resolver, if they can have a part."""
    if not (front or only) and is_plain(session.full_config["profiles"], _profile(session)):
        return resolver
    from ..aio.resolver import resolver_of

    return resolver_of(resolver, session, region, front, only)


def takes_providers(resolver: Any) -> bool:
    """Return whether the list of providers of a resolver can be replaced."""
    try:
        resolver.providers = resolver.providers
    except AttributeError:
        return False
    return True


def put_into(
    resolver: CredentialResolver,
    session: botocore.session.Session,
    region: str | None,
    front: Sequence[CredentialProvider],
) -> None:
    """Put our providers into a resolver that is in use."""
    if is_async(session):
        from ..aio.resolver import insert_async as insert
    else:
        from ..providers.insertion import insert

    insert(resolver, session, region, front)


def _rebuild_roles(
    resolver: CredentialResolver, session: botocore.session.Session, region: str | None
) -> None:
    """Let a role of botocore's own be loaded more than once."""
    resolver.providers = replace_roles(
        PlainRoleProvider, resolver.providers, session, region, _profile(session)
    )


def _profile(session: botocore.session.Session) -> str:
    """Return the session's profile, as botocore's own resolver takes it."""
    return session.get_config_variable("profile") or "default"


def check_alone(session: botocore.session.Session, only: CredentialProvider) -> None:
    """See to it that ``only`` can be asked alone in the session.

    Raises:
        ConfigurationError: A setting that botocore reads for every session is none.
    """
    from ..providers.insertion import check_settings

    check_settings(session, only.METHOD)


def first_region(session: botocore.session.Session) -> str | None:
    """Return the region of the session's first client; None if there is none yet."""
    region: str | None = getattr(session, "_last_client_region_used", None)
    return region


def is_as_made(resolver: Any, session: botocore.session.Session) -> bool:
    """Whether nobody has changed botocore's resolver; then it can be made anew, and later.

    Later, because it then takes the region of the session's first client.
    """
    plain = plain_resolver(session)
    if type(resolver) is not (type(plain) if is_async(session) else CredentialResolver):
        return False
    made = [one.METHOD for one in plain.providers]
    caches = [one.cache for one in resolver.providers if isinstance(one, AssumeRoleProvider)]
    return made == [one.METHOD for one in resolver.providers] and not any(caches)
