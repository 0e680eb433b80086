"""One fault at one step, in three ways: see ``docs/faults.md``."""

from __future__ import annotations

import gc
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from botocore_ext.refresh.credentials import ProviderCredentials
from botocore_ext.runtime.deadline import FETCH_BUDGET
from tests import searching

from .catalogue import faults_at
from .place import Place, inside, left_open, watched
from .steps import LOCAL, STEPS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from botocore_ext.providers.base import Provider

    from .catalogue import Fault
    from .place import Records
    from .steps import Step

#: How many connections may be open while the provider and the errors exist: a client
#: of a service keeps one, ``from_sso`` has two clients, a login has one for each renewal, and
#: ``from_ini`` with ``ignore_cache`` one for each change of the files.
OPEN_SOCKETS = {
    "from_http": 0,
    "from_container_metadata": 0,
    "from_instance_metadata": 0,
    "from_sso": 2,
    "from_ini": 3,
    "from_login_credentials": 3,
}
#: Seconds before their expiry at which credentials are refreshed here: in the advisory window.
LEFT = 200


@dataclass
class Cell:
    """The outcome of one fault at one step."""

    step: Any
    fault: Any
    #: At every attempt without credentials; at one; at every attempt with valid credentials.
    first: str = ""
    once: str = ""
    valid: str = ""
    #: What must never happen.
    problems: list[str] = field(default_factory=list)
    #: The longest of the three, in seconds.
    longest: float = 0

    @property
    def outcome(self) -> tuple[str, str, str]:
        """The three outcomes."""
        return self.first, self.once, self.valid


def name_of(error: BaseException) -> str:
    """Name an error as it is written down."""
    if isinstance(error, ClientError):
        return f"ClientError {error.response.get('Error', {}).get('Code') or ''}".strip()
    return type(error).__name__


class Trial:
    """A step in a place of its own, where a fault is tried."""

    def __init__(self, step: Step, fault: Fault, home: Path, number: int) -> None:
        """Build the provider and let it retrieve credentials, so that it has its clients."""
        self.cell = Cell(step, fault)
        self.step, self.fault = step, fault
        self.place = Place(home, f"{step.factory}-{number}", fault.timeout)
        self.place.aws.keeps_alive = fault.answer is not None or fault.spoil is not None
        self.errors: list[BaseException] = []
        with inside(self.place):
            self.provider: Provider = step.build(self.place)
            self.kept = ProviderCredentials(self.provider)
            self.kept.get_frozen_credentials()

    def run(self) -> None:
        """Try the fault in all three ways."""
        with inside(self.place):
            self.cell.first = self._timed(self._first)
            self.cell.once = self._timed(self._once)
            self.cell.valid = self._timed(self._valid)
            self._recover()

    def end(self, records: Records) -> Cell:
        """Look for what must never happen, and release everything."""
        place, problems = self.place, self.cell.problems
        texts = [text for error in self.errors for text in searching.texts_of(error)]
        texts += [*records.of(place), repr(self.provider), repr(self.kept)]
        problems += [f"shows {secret}" for secret in searching.shown(texts)]
        if any("elsewhere" in one.target for one in place.aws.requests):
            problems.append("a redirect was followed")
        if place.slept > FETCH_BUDGET:
            problems.append(f"sleeps for {place.slept:.0f} s")
        if self.cell.longest > FETCH_BUDGET:
            problems.append(f"takes {self.cell.longest:.0f} s")
        allowed = OPEN_SOCKETS.get(self.step.factory, 1)
        if place.open_sockets() > allowed:
            gc.collect()  # urllib3 leaves cycles of an error and its frames
        if not self.fault.takes_time and place.open_sockets() > allowed:
            problems.append(f"holds {place.open_sockets()} sockets")
        place.aws.close()
        del self.provider, self.kept
        self.errors.clear()
        return self.cell

    def _timed(self, way: Callable[[], str]) -> str:
        self.place.slept, start = 0, time.monotonic()
        try:
            return way()
        finally:
            self.cell.longest = max(self.cell.longest, time.monotonic() - start)
            self.place.aws.scripts.clear()
            self.place.refuse = 0

    def _fail(self, times: int) -> int:
        """Let the fault occur so often from now on; return the number of requests before."""
        aws, step = self.place.aws, self.step
        step.again(self.place, self.provider)
        if self.fault.spoil is not None:
            self.fault.spoil(self.place.path)
            return self._asked()
        if self.fault.answer is not None:
            aws.script(step.operation, *[self.fault.answered(self.place)] * times)
            return self._asked()
        times = min(times, step.attempts)
        if step.before in (None, "GetId"):  # a cached identity is not requested again
            self.place.refuse = times
        else:
            aws.script(step.before, lambda _: setattr(self.place, "refuse", times))
        return self._asked()

    def _asked(self) -> int:
        return self.place.aws.operations().count(self.step.operation) + self.place.refused

    def _fetched(self, credentials: ProviderCredentials) -> Any:
        try:
            return credentials.get_frozen_credentials()
        except Exception as error:  # noqa: BLE001 - an outcome
            self.errors.append(error)
            return error

    def _fresh(self, times: int) -> str:
        asked = self._fail(times)
        found = self._fetched(ProviderCredentials(self.provider))
        name = name_of(found) if isinstance(found, Exception) else "credentials"
        attempts = self._asked() - asked
        return name if attempts == 1 or self.fault.spoil else f"{name}, {attempts} attempts"

    def _first(self) -> str:
        return self._fresh(1000)

    def _once(self) -> str:
        return "" if self.fault.spoil else self._fresh(1)

    def _valid(self) -> str:
        """Refresh while the credentials are valid, and ask once more: that must not fetch again."""
        place, credentials = self.place, self.kept
        old, left = credentials.get_frozen_credentials(), LEFT
        place.clock.advance((credentials.expiration - place.clock.at(0)).total_seconds() - left)
        self._fail(1000)
        found, asked = self._fetched(credentials), len(place.aws.requests)
        if isinstance(found, Exception):
            return name_of(found)
        if self._fetched(credentials) != found or len(place.aws.requests) != asked:
            self.cell.problems.append("a failed refresh is tried again at once")
        if found != old:
            return "new credentials"
        error = credentials.last_error
        if error is not None:
            self.errors.append(error)
        if error is not None and name_of(error) != self.cell.first.partition(",")[0]:
            self.cell.problems.append(f"last_error is {error!r}")
        return "current credentials"

    def _recover(self) -> None:
        """Check that the fault has no later effect: the next fetch returns credentials."""
        old = self.kept._refresher.current.frozen
        self.step.again(self.place, self.provider)
        self.kept.invalidate()
        found = self._fetched(self.kept)
        if isinstance(found, Exception) or found == old:
            self.cell.problems.append(f"does not recover: {name_of(self.kept.last_error or found)}")


def pairs_of(step: Step, *, take_time: bool) -> list[tuple[Step, Fault]]:
    """Return a step with each of its faults."""
    return [(step, fault) for fault in faults_at(step) if fault.takes_time == take_time]


def run_step(step: Step, home: Path) -> list[Cell]:
    """Try every fault of a step but those that take time."""
    with watched(home, is_short=False) as records:
        return run(pairs_of(step, take_time=False), home, records)


def run_slow(home: Path) -> list[Cell]:
    """Try the faults that take time, of all steps at once: they do nothing but wait.

    The budget of a fetch is short only where nothing else ends it: on a machine that is busy, the
    attempts of a call may take several times their timeouts.
    """
    pairs = [pair for step in (*STEPS, *LOCAL) for pair in pairs_of(step, take_time=True)]
    cells = []
    for is_short in (False, True):
        of = [(step, fault) for step, fault in pairs if fault.outlasts == is_short]
        with watched(home, is_short=is_short) as records:
            cells += run(of, home, records, at_once=True)
    return cells


def run(
    pairs: list[tuple[Step, Fault]], home: Path, records: Records, *, at_once: bool = False
) -> list[Cell]:
    """Try faults one by one, or all at once where they do nothing but wait."""
    trials = [Trial(step, fault, home, number) for number, (step, fault) in enumerate(pairs)]
    threads = [threading.Thread(target=one.run, daemon=True) for one in trials]
    for thread in threads:
        thread.start()
        if not at_once:
            thread.join()
    deadline = time.monotonic() + 2 * FETCH_BUDGET
    for one, thread in zip(trials, threads, strict=True):
        thread.join(max(0, deadline - time.monotonic()))
        if thread.is_alive():
            one.cell.problems.append("does not end")
    places = [one.place for one in trials]
    cells = [one.end(records) for one in trials]
    del trials, threads
    for name in left_open(places):
        cell = cells[int(name.rpartition("-")[2])]
        cell.problems.append("leaves a socket open")
    return cells
