"""Run code of other packages in a helper thread, because nothing else can limit its time.

Calls of this package end at their deadline, in the thread of the caller (see ``deadline``).
"""

import contextvars
import sys
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

#: The names of these threads: while a caller waits, and after it has given up.
NAME, LEFT_BEHIND = "botocore_ext", "botocore_ext, left behind"
#: The number of threads that may be left behind at once.
MOST = 8


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
