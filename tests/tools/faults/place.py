"""Where one fault is tried: a loopback AWS of its own, and what is watched there."""

from __future__ import annotations

import gc
import os
import socket
import time
import weakref
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from unittest import mock

from botocore.config import Config

from botocore_ext.aws import connections
from botocore_ext.options import scope
from tests import fakes, searching

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

REGION = "us-east-1"
#: Seconds in which one fetch must end where its faults take time, instead of the usual 25: more
#: than a request may take after the one that the fault delayed.
SHORT_BUDGET = 6
#: What is shorter there: budgets, and how many times the timeout one attempt may take.
_SHORTER = {
    **dict.fromkeys(
        [
            f"{name}.FETCH_BUDGET"
            for name in ("runtime.deadline", "providers.http", "providers.instance")
        ],
        SHORT_BUDGET,
    ),
    "providers.http.WHOLE_ATTEMPT": 1.6,
}
#: What makes the answers of ``FakeAws`` that the routes do not name.
_KINDS = {"GetId": "cognito", "GetCredentialsForIdentity": "cognito", "GET": "endpoint"}


@dataclass(eq=False)
class Place:
    """What a step is built in."""

    home: Path
    #: Tells its files and names from those of others.
    name: str
    #: Seconds to connect, and to wait for data.
    timeout: float
    aws: fakes.FakeAws = field(default_factory=fakes.FakeAws)
    clock: fakes.FakeClock = field(default_factory=fakes.FakeClock)
    #: The file that a local fault spoils.
    path: Path | None = None
    #: Connections that are still to be refused, and that were.
    refuse: int = 0
    refused: int = 0
    #: Seconds for which code wanted to sleep.
    slept: float = 0
    sockets: list[weakref.ref[socket.socket]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.aws.now = self.clock.now

    def client_config(self) -> dict[str, Any]:
        """Return arguments of ``create_client`` that lead to the loopback AWS."""
        config = Config(connect_timeout=self.timeout, read_timeout=self.timeout)
        return {"endpoint_url": self.aws.url, "region_name": REGION, "config": config}

    def good(self, request: fakes.Request) -> fakes.Answer:
        """Return what would be answered if nothing went wrong."""
        kinds = dict(fakes.FakeAws.ROUTES.values()) | _KINDS
        answer: fakes.Answer = getattr(self.aws, kinds.get(request.operation, "sts"))(request)
        return answer

    def open_sockets(self) -> int:
        """Return how many sockets that were connected here are open."""
        living = [found for one in self.sockets if (found := one()) is not None]
        return len([one for one in living if one.fileno() != -1])


_here: ContextVar[Place | None] = ContextVar("tests_faults_place", default=None)


@contextmanager
def inside(place: Place) -> Iterator[None]:
    """Count what this thread does as done at ``place``."""
    token = _here.set(place)
    try:
        yield
    finally:
        _here.reset(token)


class Records(searching.Records):
    """Keeps records by the place that they were written at."""

    def emit(self, record: Any) -> None:
        place = _here.get()
        if place is not None:
            self.texts.append((place, record.levelname, self.format(record)))

    def of(self, place: Place, level: str = "") -> list[str]:
        """Return the texts of a place, of one level or of all."""
        return [text for at, of, text in self.texts if at is place and level in ("", of)]


@contextmanager
def watched(home: Path, *, is_short: bool) -> Iterator[Records]:
    """Hold the environment, and watch sleep, sockets and logs.

    Args:
        home: Becomes the home directory.
        is_short: Whether a fetch must end after ``SHORT_BUDGET`` seconds.
    """
    environ = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("AWS_") and not name.lower().endswith("_proxy")
    }
    files = {"AWS_CONFIG_FILE": "config", "AWS_SHARED_CREDENTIALS_FILE": "credentials"}
    environ |= {"HOME": str(home)} | {name: str(home / file) for name, file in files.items()}
    shorter = _SHORTER if is_short else {}
    scope.reset()
    with (
        fakes.refusing() as refusing,
        mock.patch.dict(os.environ, environ, clear=True),
        mock.patch("time.sleep", _sleeper(time.sleep)),
        mock.patch("socket.socket.connect", _connector(socket.socket.connect, refusing)),
        _all(mock.patch(f"botocore_ext.{name}", value) for name, value in shorter.items()),
        Records() as records,
    ):
        yield records
    scope.reset()


@contextmanager
def _all(patches: Any) -> Iterator[None]:
    started = [one for one in patches if one.start() is not None]
    try:
        yield
    finally:
        for one in started:
            one.stop()


def _sleeper(sleep: Callable[[float], None]) -> Callable[[float], None]:
    """Note what a place would sleep; all others sleep."""

    def noted(seconds: float) -> None:
        place = _here.get()
        if place is None or place.path is not None:  # a process is waited for by sleeping
            sleep(seconds)
        else:
            place.slept += seconds

    return noted


def _connector(connect: Callable[..., None], refusing: Any) -> Callable[..., None]:
    """Note the sockets of a place, and lead those to ``refusing`` that are to be refused."""

    def noted(self: socket.socket, address: Any) -> None:
        place = _here.get()
        if place is not None:
            place.sockets.append(weakref.ref(self))
            if place.refuse:
                place.refuse -= 1
                place.refused += 1
                address = refusing
        connect(self, address)

    return noted


def left_open(places: list[Place]) -> list[str]:
    """Return the names of places with open sockets that no object refers to any more."""
    connections.reset()  # inner clients share these
    deadline = time.monotonic() + 10
    while True:
        gc.collect()
        found = [one.name for one in places if one.open_sockets()]
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.05)  # a thread that was left behind is about to close its own
