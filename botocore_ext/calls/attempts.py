"""How often an endpoint is asked, and how long."""

import logging
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from .endpoint import UnusableError

if TYPE_CHECKING:
    from ..outside import Clock

T = TypeVar("T")

logger = logging.getLogger(__name__)

#: "You have exceeded a secondary rate limit", "rateLimitExceeded".
_RATE_LIMIT = re.compile(r"rate.?limit", re.IGNORECASE)


class Patience(NamedTuple):
    """How many seconds one attempt may take."""

    connect: float
    #: To wait for data, each time.
    read: float
    #: For everything.
    whole: float


def persist(
    attempt: Callable[[], T],
    host: str,
    patience: Patience,
    retries: int,
    clock: "Clock",
    seconds: float,
) -> T:
    """Make an attempt, and more where that may help and they end within ``seconds``.

    Raises:
        UnusableError: What the last one came to.
    """
    deadline, number = clock.monotonic() + seconds, 0
    while True:
        try:
            return attempt()
        except UnusableError as error:
            late = clock.monotonic() + patience.whole > deadline
            if not error.retry or number == retries or late:
                raise
            # Its text: who keeps the record of an error keeps all that its traceback leads to.
            logger.debug("Attempt %d failed: %s %s", number + 1, host, str(error))
        number += 1
        pause = min(patience.read, 0.1 * 2 ** min(number, 10))
        clock.sleep(pause * (0.5 + clock.random() / 2))


def refusal(status: int, remedy: str, *, is_transient: bool = False) -> UnusableError:
    """Return the error for a status other than 200; asking again helps against some.

    Args:
        status: The status.
        remedy: What to do where asking again does not help.
        is_transient: Whether it helps here, although the status is neither 429 nor 5xx.
    """
    is_limit = is_transient and status == HTTPStatus.FORBIDDEN
    if is_limit or status == HTTPStatus.TOO_MANY_REQUESTS:
        remedy = "share one session between clients, so that it is asked less often"
    elif is_transient or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        remedy = "see its own log"
    else:
        msg = f"answered with status {status}: {remedy}"
        return UnusableError(msg, retry=False)
    return UnusableError(f"answered with status {status}: {remedy}")


def is_transient(status: int, answer: str) -> bool:
    """Whether what issues tokens refuses for now only, as its official clients see it.

    The clients of GitHub retry 502 to 504, those of Google 408, 429 and 5xx, that of Buildkite
    everything but 400, 401, 403 and 422. GitHub and Google also answer 403 to too many requests;
    only the text tells it from a missing permission.
    """
    if status == HTTPStatus.FORBIDDEN:
        return _RATE_LIMIT.search(answer) is not None
    is_busy = status in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)
    return is_busy or status >= HTTPStatus.INTERNAL_SERVER_ERROR
