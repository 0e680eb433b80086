"""Credentials that aiobotocore signs with, on top of the synchronous ones.

Credentials that are fresh are served at once. Otherwise a thread does what a synchronous session
does, once for all tasks of an event loop.
"""

import asyncio
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from aiobotocore.credentials import (  # pyright: ignore[reportMissingImports] - of the extra aio
    AioCredentials,  # pyright: ignore[reportMissingImports] - of the extra aio
    AioRefreshableCredentials,  # pyright: ignore[reportMissingImports] - of the extra aio
)
from botocore.credentials import Credentials, ReadOnlyCredentials, RefreshableCredentials
from botocore.useragent import register_feature_ids

from ..refresh import rejections
from ..refresh.credentials import ProviderCredentials, needs_itself
from ..refresh.express import (
    ADVISORY,
    BucketSession,
    IdentityCache,
    RequestedBucket,
    botocore_cache,
)
from ..refresh.identities import PerRequestCredentials
from ..refresh.notes import auth_instance
from ..runtime.context import redact_logs
from ..runtime.single_flight import NeedsItselfError
from .tasks import SharedTasks, in_thread

if TYPE_CHECKING:
    from botocore.session import Session

#: botocore's mandatory window: in the last seconds of a role's credentials all callers wait.
_ROLE_MANDATORY = 600


class AsyncCredentials(AioRefreshableCredentials):
    """Credentials of a role that botocore assumes with this package's; botocore refreshes them."""

    def __init__(self, credentials: RefreshableCredentials) -> None:
        """Take the synchronous credentials; nothing is fetched yet."""
        fetch = credentials.get_frozen_credentials
        super().__init__("", "", None, None, fetch, credentials.method)
        self._credentials: Any = credentials
        self._fetches: SharedTasks[ReadOnlyCredentials] = SharedTasks()
        self._last: ReadOnlyCredentials | None = None

    async def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Return the current credentials, refreshing them first if they are due.

        Raises:
            ProviderError: There are no credentials, and they could not be retrieved.
            botocore.exceptions.ClientError: A service refused.
        """
        frozen = await self._get_or_fetch()
        # The thread registers them for the task that began the fetch; each task signs a request.
        register_feature_ids(self._features)
        return frozen

    async def _get_or_fetch(self) -> ReadOnlyCredentials:
        cached = self._cached_credentials(allow_stale=False)
        if cached is not None:
            return cached
        key = self._fetch_key()
        cached = self._cached_credentials(allow_stale=True) if self._fetches.has(key) else None
        if cached is not None:
            return cached
        try:
            return await self._fetches.run(partial(in_thread, self._fetch), key)
        except NeedsItselfError:
            unexpired = self._unexpired_credentials()
            if unexpired is not None:
                return unexpired  # the fetch itself makes a request with them
            raise needs_itself(self.method) from None

    def _fetch(self) -> ReadOnlyCredentials:
        # Stored by the thread, because the event loop may end before the thread does.
        fetched: ReadOnlyCredentials = self._credentials.get_frozen_credentials()
        self._last = fetched
        return fetched

    def _fetch_key(self) -> object:
        """Return a value that is equal for fetches that can be shared."""
        return None

    @property
    def _features(self) -> tuple[str, ...]:
        """See ``FrozenCredentials.features``."""
        return ()

    def _unexpired_credentials(self) -> ReadOnlyCredentials | None:
        return None if self._last is None or self.refresh_needed(0) else self._last

    def _cached_credentials(self, *, allow_stale: bool) -> ReadOnlyCredentials | None:
        """Return the credentials to serve without a fetch (see ``Refresher.cached_state``)."""
        if self._last is None:
            return None
        is_due = self._credentials.refresh_needed(_ROLE_MANDATORY if allow_stale else None)
        return None if is_due else self._last

    async def get_access_key(self) -> str | None:
        """Return the access key ID. The fields of ``get_frozen_credentials`` belong together."""
        return (await self.get_frozen_credentials()).access_key

    async def get_secret_key(self) -> str | None:
        """Return the secret access key."""
        return (await self.get_frozen_credentials()).secret_key

    async def get_token(self) -> str | None:
        """Return the session token; None for long-term credentials."""
        return (await self.get_frozen_credentials()).token

    async def get_account_id(self) -> str | None:
        """Return the account; None if the source returns none."""
        return (await self.get_frozen_credentials()).account_id

    def refresh_needed(self, refresh_in: float | None = None) -> bool:
        """See ``ProviderCredentials.refresh_needed``."""
        needed: bool = self._credentials.refresh_needed(refresh_in)
        return needed

    # What other programs read or call, as in ``ProviderCredentials``.

    @property
    def _expiry_time(self) -> Any:
        return self._credentials._expiry_time

    @_expiry_time.setter
    def _expiry_time(self, expiry_time: datetime | None) -> None:
        if expiry_time is not None:  # as the constructor of aiobotocore's class sets it
            self._credentials._expiry_time = expiry_time

    @property
    def _frozen_credentials(self) -> Any:
        return self._credentials._frozen_credentials

    @_frozen_credentials.setter
    def _frozen_credentials(self, _: object) -> None:
        """Ignore what the constructor of aiobotocore's class sets."""

    def _seconds_remaining(self) -> Any:
        return self._credentials._seconds_remaining()

    def _is_expired(self) -> Any:
        return self._credentials._is_expired()

    async def _refresh(self) -> None:
        await self.get_frozen_credentials()

    async def _protected_refresh(self, is_mandatory: bool) -> None:  # noqa: FBT001 - botocore's signature
        await in_thread(partial(self._refresh_now, is_mandatory=is_mandatory))

    def _refresh_now(self, *, is_mandatory: bool) -> None:
        with self._credentials._refresh_lock:
            self._credentials._protected_refresh(is_mandatory)
        self._last = self._frozen_credentials


def _delegate(name: str) -> Any:
    """Make a property that reads the one of ``ProviderCredentials``."""
    doc = getattr(ProviderCredentials, name).__doc__
    return property(lambda self: getattr(self._credentials, name), doc=doc)


class AsyncProviderCredentials(AsyncCredentials):
    """``ProviderCredentials`` in a session of aiobotocore."""

    _credentials: ProviderCredentials

    def _fetch_key(self) -> object:
        return self._credentials._epoch

    @property
    def _features(self) -> tuple[str, ...]:
        return self._credentials._features

    def _unexpired_credentials(self) -> ReadOnlyCredentials | None:
        # Not ``_last``: a thread may have been late, with credentials of a previous token.
        return self._credentials._unexpired_credentials()

    def _cached_credentials(self, *, allow_stale: bool) -> ReadOnlyCredentials | None:
        return self._credentials._cached_credentials(allow_stale=allow_stale)

    async def refresh(self) -> None:
        """See ``ProviderCredentials.refresh``."""
        await in_thread(self._credentials.refresh)

    def invalidate(self, access_key: str | None = None) -> None:
        """See ``ProviderCredentials.invalidate``."""
        self._credentials.invalidate(access_key)

    expiration: Any = _delegate("expiration")
    identity_id: Any = _delegate("identity_id")
    expired: Any = _delegate("expired")
    last_error: Any = _delegate("last_error")


class AsyncPerRequestCredentials(AioCredentials):
    """``PerRequestCredentials`` in a session of aiobotocore."""

    def __init__(self, credentials: PerRequestCredentials) -> None:
        self.method = credentials.method
        self._credentials = credentials
        self._loads: SharedTasks[Credentials] = SharedTasks()

    def __repr__(self) -> str:
        """Show no credentials."""
        return repr(self._credentials)

    async def current(self) -> Any:
        """See ``PerRequestCredentials.current``."""
        bound = self._credentials.bound()
        if bound.loaded is None:
            await self._loads.run(partial(in_thread, bound), bound)
        return bound.convert(to_async)

    async def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """See ``PerRequestCredentials.get_frozen_credentials``."""
        frozen: ReadOnlyCredentials = await (await self.current()).get_frozen_credentials()
        return frozen

    get_access_key: Any = AsyncCredentials.get_access_key
    get_secret_key: Any = AsyncCredentials.get_secret_key
    get_token: Any = AsyncCredentials.get_token
    get_account_id: Any = AsyncCredentials.get_account_id

    def invalidate(self, access_key: str | None = None) -> None:
        """See ``PerRequestCredentials.invalidate``."""
        self._credentials.invalidate(access_key)


def to_async(credentials: Credentials) -> AioCredentials:
    """Return credentials for aiobotocore that follow ``credentials``."""
    if isinstance(credentials, PerRequestCredentials):
        return AsyncPerRequestCredentials(credentials)
    if isinstance(credentials, ProviderCredentials):
        return AsyncProviderCredentials(credentials)
    if isinstance(credentials, RefreshableCredentials):
        return AsyncCredentials(credentials)
    parts = credentials.get_frozen_credentials()
    make = partial(AioCredentials, *parts[:3], account_id=parts.account_id)
    return make(method=credentials.method)


# The counterpart of ``refresh.express``: bucket sessions are awaited.


class AsyncIdentityCache(IdentityCache):
    """The object from which aiobotocore takes the bucket session of one request."""

    FLIGHT = SharedTasks
    CREDENTIALS = AioCredentials

    async def get_credentials(self, bucket: str) -> Any:
        """See ``IdentityCache.get_credentials``."""
        session, key = self._cached_session(bucket), (self.access_key, bucket)
        flight = self._sessions.flight
        if session and (session.has_left(ADVISORY) or flight.has(key)):
            return session.credentials
        create = partial(self._create_async, bucket)
        try:
            session = await flight.run(create, key)
        except NeedsItselfError:
            session = await create()  # an event handler of the call that creates one needs one
        except Exception as error:  # noqa: BLE001 - raised again if there is no session
            session = self._after_failure(error, bucket, session)
        return session.credentials

    async def _create_async(self, bucket: str) -> BucketSession:
        # A task copies the context in which it is created.
        create = self._request(RequestedBucket(bucket))
        return await redact_logs(partial(asyncio.ensure_future, create))

    async def _request(self, requested: RequestedBucket) -> BucketSession:
        return self._add(requested, await self._theirs.build_refresh_callback(requested)())


async def cache_by_identity(request: Any, request_signer: Any) -> None:
    """See ``express.cache_by_identity``."""
    theirs = botocore_cache(request)
    if theirs is not None:
        current = (await auth_instance(request_signer, signature_version="v4")).credentials
        cache = AsyncIdentityCache(theirs, getattr(current, "access_key", ""))
        request.context["signing"]["identity_cache"] = cache


# The counterpart of ``refresh.rejections``: new credentials are awaited.


def resend_rejected(
    session: "Session", credentials: "ProviderCredentials | PerRequestCredentials"
) -> None:
    """See ``rejections.resend_rejected``."""
    rejections.resend_rejected(session, credentials, _send_again, cache_by_identity)


async def _send_again(known: rejections.Known, response: Any, request_dict: Any) -> int | None:
    """Return the seconds to wait before another attempt, or None (``needs-retry``)."""
    request = rejections.find_rejected(known, response, request_dict)
    if request is None:
        return None
    try:
        access_key = (await request.auth()).credentials.access_key
    except Exception as error:  # noqa: BLE001 - the caller gets the error of the service
        rejections.log_failed_fetch(request, error)
        return None
    return request.resend_with(access_key)
