"""Our providers in the credential resolver of a session of aiobotocore.

They are the synchronous ones, bound to a synchronous twin of the session and asked in a thread.
All others stay aiobotocore's own.
"""

from collections.abc import Mapping, Sequence
from inspect import iscoroutinefunction
from typing import Any

import botocore.session
from aiobotocore.credentials import (  # pyright: ignore[reportMissingImports] - an extra
    AioCredentialResolver,
    AioCredentials,
)
from botocore.credentials import (
    CredentialProvider,
    CredentialResolver,
    Credentials,
    create_credential_resolver,
)

from .aio_credentials import asynchronous
from .aio_rejections import resend_rejected
from .aio_tasks import SharedTasks, in_thread
from .bystanders import is_plain
from .concurrency import NeedsItselfError
from .credentials import ProviderCredentials
from .resolver import bound, insert
from .session_resolver import nothing_from


class Twin(botocore.session.Session):
    """A synchronous session that is configured as an asynchronous one is, now and later."""

    def __init__(self, original: botocore.session.Session) -> None:
        """Take the asynchronous session."""
        self._original = original
        super().__init__()
        for name in ("config_store", "data_loader"):
            self.register_component(name, original.get_component(name))
        for name in ("user_agent_name", "user_agent_version", "user_agent_extra"):
            setattr(self, name, getattr(original, name))

    @property
    def full_config(self) -> Mapping[str, Any]:  # type: ignore[override]  # a dict in the stubs
        """What stands in the files."""
        config: Mapping[str, Any] = self._original.full_config
        return config

    def instance_variables(self) -> dict[str, Any]:
        """What code has set."""
        return self._original.instance_variables()

    def get_default_client_config(self) -> Any:
        """How clients are made by default."""
        return self._original.get_default_client_config()


class AsyncProvider(CredentialProvider):
    """A synchronous provider in a session of aiobotocore."""

    def __init__(self, provider: CredentialProvider, session: botocore.session.Session) -> None:
        """Take the provider, bound to a twin of the session, and the session."""
        super().__init__()
        self.METHOD, self.CANONICAL_NAME = provider.METHOD, provider.CANONICAL_NAME
        self.provider: Any = provider
        self._session = session
        #: What it gave last, and what that is for aiobotocore.
        self._given: tuple[Credentials, AioCredentials] | None = None

    @property
    def cache(self) -> Any:
        """Where a role's keys are kept; others may set it, as for botocore's own provider."""
        return self.provider.cache

    @cache.setter
    def cache(self, cache: Any) -> None:
        self.provider.cache = cache

    async def load(self) -> AioCredentials | None:
        """See the provider's own ``load``."""
        found: Credentials | None = await in_thread(self.provider.load)
        if found is None:
            return None
        if self._given is None or self._given[0] is not found:
            self._given = found, asynchronous(found)
        if isinstance(found, ProviderCredentials):
            resend_rejected(self._session, found)
        return self._given[1]


class AsyncResolver(AioCredentialResolver):
    """``SessionResolver`` for a session of aiobotocore."""

    def __init__(
        self, providers: list[CredentialProvider], only: CredentialProvider | None = None
    ) -> None:
        """Take the providers in order, and the one that is asked alone, if one is."""
        super().__init__(providers)
        self.only: Any = only
        self._walks: SharedTasks[AioCredentials | None] = SharedTasks()

    async def load_credentials(self) -> AioCredentials | None:
        """Return the first credentials found, or None.

        Raises:
            NotConfigured: The session was built for one provider, and that has nothing.
        """
        try:
            return await self._walks.run(self._walk)
        except NeedsItselfError:  # ours see a circle themselves
            return await self._walk()

    async def _walk(self) -> AioCredentials | None:
        if self.only is None:
            return await super().load_credentials()
        found = await self.only.load()
        if found is None:
            raise nothing_from(getattr(self.only, "provider", self.only))
        return found


def resolver_of(
    resolver: CredentialResolver,
    session: botocore.session.Session,
    region: str | None,
    front: Sequence[CredentialProvider],
    only: CredentialProvider | None,
) -> CredentialResolver:
    """Return the resolver of a session, made of aiobotocore's own.

    Args:
        resolver: aiobotocore's own.
        session: Whose it is.
        region: That of the session's first client; None without one.
        front: Providers that code gave, to be asked before all others.
        only: One that code gave, to be asked alone.
    """
    if only is not None:
        [alone] = bound([only], Twin(session), region)
        return AsyncResolver(resolver.providers, _asynchronous(alone, session))
    insert_async(resolver, session, region, front)
    if type(resolver) is not AioCredentialResolver:
        return resolver  # a session class with a resolver of its own keeps it
    return AsyncResolver(resolver.providers)


def insert_async(
    resolver: CredentialResolver,
    session: botocore.session.Session,
    region: str | None,
    front: Sequence[CredentialProvider],
) -> None:
    """Put ``front``, and what the profile may select, into a resolver (see ``resolver.insert``)."""
    twin = Twin(session)
    synchronous = {one.METHOD: one for one in create_credential_resolver(twin).providers}
    profile = session.get_config_variable("profile") or "default"
    if is_plain(session.full_config["profiles"], profile):
        synchronous.pop("assume-role", None)  # nothing of ours has a part in that
    # Places for those of aiobotocore, among which ours find their own.
    places = [(synchronous.pop(one.METHOD, one), one) for one in resolver.providers]
    stand_in = CredentialResolver([place for place, _ in places])
    insert(stand_in, twin, region, front)
    theirs = {id(place): one for place, one in places}
    resolver.providers = [
        theirs.get(id(one)) or _asynchronous(one, session) for one in stand_in.providers
    ]


def _asynchronous(
    provider: CredentialProvider, session: botocore.session.Session
) -> CredentialProvider:
    return provider if iscoroutinefunction(provider.load) else AsyncProvider(provider, session)
