"""``Refresher``: holds the keys of one provider and does what ``refresh.decide`` says.

It knows nothing of botocore: it has a fetch, a clock and a window. Any number of threads share
one fetch, keys that are still valid are served through an outage, and a forked child starts with
locks of its own.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from ..calls.budget import FETCH_BUDGET, run_with_budget
from ..errors import FetchError, shown
from ..keys import Keys
from ..outside import Clock
from ..threads.concurrency import NeedsItselfError, SingleFlight, StillUnderWayError
from .current import Current
from .held import Held
from .refresh import (
    Decision,
    Wait,
    Window,
    after_failure,
    decide,
    must_raise,
    refusal,
    wait,
)
from .state import State

logger = logging.getLogger(__name__)

#: Seconds to wait for the fetch of another thread where there is nothing to serve meanwhile:
#: longer than a token process may take before the fetch itself.
LONGEST_WAIT = 120
#: Fetches that one caller makes while each is invalidated before it ends.
ROUNDS = 5


class Refresher(Held):
    """Keys that are fetched at the first use and refreshed in time."""

    def __init__(
        self,
        name: str,
        fetch: Callable[[], Keys],
        clock: Clock,
        window: Callable[[], Window],
        wait: Wait = wait,
    ) -> None:
        """Take the provider's name for texts, and how to fetch; nothing is fetched yet."""
        super().__init__(clock, window)
        self._name, self._fetch, self._wait = name, fetch, wait
        self._flight: SingleFlight[Current] = SingleFlight()

    def at_hand(self, *, refreshing: bool) -> Current | None:
        """Return what to serve without a fetch (see ``ProviderCredentials.at_hand``), if any."""
        current = self.in_this_process()
        decision = decide(current.state, self.now(), self._window())
        is_good = decision is Decision.TRY and refreshing
        return current if is_good or decision in (Decision.SERVE, Decision.WAIT) else None

    def settle(self) -> Current:
        """Return what to serve, after a fetch where one is due.

        Raises:
            NeedsItselfError: The fetch asks for its own outcome.
            Exception: What the fetch raised, where there is nothing to serve.
        """
        for _ in range(ROUNDS):
            current, now = self.in_this_process(), self.now()
            decision = decide(current.state, now, self._window())
            if decision in (Decision.SERVE, Decision.WAIT):
                return current
            if decision is Decision.RAISE:
                raise _remembered(current.state)
            settled = self._fetched(current, decision)
            if settled and settled.epoch == current.epoch == self.current.epoch:
                return settled
        raise self._error(
            f"the keys were invalidated during each of {ROUNDS} fetches: look for a callable that "
            "calls invalidate() or sets a token"
        )

    def _fetched(self, current: Current, decision: Decision) -> Current | None:
        """Return what is in force after a fetch, this thread's or another's.

        Where that of another takes too long these are the keys from before, if they are still
        good; else None.
        """
        good = current.state.is_good(self.now())
        patience = FETCH_BUDGET if good else LONGEST_WAIT
        if decision is Decision.TRY:
            patience = 0
        attempt = partial(self._attempt, current.epoch)
        try:
            return self._flight.run(attempt, key=current.epoch, patience=patience)
        except StillUnderWayError:
            if good:
                return current if current.state.is_good(self.now()) else None
            raise self._error(
                f"another thread has been fetching for {LONGEST_WAIT} seconds: look for what "
                "its token callable or process waits for"
            ) from None
        except NeedsItselfError:
            if good:
                return current  # the fetch itself makes a request with them
            raise

    def _attempt(self, epoch: int) -> Current:
        """Fetch, unless the thread before this one has just done so, or has been refused."""
        current = self.current
        due = decide(current.state, self.now(), self._window())
        if current.epoch != epoch or due in (Decision.SERVE, Decision.WAIT):
            return current
        if due is Decision.RAISE:
            raise _remembered(current.state)
        try:
            state = self._checked(run_with_budget(self._clock.monotonic, self._fetch))
        except Exception as error:  # noqa: BLE001 - whatever a source raises is an outcome
            return self._failed(error, epoch)
        with self.mutex.get():
            return self.put(state, epoch) if self.current.epoch == epoch else self.current

    def _checked(self, keys: object) -> State:
        if not isinstance(keys, Keys):
            raise self._error(f"fetch() returned {type(keys).__name__}: it must return Keys")
        now = self.now()
        fact = refusal(self.current.state, keys, now)
        if fact is not None:
            raise self._error(fact)
        logger.debug("Fetched credentials via %s until %s", self._name, keys.expiration)
        return State(keys, obtained=now)

    def _error(self, fact: str) -> FetchError:
        return FetchError(provider=self._name, error_msg=fact)

    def _failed(self, error: Exception, epoch: int) -> Current:
        """Remember the failure; raise it where there is nothing to serve."""
        with self.mutex.get():
            if self.current.epoch != epoch:
                return self.current  # invalidated meanwhile: the caller starts again
            state, now = self.current.state, self.now()
            self.put(after_failure(state, error, now, self._clock.random(), self._wait), epoch)
        if must_raise(state, error, now):
            text = "Fetching credentials via %s failed: %s"
            logger.warning(text, self._name, shown(error))
            raise error
        validity = "are still valid" if state.is_good(now) else "have expired"
        if state.invalidated:
            validity = "were invalidated"
        if state.last_error is None or validity != "are still valid":
            text = "Refreshing credentials via %s failed; the keys in use %s: %s"
            logger.warning(text, self._name, validity, shown(error))
        return self.current


def _remembered(state: State) -> Exception:
    """Return the error to raise again, without its traceback, which would grow each time."""
    error: Any = state.last_error  # never None here: only a failure sets ``raise_until``
    remembered: Exception = error.with_traceback(None)
    return remembered
