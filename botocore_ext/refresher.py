"""``Refresher``: holds the keys of one provider and does what ``refresh.decide`` says.

It knows nothing of botocore: it has a fetch, a clock and a window. Any number of threads share
one fetch, keys that are still valid are served through an outage, and a forked child starts with
locks of its own.
"""

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, ClientError

from .concurrency import NeedsItselfError, ProcessLocal, SingleFlight
from .errors import FetchError, is_recoverable
from .inner_calls import FETCH_BUDGET, fetch_budget
from .keys import Keys
from .refresh import Decision, State, Window, advisory_window, decide, wait
from .scope import Clock

logger = logging.getLogger(__name__)

_NOTHING = ReadOnlyCredentials("", "", None)

#: Seconds to wait for the fetch of another thread where there is nothing to serve meanwhile:
#: longer than a token process may take before the fetch itself.
LONGEST_WAIT = 120
#: Fetches that one caller makes while each is invalidated before it ends.
ROUNDS = 5


@dataclass(frozen=True)
class Current:
    """What is in force; replaced as a whole, so that a reader never sees half of it."""

    state: State
    #: Until then there is nothing to decide; seconds since 1970.
    fresh_until: float
    #: Grows with each invalidation: a fetch that began before one must not undo it.
    epoch: int
    pid: int
    #: The keys to serve, as botocore signs with them; empty ones before the first fetch.
    frozen: ReadOnlyCredentials
    #: Of those keys (see ``Keys.features``).
    features: tuple[str, ...] = ()


class Refresher:
    """Keys that are fetched at the first use and refreshed in time."""

    def __init__(
        self, name: str, fetch: Callable[[], Keys], clock: Clock, window: Callable[[], Window]
    ) -> None:
        """Take the provider's name for texts, and how to fetch; nothing is fetched yet."""
        self._name, self._fetch, self._clock, self._window = name, fetch, clock, window
        self._flight: SingleFlight[Current] = SingleFlight()
        self._mutex = ProcessLocal(threading.Lock)
        self.current = Current(State(), float("-inf"), 0, os.getpid(), _NOTHING)

    def settle(self) -> Current:
        """Return what to serve, after a fetch where one is due.

        Raises:
            NeedsItselfError: The fetch asks for its own outcome.
            Exception: What the fetch raised, where there is nothing to serve.
        """
        for _ in range(ROUNDS):
            current, now = self._current_in_this_process(), self._clock.now()
            decision = decide(current.state, now, self._window())
            if decision in (Decision.SERVE, Decision.WAIT):
                return current
            if decision is Decision.RAISE and current.state.last_error is not None:
                # Without its traceback, which would grow each time that it is raised.
                raise current.state.last_error.with_traceback(None)
            good = current.state.keys is not None and now < current.state.expires
            patience = FETCH_BUDGET if good else LONGEST_WAIT
            if decision is Decision.TRY:
                patience = 0
            attempt = partial(self._attempt, current.epoch)
            try:
                settled = self._flight.run(attempt, key=current.epoch, patience=patience)
            except TimeoutError:
                if good:
                    return current  # another thread refreshes, and these are still good
                raise self._error(
                    f"another thread has been fetching for {LONGEST_WAIT} seconds: look for what "
                    "its token callable or process waits for"
                ) from None
            except NeedsItselfError:
                if good:
                    return current  # the fetch itself makes a request with them
                raise
            if settled.epoch == current.epoch == self.current.epoch:
                return settled
        raise self._error(
            f"the keys were invalidated during each of {ROUNDS} fetches: look for a callable that "
            "calls invalidate() or sets a token"
        )

    def invalidate(self, access_key: str | None = None) -> None:
        """Make the next use fetch (see ``ProviderCredentials.invalidate``)."""
        with self._mutex.get():
            state, keys = self.current.state, self.current.state.keys
            if access_key is None:
                state = replace(state, invalidated=True, retry_at=0, raise_until=0)
            elif keys is not None and access_key == keys.access_key:
                state = replace(state, invalidated=True)
            else:
                return
            self._put(state, self.current.epoch + 1)

    def start_with(self, keys: Keys | None) -> None:
        """Hold ``keys``, just obtained, or nothing; a fetch under way does not count any more."""
        state = State() if keys is None else State(keys, obtained=self._clock.now())
        with self._mutex.get():
            self._put(state, self.current.epoch + 1)

    def _put(self, state: State, epoch: int) -> Current:
        fresh_until = float("-inf")
        if state.keys is not None and not state.invalidated:
            fresh_until = state.expires - advisory_window(state.lifetime, self._window())
        frozen = _NOTHING if state.keys is None else ReadOnlyCredentials(*state.keys.parts())
        features = state.keys.features if state.keys else ()
        self.current = Current(state, fresh_until, epoch, os.getpid(), frozen, features)
        return self.current

    def _current_in_this_process(self) -> Current:
        """Return what is in force; a forked child does not inherit the waits of its parent."""
        if self.current.pid != os.getpid():
            with self._mutex.get():
                state = replace(self.current.state, retry_at=0, raise_until=0)
                self._put(state, self.current.epoch)
        return self.current

    def _attempt(self, epoch: int) -> Current:
        """Fetch, unless the thread before this one has just done so."""
        current, now = self.current, self._clock.now()
        due = decide(current.state, now, self._window())
        if current.epoch != epoch or due in (Decision.SERVE, Decision.WAIT):
            return current
        try:
            with fetch_budget(self._clock.monotonic):
                state = self._checked(self._fetch())
        except Exception as error:  # noqa: BLE001 - whatever a source raises is an outcome
            return self._failed(error, epoch)
        with self._mutex.get():
            return self._put(state, epoch) if self.current.epoch == epoch else self.current

    def _checked(self, keys: object) -> State:
        if not isinstance(keys, Keys):
            raise self._error(f"fetch() returned {type(keys).__name__}: it must return Keys")
        state = State(keys, obtained=self._clock.now())
        if state.expires > state.obtained:
            logger.debug("Fetched credentials via %s until %s", self._name, keys.expiration)
            return state
        raise self._error(
            f"the keys it gave expired at {keys.expiration}: check the clocks of this machine and "
            "of the source"
        )

    def _error(self, fact: str) -> FetchError:
        return FetchError(provider=self._name, error_msg=fact)

    def _failed(self, error: Exception, epoch: int) -> Current:
        """Remember the failure; raise it where there is nothing to serve."""
        with self._mutex.get():
            if self.current.epoch != epoch:
                return self.current  # invalidated meanwhile: the caller starts again
            state, now, chance = self.current.state, self._clock.now(), self._clock.random()
            expired, final = state.expires <= now, not is_recoverable(error)
            self._put(
                replace(
                    state,
                    last_error=error,
                    raise_until=now + 1 + 4 * chance if final else 0,
                    retry_at=0 if final else now + wait(state, now, chance),
                    failures=state.failures + expired,
                ),
                epoch,
            )
        if final or state.keys is None:
            text = "Fetching credentials via %s failed: %s"
            logger.warning(text, self._name, _cause(error))
            raise error
        if expired or state.last_error is None:
            validity = "have expired" if expired else "are still valid"
            text = "Refreshing credentials via %s failed; the keys in use %s: %s"
            logger.warning(text, self._name, validity, _cause(error))
        return self.current


def _cause(error: Exception) -> str:
    """Return the text of our errors and botocore's; what others write may hold a token."""
    known = isinstance(error, (BotoCoreError, ClientError))
    return str(error) if known else type(error).__name__
