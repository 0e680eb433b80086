"""An HTTP endpoint on this machine that gives credentials to one program and its children.

It is what the agents of ECS and EKS are to a container, so every AWS SDK can use it:
https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
"""

import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socket import SHUT_RDWR
from socketserver import ThreadingTCPServer
from threading import Thread
from typing import Any

from ..aws.frozen_credentials import FrozenCredentials, rfc_3339
from ..errors import redacted_text
from ..system import Clock

_HOST = "127.0.0.1"
_PATH = "/credentials"
_MAX_STRANGERS = 100
#: When a program asks again for credentials whose expiration is not known: SDKs require one.
_LIFETIME = timedelta(hours=1)


class _Server(ThreadingTCPServer):
    # Not HTTPServer, which looks up the name of the host.
    daemon_threads = True
    #: Connections that wait to be accepted: a program may start hundreds of others at once, and the
    #: system would try again after a second.
    request_queue_size = 4096

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        #: The connections that have not sent the token, the oldest first.
        self.strangers: dict[Any, None] = {}

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection; close the oldest of too many that have not sent the token."""
        self.strangers[request] = None
        for oldest in list(self.strangers)[:-_MAX_STRANGERS]:
            self.strangers.pop(oldest, None)
            with suppress(OSError):  # it is closed meanwhile
                oldest.shutdown(SHUT_RDWR)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        self.strangers.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, *_: object, **__: object) -> None:
        """Log no client that went away: the terminal belongs to the program."""


@contextmanager
def serve(fetch: Callable[[], FrozenCredentials], token: str) -> Iterator[str]:
    """Serve what ``fetch`` returns to requests with a token, and yield the URL."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            status, answer = self._answer()
            body = json.dumps(answer).encode()
            self.send_response_only(status)  # unlike send_response, this logs nothing
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _answer(self) -> tuple[HTTPStatus, Mapping[str, str]]:
            # Security: a page in a browser may reach this port, under another name or its own.
            if self.headers.get_all("Host") != [host] or "Origin" in self.headers:
                return HTTPStatus.FORBIDDEN, _error("Forbidden", "not for browsers")
            sent = self.headers.get("Authorization", "").encode("utf-8", "replace")
            if not hmac.compare_digest(sent, token.encode()):
                return HTTPStatus.UNAUTHORIZED, _error("Unauthorized", "wrong token")
            server.strangers.pop(self.request, None)
            if self.path != _PATH:
                return HTTPStatus.NOT_FOUND, _error("NotFound", "wrong path")
            try:
                return HTTPStatus.OK, members(fetch())
            except Exception as error:  # noqa: BLE001 - the program is told, without secrets
                name = type(error).__name__
                return HTTPStatus.INTERNAL_SERVER_ERROR, _error(name, redacted_text(error))

        def log_message(self, *_: object, **__: object) -> None:
            """Log nothing: the terminal belongs to the program."""

    with _Server((_HOST, 0), Handler) as server:
        host = f"{_HOST}:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://{host}{_PATH}"
        finally:
            server.shutdown()
            thread.join()


def members(credentials: FrozenCredentials) -> dict[str, str]:
    """Return the credentials as the agents of containers do."""
    end = credentials.expiration or Clock().utc() + _LIFETIME
    answer = {
        "AccessKeyId": credentials.access_key,
        "SecretAccessKey": credentials.secret_key,
        "Token": credentials.token or "",
        "Expiration": rfc_3339(end),
    }
    account = credentials.account_id
    return {**answer, "AccountId": account} if account else answer


def _error(code: str, message: str) -> dict[str, str]:
    return {"Code": code, "Message": message}
