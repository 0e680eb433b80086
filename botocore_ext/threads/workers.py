"""Threads that do what must not take too long, and are left behind where it does.

Timeouts of sockets start anew with every byte, and looking up a name has none.
"""

import contextvars
import os
import queue
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from .concurrency import ProcessLocal, caller, works_for

T = TypeVar("T")

#: Seconds that a thread waits for more work: the calls of a fetch come one after another, and to
#: start a thread for each takes a third of the time of a call.
_LINGER = 1


class _Worker(threading.Thread):
    """A thread that does one piece of work after another, until none has come for a while."""

    def __init__(self) -> None:
        super().__init__(name="botocore_ext", daemon=True)
        # By its module: gevent puts another class there, also after this module is imported.
        self._works: queue.SimpleQueue[Callable[[_Worker], object] | None] = queue.SimpleQueue()
        #: Takes the next work, which is given this worker, or None to end.
        self.do = self._works.put

    def run(self) -> None:
        while (work := self._next()) is not None:
            work(self)
            del work  # what it holds is not kept until the next one

    def _next(self) -> "Callable[[_Worker], object] | None":
        try:
            return self._works.get(timeout=_LINGER)
        except queue.Empty:
            try:
                _idle.get().remove(self)
            except ValueError:
                return self._works.get()  # somebody has taken this thread just now
            return None


#: The workers that wait.
_idle: ProcessLocal[list[_Worker]] = ProcessLocal(list)


def _hand_over(work: Callable[[_Worker], object]) -> None:
    try:
        _idle.get().pop().do(work)
    except IndexError:
        worker = _Worker()
        # Before it starts: who is interrupted there leaves no thread that waits for work for ever.
        worker.do(work)
        worker.start()


def _end_all() -> None:
    """End those who wait: from Python 3.12 on, forking a process of many threads is a warning."""
    with suppress(IndexError):  # another thread may take the last one
        while True:
            worker = _idle.get().pop()
            worker.do(None)
            worker.join(_LINGER)  # no longer: where threads are patched it may never end


# Absent on Windows, where processes are never forked.
getattr(os, "register_at_fork", dict)(before=_end_all)


def run_within(seconds: float, work: Callable[[], T]) -> T:
    """Return what ``work`` returns, within ``seconds``.

    Where no thread can be started any more, or none would run, because the interpreter ends, there
    is no limit but the timeouts of sockets.

    Raises:
        TimeoutError: The time is over.
        Exception: What ``work`` raised.
    """
    if sys.is_finalizing():
        return work()
    returned: list[T] = []
    raised: list[BaseException] = []
    done = threading.Lock()
    done.acquire()

    def run(worker: _Worker) -> None:
        try:
            returned.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again below
            raised.append(error)
        _idle.get().append(worker)
        done.release()

    context = contextvars.copy_context()
    context.run(works_for.set, caller())
    try:
        _hand_over(lambda worker: context.run(run, worker))
    except RuntimeError:
        return work()
    done.acquire(timeout=max(0, seconds))
    if raised:
        raise raised.pop()  # held by a frame of its own traceback, it would wait for the collector
    if not returned:
        raise TimeoutError
    return returned[0]
