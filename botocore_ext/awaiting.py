"""Coroutine functions in the place of functions, where an asynchronous session asks for the keys.

Keys are obtained in a thread. What an awaitable comes to is found out by the event loop that waits
for that thread.
"""

import inspect
from concurrent import futures
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from .errors import FetchError

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Awaitable

#: The event loop that waits for what is done here; None in a synchronous session.
asking: "ContextVar[AbstractEventLoop | None]" = ContextVar("botocore_ext_asking", default=None)
#: Seconds after which it is looked whether the event loop is still there.
_LOOK = 1


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
    loop, fact = asking.get(), None
    if loop is None or _runs_here(loop):
        fact = (
            f"{what} gave a coroutine, for which a synchronous session cannot wait: give it a "
            "plain function, or use a session of aiobotocore"
        )
    elif not loop.is_closed():
        future = _begun(value, loop)
        while not futures.wait([future], timeout=_LOOK).done and not loop.is_closed():
            pass
        if future.done() and not future.cancelled():
            return future.result()
    _discard(value)
    ended = f"the event loop ended before {what} gave something: use the keys while it runs"
    raise FetchError(provider=provider, error_msg=fact or ended)


def _runs_here(loop: "AbstractEventLoop") -> bool:
    """Whether this thread is the one that runs the event loop: it cannot wait for itself."""
    import asyncio  # noqa: PLC0415 - synchronous sessions do without it

    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False


def _begun(value: "Awaitable[Any]", loop: "AbstractEventLoop") -> "futures.Future[Any]":
    import asyncio  # noqa: PLC0415 - as above

    async def outcome() -> Any:
        return await value

    return asyncio.run_coroutine_threadsafe(outcome(), loop)


def _discard(value: Any) -> None:
    """Close a coroutine that nobody waits for, of which Python would warn."""
    if inspect.iscoroutine(value):
        value.close()
