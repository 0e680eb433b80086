"""Coroutine functions in the place of functions, where an asynchronous session asks for the keys.

Keys are obtained in a thread. What an awaitable comes to is found out by the event loop that waits
for that thread.
"""

import inspect
from concurrent import futures
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from ..errors import FetchError
from .concurrency import abandon
from .event_loop import Awaited

if TYPE_CHECKING:
    from .event_loop import EventLoop

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
