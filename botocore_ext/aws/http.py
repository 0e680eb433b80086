"""One request to an endpoint and its answer, within a time and a size."""

import logging
import re
import ssl
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import botocore.exceptions
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session
from botocore.session import Session
from botocore.utils import get_environ_proxies
from urllib3.exceptions import HTTPError, ReadTimeoutError

from ..runtime.context import redact_logs, tell
from ..runtime.deadline import within
from ..system import system_environment
from .clients import while_sending
from .connections import keep_deadlines
from .endpoint import Endpoint, EndpointError, is_address, is_allowed

if TYPE_CHECKING:
    from ..system import Clock


# How often an endpoint is asked, and how long.

T = TypeVar("T")

logger = logging.getLogger(__name__)

#: "You have exceeded a secondary rate limit", "rateLimitExceeded".
_RATE_LIMIT = re.compile(r"rate.?limit", re.IGNORECASE)


class Timeouts(NamedTuple):
    """How many seconds one attempt may take."""

    connect: float
    #: To wait for data, each time.
    read: float
    #: For everything.
    whole: float


def retry(
    attempt: Callable[[], T],
    host: str,
    patience: Timeouts,
    retries: int,
    clock: "Clock",
    seconds: float,
) -> T:
    """Make an attempt, and more where that may help and they end within ``seconds``.

    Raises:
        EndpointError: What the last one came to.
    """
    deadline, number = clock.monotonic() + seconds, 0
    while True:
        try:
            return attempt()
        except EndpointError as error:
            late = clock.monotonic() + patience.whole > deadline
            if not error.retry or number == retries or late:
                raise
            # Its text: who keeps the record of an error keeps all that its traceback leads to.
            logger.debug("Attempt %d failed: %s %s", number + 1, host, str(error))
        number += 1
        pause = min(patience.read, 0.1 * 2 ** min(number, 10))
        clock.sleep(pause * (0.5 + clock.random() / 2))


def refusal(status: int, remedy: str, *, is_transient: bool = False) -> EndpointError:
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
        return EndpointError(msg, retry=False)
    return EndpointError(f"answered with status {status}: {remedy}")


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


#: Bytes that an answer may have.
LARGEST_ANSWER = 64 * 1024

_BROKEN_OFF = "closed the connection before its answer was complete: see its own log"

#: Status and body.
Answer = tuple[int, bytes]


def ask(
    endpoint: Endpoint, headers: Mapping[str, str], patience: Timeouts, session: Session
) -> Answer:
    """Ask once.

    Args:
        endpoint: Whom to ask; each of its addresses in turn until one answers.
        headers: Sent beside ``Host``.
        patience: The time it has.
        session: Whose CA bundle and proxies are used.

    Raises:
        EndpointError: No complete answer came.
    """

    def work() -> Answer | EndpointError:
        *others, last = endpoint.addresses()
        for address in others:
            found = _exchange(endpoint, address, headers, patience, session)
            if not isinstance(found, EndpointError):
                return found
        return _exchange(endpoint, last, headers, patience, session)

    try:
        found = within(patience.whole, work)
    except TimeoutError:
        found = _too_slow(patience)
    if isinstance(found, EndpointError):
        raise found
    return found


def _too_slow(patience: Timeouts) -> EndpointError:
    return EndpointError(
        f"had not answered in full after {patience.whole:g} s: raise the timeout or see its own log"
    )


def _exchange(
    endpoint: Endpoint,
    address: str,
    headers: Mapping[str, str],
    patience: Timeouts,
    session: Session,
) -> Answer | EndpointError:
    """Return an error rather than raise it: a traceback would keep the connection open."""
    url = endpoint.url(address)
    request = AWSRequest(
        method="GET",
        url=url,
        headers={"Accept": "application/json", **headers, "Host": endpoint.authority},
        stream_output=True,
    )
    verify = _verify(session) if endpoint.scheme == "https" else True
    arguments = {"verify": verify, "timeout": patience[:2], **_proxies(endpoint, session)}
    http = URLLib3Session(**arguments)
    keep_deadlines(http)
    began = time.monotonic()

    def work() -> tuple[Any, bytes]:
        response = http.send(request.prepare())
        with response.raw as raw:
            return response, _read(raw)

    try:
        response, body = redact_logs(work)
    except (botocore.exceptions.BotoCoreError, HTTPError, OSError) as error:
        return _explain(error, patience, verify)
    finally:
        http.close()
        tell((endpoint.authority, 1000 * (time.monotonic() - began)))
    promised = response.headers.get("Content-Length", "")
    if len(body) > LARGEST_ANSWER:
        fact = f"sent more than {LARGEST_ANSWER} bytes: check the address"
        return EndpointError(fact, retry=False)
    if promised.isdecimal() and len(body) < int(promised):
        return EndpointError(_BROKEN_OFF)
    return response.status_code, body


def _read(raw: Any) -> bytes:
    """Read a body, at most one byte beyond what is allowed."""
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
    near = host == "localhost" or is_allowed(host)
    if is_address(host):
        near = near or ip_address(host).is_link_local
    if endpoint.scheme == "http" or near:
        return {}
    config: Any = session.get_default_client_config()
    if config and config.proxies:
        return {"proxies": config.proxies, "proxies_config": config.proxies_config}
    return {"proxies": get_environ_proxies(endpoint.url(host))}


def _verify(session: Session) -> Any:
    """Return how certificates are verified, as for the session's own clients."""
    found = session.get_config_variable("ca_bundle")
    return system_environment().get("REQUESTS_CA_BUNDLE", True) if found is None else found


def _explain(error: Exception, patience: Timeouts, verify: object = None) -> EndpointError:
    """Say what happened without the URL, which botocore's own texts show.

    Raises:
        Exception: The network has no part in it, as where a test blocks sockets.
    """
    blocked = while_sending(error)
    if blocked is not None:
        raise blocked.with_traceback(None) from None
    of_tls = _explain_tls(error, verify)
    if of_tls is not None:
        return of_tls
    if isinstance(error, botocore.exceptions.ProxyConnectionError):
        return EndpointError("cannot be reached through the proxy: check HTTPS_PROXY and NO_PROXY")
    if isinstance(error, botocore.exceptions.ConnectTimeoutError):
        within = f"{patience.connect:g} s"
        return EndpointError(f"did not accept a connection within {within}: check the address")
    if isinstance(error, (botocore.exceptions.ReadTimeoutError, ReadTimeoutError)):
        return EndpointError(
            f"accepted the request and stayed silent for {patience.read:g} s: "
            "raise the timeout or see its own log"
        )
    if isinstance(error, botocore.exceptions.EndpointConnectionError):
        return EndpointError("cannot be connected to: check that it runs and the port")
    return EndpointError(_BROKEN_OFF)


def _explain_tls(error: Exception, verify: object) -> EndpointError | None:
    is_refused = isinstance(error, botocore.exceptions.SSLError)
    if isinstance(verify, str) and (
        is_refused or type(error) is botocore.exceptions.HTTPClientError
    ):
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(verify)
        except OSError as wrong:  # a ``ssl.SSLError``, too
            why = "it has no certificate" if isinstance(wrong, ssl.SSLError) else wrong.strerror
            fact = f"was not asked, because the CA bundle {verify} cannot be read ({why})"
            remedy = "correct AWS_CA_BUNDLE, REQUESTS_CA_BUNDLE or ca_bundle"
            return EndpointError(f"{fact}: {remedy}", retry=False)
    msg = (
        "has no TLS certificate that is accepted: name its authority in AWS_CA_BUNDLE, or "
        "check that it speaks https"
    )
    return EndpointError(msg, retry=False) if is_refused else None
