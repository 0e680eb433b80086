"""Coroutine functions in the place of functions, where an asynchronous session asks for the keys.

Keys are obtained in a thread. What an awaitable comes to is found out by the event loop that waits
for that thread.
"""

import inspect
from concurrent import futures
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from ..errors import FetchError

if TYPE_CHECKING:
    from .event_loop import EventLoop

#: The event loop that waits for what is done here; None in a synchronous session.
asking: "ContextVar[EventLoop | None]" = ContextVar("botocore_ext_asking", default=None)
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
    loop = asking.get()
    if loop is None or loop.runs_here():
        fact = (
            f"{what} gave a coroutine, for which a synchronous session cannot wait: give it a "
            "plain function, or use a session of aiobotocore"
        )
    else:
        future = loop.begun(value)
        while not futures.wait([future], _LOOK).done and not loop.is_closed():
            pass
        if future.done() and not future.cancelled():
            return future.result()
        fact = f"the event loop ended before {what} gave something: keep it running meanwhile"
    if inspect.iscoroutine(value):
        value.close()  # Python would warn of one that nobody has awaited
    raise FetchError(provider=provider, error_msg=fact)
