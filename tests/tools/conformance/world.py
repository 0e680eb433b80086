"""The world of one replay: its files, environment, clock, name resolution and wire."""

import contextlib
import datetime as dt
import os
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import botocore.credentials
import botocore.utils
import pytest
from botocore.httpsession import URLLib3Session
from botocore.tokens import SSOTokenProvider
from botocore.utils import JSONFileCache

from botocore_ext.options import scope
from botocore_ext.providers import cognito
from botocore_ext.system import Clock
from tests.fakes import Answer, FakeAws

from .case import Case, Sent

_PORTS = {"http": 80, "https": 443}
_AIM, _ADDRESS = "X-Aim", "X-Address"


class ScriptedAws(FakeAws):
    """A loopback server that gives what a case has recorded, and keeps what was sent."""

    def begin(self, case: Case) -> None:
        """Forget the case before, and answer as this one has it."""
        self.sent: list[Sent] = []
        self.complaints: list[str] = []
        self.wire = case.wire() if case.wire else None

    def _serve(self, handler: Any) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        url, address = headers.pop(_AIM.lower()), headers.pop(_ADDRESS.lower())
        sent = Sent(handler.command, url, address, headers, body.decode())
        self.sent.append(sent)
        answer, complaint = Answer(status=404), f"a request too many: {sent.method} {sent.url}"
        if self.wire is not None:
            answer, complaint = self.wire(sent, len(self.sent))
        if complaint:
            self.complaints.append(complaint)
        self._send(handler, answer)

    def redirect(self, send: Any) -> Any:
        """Return a ``URLLib3Session.send`` that changes where a request goes, and nothing else."""

        def redirected(http: Any, request: Any) -> Any:
            aim = urlsplit(request.url)
            request.headers[_AIM] = _wanted(request)
            request.headers[_ADDRESS] = str(aim.hostname)
            there = aim._replace(scheme="http", netloc=f"127.0.0.1:{self.port}")
            request.url = there.geturl()
            return send(http, request)

        return redirected


def _wanted(request: Any) -> str:
    """Return the URL of a request with its own host: ours may connect to an address of it."""
    aim = urlsplit(request.url)
    host = request.headers.get("Host") or aim.netloc
    host = host.decode() if isinstance(host, bytes) else host
    return bare(aim._replace(netloc=host).geturl())


def bare(url: str) -> str:
    """Return a URL without a port that its scheme implies."""
    parts = urlsplit(url)
    if parts.port != _PORTS.get(parts.scheme):
        return url
    return parts._replace(netloc=parts.netloc.rpartition(":")[0]).geturl()


class _InstantOf(type):
    """Lets real datetimes be instances of a class that only stops the clock."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, dt.datetime)


def _stopped(now: float) -> Any:
    """Return a ``datetime`` module in which it is ``now``."""

    class Stopped(dt.datetime, metaclass=_InstantOf):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return dt.datetime.fromtimestamp(now, tz)

    names = {name: getattr(dt, name) for name in ("timedelta", "timezone", "date", "time")}
    return SimpleNamespace(**names, datetime=Stopped)


def _resolver(case: Case) -> Any:
    """Return a ``getaddrinfo`` that knows the hosts of the case, ``localhost`` and addresses."""
    real = socket.getaddrinfo
    hosts = {"localhost": ["127.0.0.1"], **case.hosts}

    def resolve(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        if host == "127.0.0.1":  # the loopback server
            return real(host, port, *args, **options)
        if host not in hosts:
            raise socket.gaierror(socket.EAI_NONAME, "not in the case")
        found = []
        for address in hosts[host]:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            found.append((family, socket.SOCK_STREAM, 6, "", (address, port or 0)))
        return found

    return resolve


def placed(case: Case, root: Path, text: str) -> str:
    """Return ``text`` with the absolute paths of the case's files under ``root``."""
    for path in case.files:
        if not path.startswith("/home/"):
            text = text.replace(path, f"{root}{path}")
    return text


def _environment(case: Case, root: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    found = {**kept, "HOME": str(root / "home")}
    for name, value in case.environment.items():
        is_path = name == "HOME" or name.endswith("_FILE")
        found[name] = f"{root}/{value.lstrip('/')}" if is_path else value
    return found


def _write(case: Case, root: Path) -> None:
    shutil.rmtree(root, ignore_errors=True)
    (root / "home").mkdir(parents=True)
    for path, text in case.files.items():
        file = root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(placed(case, root, text).encode())


@contextlib.contextmanager
def world(case: Case, root: Path, aws: ScriptedAws) -> Iterator[Clock]:
    """Let everything be as the case has it, and as it was afterwards."""
    environment = _environment(case, root)
    aws.begin(case)
    _write(case, root)
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            patch.delenv(name)
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.setattr(URLLib3Session, "send", aws.redirect(URLLib3Session.send))
        patch.setattr(socket, "getaddrinfo", _resolver(case))
        patch.setattr(time, "sleep", lambda _: None)
        # What botocore read of the home and of the clock when it was imported.
        tokens = str(root / "home/.aws/sso/cache")
        patch.setattr(botocore.credentials.SSOProvider, "_SSO_TOKEN_CACHE_DIR", tokens)
        patch.setattr(SSOTokenProvider, "_SSO_TOKEN_CACHE_DIR", tokens)
        patch.setattr(JSONFileCache, "CACHE_DIR", str(root / "home/.aws/boto/cache"))
        patch.setattr(botocore.credentials, "datetime", _stopped(case.now))
        moment = dt.datetime.fromtimestamp(case.now, dt.timezone.utc)
        patch.setattr(
            botocore.utils,
            "get_current_datetime",
            lambda remove_tzinfo=True: moment.replace(tzinfo=None) if remove_tzinfo else moment,
        )
        try:
            yield Clock(now=lambda: case.now, sleep=lambda _: None, random=lambda: 0.5)
        finally:
            cognito.reset()
            scope.reset()
