"""Share one call among threads, and nothing among processes.

A forked child must never use a lock, a connection or a fetch in flight of its parent: the thread
that holds the lock does not exist in the child, and two children that write to one inherited socket
get each other's answers.

Nothing here holds a lock while it works: a signal handler, a callback of the garbage collector or
an interrupt may come between any two instructions.
"""

import copy
import os
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, Generic, TypeVar, cast

from .context import run_with

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
E = TypeVar("E", bound=Exception)


class ProcessLocal(Generic[T]):
    """A value that belongs to one process: created at its first use, and in a forked child."""

    def __init__(self, make: Callable[[], T]) -> None:
        """Take ``make``, which is called in each process; if threads race, one value is kept."""
        self._make = make
        self._values: dict[int, T] = {}

    def get(self) -> T:
        """Return this process's value."""
        pid = os.getpid()
        if pid in self._values:
            return self._values[pid]
        value = self._values.setdefault(pid, self._make())  # atomic
        for other in self._values.keys() - {pid}:
            self._values.pop(other, None)
        return value


def use_last(values: dict[K, V], key: K, value: V, limit: int) -> None:
    """Put a value last, and drop the first ones beyond ``limit``: they were used longest ago."""
    values.pop(key, None)
    values[key] = value
    if len(values) > limit:
        for oldest in list(values)[:-limit]:
            values.pop(oldest, None)


class NeedsItselfError(Exception):
    """A call waits for itself."""


class StillUnderWayError(Exception):
    """The call of another thread takes too long; ``TimeoutError`` may come from the call itself."""


def own_copy(error: E) -> E:
    """Return a copy of ``error`` for one caller: without traceback, cause and context.

    An error that several callers raise would show each of them the frames of the others. An error
    that cannot be copied is returned as it is.
    """
    for duplicate in (_without_init, copy.copy):
        with suppress(Exception):
            found: Any = duplicate(error)
            vars(found).update(vars(error))
            if (type(found), found.args, str(found)) == (type(error), error.args, str(error)):
                found.__cause__ = found.__context__ = found.__traceback__ = None
                return cast("E", found)  # the types were just compared
    return error


def _without_init(error: E) -> E:
    """Copy an error of a Python class, whose ``__init__`` may take other arguments."""
    kind = type(error)
    return kind.__new__(kind, *error.args)


class Flight(Generic[T]):
    """One call that is under way, for which others may wait."""

    def __init__(self) -> None:
        self.thread = threading.get_ident()
        #: The calls that this call waits for; more than one, as it may use several threads.
        self.waits_for: list[Flight[Any]] = []
        self.is_over = False
        #: The call gave up for a reason that concerns its caller only: others make their own call.
        self.is_abandoned = False
        self._results: list[T] = []
        #: The error of the call, for the first caller that takes it; the others get copies.
        self._raised: list[Exception] = []
        self._error: Exception | None = None
        # Looked up at call time: gevent may have patched it after this module was imported.
        self._ended: queue.SimpleQueue[None] = queue.SimpleQueue()

    def lead(self, call: Callable[[], T]) -> T:
        """Run ``call``, keep its outcome for the waiting callers, and return the result."""
        try:
            result = run_with(_leading, (*_leading.get(), self), call)
        except Exception as error:
            self._error = own_copy(error)
            raise
        self._results.append(result)
        return result

    def set_result(self, result: T) -> None:
        """Keep the result of the call."""
        self._results.append(result)

    def set_error(self, error: Exception) -> None:
        """Keep the error of the call."""
        self._error = own_copy(error)
        self._raised.append(error)

    def end(self) -> None:
        """Wake the waiting callers; a second call has no effect."""
        self.is_over = True
        self._ended.put(None)

    @contextmanager
    def waited_for(self) -> Iterator[None]:
        """Note that the code inside waits for this call.

        Raises:
            NeedsItselfError: This call waits for the code inside, directly or not.
        """
        mine = _leading.get()
        for one in mine:
            one.waits_for.append(self)
        try:
            if self._waits_for_one_of(mine):
                raise NeedsItselfError
            yield
        finally:
            for one in mine:
                one.waits_for.remove(self)

    def _waits_for_one_of(self, mine: "tuple[Flight[Any], ...]") -> bool:
        found: list[Flight[Any]] = [self] if not self.is_over else []
        for one in found:  # grows meanwhile
            if one in mine:
                return True
            waits_for = [other for other in list(one.waits_for) if not other.is_over]
            found += [other for other in waits_for if other not in found]
        return False

    def wait(self, timeout: float | None) -> None:
        """Wait for the end of the call.

        Raises:
            StillUnderWayError: It takes longer than ``timeout`` seconds.
            NeedsItselfError: See ``waited_for``.
        """
        if self.thread == threading.get_ident():
            raise NeedsItselfError
        with self.waited_for():
            try:
                # Not with a timeout of 0, with which Python 3.10 can wait forever.
                self._ended.get(timeout != 0, timeout)
            except queue.Empty:
                raise StillUnderWayError from None
            finally:
                if self.is_over:
                    self._ended.put(None)  # for the next waiting caller

    def outcome(self) -> list[T]:
        """Return the result in a list; an empty list if the call was interrupted.

        Raises:
            Exception: The error of the call, each time another copy.
        """
        if self._error is None:
            return self._results
        raise self._raised.pop() if self._raised else own_copy(self._error)


#: The calls that the current code is part of, the innermost last.
_leading: ContextVar[tuple[Flight[Any], ...]] = ContextVar("botocore_ext_leading", default=())


def current_flights() -> tuple[Flight[Any], ...]:
    """Return the calls that the current code is part of, the innermost last."""
    return _leading.get()


def join_flight(flight: Flight[Any]) -> None:
    """Make the rest of a task, which has its own context, a part of ``flight``."""
    _leading.set((*_leading.get(), flight))


def abandon() -> None:
    """Make the waiting callers of the current calls make their own calls."""
    for one in _leading.get():
        one.is_abandoned = True


class SingleFlight(Generic[T]):
    """Shares one call among concurrent callers; a later caller makes another call."""

    def __init__(self) -> None:
        self._flights: ProcessLocal[dict[object, Flight[T]]] = ProcessLocal(dict)

    def run(self, call: Callable[[], T], *, key: object = None, timeout: float | None = None) -> T:
        """Run ``call``, or wait for another thread's call with an equal key and share its outcome.

        Raises:
            StillUnderWayError: Another thread's call takes longer than ``timeout`` seconds.
            NeedsItselfError: ``call`` waits for its own outcome, perhaps through other calls in
                other threads.
        """
        flights = self._flights.get()
        mine: Flight[T] = Flight()
        try:
            try:
                while True:
                    flight = flights.setdefault(key, mine)  # atomic
                    if flight is mine:
                        return mine.lead(call)
                    flight.wait(timeout)
                    # If the other thread was interrupted, this one was not.
                    for result in () if flight.is_abandoned else flight.outcome():
                        return result
            finally:
                _end(flights, key, mine)
        finally:  # an interrupt may have come in the first one
            _end(flights, key, mine)


def _end(flights: dict[object, Flight[T]], key: object, mine: Flight[T]) -> None:
    if flights.get(key) is mine:
        del flights[key]
    mine.end()


class Once(Generic[T]):
    """A factory that creates one value, even if several threads call it at once."""

    def __init__(self, make: Callable[[], T]) -> None:
        """Take ``make``, which is called once if it succeeds."""
        self._make = make
        self._flight: SingleFlight[T] = SingleFlight()
        self._value: dict[None, T] = {}

    def __call__(self) -> T:
        """Return the value."""
        if None in self._value:
            return self._value[None]
        try:
            return self._flight.run(self._first)
        except NeedsItselfError:  # a signal handler called it meanwhile
            return self._first()

    def _first(self) -> T:
        value = self._value
        return value[None] if None in value else value.setdefault(None, self._make())
