"""``EventLoop``: one that waits for what a thread does, and awaits something for that thread."""

import asyncio
from collections.abc import Awaitable
from concurrent import futures
from typing import Any


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
