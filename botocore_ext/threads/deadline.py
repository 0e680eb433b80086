"""Deadlines: how long a piece of work may take, kept where it waits for a socket.

Timeouts of sockets start again with every byte that arrives. The connections of this package (see
``calls.connections``) ask for the time left before each read, in the thread that reads. No other
thread is needed to end an attempt, and an attempt that has ended leaves nothing behind.
"""

import math
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import TypeVar

from .context import run_with

T = TypeVar("T")


class _Deadline:
    """When the time of one piece of work is over, and whether that has ended something."""

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds
        self.has_passed = False


_NEVER = _Deadline(math.inf)
_deadline: ContextVar[_Deadline] = ContextVar("botocore_ext_deadline", default=_NEVER)


def within(seconds: float, work: Callable[[], T]) -> T:
    """Return what ``work`` returns, if it needs no answer after ``seconds``.

    Connections of this package end with the deadline. A name look-up cannot be ended: the limits
    of the system's resolver apply, as in plain botocore.

    Raises:
        TimeoutError: The time is over.
        Exception: What ``work`` raised before that.
    """
    deadline = _Deadline(seconds)
    try:
        returned = run_with(_deadline, deadline, work)
    except Exception:
        if not deadline.has_passed:
            raise
    else:
        if not deadline.has_passed:
            return returned
    raise TimeoutError


def seconds_left() -> float:
    """Return the seconds until the deadline; infinitely many where there is none.

    Raises:
        TimeoutError: The time is over.
    """
    left = _deadline.get().end - time.monotonic()
    if left <= 0:
        raise too_late()
    return left


def too_late() -> TimeoutError:
    """Return the error of a wait that the deadline has ended, and remember that it has."""
    _deadline.get().has_passed = True
    return TimeoutError("timed out")
