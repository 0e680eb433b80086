"""Deadlines: how long a piece of work may take, kept where it waits for a socket.

Timeouts of sockets start again with every byte that arrives. The connections of this package (see
``aws.connections``) ask for the time left before each read, in the thread that reads. No other
thread is needed to end an attempt, and an attempt that has ended leaves nothing behind.
"""

import math
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

from ..errors import FetchError, without_users
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


# How long one fetch may take over all that it asks, with all its attempts.

#: Seconds that one fetch may take over all its calls and attempts.
FETCH_BUDGET = 25


@dataclass
class _Budget:
    """What is left of one fetch."""

    now: Callable[[], float]
    deadline: float
    requests: int = 0


_budget: ContextVar[_Budget | None] = ContextVar("botocore_ext_budget", default=None)


def run_with_budget(now: Callable[[], float], work: Callable[[], T]) -> T:
    """Hold the inner calls of ``work`` to ``FETCH_BUDGET`` seconds by the clock ``now``."""
    budget = _Budget(now, now() + FETCH_BUDGET)
    # Each fetch has a budget of its own, and takes nothing from an outer one.
    return pause_budget(lambda: run_with(_budget, budget, work))


def pause_budget(work: Callable[[], T]) -> T:
    """Take the time of ``work`` out of the budget: a person who types a code is no slow server."""
    budget = _budget.get()
    began = budget.now() if budget else 0
    try:
        return work()
    finally:
        if budget is not None:
            budget.deadline += budget.now() - began


def keep_to_budget(longest: float, request: Any, **_: object) -> None:
    """Refuse a request that could end after the fetch must have ended (``before-send``)."""
    host, budget = without_users(request.url).split("/")[2], _budget.get()
    try:
        seconds_left()
    except TimeoutError:
        raise _too_late(host) from None
    if budget is None:
        return
    if budget.requests and budget.now() + longest > budget.deadline:
        raise _too_late(host)
    budget.requests += 1


def end_with_budget(caught_exception: Exception | None = None, **_: object) -> None:
    """Wait for no other attempt where the deadline has ended this one (``needs-retry``).

    Raises:
        TimeoutError: It has.
    """
    if caught_exception is not None:
        seconds_left()


def share_of_budget() -> float:
    """Count what is asked now as part of this fetch, and return the seconds that it has.

    As with ``within_budget``, it is what others took before the first request that does not count.
    """
    budget = _budget.get()
    if budget is None:
        return FETCH_BUDGET
    if not budget.requests:
        budget.deadline = budget.now() + FETCH_BUDGET
    budget.requests += 1
    return budget.deadline - budget.now()


def within_budget(whom: str, work: Callable[[], T]) -> T:
    """Return what ``work`` returns, which asks ``whom``, as long as the fetch has time.

    Who answers a byte now and then keeps every timeout of a socket from coming. The first request
    of a fetch has the whole time, whatever else, such as a token process, took before it.

    Raises:
        FetchError: The time is over.
        Exception: What ``work`` raised.
    """
    budget = _budget.get()
    left = budget.deadline - budget.now() if budget and budget.requests else FETCH_BUDGET
    try:
        return within(left, work)
    except TimeoutError:
        pass
    raise _too_late(whom)


def _too_late(host: str) -> FetchError:
    return FetchError(
        provider=host,
        error_msg=f"{host} did not answer within the {FETCH_BUDGET} seconds of one fetch: "
        "check the network, the region and the endpoint",
    )
