"""What may go wrong between a provider and its source."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests import fakes
from tests.fakes import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from .place import Place
    from .steps import Step

HOUR = 3600
#: Operations that give credentials, or what has an expiry.
_KEYS = {
    "AssumeRoleWithWebIdentity", "AssumeRole", "GetCredentialsForIdentity", "GetRoleCredentials",
    "CreateSession", "GET", "GetInstanceKeys",
}  # fmt: skip
#: How a service says that asking again is of no use.
_REFUSALS = {
    "AssumeRoleWithWebIdentity": fakes.error("AccessDenied", 403),
    "AssumeRole": fakes.error("AccessDenied", 403),
    "GetId": fakes.error("NotAuthorizedException"),
    "GetCredentialsForIdentity": fakes.error("NotAuthorizedException"),
    "GetRoleCredentials": fakes.error("UnauthorizedException", 401),
    "CreateSession": fakes.error("AccessDeniedException", 403),
    "CreateToken": fakes.error("InvalidGrantException"),
    "CreateOAuth2Token": fakes.error("AccessDeniedException", error="TOKEN_EXPIRED"),
}
_THROTTLINGS = {
    "GetId": "TooManyRequestsException",
    "GetCredentialsForIdentity": "TooManyRequestsException",
    "GetRoleCredentials": "TooManyRequestsException",
    "CreateToken": "SlowDownException",
    "CreateOAuth2Token": "TooManyRequestsError",
}

#: How the operations of ``steps.LOCAL`` begin.
LOCAL = ("the ", "a ")


def _is_remote(operation: str) -> bool:
    return not operation.startswith(LOCAL)


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong."""

    name: str
    #: None: the connection is refused, and no request arrives.
    answer: Callable[[Place, fakes.Request], Answer] | None
    #: Whether it shows only after a timeout.
    takes_time: bool = False
    #: Whether no timeout ends it, and the budget of a fetch must.
    outlasts: bool = False
    #: Seconds to connect and to wait for data where it is tried.
    timeout: float = 5
    #: Whether it can come up at an operation.
    is_at: Callable[[str], bool] = _is_remote
    #: Spoils a file instead.
    spoil: Callable[[Path], None] | None = None

    def answered(self, place: Place) -> Callable[[fakes.Request], Answer]:
        """Return it as a script of ``FakeAws``."""
        answer: Any = self.answer
        return lambda request: answer(place, request)


def _changed(**changes: Any) -> Callable[[Place, fakes.Request], Answer]:
    """The good answer, with something about it changed."""
    return lambda place, request: replace(place.good(request), **changes)


def _length(change: Callable[[int], int]) -> Callable[[Place, fakes.Request], Answer]:
    def answer(place: Place, request: fakes.Request) -> Answer:
        good = place.good(request)
        promised = {"Content-Length": str(change(len(good.body)))}
        return replace(good, headers=good.headers | promised)

    return answer


def _truncated(place: Place, request: fakes.Request) -> Answer:
    good = place.good(request)
    return replace(good, cut=len(good.body) // 2)


def _no_text(place: Place, request: fakes.Request) -> Answer:
    good = place.good(request)
    middle = len(good.body) // 2
    return replace(good, body=good.body[:middle] + b"\xff\xfe" + good.body[middle:])


def _html(*_: object) -> Answer:
    body = f"<html><body>Log in, {fakes.secret('body')}</body></html>"
    return Answer(body.encode(), headers={"Content-Type": "text/html"})


def _other_shape(*_: object) -> Answer:
    return Answer(json.dumps([fakes.secret("body")]).encode())


def _wrong_type(place: Place, request: fakes.Request) -> Answer:
    return replace(place.good(request), headers={"Content-Type": "image/png"})


def _redirect(place: Place, request: fakes.Request) -> Answer:
    elsewhere = f"{place.aws.url}/elsewhere?{fakes.secret('elsewhere')}"
    return replace(place.good(request), status=307, headers={"Location": elsewhere})


def _refusal(_: Place, request: fakes.Request) -> Answer:
    refuse: Any = _REFUSALS.get(request.operation)
    return refuse(request) if refuse else Answer(fakes.secret("body").encode(), status=403)


def _throttling(_: Place, request: fakes.Request) -> Answer:
    if request.operation in _REFUSALS:
        code = _THROTTLINGS.get(request.operation, "Throttling")
        answer: Answer = fakes.error(code)(request)
        return replace(answer, status=429)
    return Answer(fakes.secret("body").encode(), status=429)


def _retry_after(place: Place, request: fakes.Request) -> Answer:
    hour = {"Retry-After": str(HOUR), "x-amz-retry-after": str(HOUR * 1000)}
    return replace(_throttling(place, request), status=503, headers=hour)


def _at(shift: float) -> Callable[[Place, fakes.Request], Answer]:
    """The good answer of a source whose clock is wrong by ``shift`` seconds."""

    def answer(place: Place, request: fakes.Request) -> Answer:
        place.aws.now = lambda: place.clock.time + shift
        try:
            return place.good(request)
        finally:
            place.aws.now = place.clock.now

    return answer


def _signature_expired(_: Place, request: fakes.Request) -> Answer:
    answer: Answer = fakes.error("SignatureDoesNotMatch", 403)(request)
    return answer


def _directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _half(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def _local(name: str, spoil: Callable[[Path], object], at: str = "") -> Fault:
    def is_at(operation: str) -> bool:
        return operation.startswith(LOCAL) and at in operation

    return Fault(name, None, is_at=is_at, spoil=spoil)


def _gives_keys(operation: str) -> bool:
    return operation in _KEYS


FAULTS = (
    Fault("connection refused", None),
    Fault("reset before the headers", lambda *_: Answer(reset=True)),
    Fault("reset after the headers", _changed(reset=True, cut=0)),
    Fault("silence", lambda *_: Answer(silence=120), takes_time=True, timeout=0.9),
    # Each byte in time, and all of them too late, also on a machine that is busy.
    Fault("a byte at a time", _changed(drip=0.4), takes_time=True, outlasts=True, timeout=2.5),
    Fault("truncated body", _truncated),
    Fault(
        "Content-Length too large",
        _length(lambda size: size + 999),
        takes_time=True,
        timeout=0.9,
    ),
    Fault("Content-Length too small", _length(lambda size: size // 2)),
    Fault("empty body", _changed(body=b"")),
    Fault("invalid UTF-8", _no_text),
    Fault("HTML", _html),
    Fault("JSON that is not an object", _other_shape),
    Fault("wrong content type", _wrong_type),
    Fault("307 to another address", _redirect),
    Fault("400 with a body that is not an error", _changed(status=400)),
    Fault("404", lambda *_: Answer(fakes.secret("body").encode(), status=404)),
    Fault("refusal that a retry cannot help", _refusal),
    Fault("throttling", _throttling),
    Fault("500", lambda *_: replace(_html(), status=500)),
    Fault("502 in plain text", lambda *_: Answer(fakes.secret("body").encode(), status=502)),
    Fault("503, retry after an hour", _retry_after),
    Fault("expired answer", _at(-24 * HOUR), is_at=_gives_keys),
    Fault("this machine's clock is two hours ahead", _at(-2 * HOUR), is_at=_gives_keys),
    Fault("this machine's clock is two hours behind", _at(2 * HOUR), is_at=_gives_keys),
    Fault("signature that does not match", _signature_expired, is_at="AssumeRole".__eq__),
    _local("missing", Path.unlink),
    _local("a directory in its place", _directory),
    _local("empty", lambda path: path.write_bytes(b"")),
    _local("truncated", _half),
    _local("binary", lambda path: path.write_bytes(b"\xff\xfe\x00" * 50)),
    _local("exit status 3", lambda path: path.with_suffix(".sh").write_text("exit 3"), "process"),
    _local("hangs", lambda path: path.with_suffix(".sh").write_text("exec sleep 60"), "process"),
)


def faults_at(step: Step) -> list[Fault]:
    """Return what may go wrong at a step."""
    return [one for one in FAULTS if one.is_at(step.operation)]
