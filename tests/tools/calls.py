"""Count how many of our functions and files run on the way to a signed request.

``python -m tests.tools.calls`` prints a table. The counts depend on the code alone, not on the
machine, and so show what a change costs before a benchmark does.
"""

import http.server
import inspect
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import boto3

import botocore_ext

PACKAGE = str(Path(botocore_ext.__file__).parent) + os.sep
_KEYS = (
    "<Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>"
    "<SessionToken>token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"
)
_ARN = "<Arn>arn:aws:sts::123456789012:assumed-role/Web/me</Arn>"


def _answer(operation: str, content: str) -> bytes:
    inner = f"<{operation}Result>{content}</{operation}Result>"
    space = 'xmlns="https://sts.amazonaws.com/doc/2011-06-15/"'
    return f"<{operation}Response {space}>{inner}</{operation}Response>".encode()


class _Sts(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer either of the two operations."""
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        answer = _answer("GetCallerIdentity", _ARN)
        if b"AssumeRoleWithWebIdentity" in sent:
            user = f"<AssumedRoleUser>{_ARN}</AssumedRoleUser>"
            answer = _answer("AssumeRoleWithWebIdentity", _KEYS + user)
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


class Count(NamedTuple):
    """What one scenario ran of this package.

    Only named functions count: Python 3.12 and later run comprehensions within their function.
    """

    calls: int
    files: int


def counted(work: Callable[[], object]) -> Count:
    """Run ``work`` and count the calls of this package, in all threads."""
    calls: list[str] = []

    def profile(frame: Any, event: str, _: object) -> None:
        code = frame.f_code
        is_named = not code.co_name.startswith("<") and code.co_flags & inspect.CO_NEWLOCALS
        is_function = is_named and code.co_flags & inspect.CO_OPTIMIZED
        if event == "call" and is_function and code.co_filename.startswith(PACKAGE):
            calls.append(code.co_filename)

    threading.setprofile(profile)
    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return Count(len(calls), len(set(calls)))


@contextmanager
def _world() -> Iterator[None]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Sts)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as place:
        token, config = Path(place) / "token", Path(place) / "config"
        token.write_text("token-of-web")
        config.write_text(
            "[profile web]\nregion = us-east-1\nrole_arn = arn:aws:iam::123456789012:role/Web\n"
            f"web_identity_token = file://{token}\n"
        )
        environment = {
            "AWS_CONFIG_FILE": str(config),
            "AWS_SHARED_CREDENTIALS_FILE": str(config) + ".absent",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        with mock.patch.dict(os.environ, environment):
            yield
    server.shutdown()
    server.server_close()


def scenarios() -> dict[str, Count]:
    """Count a first signed request, a refresh and ``explain``, for a web token in a profile."""
    clients = []

    def first() -> None:
        clients.append(boto3.Session(profile_name="web").client("sts"))
        clients[0].get_caller_identity()

    with _world():
        botocore_ext.install()
        try:
            found = {"profile to signed request": counted(first)}
            credentials: Any = boto3.Session(profile_name="web").get_credentials()
            credentials.get_frozen_credentials()
            found["refresh"] = counted(credentials.refresh)
            session = boto3.Session(profile_name="web")
            found["explain"] = counted(lambda: botocore_ext.explain(session))
        finally:
            botocore_ext.uninstall()
    return found


if __name__ == "__main__":
    for scenario, count in scenarios().items():
        sys.stdout.write(f"{scenario:<28}{count.calls:>6} calls in {count.files:>3} files\n")
