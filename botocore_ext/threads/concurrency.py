"""What threads share and processes do not.

A forked child must never use a lock, a connection or a fetch in flight of its parent: the lock
may be held by a thread that does not exist any more, and two children that write to one inherited
socket get each other's answers.
"""

import contextvars
import os
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

_guard = threading.Lock()
#: The thread for which another one works (see ``workers``).
works_for: contextvars.ContextVar[int | None] = contextvars.ContextVar(
    "botocore_ext_works_for", default=None
)


def caller() -> int:
    """Return which thread this is, or which one it works for."""
    return works_for.get() or threading.get_ident()


def _after_fork() -> None:
    global _guard  # noqa: PLW0603 - the only state of this module
    _guard = threading.Lock()


# Absent on Windows, where processes are never forked.
getattr(os, "register_at_fork", dict)(after_in_child=_after_fork)


class ProcessLocal(Generic[T]):
    """A value that belongs to one process and is made anew in a forked child."""

    def __init__(self, make: Callable[[], T]) -> None:
        """Take ``make``, which is called once in each process that needs the value."""
        self._make = make
        self._held: tuple[int, T] = (os.getpid(), make())

    def get(self) -> T:
        """Return this process's value."""
        pid, value = self._held
        if pid == os.getpid():
            return value
        with _guard:
            if self._held[0] != os.getpid():
                self._held = (os.getpid(), self._make())
            return self._held[1]


class NeedsItselfError(Exception):
    """A call waits for itself to end."""


class StillUnderWayError(Exception):
    """The call of another thread takes too long; no ``TimeoutError``, which the call may raise."""


class _Flight(Generic[T]):
    """One call that is under way."""

    def __init__(self) -> None:
        #: Made by the first who waits: mostly nobody does.
        self.over: threading.Event | None = None
        self.thread = caller()
        self.result: T
        self.error: BaseException | None = None

    def ends_well(self, patience: float | None) -> bool:
        """Wait for its end, and say whether there is a result; False: it was interrupted."""
        if self.thread == caller():
            raise NeedsItselfError
        if self.over is None or not self.over.wait(patience):
            raise StillUnderWayError
        if isinstance(self.error, Exception):
            raise self.error
        return self.error is None


class SingleFlight(Generic[T]):
    """Lets concurrent callers share one call; a later caller makes a call of its own."""

    def __init__(self) -> None:
        """Start with nothing under way."""
        self._flights: ProcessLocal[tuple[threading.Lock, dict[object, _Flight[T]]]]
        self._flights = ProcessLocal(lambda: (threading.Lock(), {}))

    def run(
        self,
        call: Callable[[], T],
        *,
        key: object = None,
        patience: float | None = None,
    ) -> T:
        """Run ``call``, or wait for the same call of another thread and share its outcome.

        Args:
            call: What to run.
            key: Only calls with an equal key are shared.
            patience: The longest wait for another thread, in seconds; None waits for ever.

        Raises:
            StillUnderWayError: Another thread's call takes longer than ``patience``.
            NeedsItselfError: ``call`` came back here for its own outcome.
        """
        lock, flights = self._flights.get()
        mine: _Flight[T] = _Flight()
        try:
            while True:
                with lock:
                    if key not in flights:
                        flights[key] = mine
                    flight = flights[key]
                    if flight is not mine:
                        flight.over = flight.over or threading.Event()
                if flight is mine:
                    mine.result = call()
                    return mine.result
                if flight.ends_well(patience):
                    return flight.result
                # The other thread was told to stop (KeyboardInterrupt); this one was not.
        except BaseException as error:
            mine.error = error
            raise
        finally:
            # An interrupt comes where something is called, so nothing is before the flight has
            # gone: for one that stays all others would wait.
            with lock:
                if key in flights and flights[key] is mine:
                    del flights[key]
            if mine.over is not None:
                mine.over.set()


class Once(Generic[T]):
    """A factory that makes one thing, however many threads ask for it first."""

    def __init__(self, make: Callable[[], T]) -> None:
        """Take ``make``, which is called once if it succeeds."""
        self._make = make
        self._flight: SingleFlight[T] = SingleFlight()
        self._made: list[T] = []

    def __call__(self) -> T:
        """Return the thing."""
        return self._made[0] if self._made else self._flight.run(self._first)

    def _first(self) -> T:
        if not self._made:
            self._made.append(self._make())
        return self._made[0]
