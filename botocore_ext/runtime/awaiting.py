"""Coroutine functions as callables of a provider, in an asynchronous session.

Credentials are fetched in a thread. The event loop that waits for the thread awaits the coroutine.
asyncio is imported only where there is an event loop: it takes a fifth of a first resolve.
"""

import inspect
from collections.abc import Awaitable
from concurrent import futures
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from ..errors import FetchError
from .single_flight import abandon

if TYPE_CHECKING:
    import asyncio


class Awaited:
    """The result or error of an awaitable.

    It is not in a task or future, because asyncio's debug mode shows their results.
    """

    def __init__(self, value: Awaitable[Any]) -> None:
        self.value = value
        self.returned: list[Any] = []
        self.raised: list[Exception] = []

    async def wait(self) -> None:
        """Await the value."""
        try:
            self.returned.append(await self.value)
        except Exception as error:  # noqa: BLE001 - raised again in the thread that waits
            self.raised.append(error)


#: The event loop that waits for this thread; None in a synchronous session.
waiting_loop: "ContextVar[asyncio.AbstractEventLoop | None]" = ContextVar(
    "botocore_ext_loop", default=None
)
#: Seconds between two checks whether the event loop still runs.
_CHECK_INTERVAL = 1
#: Checks in a row at which it does not run until this thread stops waiting: between two calls of
#: ``run_until_complete`` it does not run either.
_MAX_STOPPED = 2


def result_of(value: Any, provider: str | None, name: str) -> Any:
    """Return the result of an awaitable that a callable returned; any other value as it is.

    The errors name the ``METHOD`` of the provider and the callable.

    Raises:
        FetchError: The session is synchronous, or the event loop has ended.
        Exception: The error of the awaitable.
    """
    if not inspect.isawaitable(value):
        return value
    loop = waiting_loop.get()
    if loop is None or _runs_here(loop):
        fact = (
            f"{name} returned a coroutine, which a synchronous session cannot await: pass a "
            "plain function, or use a session of aiobotocore"
        )
    else:
        found = Awaited(value)
        future = _start(found, loop)
        is_over = future is None or _is_over(future, loop)
        if found.raised:
            raise found.raised.pop()
        for one in found.returned:
            return one
        abandon()  # callers in another event loop make their own call
        fact = f"the event loop stopped before {name} returned: keep it running until then"
        if not is_over:  # the coroutine is cancelled if the loop runs again
            raise FetchError(provider=provider, error_msg=fact)
    if inspect.iscoroutine(value):
        value.close()  # Python warns of a coroutine that was never awaited
    raise FetchError(provider=provider, error_msg=fact)


def _runs_here(loop: "asyncio.AbstractEventLoop") -> bool:
    """Return whether this thread runs the event loop, and so cannot wait for it."""
    import asyncio  # noqa: PLC0415 - 15 ms that a synchronous program does not pay

    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False


def _start(awaited: Awaited, loop: "asyncio.AbstractEventLoop") -> "futures.Future[None] | None":
    """Make the event loop await something; None if it has ended."""
    import asyncio  # noqa: PLC0415 - 15 ms that a synchronous program does not pay

    coroutine = awaited.wait()
    try:
        return asyncio.run_coroutine_threadsafe(coroutine, loop)
    except RuntimeError:  # it is closed
        coroutine.close()
        return None


def _is_over(future: "futures.Future[None]", loop: "asyncio.AbstractEventLoop") -> bool:
    """Wait for the event loop; False: it has stopped for now, and may still run again."""
    stopped = 0
    while not futures.wait([future], _CHECK_INTERVAL).done and not loop.is_closed():
        stopped = 0 if loop.is_running() else stopped + 1
        if stopped == _MAX_STOPPED:
            future.cancel()
            return False
    return True
