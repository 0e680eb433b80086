"""``EventLoop``: one that waits for what a thread does, and awaits something for that thread."""

import asyncio
from collections.abc import Awaitable
from concurrent import futures
from typing import Any


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

    def begun(self, value: Awaitable[Any]) -> "futures.Future[Any]":
        """Let it await ``value``; what is returned is cancelled if it has ended."""

        async def outcome() -> Any:
            return await value

        coroutine = outcome()
        try:
            return asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        except RuntimeError:  # it is closed
            coroutine.close()
        ended: futures.Future[Any] = futures.Future()
        ended.cancel()
        return ended
