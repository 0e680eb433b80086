"""How inner clients are called: within a budget, and out of every log.

The answers of STS and Cognito are secrets; plain botocore writes them to its log at DEBUG.
"""

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.parsers import ResponseParserError
from botocore.validate import ParamValidator

from ..errors import FetchError
from ..threads.workers import run_within

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from botocore.session import Session

T = TypeVar("T")

#: Seconds that one fetch may take over all its calls and attempts.
FETCH_BUDGET = 25

#: Where botocore and urllib3 write tokens, keys and whole answers, most of it at DEBUG.
_LOGGERS = (
    "botocore.auth",
    "botocore.endpoint",
    "botocore.httpsession",
    "botocore.parsers",
    "botocore.tokens",
    "botocore.utils",
    "urllib3.connectionpool",
)

#: What botocore's parsers raise, and what they trip over: a time that is none, a list in the place
#: of an object, more brackets than Python reads.
UNREADABLE = (
    ResponseParserError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)

_inside: ContextVar[bool] = ContextVar("botocore_ext_inner_call", default=False)


@dataclass
class _Budget:
    """What is left of one fetch."""

    now: Callable[[], float]
    deadline: float
    requests: int = 0


_budget: ContextVar[_Budget | None] = ContextVar("botocore_ext_budget", default=None)


@contextmanager
def fetch_budget(now: Callable[[], float]) -> Iterator[None]:
    """Hold the inner calls made inside to ``FETCH_BUDGET`` seconds by the clock ``now``."""
    with unhurried():  # each fetch has a budget of its own, and takes nothing from an outer one
        token = _budget.set(_Budget(now, now() + FETCH_BUDGET))
        try:
            yield
        finally:
            _budget.reset(token)


@contextmanager
def unhurried() -> Iterator[None]:
    """Let somebody take their time inside: a code to type is no slow server."""
    budget = _budget.get()
    began = budget.now() if budget else 0
    try:
        yield
    finally:
        if budget is not None:
            budget.deadline += budget.now() - began


def keep_to_budget(longest: float, request: Any, **_: object) -> None:
    """Refuse a request that could end after the fetch must have ended (``before-send``)."""
    budget = _budget.get()
    if budget is None:
        return
    if budget.requests and budget.now() + longest > budget.deadline:
        raise _too_late(request.url.split("/")[2])
    budget.requests += 1


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
        return run_within(left, work)
    except TimeoutError:
        pass
    raise _too_late(whom)


def _too_late(host: str) -> FetchError:
    return FetchError(
        provider=host,
        error_msg=f"{host} did not answer within the {FETCH_BUDGET} seconds of one fetch: "
        "check the network, the region and the endpoint",
    )


class _DropInnerRecords(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002 - logging's signature
        return not _inside.get()


_drop_inner_records = _DropInnerRecords()


@contextmanager
def unlogged() -> Iterator[None]:
    """Keep what is sent and answered inside, in this thread, out of every log."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_drop_inner_records)  # once: logging sees to that
    token = _inside.set(True)
    try:
        yield
    finally:
        _inside.reset(token)


def call(client: "BaseClient", operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Call ``operation`` and return its answer.

    Raises:
        botocore.exceptions.ClientError: As the service answered, unchanged.
        FetchError: The answer cannot be read; botocore's own error would show all of it.
    """
    host = client.meta.endpoint_url.split("/")[2]
    ask: Callable[[], dict[str, Any]] = partial(getattr(client, operation), **parameters)
    try:
        with unlogged():
            return within_budget(host, ask)
    except UNREADABLE:
        pass
    raise FetchError(
        provider=client.meta.service_model.service_name,
        error_msg=f"the answer of {client.meta.endpoint_url} cannot be read: "
        "check that nothing between here and AWS changes it",
    )


def problems_of(
    session: "Session", service: str, operation: str, parameters: Mapping[str, Any]
) -> str | None:
    """Say what botocore would refuse in the parameters of a call; None if nothing.

    The values are left out: one may be a code or an external id.
    """
    shape: Any = session.get_service_model(service).operation_model(operation).input_shape
    report = ParamValidator().validate(dict(parameters), shape)
    if not report.has_errors():
        return None
    text = re.sub(r", value: .*?, (?=type|valid)", ", ", report.generate_report(), flags=re.DOTALL)
    for value in _texts(parameters):
        if len(value) > _SHOWN:
            text = text.replace(value, "...")
    return text


#: Characters that a value may have and be shown, where its own text hides where it ends.
_SHOWN = 3


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield from (value, *value.split(", "), *value.splitlines())
    elif isinstance(value, Mapping):
        yield from (text for one in value.values() for text in _texts(one))
    elif isinstance(value, (list, tuple)):
        yield from (text for one in value for text in _texts(one))
