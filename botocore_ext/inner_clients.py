"""The clients that providers call STS and Cognito with, and how they are called.

Inner clients are unsigned: a signed one would ask the session for credentials, which is what
they are for. Their answers are secrets, so what botocore logs of them is dropped.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore import UNSIGNED
from botocore.config import Config
from botocore.parsers import ResponseParserError
from botocore.utils import create_nested_client

from .concurrency import ProcessLocal
from .errors import FetchError

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from botocore.session import Session

#: Seconds to connect and to wait for an answer.
CONNECT_TIMEOUT, READ_TIMEOUT = 2, 5
#: Attempts for one call.
ATTEMPTS = 3
#: Seconds that one fetch may take over all its calls and attempts.
FETCH_BUDGET = 25

#: Where botocore and urllib3 write tokens, keys and whole answers at DEBUG.
_LOGGERS = ("botocore.endpoint", "botocore.parsers", "urllib3.connectionpool")
_RETRY_SETTINGS = {"AWS_RETRY_MODE", "AWS_MAX_ATTEMPTS", "retry_mode", "max_attempts"}

_creation = ProcessLocal(threading.Lock)
_inside: ContextVar[bool] = ContextVar("botocore_ext_inner_call", default=False)


class InnerClients:
    """The inner clients of one binding, made once for each process."""

    def __init__(self) -> None:
        """Start without a client."""
        self._held: ProcessLocal[dict[Any, tuple[BaseClient, object]]] = ProcessLocal(dict)

    def get(
        self,
        session: "Session",
        environ: Mapping[str, str],
        service: str,
        region: str,
        client_config: Mapping[str, Any] | None,
    ) -> "BaseClient":
        """Return the client, made at the first call with the same arguments."""
        held = self._held.get()
        key = (service, region, id(client_config) if client_config else None)
        with _creation.get():
            if key not in held:
                arguments = _arguments(session, environ, client_config) | {"region_name": region}
                client = create_nested_client(session, service, **arguments)
                client.meta.events.register("before-send", _keep_to_budget)
                client.meta.events.register("needs-retry", _retry_identity_provider)
                held[key] = (client, client_config)  # holding the mapping keeps its id unique
            return held[key][0]


def _arguments(
    session: "Session", environ: Mapping[str, str], client_config: Mapping[str, Any] | None
) -> dict[str, Any]:
    arguments = dict(client_config or {})
    config = Config(connect_timeout=CONNECT_TIMEOUT, read_timeout=READ_TIMEOUT)
    defaults: Any = session.get_default_client_config()
    configured = {*environ, *session.get_scoped_config()} & _RETRY_SETTINGS
    if not configured and not (defaults and defaults.retries):
        config = config.merge(Config(retries={"mode": "standard", "total_max_attempts": ATTEMPTS}))
    config = config.merge(arguments.pop("config", None) or Config())
    if "aws_access_key_id" not in arguments:
        config = config.merge(Config(signature_version=UNSIGNED))
    return arguments | {"config": config}


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
    token = _budget.set(_Budget(now, now() + FETCH_BUDGET))
    try:
        yield
    finally:
        _budget.reset(token)


def _keep_to_budget(request: Any, **_: object) -> None:
    """Refuse a request that could end after the fetch must have ended (``before-send``)."""
    budget = _budget.get()
    if budget is None:
        return
    longest = CONNECT_TIMEOUT + READ_TIMEOUT
    if budget.requests and budget.now() + longest > budget.deadline:
        host = request.url.split("/")[2]
        raise FetchError(
            provider=host,
            error_msg=f"{host} did not answer within the {FETCH_BUDGET} seconds of one fetch: "
            "check the network, the region and the endpoint",
        )
    budget.requests += 1


def _retry_identity_provider(response: Any, attempts: int, **_: object) -> Any:
    """Give the seconds to wait before another attempt, or None (``needs-retry``).

    botocore does not retry STS's IDPCommunicationError, though its API reference asks for it.
    """
    code = response[1].get("Error", {}).get("Code") if response else None
    return 0.1 * 2**attempts if code == "IDPCommunicationError" and attempts < ATTEMPTS else None


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
    try:
        with unlogged():
            answer: dict[str, Any] = getattr(client, operation)(**parameters)
            return answer
    except ResponseParserError:
        pass
    raise FetchError(
        provider=client.meta.service_model.service_name,
        error_msg=f"the answer of {client.meta.endpoint_url} cannot be read: "
        "check that nothing between here and AWS changes it",
    )
