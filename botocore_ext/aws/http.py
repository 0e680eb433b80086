"""Requests to credential endpoints: time, size, retries, and errors that show no secret."""

import re
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import botocore.exceptions
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session
from botocore.session import Session
from botocore.utils import get_environ_proxies
from urllib3.exceptions import HTTPError, ReadTimeoutError

from ..runtime.context import RoutedLogger, notify, redact_logs
from ..runtime.deadline import within
from .clients import bundle_problem, verification, while_sending
from .connections import keep_deadlines
from .endpoint import Endpoint, EndpointError, is_local

if TYPE_CHECKING:
    from ..system import Clock


T = TypeVar("T")

logger = RoutedLogger(__name__)

#: The most bytes that an answer may have.
LARGEST_ANSWER = 64 * 1024
#: Status and body.
Answer = tuple[int, bytes]

_INCOMPLETE = "closed the connection before its answer was complete: check its log"

#: "You have exceeded a secondary rate limit", "rateLimitExceeded".
_RATE_LIMIT = re.compile(r"rate.?limit", re.IGNORECASE)


class Timeouts(NamedTuple):
    """The seconds that one attempt may take."""

    connect: float
    #: For each wait for data.
    read: float
    #: For the whole attempt.
    whole: float


# Retries.


def retry(
    attempt: Callable[[], T],
    host: str,
    timeouts: Timeouts,
    retries: int,
    clock: "Clock",
    seconds: float,
) -> T:
    """Retry ``attempt`` after temporary errors while another attempt fits into ``seconds``.

    Raises:
        EndpointError: The error of the last attempt.
    """
    deadline, number = clock.monotonic() + seconds, 0
    while True:
        try:
            return attempt()
        except EndpointError as error:
            is_late = clock.monotonic() + timeouts.whole > deadline
            if not error.retry or number == retries or is_late:
                raise
            # Log its text: a record with the error would keep the whole traceback alive.
            logger.debug("Attempt %d failed: %s %s", number + 1, host, str(error))
        number += 1
        pause = min(timeouts.read, 0.1 * 2 ** min(number, 10))
        clock.sleep(pause * (0.5 + clock.random() / 2))


def refusal(status: int, remedy: str, *, is_transient: bool = False) -> EndpointError:
    """Return the error for a status other than 200; ``remedy`` is for one that is not retried.

    429 and 5xx are retried and, with ``is_transient``, any other status.
    """
    is_busy = is_transient and status == HTTPStatus.FORBIDDEN
    is_busy = is_busy or status == HTTPStatus.TOO_MANY_REQUESTS
    may_retry = is_busy or is_transient or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    if may_retry:
        remedy = "check its log"
    if is_busy:
        remedy = "share one session between clients, so that it gets fewer requests"
    return EndpointError(f"answered with status {status}: {remedy}", retry=may_retry)


def is_transient(status: int, answer: str) -> bool:
    """Whether an OIDC token service refuses only for now, by the rules of its official clients.

    The clients of GitHub retry 502 to 504, those of Google 408, 429 and 5xx, that of Buildkite
    everything but 400, 401, 403 and 422. GitHub and Google also answer 403 to too many requests;
    only the text distinguishes that from a missing permission.
    """
    if status == HTTPStatus.FORBIDDEN:
        return _RATE_LIMIT.search(answer) is not None
    is_busy = status in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)
    return is_busy or status >= HTTPStatus.INTERNAL_SERVER_ERROR


# One request.


def request(
    endpoint: Endpoint,
    headers: Mapping[str, str],
    timeouts: Timeouts,
    session: Session,
    form: str | None = None,
) -> Answer:
    """Send one request.

    Args:
        endpoint: The endpoint; its addresses are tried in turn until one answers.
        headers: Sent in addition to ``Accept`` and ``Host``.
        timeouts: The time that the attempt has.
        session: The session whose CA bundle and proxies are used.
        form: The body of a POST request; None: it is a GET request.

    Raises:
        EndpointError: No complete answer came.
    """

    def work() -> Answer | EndpointError:
        *others, last = endpoint.addresses()
        for address in others:
            answer = _send(endpoint, address, headers, timeouts, session, form)
            if not isinstance(answer, EndpointError):
                return answer
        return _send(endpoint, last, headers, timeouts, session, form)

    try:
        answer = within(timeouts.whole, work)
    except TimeoutError:
        fact = f"did not answer in full within {timeouts.whole:g} s"
        answer = EndpointError(f"{fact}: raise the timeout, or check its log")
    if isinstance(answer, EndpointError):
        raise answer
    return answer


def _send(
    endpoint: Endpoint,
    address: str,
    headers: Mapping[str, str],
    timeouts: Timeouts,
    session: Session,
    form: str | None,
) -> Answer | EndpointError:
    """Return an error instead of raising it: a traceback would keep the connection open."""
    method = "GET" if form is None else "POST"
    prepared = AWSRequest(
        method=method,
        url=endpoint.url(address),
        data=form,
        headers={"Accept": "application/json", **headers, "Host": endpoint.authority},
        stream_output=True,
    ).prepare()
    verify = verification(session) if endpoint.scheme == "https" else True
    arguments = {"verify": verify, "timeout": timeouts[:2], **_proxies(endpoint, session)}
    http = URLLib3Session(**arguments)
    keep_deadlines(http)
    began = time.monotonic()

    def work() -> tuple[Any, bytes]:
        response = http.send(prepared)
        with response.raw as raw:
            return response, _read(raw)

    try:
        response, body = redact_logs(work)
    except (botocore.exceptions.BotoCoreError, HTTPError, OSError) as error:
        return _explain(error, timeouts, verify)
    finally:
        http.close()
        notify((f"{method} {endpoint.authority}", 1000 * (time.monotonic() - began)))
    promised = response.headers.get("Content-Length", "")
    if len(body) > LARGEST_ANSWER:
        fact = f"sent more than {LARGEST_ANSWER} bytes: check the address"
        return EndpointError(fact, retry=False)
    if promised.isdecimal() and len(body) < int(promised):
        return EndpointError(_INCOMPLETE)
    return response.status_code, body


def _read(raw: Any) -> bytes:
    """Read a body, at most one byte more than allowed."""
    piecewise = getattr(raw, "read1", raw.read)  # urllib3 before 2 has no read1
    body = b""
    while len(body) <= LARGEST_ANSWER:
        piece = piecewise(LARGEST_ANSWER + 1 - len(body), decode_content=False)
        if not piece:
            break
        body += piece
    return body


def _proxies(endpoint: Endpoint, session: Session) -> dict[str, Any]:
    """Return the proxy settings: none for this machine and its agents."""
    host = endpoint.host
    if endpoint.scheme == "http" or is_local(host):
        return {}
    config: Any = session.get_default_client_config()
    if config and config.proxies:
        return {"proxies": config.proxies, "proxies_config": config.proxies_config}
    return {"proxies": get_environ_proxies(endpoint.url(host))}


def _explain(error: Exception, timeouts: Timeouts, verify: object = None) -> EndpointError:
    """Return the error to raise, without the URL that the texts of botocore show.

    Raises:
        Exception: The error did not come from the network, such as one of a blocked socket.
    """
    blocked = while_sending(error)
    if blocked is not None:
        raise blocked.with_traceback(None) from None
    tls_error = _explain_tls(error, verify)
    if tls_error is not None:
        return tls_error
    if isinstance(error, botocore.exceptions.ProxyConnectionError):
        return EndpointError("cannot be reached through the proxy: check HTTPS_PROXY and NO_PROXY")
    if isinstance(error, botocore.exceptions.ConnectTimeoutError):
        fact = f"did not accept a connection within {timeouts.connect:g} s"
        return EndpointError(f"{fact}: check the address")
    if isinstance(error, (botocore.exceptions.ReadTimeoutError, ReadTimeoutError)):
        fact = f"accepted the request but sent no data for {timeouts.read:g} s"
        return EndpointError(f"{fact}: raise the timeout, or check its log")
    if isinstance(error, botocore.exceptions.EndpointConnectionError):
        return EndpointError("cannot be connected to: check that it is running, and its port")
    return EndpointError(_INCOMPLETE)


def _explain_tls(error: Exception, verify: object) -> EndpointError | None:
    problem = bundle_problem(error, verify)
    if problem is not None:
        return EndpointError(problem, retry=False)
    msg = (
        "has no TLS certificate that is trusted: set AWS_CA_BUNDLE to its authority, or check that "
        "it serves https"
    )
    is_refused = isinstance(error, botocore.exceptions.SSLError)
    return EndpointError(msg, retry=False) if is_refused else None
