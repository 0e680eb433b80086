"""Coroutine functions in the place of functions, where an asynchronous session asks for the keys.

Keys are obtained in a thread. What an awaitable comes to is found out by the event loop that waits
for that thread.
"""

import asyncio
import inspect
from collections.abc import Awaitable
from concurrent import futures
from contextvars import ContextVar
from typing import Any

from ..errors import FetchError
from .single_flight import abandon

# ``EventLoop``: one that waits for what a thread does, and awaits something for that thread.


class Awaited:
    """What an awaitable comes to.

    It is kept here, and not in a task or future: asyncio's debug mode shows their results.
    """

    def __init__(self, value: Awaitable[Any]) -> None:
        """Take the awaitable."""
        self.value = value
        self.returned: list[Any] = []
        self.raised: list[Exception] = []

    async def come(self) -> None:
        """Await it."""
        try:
            self.returned.append(await self.value)
        except Exception as error:  # noqa: BLE001 - raised again in the thread that waits
            self.raised.append(error)


class EventLoop:
    """An event loop of asyncio, as another thread sees it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take asyncio's own."""
        self._loop = loop

    def runs_here(self) -> bool:
        """Whether this thread is the one that runs it: it cannot wait for itself."""
        try:
            return asyncio.get_running_loop() is self._loop
        except RuntimeError:
            return False

    def is_closed(self) -> bool:
        """Whether it has ended."""
        return self._loop.is_closed()

    def is_running(self) -> bool:
        """Whether it goes on; one that does not may be run again."""
        return self._loop.is_running()

    def begun(self, awaited: Awaited) -> "futures.Future[None]":
        """Let it await something; what is returned is cancelled if the loop has ended."""
        coroutine = awaited.come()
        try:
            return asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        except RuntimeError:  # it is closed
            coroutine.close()
        ended: futures.Future[None] = futures.Future()
        ended.cancel()
        return ended


#: The event loop that waits for what is done here; None in a synchronous session.
asking: "ContextVar[EventLoop | None]" = ContextVar("botocore_ext_asking", default=None)
#: Seconds after which it is looked whether the event loop still runs.
_LOOK = 1
#: Looks, one after the other, at which it does not run before it is given up: between two calls
#: of ``run_until_complete`` none does.
_STILL = 2


def awaited(value: Any, provider: str | None, what: str) -> Any:
    """Return what an awaitable comes to; anything else as it is.

    Args:
        value: What a callable has returned.
        provider: The ``METHOD`` of its provider.
        what: The callable, for an error.

    Raises:
        FetchError: The session is synchronous, or the event loop has ended.
        Exception: What the awaitable raises.
    """
    if not inspect.isawaitable(value):
        return value
    loop = asking.get()
    if loop is None or loop.runs_here():
        fact = (
            f"{what} gave a coroutine, for which a synchronous session cannot wait: give it a "
            "plain function, or use a session of aiobotocore"
        )
    else:
        found = Awaited(value)
        is_over = _is_over(loop.begun(found), loop)
        if found.raised:
            raise found.raised.pop()
        for one in found.returned:
            return one
        abandon()  # who waits for the same in another event loop does it there
        fact = f"the event loop stopped before {what} returned: keep it running until then"
        if not is_over:  # the coroutine is cancelled should the loop run again
            raise FetchError(provider=provider, error_msg=fact)
    if inspect.iscoroutine(value):
        value.close()  # Python would warn of one that nobody has awaited
    raise FetchError(provider=provider, error_msg=fact)


def _is_over(future: "futures.Future[None]", loop: "EventLoop") -> bool:
    """Wait for what an event loop does; False: it only stands still, and nothing is decided."""
    looks = 0
    while not futures.wait([future], _LOOK).done and not loop.is_closed():
        looks = 0 if loop.is_running() else looks + 1
        if looks == _STILL:
            future.cancel()
            return False
    return True
