"""What tasks of an event loop share, and what they let a thread do."""

import asyncio
import contextvars
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Generic, TypeVar

from ..runtime.awaiting import EventLoop, asking
from ..runtime.single_flight import Flight, ProcessLocal, join_flight

T = TypeVar("T")


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

    Each event loop makes a call of its own. No task or future has an outcome as its result:
    asyncio's debug mode shows results.
    """

    def __init__(self) -> None:
        """Start with nothing under way."""
        self._tasks: ProcessLocal[dict[object, tuple[Flight[T], asyncio.Task[None]]]]
        self._tasks = ProcessLocal(dict)

    def has(self, key: object = None) -> bool:
        """Whether a call is under way in this event loop."""
        return (asyncio.get_running_loop(), key) in self._tasks.get()

    async def run(self, call: Callable[[], Coroutine[Any, Any, T]], key: object = None) -> T:
        """Await ``call()``, or the same call of another task, and share its outcome.

        Args:
            call: What to run.
            key: Only calls with an equal key are shared.

        Raises:
            NeedsItselfError: ``call`` came back here for its own outcome, also by way of other
                calls of other tasks.
            Exception: What ``call`` raised.
        """
        tasks, place = self._tasks.get(), (asyncio.get_running_loop(), key)
        if place not in tasks:
            new: Flight[T] = Flight()
            task = asyncio.create_task(_lead(new, call))
            task.add_done_callback(lambda _: tasks.pop(place, None))
            tasks[place] = new, task
        flight, task = tasks[place]
        with flight.waited_for():
            await asyncio.shield(task)
        (result,) = flight.outcome()
        return result


async def _lead(flight: Flight[T], call: Callable[[], Coroutine[Any, Any, T]]) -> None:
    join_flight(flight)
    try:
        flight.returned(await call())
    except Exception as error:  # noqa: BLE001 - raised again in each task that waits
        flight.failed(error)
    finally:
        flight.end()
