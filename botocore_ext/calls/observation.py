"""Who is told what a fetch does while it is under way: ``explain``, and mostly nobody."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from ..errors import Attempt

#: A link of a chain with why it was stepped over, or what it failed with, or None for keys; or a
#: host with the milliseconds that it was asked for.
Event: TypeAlias = "tuple[str, Attempt | Exception | None] | tuple[str, float]"

_listener: ContextVar[Callable[[Event], None] | None] = ContextVar(
    "botocore_ext_listener", default=None
)


@contextmanager
def listening(listener: Callable[[Event], None]) -> Iterator[None]:
    """Tell ``listener`` what happens inside, in this thread and in those that work for it."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def tell(event: Event) -> None:
    """Tell whoever listens."""
    listener = _listener.get()
    if listener is not None:
        listener(event)
