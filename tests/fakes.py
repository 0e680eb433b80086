"""Fakes: a loopback AWS, a clock that a test moves, and the list of secrets in play."""

from __future__ import annotations

import base64
import gc
import hashlib
import json
import os
import selectors
import socket
import struct
import sys
import threading
import time
import urllib.parse
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar
from unittest import mock

from awscrt.crypto import EC, ECExportFormat, ECType

from botocore_ext.system import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

#: Where an instance has the names of its roles.
INSTANCE_ROLE = "/latest/meta-data/iam/security-credentials/"
#: Every secret that a test has made; none may appear in a log, an error or a repr.
SECRETS: set[str] = set()
_numbers = count(1)


def secret(kind: str = "secret") -> str:
    """Make up a secret that nothing else contains."""
    value = f"{kind}-{next(_numbers):06d}-do-not-show"
    SECRETS.add(value)
    return value


def jwt(audience: str, **claims: Any) -> str:
    """Make up a token for an audience, of which the signature is the secret."""
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in (
            {"alg": "RS256"},
            {"aud": audience, "sub": "repo:octo-org/octo-repo", **claims},
        )
    ]
    return ".".join([*parts, secret("signature")])


def comes_true(condition: Callable[[], bool]) -> bool:
    """Wait for what another thread does, and say whether it did."""
    for _ in range(3000):
        if condition():
            return True
        time.sleep(0.01)
    return False


def is_collected(condition: Callable[[], bool]) -> bool:
    """Collect garbage until something holds: another thread may be collecting just now."""
    return comes_true(lambda: gc.collect() >= 0 and condition())


def at_work() -> set[threading.Thread]:
    """Return the threads of the package."""
    return {one for one in threading.enumerate() if one.name.startswith("botocore_ext")}


@contextmanager
def refusing() -> Iterator[tuple[str, int]]:
    """Give an address that refuses connections: it is bound, so that no server can take it."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()


@contextmanager
def typed(text: str) -> Iterator[None]:
    """Let processes that are started meanwhile find ``text`` in their standard input."""
    reading, writing = os.pipe()
    os.write(writing, text.encode())
    os.close(writing)
    original = os.dup(0)
    os.dup2(reading, 0)
    try:
        yield
    finally:
        os.dup2(original, 0)
        os.close(original)
        os.close(reading)


@contextmanager
def another_process() -> Iterator[None]:
    """Let this process look like another one."""
    with mock.patch("os.getpid", return_value=-1):
        yield


class FakeClock(Clock):
    """A clock that stands still until a test moves it; sleeping moves it too."""

    def __init__(self, start: float = 1_800_000_000.0) -> None:
        self.time = start
        self.steady = 70.0
        super().__init__(
            now=lambda: self.time,
            monotonic=lambda: self.steady,
            sleep=self.advance,
            random=lambda: 0.5,
        )

    def __setattr__(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def advance(self, seconds: float) -> None:
        self.time += seconds
        self.steady += seconds

    def jump(self, seconds: float) -> None:
        """Move the wall clock alone: it was set, or the machine was suspended."""
        self.time += seconds

    def at(self, seconds: float) -> datetime:
        """Return the time that is ``seconds`` from now."""
        return datetime.fromtimestamp(self.time + seconds, timezone.utc)


@dataclass
class Request:
    """What arrived."""

    operation: str
    parameters: dict[str, Any]
    headers: dict[str, str]
    target: str
    #: The access key that it was answered with.
    gave: str = ""
    body: bytes = b""


@dataclass
class Answer:
    """What is sent back; with ``silence`` nothing is, with ``drip`` the body a byte at a time."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    silence: float = 0
    drip: float = 0
    #: Whether status and headers drip, too.
    drips_headers: bool = False
    #: Close the connection after that many bytes of the body.
    cut: int | None = None
    #: Reset the connection: after what ``cut`` says, else before anything is sent.
    reset: bool = False


class FakeAws:
    """A loopback AWS: services, and the endpoints of containers and instances.

    Without a script every call returns other credentials. ``requests`` holds the requests.
    """

    #: Method and path -> the operation, and what answers it.
    ROUTES: ClassVar[dict[tuple[str, str], tuple[str, str]]] = {
        ("GET", "/federation/credentials"): ("GetRoleCredentials", "portal"),
        ("POST", "/token"): ("CreateToken", "oidc"),
        ("POST", "/v1/token"): ("CreateOAuth2Token", "signin"),
        ("POST", "/sessions"): ("CreateSession", "roles_anywhere"),
        ("PUT", "/latest/api/token"): ("GetMetadataToken", "metadata_token"),
        ("GET", INSTANCE_ROLE): ("GetInstanceRole", "instance_role"),
        ("GET", f"{INSTANCE_ROLE}the-role"): ("GetInstanceKeys", "instance_keys"),
        ("GET", "/idtoken"): ("GetIdToken", "id_token"),
        ("GET", "/.well-known/openid-configuration"): ("Discover", "discovery"),
        ("POST", "/oauth/token"): ("GetToken", "oauth_token"),
        ("POST", "/oauth/device"): ("StartSignIn", "sign_in"),
    }

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.scripts: dict[str, list[Answer | Any]] = {}
        self.lifetime = 3600.0
        self.delay = 0.0
        self.now = time.time
        self.identities = count(1)
        #: The certificates that a trust anchor of IAM Roles Anywhere has.
        self.trusted: list[Any] = []
        #: Connections that were opened.
        self.connections = 0
        #: Whether a connection serves more than one request.
        self.keeps_alive = True
        self.stop = threading.Event()
        self._lock = threading.Lock()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # One write for an answer, at once: else the kernel waits 40 ms for the second.
            wbufsize = 65536
            disable_nagle_algorithm = True

            def setup(self) -> None:
                fake.connections += 1
                super().setup()

            def handle_expect_100(self) -> bool:
                # Written at once: aiohttp sends no body before, and botocore waits a second.
                carries_on = super().handle_expect_100()
                self.wfile.flush()
                return carries_on

            def do_GET(self) -> None:
                fake._serve(self)

            def do_HEAD(self) -> None:
                fake._serve(self)

            def do_PUT(self) -> None:
                fake._serve(self)

            def do_POST(self) -> None:
                fake._serve(self)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256
            timeout = 1  # for a connection that has gone before it is accepted

            def handle_error(self, *_: object) -> None:
                """A client that goes away is part of the tests."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self._ends, self._end = socket.socketpair()
        selector = selectors.DefaultSelector()
        for one in (self.server, self._ends):  # here: a test may give the server another socket
            selector.register(one, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._accept, args=(selector,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.stop.set()
        with suppress(OSError):  # it is closed
            self._end.shutdown(socket.SHUT_WR)  # reaches the thread, also if a child has a copy
        self._thread.join()
        for one in (self._end, self._ends):
            one.close()
        self.server.server_close()

    def _accept(self, selector: selectors.BaseSelector) -> None:
        """Serve until ``close``, which ends this at once: ``shutdown`` waits for a poll."""
        with selector:
            while self._ends not in {key.fileobj for key, _ in selector.select()}:
                self.server.handle_request()

    def script(self, operation: str, *answers: Answer | Any) -> None:
        """Answer the next calls of ``operation`` so; then as without a script."""
        self.scripts.setdefault(operation, []).extend(answers)

    def always(self, operation: str, answer: Answer | Any) -> None:
        """Answer every call of ``operation`` so."""
        self.scripts[operation] = [answer] * 1000

    def operations(self) -> list[str]:
        return [request.operation for request in self.requests]

    # What AWS would answer.

    def keys(self, request: Request | None = None) -> dict[str, Any]:
        """Make up credentials that expire after ``lifetime``."""
        access_key = f"ASIA{next(_numbers):016d}"
        if request is not None:
            request.gave = access_key
        return {
            "AccessKeyId": access_key,
            "SecretAccessKey": secret("secret-key"),
            "Token": secret("session-token"),
            "Expiration": at(self.now() + self.lifetime),
        }

    def sts(self, request: Request) -> Answer:
        keys = self.keys(request)
        role = request.parameters.get("RoleArn", "arn:aws:iam::123456789012:role/Caller")
        account, name = role.split(":")[4], role.rpartition("/")[2]
        arn = f"arn:aws:sts::{account}:assumed-role/{name}/session"
        result = f"<Arn>{arn}</Arn><UserId>A</UserId><Account>{account}</Account>"
        if request.operation != "GetCallerIdentity":
            result = f"""<Credentials><AccessKeyId>{keys["AccessKeyId"]}</AccessKeyId>
                <SecretAccessKey>{keys["SecretAccessKey"]}</SecretAccessKey>
                <SessionToken>{keys["Token"]}</SessionToken>
                <Expiration>{keys["Expiration"]}</Expiration></Credentials>
                <AssumedRoleUser><Arn>{arn}</Arn><AssumedRoleId>A:s</AssumedRoleId>
                </AssumedRoleUser>"""
        name = request.operation
        body = f"<{name}Response><{name}Result>{result}</{name}Result></{name}Response>"
        return Answer(body.encode(), headers={"Content-Type": "text/xml"})

    def cognito(self, request: Request) -> Answer:
        answer: dict[str, Any] = {"IdentityId": request.parameters.get("IdentityId")}
        if answer["IdentityId"] is None:
            region = request.parameters["IdentityPoolId"].partition(":")[0]
            answer["IdentityId"] = f"{region}:00000000-0000-0000-0000-{next(self.identities):012d}"
        if request.operation.startswith("GetOpenIdToken"):
            request.gave = answer["Token"] = self.token()
        if request.operation == "GetCredentialsForIdentity":
            keys = self.keys(request)
            answer["Credentials"] = {
                "AccessKeyId": keys["AccessKeyId"],
                "SecretKey": keys["SecretAccessKey"],
                "SessionToken": keys["Token"],
                "Expiration": self.now() + self.lifetime,
            }
        return Answer(
            json.dumps(answer).encode(), headers={"Content-Type": "application/x-amz-json-1.1"}
        )

    def endpoint(self, request: Request) -> Answer:
        return Answer(json.dumps(self.keys(request) | {"AccountId": "123456789012"}).encode())

    def s3(self, _: Request) -> Answer:
        return Answer(b"")

    def portal(self, request: Request) -> Answer:
        keys = self.keys(request)
        answer = {
            "accessKeyId": keys["AccessKeyId"],
            "secretAccessKey": keys["SecretAccessKey"],
            "sessionToken": keys["Token"],
            "expiration": int(self.now() + self.lifetime) * 1000,
        }
        return _json({"roleCredentials": answer})

    def oidc(self, _: Request) -> Answer:
        return _json(
            {
                "accessToken": secret("access-token"),
                "refreshToken": secret("refresh-token"),
                "expiresIn": 28800,
                "tokenType": "Bearer",
            }
        )

    def signin(self, request: Request) -> Answer:
        keys = self.keys(request)
        access = {
            "accessKeyId": keys["AccessKeyId"],
            "secretAccessKey": keys["SecretAccessKey"],
            "sessionToken": keys["Token"],
        }
        refresh = secret("refresh-token")
        return _json(
            {
                "accessToken": access,
                "refreshToken": refresh,
                "expiresIn": 900,
                "tokenType": "aws_sigv4",
            }
        )

    def roles_anywhere(self, request: Request) -> Answer:
        """What IAM Roles Anywhere answers, which verifies the signature."""
        from . import x509  # noqa: PLC0415 - cryptography takes long to import

        try:
            x509.verify(request, self.trusted)
        except x509.RefusedError as reason:
            return error("AccessDeniedException", 403, f"Invalid: {reason}")(request)
        keys = self.keys(request)
        answer = {
            "accessKeyId": keys["AccessKeyId"],
            "secretAccessKey": keys["SecretAccessKey"],
            "sessionToken": keys["Token"],
            "expiration": keys["Expiration"],
        }
        answer = _json({"credentialSet": [{"credentials": answer}], "subjectArn": "arn:x"})
        answer.status = 201
        return answer

    def metadata_token(self, _: Request) -> Answer:
        return Answer(secret("metadata-token").encode())

    def instance_role(self, _: Request) -> Answer:
        return Answer(b"the-role")

    def instance_keys(self, request: Request) -> Answer:
        return _json(self.keys(request) | {"Code": "Success", "Type": "AWS-HMAC"})

    def id_token(self, request: Request) -> Answer:
        """What GitHub Actions answers; ``gave`` is the token."""
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(request.target).query)
        request.gave = jwt(query["audience"][0])
        return _json({"count": len(request.gave), "value": request.gave})

    def discovery(self, _: Request) -> Answer:
        """What an authorization server says of itself."""
        return _json(
            {
                "issuer": self.url,
                "token_endpoint": f"{self.url}/oauth/token",
                "device_authorization_endpoint": f"{self.url}/oauth/device",
            }
        )

    def oauth_token(self, request: Request) -> Answer:
        """What it issues; ``gave`` is the token that is for AWS."""
        request.gave = self.token()
        answer = {"access_token": request.gave, "token_type": "Bearer", "expires_in": 300}
        if request.parameters["grant_type"] != "client_credentials":
            request.gave = self.token()
            answer |= {"id_token": request.gave, "refresh_token": secret("refresh-token")}
        return _json(answer)

    def token(self) -> str:
        return jwt("sts.amazonaws.com")

    def sign_in(self, _: Request) -> Answer:
        """What it lets a person enter where."""
        return _json(
            {
                "device_code": secret("device-code"),
                "user_code": "WDJB-MJHT",
                "verification_uri": f"{self.url}/device",
                "expires_in": 600,
                "interval": 5,
            }
        )

    # The wire.

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        route = (handler.command, urllib.parse.urlsplit(handler.path).path)
        operation, kind = self.ROUTES.get(route, ("", _service(handler)))
        request = _read(handler, body)
        request.operation = operation or request.operation
        with self._lock:
            self.requests.append(request)
            # A script may also be for whatever comes by a method.
            script = self.scripts.get(request.operation) or self.scripts.get(handler.command)
            answer = script.pop(0) if script else None
        if self.delay:
            time.sleep(self.delay)
        if callable(answer):
            answer = answer(request)
        if answer is None:
            answer = getattr(self, kind)(request)
        self._send(handler, answer)

    def _send(self, handler: BaseHTTPRequestHandler, answer: Answer) -> None:
        if answer.silence:
            self.stop.wait(answer.silence)
            handler.close_connection = True
            return
        if answer.reset and answer.cut is None:
            _reset(handler)
            return
        body = answer.body
        handler.send_response(answer.status)
        headers = {"Content-Length": str(len(body))} | answer.headers
        if not self.keeps_alive:
            headers["Connection"] = "close"
        for name, value in headers.items():
            handler.send_header(name, value)
        if answer.drips_headers:
            body = _head(handler) + body
        else:
            handler.end_headers()
        if answer.cut is not None:
            body = body[: answer.cut]
            handler.close_connection = True
        if not answer.drip:
            handler.wfile.write(body)
            if answer.reset:
                _reset(handler)
            return
        self._drip(handler, body, answer.drip)

    def _drip(self, handler: BaseHTTPRequestHandler, body: bytes, pause: float) -> None:
        for position in range(len(body)):
            handler.wfile.write(body[position : position + 1])
            handler.wfile.flush()
            if self.stop.wait(pause):
                return


def _head(handler: BaseHTTPRequestHandler) -> bytes:
    """Take status and headers, with a long one among them, that are about to be sent."""
    handler.send_header("X-Padding", "x" * 100)
    head = b"".join(handler._headers_buffer) + b"\r\n"
    handler._headers_buffer.clear()
    return head


def _reset(handler: BaseHTTPRequestHandler) -> None:
    """Close the connection with RST in the place of FIN, as a host does that has gone."""
    handler.wfile.flush()
    handler.close_connection = True
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(handler.connection.detach())


def _service(handler: BaseHTTPRequestHandler) -> str:
    if "AWSCognitoIdentityService" in handler.headers.get("X-Amz-Target", ""):
        return "cognito"
    if handler.command == "POST":
        return "sts"
    return "s3" if "/s3/" in handler.headers.get("Authorization", "") else "endpoint"


def _json(content: Any) -> Answer:
    return Answer(json.dumps(content).encode(), headers={"Content-Type": "application/json"})


def _read(handler: BaseHTTPRequestHandler, body: bytes) -> Request:
    target = handler.headers.get("X-Amz-Target", "")
    if target or "json" in handler.headers.get("Content-Type", ""):
        operation, parameters = target.rpartition(".")[2], json.loads(body)
    elif handler.command == "POST":
        form = urllib.parse.parse_qs(body.decode(), keep_blank_values=True)
        parameters = {name: values[0] for name, values in form.items()}
        operation = parameters.pop("Action", "POST")
        parameters.pop("Version", None)
    else:
        operation, parameters = handler.command, {}
    return Request(operation, parameters, dict(handler.headers), handler.path, body=body)


JSON_ERRORS = {"GetRoleCredentials", "CreateToken", "CreateOAuth2Token"}


def error(
    code: str, status: int = 400, message: str = "as the test wants it", **members: Any
) -> Any:
    """Return what a service answers when it refuses."""

    def answer(request: Request) -> Answer:
        # S3 has a CreateSession, too, and answers in XML.
        is_json = request.operation in JSON_ERRORS or request.target.startswith("/sessions")
        if is_json or "X-Amz-Target" in request.headers:
            body = json.dumps({"__type": code, "message": message, **members})
        else:
            body = (
                f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>"
                f"<Message>{message}</Message></Error></ErrorResponse>"
            )
        return Answer(body.encode(), status=status)

    return answer


# The files of a user who has logged in, or has a credential process.

#: Prints credentials of the endpoint at the address that it is given, as a credential process.
PRINTER = """
import json, sys, urllib.request
keys = json.load(urllib.request.urlopen(sys.argv[1]))
print(json.dumps({**keys, "Version": 1, "SessionToken": keys.pop("Token")}))
"""


def keys_command(home: Path, url: str) -> str:
    """Write a credential process, and return the command that runs it."""
    (home / "print-keys.py").write_text(PRINTER, encoding="utf-8")
    return f"{sys.executable} {home / 'print-keys.py'} {url}"


def at(moment: float) -> str:
    """Return a time as AWS CLI writes it."""
    return datetime.fromtimestamp(moment, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_token(directory: Path, name: str, token: dict[str, Any]) -> Path:
    """Write a token file as AWS CLI does; what is None is left out."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{name}.json"
    content = {key: value for key, value in token.items() if value is not None}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def sso_token(home: Path, of: str, expires: float, **changed: Any) -> Path:
    """Write what ``aws sso login`` does, for a start URL or the name of a session."""
    token = {
        "startUrl": "https://d-abc123.awsapps.com/start",
        "region": "us-east-1",
        "accessToken": secret("access-token"),
        "expiresAt": at(expires),
        "clientId": "the-client",
        "clientSecret": secret("client-secret"),
        "registrationExpiresAt": at(expires + 90 * 86_400),
        "refreshToken": secret("refresh-token"),
    }
    name = hashlib.sha1(of.encode()).hexdigest()
    return write_token(home / ".aws" / "sso" / "cache", name, token | changed)


def _signing_key() -> bytes:
    """Make a key that can be read again: of 256 exports one has a byte too few for that."""
    while True:
        exported = EC.export_key(EC.new_generate(ECType.P_256), ECExportFormat.SEC1)
        with suppress(RuntimeError):
            EC.new_key_from_der_data(exported)
            return exported


def login_token(directory: Path, of: str, expires: float, **changed: Any) -> Path:
    """Write what ``aws login`` does, for the ARN of a session."""
    der = base64.encodebytes(_signing_key()).decode()
    token = {
        "accessToken": {
            "accessKeyId": f"ASIA{next(_numbers):016d}",
            "secretAccessKey": secret("secret-key"),
            "sessionToken": secret("session-token"),
            "accountId": "123456789012",
            "expiresAt": at(expires),
        },
        "tokenType": "aws_sigv4",
        "refreshToken": secret("refresh-token"),
        "idToken": secret("id-token"),
        "clientId": "arn:aws:signin:::devtools/same-device",
        "dpopKey": f"-----BEGIN EC PRIVATE KEY-----\n{der}-----END EC PRIVATE KEY-----\n",
    }
    SECRETS.update(der.split())
    return write_token(directory, hashlib.sha256(of.encode()).hexdigest(), token | changed)
