"""What tasks of an event loop share, and what they let a thread do."""

import asyncio
import contextvars
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, Generic, TypeVar

from ..threads.awaiting import asking
from ..threads.concurrency import NeedsItselfError, ProcessLocal
from ..threads.event_loop import EventLoop

T = TypeVar("T")

#: The shared tasks for which this task, or this thread, works.
_works_for: ContextVar[tuple[object, ...]] = ContextVar("botocore_ext_tasks", default=())


async def in_thread(work: Callable[[], T]) -> T:
    """Return what ``work`` returns, which a thread of its own does.

    The threads of the event loop are few: if all of them waited for a token, the coroutine that
    gives it might wait for one of them. And a loop does not end before they do.

    Raises:
        Exception: What ``work`` raised.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    returned: list[T] = []
    raised: list[BaseException] = []

    def run() -> None:
        asking.set(EventLoop(loop))
        try:
            returned.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again below
            raised.append(error)
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(_finish, done)

    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(run,), daemon=True, name="botocore_ext").start()
    await done
    if raised:
        raise raised.pop()  # held by a frame of its own traceback, it would wait for the collector
    return returned[0]


def _finish(done: "asyncio.Future[None]") -> None:
    if not done.cancelled():
        done.set_result(None)


class SharedTasks(Generic[T]):
    """Lets the tasks of one event loop share a call; one that is cancelled leaves it to the rest.

    Each event loop makes a call of its own.
    """

    def __init__(self) -> None:
        """Start with nothing under way."""
        self._tasks: ProcessLocal[dict[object, asyncio.Task[T]]] = ProcessLocal(dict)

    def has(self, key: object = None) -> bool:
        """Whether a call is under way in this event loop."""
        return (asyncio.get_running_loop(), key) in self._tasks.get()

    async def run(self, call: Callable[[], Coroutine[Any, Any, T]], key: object = None) -> T:
        """Await ``call()``, or the same call of another task, and share its outcome.

        Args:
            call: What to run.
            key: Only calls with an equal key are shared.

        Raises:
            NeedsItselfError: ``call`` came back here for its own outcome.
            Exception: What ``call`` raised.
        """
        tasks, place = self._tasks.get(), (asyncio.get_running_loop(), key)
        task = tasks.get(place)
        if task is None:
            task = tasks[place] = asyncio.create_task(_lead(call))
            task.add_done_callback(lambda _: tasks.pop(place))
            task.add_done_callback(_see)
        elif task in _works_for.get():
            raise NeedsItselfError
        return await asyncio.shield(task)


async def _lead(call: Callable[[], Coroutine[Any, Any, T]]) -> T:
    _works_for.set((*_works_for.get(), asyncio.current_task()))
    return await call()


def _see(task: "asyncio.Task[Any]") -> None:
    """Look at the error of a task for which nobody waits any more: asyncio would log it."""
    if not task.cancelled():
        task.exception()
