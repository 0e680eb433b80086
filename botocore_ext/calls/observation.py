"""Who is told what a fetch does while it is under way: ``explain``, and mostly nobody."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from ..threads.context import run_with

if TYPE_CHECKING:
    from ..errors import Attempt

T = TypeVar("T")

#: A link of a chain with why it was stepped over, or what it failed with, or None for keys; or a
#: host with the milliseconds that it was asked for.
Event: TypeAlias = "tuple[str, Attempt | Exception | None] | tuple[str, float]"

_listener: ContextVar[Callable[[Event], None] | None] = ContextVar(
    "botocore_ext_listener", default=None
)


def run_with_listener(listener: Callable[[Event], None], work: Callable[[], T]) -> T:
    """Return what ``work`` returns, and tell ``listener`` what happens in it."""
    return run_with(_listener, listener, work)


def tell(event: Event) -> None:
    """Tell whoever listens."""
    listener = _listener.get()
    if listener is not None:
        listener(event)
