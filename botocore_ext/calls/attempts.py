"""How often an endpoint is asked, and how long."""

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from .endpoint import Endpoint, UnusableError

if TYPE_CHECKING:
    from ..outside import Clock

T = TypeVar("T")

logger = logging.getLogger(__name__)


class Patience(NamedTuple):
    """How many seconds one attempt may take."""

    connect: float
    #: To wait for data, each time.
    read: float
    #: For everything.
    whole: float


def persist(
    attempt: Callable[[Endpoint, Patience], T],
    endpoint: Endpoint,
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
            return attempt(endpoint, patience)
        except UnusableError as error:
            late = clock.monotonic() + patience.whole > deadline
            if not error.retry or number == retries or late:
                raise
            # Its text: who keeps the record of an error keeps all that its traceback leads to.
            logger.debug("Attempt %d failed: %s %s", number + 1, endpoint.authority, str(error))
        number += 1
        pause = min(patience.read, 0.1 * 2 ** min(number, 10))
        clock.sleep(pause * (0.5 + clock.random() / 2))


def refusal(status: int, remedy: str) -> UnusableError:
    """Return the error for a status other than 200; asking again helps against some."""
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        remedy = "share one session between clients, so that it is asked less often"
    elif status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        remedy = "see its own log"
    else:
        msg = f"answered with status {status}: {remedy}"
        return UnusableError(msg, retry=False)
    return UnusableError(f"answered with status {status}: {remedy}")
