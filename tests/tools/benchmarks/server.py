"""A loopback STS in a process of its own, so that it takes no time from the client.

It answers over http and TLS, each request in one write on a socket with TCP_NODELAY. The process
that started it changes its settings and reads its counts over its standard input and output.
"""

from __future__ import annotations

import json
import re
import socketserver
import ssl
import subprocess
import sys
import threading
from collections import Counter
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

#: About the length of a real session token.
TOKEN = "t" * 800


class _Sts:
    """The answers of the server, and how often each operation was called."""

    def __init__(self) -> None:
        self.numbers = count(1)
        self.settings = {"lifetime": 3600, "keeps_connections": True}
        self.calls: Counter[str] = Counter()

    def answer(self, head: str, body: str) -> str:
        """Return who signed, or credentials.

        The access key of a web token ends in the number that the token ends in, so that a client
        can check which identity has signed.
        """
        operation = re.findall(r"Action=(\w+)", body)[0]
        self.calls[operation] += 1
        if operation == "GetCallerIdentity":
            access_key = re.findall(r"Credential=(\w+)", head)[0]
            result = f"<Arn>arn:aws:sts::123456789012:assumed-role/Web/{access_key}</Arn>"
        else:
            number = re.findall(r"WebIdentityToken=\w+-(\d+)", body) or [next(self.numbers)]
            lifetime = timedelta(seconds=self.settings["lifetime"])
            until = datetime.now(timezone.utc) + lifetime
            result = (
                f"<Credentials><AccessKeyId>ASIA{int(number[0]):016d}</AccessKeyId>"
                f"<SecretAccessKey>{'s' * 40}</SecretAccessKey><SessionToken>{TOKEN}"
                f"</SessionToken><Expiration>{until:%Y-%m-%dT%H:%M:%SZ}"
                "</Expiration></Credentials><AssumedRoleUser>"
                "<Arn>arn:aws:sts::123456789012:assumed-role/Web/me</Arn>"
                "<AssumedRoleId>A:me</AssumedRoleId></AssumedRoleUser>"
            )
        result = f"<{operation}Result>{result}</{operation}Result>"
        return f"<{operation}Response>{result}</{operation}Response>"


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 256
    sts = _Sts()
    tls: ssl.SSLContext | None = None

    def get_request(self):
        request, address = super().get_request()
        if self.tls is not None:  # the thread of the connection shakes hands
            request = self.tls.wrap_socket(request, server_side=True, do_handshake_on_connect=False)
        return request, address


class _Connection(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self) -> None:
        sts = _Server.sts
        with suppress(OSError):  # the client is gone
            while self.rfile.readline():
                head = "\n".join(iter(lambda: self.rfile.readline().decode().strip(), ""))
                length = re.findall(r"(?i)content-length: (\d+)", head)[0]
                body = sts.answer(head, self.rfile.read(int(length)).decode()).encode()
                self.wfile.write(
                    b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
                )
                if not sts.settings["keeps_connections"]:
                    break


def _serve(chain: str) -> None:
    """Answer until standard input ends; each line of it has settings, and is answered by counts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    servers = [_Server(("127.0.0.1", 0), _Connection) for _ in range(2)]
    servers[1].tls = context
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    _say([server.server_address[1] for server in servers])
    for line in sys.stdin:
        _Server.sts.settings |= json.loads(line)
        _say(_Server.sts.calls)
        _Server.sts.calls = Counter()


def _say(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


class Service:
    """The server as a benchmark sees it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        http, tls = self._read()
        self.urls = {"http": f"http://localhost:{http}", "tls": f"https://localhost:{tls}"}

    def set(self, **settings: float) -> dict[str, int]:
        """Change settings; return how often each operation was called since the last time."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(settings) + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self):
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


@contextmanager
def running(chain: Path):
    """Run the server for as long as the block, with the certificate and key in a file."""
    command = [sys.executable, "-m", __name__, str(chain)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        yield Service(process)
        assert process.stdin is not None
        process.stdin.close()


if __name__ == "__main__":
    _serve(sys.argv[1])
