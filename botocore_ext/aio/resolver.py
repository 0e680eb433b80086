"""``SessionResolver`` for a session of aiobotocore."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

from aiobotocore.credentials import (  # pyright: ignore[reportMissingImports] - of the extra aio
    AioCredentialResolver,
    AioCredentials,
)
from botocore.credentials import CredentialProvider, CredentialResolver
from botocore.session import Session

from ..resolving.creation import providers_of
from ..resolving.session_resolver import nothing_from
from ..threads.concurrency import NeedsItselfError, Once
from .tasks import SharedTasks, in_thread

#: The providers of a resolver, in order, and the one that is asked alone, if one is.
_Parts = tuple[list[CredentialProvider], Any]


class AsyncResolver(AioCredentialResolver):
    """A resolver whose concurrent callers share one walk, and a later caller walks anew.

    Its providers are loaded and made when they are needed, by a thread if they are walked.
    """

    def __init__(self, make: Callable[[], _Parts], only: CredentialProvider | None) -> None:
        """Take what makes the providers, and which one code wants to be asked alone."""
        self._parts = Once(make)
        self._walks: SharedTasks[AioCredentials | None] = SharedTasks()
        self.only = only

    @property
    def providers(self) -> list[CredentialProvider]:
        """The providers, in order; others may change it."""
        return self._parts()[0]

    @providers.setter
    def providers(self, providers: Sequence[CredentialProvider]) -> None:
        self._parts()[0][:] = providers

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
        _, alone = await in_thread(self._parts)
        if alone is None:
            return await super().load_credentials()
        found = await alone.load()
        if found is None:
            raise nothing_from(cast("CredentialProvider", getattr(alone, "provider", alone)))
        return found


def resolver_of(
    resolver: CredentialResolver,
    session: Session,
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
    make = partial(_parts, resolver, session, region, front, only)
    if only is not None or type(resolver) is AioCredentialResolver:
        return AsyncResolver(make, only)
    make()
    return resolver  # a session class with a resolver of its own keeps it


def _parts(
    resolver: CredentialResolver,
    session: Session,
    region: str | None,
    front: Sequence[CredentialProvider],
    only: CredentialProvider | None,
) -> _Parts:
    from .providers import alone, insert_async  # noqa: PLC0415 - loading our providers takes a while

    if only is not None:
        return providers_of(resolver), alone(session, region, only)
    insert_async(resolver, session, region, front)
    return list(resolver.providers), None
