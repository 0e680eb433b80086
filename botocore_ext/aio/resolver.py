"""The credential resolver of a session of aiobotocore."""

from collections.abc import Callable, Sequence
from inspect import iscoroutinefunction
from typing import Any, cast

import aiobotocore.session  # pyright: ignore[reportMissingImports] - of the extra aio
from aiobotocore.credentials import (  # pyright: ignore[reportMissingImports] - of the extra aio
    AioCredentialResolver,  # pyright: ignore[reportMissingImports] - of the extra aio
    AioCredentials,  # pyright: ignore[reportMissingImports] - of the extra aio
)
from botocore.credentials import (
    CredentialProvider,
    CredentialResolver,
    Credentials,
    create_credential_resolver,
)
from botocore.session import Session

from ..aws.sessions import SameSettings, session_like
from ..errors import no_credentials_from
from ..profiles.inert import is_plain_role, profile_of
from ..providers.insertion import bind_all, insert
from ..refresh.credentials import ProviderCredentials
from ..refresh.identities import PerRequestCredentials
from ..refresh.identity_hooks import register_hooks
from ..runtime.single_flight import NeedsItselfError, Once
from .credentials import resend_rejected, to_async
from .tasks import SharedTasks, in_thread

#: The providers of a resolver, in order, and the only one to use, if there is one.
_Parts = tuple[list[CredentialProvider], Any]


class AsyncResolver(AioCredentialResolver):
    """A resolver whose concurrent callers share one search; a later caller searches again.

    Its providers are created when they are needed, by a thread if that is for a search.
    """

    def __init__(self, make: Callable[[], _Parts], only: CredentialProvider | None) -> None:
        self._parts = Once(make)
        self._searches: SharedTasks[AioCredentials | None] = SharedTasks()
        self.only = only

    @property
    def providers(self) -> list[CredentialProvider]:
        """The providers, in order; other libraries may change the list."""
        return self._parts()[0]

    @providers.setter
    def providers(self, providers: Sequence[CredentialProvider]) -> None:
        self._parts()[0][:] = providers

    async def load_credentials(self) -> AioCredentials | None:
        """Return the first credentials found, or None.

        Raises:
            NotConfigured: The session uses one provider only, and that has no credentials.
        """
        try:
            return await self._searches.run(self._search)
        except NeedsItselfError:  # providers of this package detect a circle themselves
            return await self._search()

    async def _search(self) -> AioCredentials | None:
        _, alone = await in_thread(self._parts)
        if alone is None:
            return await super().load_credentials()
        found = await alone.load()
        if found is None:
            raise no_credentials_from(cast("CredentialProvider", getattr(alone, "provider", alone)))
        return found


def resolver_of(
    resolver: CredentialResolver,
    session: Session,
    region: str | None,
    front: Sequence[CredentialProvider],
    only: CredentialProvider | None,
) -> CredentialResolver:
    """Return the resolver of a session, based on aiobotocore's own (see ``create_resolver``)."""

    def make() -> _Parts:
        if only is None:
            insert_async(resolver, session, region, front)
            return list(resolver.providers), None
        [provider] = bind_all([only], session_like(session), region)
        return list(getattr(resolver, "providers", ())), _asynchronous(provider, session)

    if only is not None or type(resolver) is AioCredentialResolver:
        return AsyncResolver(make, only)
    make()
    return resolver  # a session class with its own resolver keeps it


# Providers of this package in the credential resolver of a session of aiobotocore: the synchronous
# ones, bound to a synchronous copy of the session and called in a thread. All others stay
# aiobotocore's own.


class AsyncProvider(CredentialProvider):
    """A synchronous provider in a session of aiobotocore."""

    def __init__(self, provider: CredentialProvider, session: Session) -> None:
        """Take the provider, bound to a synchronous copy of the session, and the session."""
        super().__init__()
        self.METHOD, self.CANONICAL_NAME = provider.METHOD, provider.CANONICAL_NAME
        self.provider: Any = provider
        self._session = session
        #: The credentials that it returned last, and their counterpart for aiobotocore.
        self._loaded: tuple[Credentials, AioCredentials] | None = None

    @property
    def cache(self) -> Any:
        """The cache of a role's credentials; programs may set it, as for botocore's provider."""
        return self.provider.cache

    @cache.setter
    def cache(self, cache: Any) -> None:
        self.provider.cache = cache

    async def load(self) -> AioCredentials | None:
        """See the provider's own ``load``."""
        found: Credentials | None = await in_thread(self.provider.load)
        if found is None:
            return None
        if self._loaded is None or self._loaded[0] is not found:
            self._loaded = found, to_async(found)
        if isinstance(found, (ProviderCredentials, PerRequestCredentials)):
            resend_rejected(self._session, found)
        if isinstance(found, PerRequestCredentials):
            register_hooks(self._session)
        return self._loaded[1]


def insert_async(
    resolver: CredentialResolver,
    session: Session,
    region: str | None,
    front: Sequence[CredentialProvider],
) -> None:
    """Add ``front`` and the profile's providers to a resolver (see ``insertion.insert``)."""
    copied = session_like(session)
    synchronous = {one.METHOD: one for one in create_credential_resolver(copied).providers}
    profiles = session.full_config["profiles"]
    profile = profile_of(session)
    if "role_arn" not in profiles.get(profile, {}) or is_plain_role(profiles, profile):
        synchronous.pop("assume-role", None)  # it stays aiobotocore's own
    # Placeholders for aiobotocore's providers, so that the others are inserted in the right places.
    pairs = [(synchronous.pop(one.METHOD, one), one) for one in resolver.providers]
    stand_in = CredentialResolver([placeholder for placeholder, _ in pairs])
    insert(stand_in, copied, region, front)
    originals = {id(placeholder): one for placeholder, one in pairs}
    resolver.providers = [
        originals.get(id(one)) or _asynchronous(one, session) for one in stand_in.providers
    ]


def _asynchronous(provider: CredentialProvider, session: Session) -> CredentialProvider:
    return provider if iscoroutinefunction(provider.load) else AsyncProvider(provider, session)


# Copies of a session.


class AioSameSettings(SameSettings, aiobotocore.session.AioSession):
    """A session of aiobotocore with the settings of another one, also when they change."""
