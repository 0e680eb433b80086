"""Work that nothing but another thread can be kept from waiting for: what other packages do.

Calls of our own end with their deadline, in the thread of the caller (see ``deadline``).
"""

import contextvars
import sys
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

#: The names of these threads: at work, and once their callers have gone.
NAME, LEFT_BEHIND = "botocore_ext", "botocore_ext, left behind"
#: Threads that may be left behind at once.
MOST = 8


def run_within(seconds: float, work: Callable[[], T]) -> T:
    """Return what ``work`` returns within ``seconds``, and leave its thread behind otherwise.

    Where no thread can be started because the interpreter ends, there is no limit.

    Raises:
        TimeoutError: The time is over, or too many threads are left behind already.
        Exception: What ``work`` raised.
    """
    if sys.is_finalizing():  # before Python 3.12 a thread that is started then never runs
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
        raise raised.pop()  # held by a frame of its own traceback, it would wait for the collector
    if not returned:
        raise TimeoutError
    return returned[0]
