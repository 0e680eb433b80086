"""A loopback STS and Cognito in a process of its own, so that it takes no time from the client.

It answers each request in one write on a socket with TCP_NODELAY, after reading no more of it than
it must. The process that started it counts and commands it over its standard input and output.
"""

from __future__ import annotations

import json
import re
import socketserver
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from datetime import datetime, timezone
from itertools import count

#: Seconds that keys live, unless a benchmark says otherwise.
LIFETIME = 3600
#: About the length of a real session token.
_TOKEN = "t" * 800


class _Aws:
    """What the server answers with, and what it has been asked."""

    def __init__(self) -> None:
        self.numbers = count(1)
        self.settings = {"delay": 0, "lifetime": LIFETIME}
        self.asked: Counter[str] = Counter()

    def answer(self, operation: str) -> str:
        self.asked[operation] += 1
        time.sleep(self.settings["delay"])
        number, until = next(self.numbers), time.time() + self.settings["lifetime"]
        if operation == "GetId":
            return json.dumps({"IdentityId": f"us-east-1:00000000-0000-0000-0000-{number:012d}"})
        if operation == "GetCredentialsForIdentity":
            keys = {"AccessKeyId": f"ASIA{number:016d}", "SecretKey": "s" * 40}
            return json.dumps({"Credentials": keys | {"SessionToken": _TOKEN, "Expiration": until}})
        moment = datetime.fromtimestamp(until, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        return (
            f"<{operation}Response><{operation}Result><Credentials>"
            f"<AccessKeyId>ASIA{number:016d}</AccessKeyId>"
            f"<SecretAccessKey>{'s' * 40}</SecretAccessKey><SessionToken>{_TOKEN}</SessionToken>"
            f"<Expiration>{moment}</Expiration></Credentials><AssumedRoleUser>"
            "<Arn>arn:aws:sts::123456789012:assumed-role/Web/session</Arn>"
            "<AssumedRoleId>A:s</AssumedRoleId></AssumedRoleUser>"
            f"</{operation}Result></{operation}Response>"
        )


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 256
    aws = _Aws()


class _Connection(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True
    server: _Server

    def handle(self) -> None:
        while self.rfile.readline():
            head = b""
            while (line := self.rfile.readline()) not in (b"\r\n", b""):
                head += line
            length = re.search(rb"(?i)content-length: (\d+)", head)
            body = self.rfile.read(int(length[1])) if length else b""
            named = re.search(rb"AWSCognitoIdentityService\.(\w+)", head)
            named = named or re.search(rb"Action=(\w+)", body)
            answer = self.server.aws.answer(named[1].decode() if named else "?").encode()
            self.wfile.write(
                b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer
            )


def serve() -> None:
    """Answer until standard input ends; each line of it is a command, each answered by a line."""
    server = _Server(("127.0.0.1", 0), _Connection)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    say = sys.stdout.write
    say(f"http://127.0.0.1:{server.server_address[1]}\n")
    sys.stdout.flush()
    for line in sys.stdin:
        server.aws.settings |= json.loads(line)
        say(json.dumps(server.aws.asked) + "\n")
        sys.stdout.flush()
        server.aws.asked = Counter()


class Service:
    """The server as a benchmark sees it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.url = self._read().strip()

    def asked(self, **settings: float) -> dict[str, int]:
        """Change settings; return how often each operation was called since the last time."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(settings) + "\n")
        self._process.stdin.flush()
        found: dict[str, int] = json.loads(self._read())
        return found

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


@contextmanager
def running():
    """Run the server for as long as the block."""
    command = [sys.executable, "-m", __name__]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        yield Service(process)
        assert process.stdin is not None
        process.stdin.close()


if __name__ == "__main__":
    serve()
