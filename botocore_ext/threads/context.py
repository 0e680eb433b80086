"""What surrounds a piece of work: one variable, set for the work alone."""

import contextvars
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
V = TypeVar("V")

_UNSET: Any = object()


def run_with(variable: "contextvars.ContextVar[V]", value: V, work: Callable[[], T]) -> T:
    """Return what ``work`` returns, which finds ``value`` in ``variable``.

    The work runs in a copy of the context, so that an interrupt at any instruction leaves nothing
    set. What it sets in other variables (user code and instrumentation do) is kept, as if it had
    been called directly.

    Raises:
        Exception: What ``work`` raised.
    """
    context = contextvars.copy_context()
    context.run(variable.set, value)
    try:
        return context.run(work)
    finally:
        for other, found in context.items():
            if other is not variable and other.get(_UNSET) is not found:
                other.set(found)
