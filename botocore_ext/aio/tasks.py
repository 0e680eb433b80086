"""Run work in a thread for a task, and share one call among the tasks of an event loop."""

import asyncio
import contextvars
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Generic, TypeVar

from ..runtime.awaiting import waiting_loop
from ..runtime.single_flight import Flight, ProcessLocal, join_flight

T = TypeVar("T")


async def in_thread(work: Callable[[], T]) -> T:
    """Run ``work`` in a new thread and return its result.

    The event loop's own threads are few: if all of them waited for a token, the coroutine that
    returns the token might wait for one of them. And a loop does not end before they do.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    returned: list[T] = []
    raised: list[BaseException] = []

    def run() -> None:
        waiting_loop.set(loop)
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
        raise raised.pop()  # a name for it would be a reference cycle with its traceback
    return returned[0]


def _finish(done: "asyncio.Future[None]") -> None:
    if not done.cancelled():
        done.set_result(None)


class SharedTasks(Generic[T]):
    """Shares one call among the tasks of an event loop, even if one of them is cancelled.

    Each event loop makes its own call. The outcome is never the result of a task or future, because
    asyncio's debug mode shows results.
    """

    def __init__(self) -> None:
        self._tasks: ProcessLocal[dict[object, tuple[Flight[T], asyncio.Task[None]]]]
        self._tasks = ProcessLocal(dict)

    def has(self, key: object = None) -> bool:
        """Return whether a call is under way in this event loop."""
        return (asyncio.get_running_loop(), key) in self._tasks.get()

    async def run(self, call: Callable[[], Coroutine[Any, Any, T]], key: object = None) -> T:
        """Await ``call()``, or another task's call with an equal key, and share its outcome.

        Raises:
            NeedsItselfError: ``call`` waits for its own outcome, perhaps through other calls of
                other tasks.
            Exception: The error of ``call``.
        """
        tasks, full_key = self._tasks.get(), (asyncio.get_running_loop(), key)
        if full_key not in tasks:
            new: Flight[T] = Flight()
            task = asyncio.create_task(_lead(new, call))
            task.add_done_callback(lambda _: tasks.pop(full_key, None))
            tasks[full_key] = new, task
        flight, task = tasks[full_key]
        with flight.waited_for():
            await asyncio.shield(task)
        (result,) = flight.outcome()
        return result


async def _lead(flight: Flight[T], call: Callable[[], Coroutine[Any, Any, T]]) -> None:
    join_flight(flight)
    try:
        flight.set_result(await call())
    except Exception as error:  # noqa: BLE001 - raised again in each task that waits
        flight.set_error(error)
    finally:
        flight.end()
