"""The credential resolver of a session: botocore's own, with this package's providers if needed.

Providers, and the code for aiobotocore, are imported within functions: most sessions need neither.

This module uses private names of botocore, each with a fallback: ``_create_credential_resolver``,
``_last_client_region_used`` and ``_components`` of a session. ``tests/test_architecture.py`` lists
the other modules that do so.
"""

import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
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
    create_credential_resolver,
)
from botocore.session import Session

from ..errors import no_credentials_from
from ..profiles.inert import is_async, is_plain, is_role, profile_of
from ..profiles.plain_roles import PlainRoleProvider
from ..runtime.single_flight import NeedsItselfError, Once, SingleFlight, StillUnderWayError

# Registration. A session creates its resolver when it first needs one. This module reads the
# ``_components`` of a session, because botocore has no other way to see what is registered without
# creating it. If they are missing, nothing is registered.

#: The component that holds a session's resolver.
COMPONENT = "credential_provider"


#: Creates the resolver that another library registered, or returns it.
Theirs: TypeAlias = Callable[[], Any]


class Registration:
    """The factory of a session's resolver, until the session uses it.

    Threads that share a new session get the same resolver, also if each of them has created one.
    """

    def __init__(
        self,
        session: Session,
        front: Sequence[CredentialProvider],
        only: CredentialProvider | None,
        theirs: Theirs | None,
    ) -> None:
        self._create = partial(create_resolver, session, front, only, theirs=theirs)
        self._created: dict[None, CredentialResolver] = {}
        self.front, self.only, self.theirs = front, only, theirs

    def __call__(self) -> CredentialResolver:
        """Return the resolver."""
        created = self._created
        return created[None] if None in created else created.setdefault(None, self._create())


#: The registrations that sessions have not used yet.
_unused: "WeakKeyDictionary[Session, ref[Registration]]" = WeakKeyDictionary()


def unused_registration(session: Session) -> Registration | None:
    """Return the registration that the session has not used yet, if there is one."""
    found = _unused.get(session)
    return None if found is None else found()


def registered_factory(session: Session) -> Theirs | None:
    """Return the factory that another library registered for the resolver, or None."""
    components = getattr(session, "_components", None)
    make: Theirs | None = getattr(components, "_deferred", {}).get(COMPONENT)
    if make is not None:
        return None if make == getattr(session, "_create_credential_resolver", None) else make
    resolver = getattr(components, "_components", {}).get(COMPONENT)
    return None if resolver is None else lambda: resolver


def register(
    session: Session,
    front: Sequence[CredentialProvider],
    only: CredentialProvider | None = None,
    theirs: Theirs | None = None,
) -> None:
    """Make the session create its resolver by ``create_resolver``, when it needs one."""
    registration = Registration(session, front, only, theirs)
    _unused[session] = ref(registration)
    session.lazy_register_component(COMPONENT, registration)


class _Nothing(CredentialResolver):
    """Finds nothing in the thread that creates it; other threads find their credentials."""

    def __init__(self, make: Callable[[], CredentialResolver]) -> None:
        super().__init__([])
        self._make, self._thread = make, threading.get_ident()

    def load_credentials(self) -> Credentials | None:
        is_other = threading.get_ident() != self._thread
        return self._make().load_credentials() if is_other else None


class _AsyncNothing:
    """A resolver of an asynchronous session that finds nothing."""

    async def load_credentials(self) -> Any:
        return None


def loaded_credentials(session: Session) -> Any:
    """Return the credentials that the session has loaded, without a search."""
    unused = unused_registration(session)
    resolver: Any = None if unused else session.get_component(COMPONENT)
    nothing = _AsyncNothing() if is_async(session) else _Nothing(unused or (lambda: resolver))
    try:
        session.register_component(COMPONENT, nothing)
        found: Any = session.get_credentials()
        return _result_of(found) if is_async(session) else found
    finally:  # the session stays as it was, even after an interrupt
        if unused is None:
            session.register_component(COMPONENT, resolver)
        else:
            session.lazy_register_component(COMPONENT, unused)


def _result_of(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Return the result of a coroutine that does not wait; None if it does."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    coroutine.close()
    return None


# The resolver: botocore's, with one search for all threads that call it at once.

#: Seconds to wait for the search of another thread: longer than a token process may take.
_LONGEST_WAIT = 120


class SessionResolver(CredentialResolver):
    """A resolver whose concurrent callers share one search; a later caller searches again."""

    #: The only provider to use; None: those in the list.
    only: CredentialProvider | None = None

    def __init__(self, providers: list[CredentialProvider]) -> None:
        super().__init__(providers)
        self._flight: SingleFlight[Credentials | None] = SingleFlight()

    def load_credentials(self) -> Credentials | None:
        """Return the first credentials found, or None.

        Raises:
            NotConfigured: The session uses one provider only, and that has no credentials.
        """
        try:
            return self._flight.run(self._search, timeout=_LONGEST_WAIT)
        except (NeedsItselfError, StillUnderWayError):
            # A provider uses this session, or keeps another thread waiting. Plain botocore calls it
            # again too, and a third-party provider may be prepared for that. Providers of this
            # package detect a circle themselves.
            return self._search()

    def _search(self) -> Credentials | None:
        return super().load_credentials()


class LazyResolver(SessionResolver):
    """A resolver that tries providers of this package before it creates botocore's.

    Two of botocore's create an HTTP session each.
    """

    def __init__(
        self,
        create: Callable[[], list[CredentialProvider]],
        first: list[CredentialProvider],
        only: CredentialProvider | None = None,
    ) -> None:
        """Take what creates the whole list, the providers at its beginning, and the only one."""
        super().__init__([])
        self._create: Callable[[], list[CredentialProvider]] = Once(create)
        self._first, self.only = first, only

    @property
    def providers(self) -> list[CredentialProvider]:
        """The providers, in order; other libraries may change the list."""
        created = self._create()
        self._first = []  # from now on only what is in the list
        return created

    @providers.setter
    def providers(self, providers: list[CredentialProvider]) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]  # an attribute in botocore
        self._create, self._first = lambda: providers, []

    def _search(self) -> Credentials | None:
        found: Credentials | None
        if self.only is not None:
            found = self.only.load()
            if found is None:
                raise no_credentials_from(self.only)
            return found
        first = self._first
        found = CredentialResolver(first).load_credentials()
        if found is None:
            others = [one for one in self.providers if one not in first]
            found = CredentialResolver(others).load_credentials()
        return found


def create_resolver(
    session: Session,
    front: Sequence[CredentialProvider],
    only: CredentialProvider | None,
    region: str | None = None,
    theirs: Theirs | None = None,
) -> CredentialResolver:
    """Return botocore's own resolver, with providers of this package if the session needs them.

    Args:
        session: The session.
        front: The providers to try before all others.
        only: The only provider to use; None: the whole chain.
        region: The region of the first client of the session that this one is a copy of, if any.
        theirs: Creates a resolver that another library registered: its class stays.
    """
    region = region or first_region(session)
    if only is not None:
        from ..aws.botocore_errors import check_settings

        check_settings(session, only.METHOD)  # again: the profile may have changed
    elif theirs is not None:
        return _with_ours(theirs(), session, region, front)
    create = _create_async_resolver if is_async(session) else _create_sync_resolver
    return create(session, region, front, only)


def _create_sync_resolver(
    session: Session,
    region: str | None,
    front: Sequence[CredentialProvider],
    only: CredentialProvider | None,
) -> CredentialResolver:
    """Add providers to botocore's own resolver, if the session needs them."""
    if only is not None:
        from ..providers.insertion import bind_all

        def plain_providers() -> list[CredentialProvider]:
            return list(getattr(plain_resolver(session, region), "providers", ()))

        return LazyResolver(plain_providers, [], *bind_all([only], session, region))
    profiles, profile = session.full_config["profiles"], profile_of(session)
    is_ours = bool(front) or not is_plain(profiles, profile)
    if is_ours and not front and _ours_come_first(session, profiles.get(profile, {})):
        from ..aws.botocore_errors import read_settings
        from ..providers.insertion import insert, providers_of_profile

        read_settings(session)
        ours = providers_of_profile(session, region)

        def all_providers() -> list[CredentialProvider]:
            resolver = plain_resolver(session, region)
            insert(resolver, session, region, (), ours)
            return resolver.providers

        return LazyResolver(all_providers, ours)
    resolver = plain_resolver(session, region)
    if not takes_providers(resolver):
        return resolver  # a session class has a resolver of another kind
    is_botocores = type(resolver) is CredentialResolver
    if is_ours:
        put_into(resolver, session, region, front)
    elif is_role(profiles.get(profile, {})):
        # A role provider that can be loaded more than once.
        resolver.providers = [
            PlainRoleProvider(one, lambda: session.full_config, profile)
            if type(one) is AssumeRoleProvider
            else one
            for one in resolver.providers
        ]
    else:
        if is_botocores:
            vars(resolver)["only"] = None  # as in the resolvers of other sessions with this package
        return resolver
    # A session class with its own resolver keeps it.
    return SessionResolver(resolver.providers) if is_botocores else resolver


def _ours_come_first(session: Session, values: Mapping[str, Any]) -> bool:
    """Return whether a profile selects a provider of this package, which is the first of all.

    It comes before roles, with which botocore's resolver begins if the profile is named in code;
    else it begins with the environment. What has replaced a factory of botocore may do otherwise.
    """
    from ..profiles.selection import select

    factories = (
        (getattr(session, "_create_credential_resolver", None), botocore.session),
        (botocore.credentials.create_credential_resolver, botocore.credentials),
    )
    is_replaced = any(getattr(one, "__globals__", {}) is not vars(of) for one, of in factories)
    is_named = session.instance_variables().get("profile") is not None
    return is_named and not is_replaced and select(values).row is not None


def _with_ours(
    resolver: Any, session: Session, region: str | None, front: Sequence[Any]
) -> CredentialResolver:
    """Add providers to the resolver of another library, if the session needs them."""
    is_ours = front or not is_plain(session.full_config["profiles"], profile_of(session))
    if is_ours and takes_providers(resolver):
        put_into(resolver, session, region, front)
    theirs: CredentialResolver = resolver
    return theirs


def plain_resolver(session: Session, region: str | None = None) -> CredentialResolver:
    """Return the session's resolver without this package, perhaps for another region."""
    create = partial(create_credential_resolver, session, region_name=region)
    if region in (None, first_region(session)):
        create = getattr(session, "_create_credential_resolver", create)
    resolver: CredentialResolver = create()
    return resolver


def _create_async_resolver(
    session: Session,
    region: str | None,
    front: Sequence[CredentialProvider],
    only: CredentialProvider | None,
) -> CredentialResolver:
    """Add providers to aiobotocore's own resolver, if the session needs them."""
    resolver = plain_resolver(session, region)
    if only is None and not takes_providers(resolver):
        return resolver  # a session class has a resolver of another kind
    if not (front or only) and is_plain(session.full_config["profiles"], profile_of(session)):
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
    session: Session,
    region: str | None,
    front: Sequence[CredentialProvider],
) -> None:
    """Add the providers of this package to a resolver."""
    if is_async(session):
        from ..aio.resolver import insert_async as insert
    else:
        from ..providers.insertion import insert

    insert(resolver, session, region, front)


def first_region(session: Session) -> str | None:
    """Return the region of the session's first client; None if there is none yet."""
    region: str | None = getattr(session, "_last_client_region_used", None)
    return region


def is_unchanged(resolver: Any, session: Session) -> bool:
    """Return whether a resolver is botocore's, and unchanged.

    If so it can be created later, and then uses the region of the session's first client.
    """
    if hasattr(resolver, "only"):  # it was created by ``create_resolver``
        return False
    plain = plain_resolver(session)
    if type(resolver) is not (type(plain) if is_async(session) else CredentialResolver):
        return False
    methods = [one.METHOD for one in plain.providers]
    caches = [one.cache for one in resolver.providers if isinstance(one, AssumeRoleProvider)]
    return methods == [one.METHOD for one in resolver.providers] and not any(caches)
