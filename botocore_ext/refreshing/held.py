"""``Held``: the keys that are in force in this process, and what puts others in their place."""

import os
import threading
from collections.abc import Callable

from ..keys import Keys
from ..outside import Clock
from ..threads.concurrency import ProcessLocal
from .current import Current
from .refresh import Window, after_invalidation
from .state import PAST, Moment, State


class Held:
    """What is in force, replaced by one thread at a time."""

    def __init__(self, clock: Clock, window: Callable[[], Window]) -> None:
        """Hold nothing yet."""
        self._clock, self._window = clock, window
        self.mutex = ProcessLocal(threading.Lock)
        self.current = Current()

    def now(self) -> Moment:
        """Return the time."""
        return Moment(self._clock.now(), self._clock.monotonic())

    def invalidate(self, access_key: str | None = None) -> None:
        """Make the next use fetch (see ``ProviderCredentials.invalidate``)."""
        self.in_this_process()
        with self.mutex.get():
            state = after_invalidation(self.current.state, access_key)
            # What a fetch under way gives, since before the rejection or after it, will be newer
            # than the rejected keys: of all who are told of that at once, none makes another.
            self.put(state, self.current.epoch + (access_key is None))

    def start_with(self, keys: Keys | None) -> None:
        """Hold ``keys``, just obtained, or nothing; a fetch under way does not count any more."""
        state = State() if keys is None else State(keys, obtained=self.now())
        with self.mutex.get():
            self.current = Current().followed_by(state, self.current.epoch + 1, self._window())

    def put(self, state: State, epoch: int) -> Current:
        """Put ``state`` in force, and return what is; only within ``mutex``."""
        self.current = self.current.followed_by(state, epoch, self._window())
        return self.current

    def in_this_process(self) -> Current:
        """Return what is in force; a forked child does not inherit the waits of its parent."""
        if self.current.pid != os.getpid():
            with self.mutex.get():
                state = self.current.state.but(retry_at=PAST, raise_until=PAST)
                self.put(state, self.current.epoch)
        return self.current
