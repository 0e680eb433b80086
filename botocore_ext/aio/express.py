"""``express`` for clients of aiobotocore: the bucket sessions are awaited."""

import asyncio
from functools import partial
from typing import Any

from aiobotocore.credentials import AioCredentials  # pyright: ignore[reportMissingImports] - of the extra aio

from ..calls.unlogged import run_unlogged
from ..refreshing.express import (
    ADVISORY,
    Asked,
    BucketSession,
    IdentityCache,
    cache_of_botocore,
    put,
)
from ..refreshing.notes import auth_of
from ..threads.concurrency import NeedsItselfError
from .tasks import SharedTasks


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
        return await run_unlogged(partial(asyncio.ensure_future, self._answered(Asked(bucket))))

    async def _answered(self, asked: Asked) -> BucketSession:
        return self._created(asked, await self._theirs.build_refresh_callback(asked)())


async def keep_by_identity(request: Any, request_signer: Any, **_: object) -> None:
    """See ``express.keep_by_identity``."""
    theirs = cache_of_botocore(request)
    if theirs is not None:
        in_force = (await auth_of(request_signer, signature_version="v4")).credentials
        put(request, AsyncIdentityCache(theirs, getattr(in_force, "access_key", "")))
