"""Run code in a helper thread: that of other packages, and what no interrupt must reach.

Nothing else can limit the time of other packages. Calls of this package end at their deadline, in
the thread of the caller (see ``deadline``).
"""

import _thread
import contextvars
import queue
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")

#: The names of these threads: while a caller waits, and after it has given up.
NAME, LEFT_BEHIND = "botocore_ext", "botocore_ext, left behind"
#: The number of threads that may be left behind at once.
MOST = 8
#: Seconds in which work that is stopped is expected to end.
_LONGEST_END = 1
#: Seconds in which a thread is expected to start.
_LONGEST_START = 1


def run_within(seconds: float, work: Callable[[], T]) -> T:
    """Run ``work`` and return its result; after ``seconds``, leave its thread behind.

    If no thread can be started because the interpreter exits, there is no limit.

    Raises:
        TimeoutError: The time is over, or too many threads are left behind already.
        Exception: The error of ``work``.
    """
    if sys.is_finalizing():  # before Python 3.12 a thread started now never runs
        return work()
    returned: list[T] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            returned.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again below
            raised.append(error)

    if sum(one.name == LEFT_BEHIND for one in threading.enumerate()) >= MOST:
        raise TimeoutError
    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(run,), name=NAME, daemon=True)
    try:
        try:
            thread.start()
        except RuntimeError:
            return work()
        thread.join(max(0, seconds))
    finally:  # also after an interrupt
        thread.name = LEFT_BEHIND
    if raised:
        raise raised.pop()  # a name for it would be a reference cycle with its traceback
    if not returned:
        raise TimeoutError
    return returned[0]


def run_uninterrupted(work: Callable[[], T], stop: Callable[[], None]) -> T:
    """Run ``work`` where no interrupt reaches it, and return its result.

    After an interrupt of the caller, ``stop`` makes it end. If no thread can be started because the
    interpreter exits, it runs in the thread of the caller.

    Raises:
        Exception: The error of ``work``.
    """
    if sys.is_finalizing():
        return work()
    turn: list[None] = [None]  # for the first thread that takes it
    returned: list[T] = []
    raised: list[BaseException] = []
    ended: queue.SimpleQueue[None] = queue.SimpleQueue()

    def run() -> None:
        try:
            turn.pop()
        except IndexError:
            return
        try:
            returned.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again below
            raised.append(error)
        ended.put(None)

    def begin() -> None:  # pragma: no cover - the measurement begins in it
        sys.settrace(threading.gettrace())  # as a Thread does
        run()

    try:
        try:
            # Not a Thread: an interrupt of its ``start`` can leave a lock held that it waits for.
            _thread.start_new_thread(begin, ())
        except RuntimeError:
            run()
        _wait(ended, run)
    except BaseException:
        stop()
        if not turn and not (returned or raised):
            with suppress(queue.Empty):
                ended.get(timeout=_LONGEST_END)
        raise
    if raised:
        raise raised.pop()  # a name for it would be a reference cycle with its traceback
    return returned[0]


def _wait(ended: "queue.SimpleQueue[None]", run: Callable[[], None]) -> None:
    """Wait for the end of ``run``, which another thread runs, or this one if that has died.

    Before Python 3.12, PyThreadState_SetAsyncExc may reach a thread that the intended one starts.
    """
    try:
        ended.get(timeout=_LONGEST_START)
    except queue.Empty:
        run()
        ended.get()
