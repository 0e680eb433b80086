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
    """What is in force. It is replaced as a whole, and only if it is still what was read."""

    def __init__(self, clock: Clock, window: Callable[[], Window]) -> None:
        """Hold nothing yet."""
        self._clock, self._window = clock, window
        # A signal handler may come here again; nothing is called while it is held.
        self.mutex = ProcessLocal(threading.RLock)
        self.current = Current()

    def now(self) -> Moment:
        """Return the time."""
        return Moment(self._clock.now(), self._clock.monotonic())

    def swap(self, read: Current, changed: Current) -> bool:
        """Put ``changed`` in force if ``read`` still is; return whether it was."""
        # In one line nothing, a debugger's trace function included, comes before the release.
        with self.mutex.get(): self.current = changed if (is_same := self.current is read) else self.current  # noqa: E501, E701 - see above  # fmt: skip
        return is_same

    def invalidate(self, access_key: str | None = None) -> None:
        """Make the next use fetch (see ``ProviderCredentials.invalidate``)."""
        # What a fetch under way gives, since before the rejection or after it, will be newer
        # than the rejected keys: of all who are told of that at once, none makes another.
        self.in_this_process()
        grows = access_key is None
        self._change(lambda state: after_invalidation(state, access_key, self.now()), epoch=grows)

    def start_with(self, keys: Keys | None) -> None:
        """Hold ``keys``, just obtained, or nothing; a fetch under way does not count any more."""
        state = State() if keys is None else State(keys, obtained=self.now())
        while True:
            read = self.current
            empty = Current(identity=read.identity + 1)
            if self.swap(read, empty.followed_by(state, read.epoch + 1, self._window())):
                return

    def in_this_process(self) -> Current:
        """Return what is in force; a forked child does not inherit the waits of its parent."""
        if self.current.pid != os.getpid():
            self._change(lambda state: state.but(retry_at=PAST, raise_until=PAST))
        return self.current

    def _change(self, change: Callable[[State], State], *, epoch: int = 0) -> None:
        while True:
            read = self.current
            changed = read.followed_by(change(read.state), read.epoch + epoch, self._window())
            if self.swap(read, changed):
                return
