"""Deadlines: how long a piece of work and a whole fetch may take.

The timeout of a socket starts again with every byte that arrives. The connections of this package
(see ``aws.connections``) look up the time left before each read, in the thread that reads. No other
thread is needed to end an attempt, and an attempt that has ended leaves nothing behind.
"""

import math
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import TypeVar

from ..errors import FetchError, without_users
from .context import provider_under_way, run_with

T = TypeVar("T")


class _Deadline:
    """The end of one piece of work, and whether a wait was ended by it."""

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds
        self.has_passed = False


_NEVER = _Deadline(math.inf)
_deadline: ContextVar[_Deadline] = ContextVar("botocore_ext_deadline", default=_NEVER)


def within(seconds: float, work: Callable[[], T]) -> T:
    """Run ``work`` with a deadline in ``seconds``, and return its result.

    Connections of this package end at the deadline. A DNS lookup cannot be ended: the limits of
    the system's resolver apply, as in plain botocore.

    Raises:
        TimeoutError: The deadline has passed.
        Exception: The error of ``work`` before that.
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
    """Return the seconds until the deadline; infinity if there is none.

    Raises:
        TimeoutError: The deadline has passed.
    """
    left = _deadline.get().end - time.monotonic()
    if left <= 0:
        raise too_late()
    return left


def too_late() -> TimeoutError:
    """Note that the deadline has ended a wait, and return the error for it."""
    _deadline.get().has_passed = True
    return TimeoutError("timed out")


# The budget of one fetch.

#: Seconds that one fetch may take, with all its calls and attempts.
FETCH_BUDGET = 25


class _Budget:
    """The time left for one fetch."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now, self.deadline, self.requests = now, now() + FETCH_BUDGET, 0


_budget: ContextVar[_Budget | None] = ContextVar("botocore_ext_budget", default=None)


def run_with_budget(now: Callable[[], float], work: Callable[[], T]) -> T:
    """Run ``work`` with ``FETCH_BUDGET`` seconds for its calls, by the clock ``now``."""
    budget = _Budget(now)
    # Each fetch has its own budget, and uses nothing of an outer one.
    return pause_budget(lambda: run_with(_budget, budget, work))


def pause_budget(work: Callable[[], T]) -> T:
    """Run ``work`` without counting its time: a person who types a code is not a slow server."""
    budget = _budget.get()
    began = budget.now() if budget else 0
    try:
        return work()
    finally:
        if budget is not None:
            budget.deadline += budget.now() - began


def keep_to_budget(longest: float, url: str) -> None:
    """Refuse a request that could end after the fetch has to."""
    budget = _budget.get()
    try:
        seconds_left()
        is_late = budget and budget.requests and budget.now() + longest > budget.deadline
    except TimeoutError:
        is_late = True
    if is_late:
        raise _too_late(without_users(url).split("/")[2])
    if budget is not None:
        budget.requests += 1


def share_of_budget() -> float:
    """Count a request as part of this fetch, and return the seconds that it has.

    As in ``within_budget``, the time before the first request does not count.
    """
    budget = _budget.get()
    if budget is None:
        return FETCH_BUDGET
    if not budget.requests:
        budget.deadline = budget.now() + FETCH_BUDGET
    budget.requests += 1
    return budget.deadline - budget.now()


def within_budget(host: str, work: Callable[[], T]) -> T:
    """Run ``work``, which calls ``host``, in the time left for the fetch, and return its result.

    A host that sends a byte now and then never reaches the timeout of a socket. The first request
    of a fetch has the whole budget, whatever time a token process took before it.

    Raises:
        FetchError: The time is over.
        Exception: The error of ``work``.
    """
    budget = _budget.get()
    left = budget.deadline - budget.now() if budget and budget.requests else FETCH_BUDGET
    try:
        return within(left, work)
    except TimeoutError:
        pass
    raise _too_late(host)


def _too_late(host: str) -> FetchError:
    return FetchError(
        provider=provider_under_way(host),
        error_msg=f"{host} did not answer within the {FETCH_BUDGET} seconds of one fetch: "
        "check the network, the region and the endpoint",
    )
