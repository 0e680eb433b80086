"""Credentials as aiobotocore signs with them, over those that the synchronous half has.

Keys that are good are served at once. For others a thread does what a synchronous session does,
once for all tasks of an event loop.
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
from ..refresh.express import ADVISORY, Asked, BucketSession, IdentityCache, cache_of_botocore, put
from ..refresh.notes import auth_of
from ..runtime.context import redact_logs
from ..runtime.single_flight import NeedsItselfError
from .tasks import SharedTasks, in_thread

if TYPE_CHECKING:
    from botocore.session import Session

#: Seconds before the end of a role's keys from which botocore lets everybody wait for new ones.
_ROLE_MANDATORY = 600


class AsyncCredentials(AioRefreshableCredentials):
    """Keys of a role of botocore's own that is assumed with ours; botocore refreshes them."""

    def __init__(self, credentials: RefreshableCredentials) -> None:
        """Take the synchronous credentials; nothing is fetched yet."""
        fetch = credentials.get_frozen_credentials
        super().__init__("", "", None, None, fetch, credentials.method)
        self._credentials: Any = credentials
        self._fetches: SharedTasks[ReadOnlyCredentials] = SharedTasks()
        self._last: ReadOnlyCredentials | None = None

    async def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Return keys that belong together, refreshing them when it is time.

        Raises:
            ProviderError: There are no keys, and they cannot be obtained.
            botocore.exceptions.ClientError: A service refused.
        """
        frozen = await self._frozen()
        # A thread tells the task that began its fetch; each task signs a request of its own.
        register_feature_ids(self._features())
        return frozen

    async def _frozen(self) -> ReadOnlyCredentials:
        held = self._at_hand(refreshing=False)
        if held is not None:
            return held
        key = self._key()
        held = self._at_hand(refreshing=True) if self._fetches.has(key) else None
        if held is not None:
            return held
        try:
            return await self._fetches.run(partial(in_thread, self._fetch), key)
        except NeedsItselfError:
            good = self._good()
            if good is not None:
                return good  # the fetch itself makes a request with them
            raise needs_itself(self.method) from None

    def _fetch(self) -> ReadOnlyCredentials:
        # Kept by the thread: the event loop may end before it hears of them.
        fetched: ReadOnlyCredentials = self._credentials.get_frozen_credentials()
        self._last = fetched
        return fetched

    def _key(self) -> object:
        """Return what tells fetches apart that must not be shared."""
        return None

    def _features(self) -> tuple[str, ...]:
        """Return botocore's user-agent feature ids of the keys."""
        return ()

    def _good(self) -> ReadOnlyCredentials | None:
        """Return the keys if they have not expired."""
        return None if self._last is None or self.refresh_needed(0) else self._last

    def _at_hand(self, *, refreshing: bool) -> ReadOnlyCredentials | None:
        """Return the keys where nobody needs to wait for a fetch; None where one is due."""
        if self._last is None:
            return None
        is_due = self._credentials.refresh_needed(_ROLE_MANDATORY if refreshing else None)
        return None if is_due else self._last

    async def get_access_key(self) -> str | None:
        """Return the access key; see ``get_frozen_credentials``, whose fields belong together."""
        return (await self.get_frozen_credentials()).access_key

    async def get_secret_key(self) -> str | None:
        """Return the secret key."""
        return (await self.get_frozen_credentials()).secret_key

    async def get_token(self) -> str | None:
        """Return the session token; None for keys that need none."""
        return (await self.get_frozen_credentials()).token

    async def get_account_id(self) -> str | None:
        """Return the account; None when the source is silent."""
        return (await self.get_frozen_credentials()).account_id

    def refresh_needed(self, refresh_in: float | None = None) -> bool:
        """Whether the next use fetches; with ``refresh_in``, whether fewer seconds are left."""
        needed: bool = self._credentials.refresh_needed(refresh_in)
        return needed

    # What other programs read or call; see ``ProviderCredentials``.

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


def _same(name: str) -> Any:
    doc = getattr(ProviderCredentials, name).__doc__
    return property(lambda self: getattr(self._credentials, name), doc=doc)


class AsyncProviderCredentials(AsyncCredentials):
    """``ProviderCredentials`` in a session of aiobotocore."""

    def _key(self) -> object:
        return self._credentials.epoch

    def _features(self) -> tuple[str, ...]:
        features: tuple[str, ...] = self._credentials.features
        return features

    def _good(self) -> ReadOnlyCredentials | None:
        # Not the last that a thread has brought: it may have been late, with keys of an old token.
        good: ReadOnlyCredentials | None = self._credentials.good()
        return good

    def _at_hand(self, *, refreshing: bool) -> ReadOnlyCredentials | None:
        held: ReadOnlyCredentials | None = self._credentials.cached(refreshing=refreshing)
        return held

    async def refresh(self) -> None:
        """See ``ProviderCredentials.refresh``."""
        await in_thread(self._credentials.refresh)

    def invalidate(self, access_key: str | None = None) -> None:
        """See ``ProviderCredentials.invalidate``."""
        self._credentials.invalidate(access_key)

    # As ProviderCredentials has them.
    expiration: Any = _same("expiration")
    identity_id: Any = _same("identity_id")
    expired: Any = _same("expired")
    last_error: Any = _same("last_error")


def asynchronous(credentials: Credentials) -> AioCredentials:
    """Return credentials for aiobotocore that stay with ``credentials``."""
    if isinstance(credentials, ProviderCredentials):
        return AsyncProviderCredentials(credentials)
    if isinstance(credentials, RefreshableCredentials):
        return AsyncCredentials(credentials)
    parts = credentials.get_frozen_credentials()
    make = partial(AioCredentials, *parts[:3], account_id=parts.account_id)
    return make(method=credentials.method)


# ``express`` for clients of aiobotocore: the bucket sessions are awaited.


class AsyncIdentityCache(IdentityCache):
    """What aiobotocore asks for the bucket session of one request."""

    FLIGHT = SharedTasks
    CREDENTIALS = AioCredentials

    async def get_credentials(self, bucket: str) -> Any:
        """See ``IdentityCache.get_credentials``."""
        kept, flight, key = self._kept(bucket), self._sessions.flight, (self.access_key, bucket)
        if kept and (kept.has_left(ADVISORY) or flight.has(key)):
            return kept.credentials
        create = partial(self._create_async, bucket)
        try:
            kept = await flight.run(create, key)
        except NeedsItselfError:
            kept = await create()  # an event handler of the call that creates one needs one
        except Exception as error:  # noqa: BLE001 - raised again where there is no session
            kept = self._after(error, bucket, kept)
        return kept.credentials

    async def _create_async(self, bucket: str) -> BucketSession:
        # A task has a copy of the context in which it is made.
        return await redact_logs(partial(asyncio.ensure_future, self._answered(Asked(bucket))))

    async def _answered(self, asked: Asked) -> BucketSession:
        return self._created(asked, await self._theirs.build_refresh_callback(asked)())


async def keep_by_identity(request: Any, request_signer: Any, **_: object) -> None:
    """See ``express.keep_by_identity``."""
    theirs = cache_of_botocore(request)
    if theirs is not None:
        in_force = (await auth_of(request_signer, signature_version="v4")).credentials
        put(request, AsyncIdentityCache(theirs, getattr(in_force, "access_key", "")))


# ``rejections`` for clients of aiobotocore: the new keys are awaited.


def resend_rejected(session: "Session", credentials: "ProviderCredentials") -> None:
    """See ``rejections.resend_rejected``."""
    rejections.resend_rejected(session, credentials, _send_again, keep_by_identity)


async def _send_again(
    ours: rejections.Ours, response: Any, request_dict: Any, **_: object
) -> int | None:
    """Give the seconds to wait before another attempt, or None (``needs-retry``)."""
    notes = rejections.rejected(ours, response, request_dict)
    if notes is None:
        return None
    try:
        access_key = (await notes.auth()).credentials.access_key
    except Exception as error:  # noqa: BLE001 - the caller shall see what the service said
        rejections.no_new_keys(error)
        return None
    return notes.resend_with(access_key)
