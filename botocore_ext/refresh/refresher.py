"""``Refresher``: holds the keys of one provider and does what ``refresh.decide`` says.

It knows nothing of botocore: it has a fetch, a clock and a window. Any number of threads share
one fetch, keys that are still valid are served through an outage, and a forked child starts with
locks of its own.
"""

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from weakref import ref

from botocore.credentials import ReadOnlyCredentials

from ..aws.frozen_credentials import FrozenCredentials
from ..errors import ConfigurationError, FetchError, shown
from ..runtime.deadline import FETCH_BUDGET, run_with_budget
from ..runtime.single_flight import (
    Flight,
    NeedsItselfError,
    ProcessLocal,
    SingleFlight,
    StillUnderWayError,
    leading,
    own_copy,
)
from ..system import Clock
from .policy import (
    PAST,
    Decision,
    Moment,
    State,
    Wait,
    Window,
    advisory_window,
    after_failure,
    after_invalidation,
    decide,
    must_raise,
    refusal,
    wait,
)

# ``Current``: what a refresher has in force, as one value that is replaced as a whole.

#: Access keys that are remembered as ours: a request may be under way longer than its keys are.
_SERVED = 16


_NOTHING = ReadOnlyCredentials("", "", None)


@dataclass(frozen=True)
class Current:
    """What is in force; replaced as a whole, so that a reader never sees half of it."""

    state: State = field(default_factory=State)
    #: Until then there is nothing to decide.
    fresh_until: Moment = PAST
    #: Grows with each invalidation that a fetch begun before it must not undo.
    epoch: int = 0
    #: Grows when the token is replaced: what belongs to the one before is never used again.
    identity: int = 0
    pid: int = field(default_factory=os.getpid)
    #: The keys to serve, as botocore signs with them; empty ones before the first fetch.
    frozen: ReadOnlyCredentials = _NOTHING
    #: The access keys in force until now, the newest first; those of another token are forgotten.
    served: tuple[str, ...] = ()
    #: Of the keys (see ``FrozenCredentials.features``).
    features: tuple[str, ...] = ()

    def followed_by(self, state: State, epoch: int, window: Window) -> "Current":
        """Return what is in force once ``state`` is."""
        if state.keys is None:
            return Current(state, epoch=epoch, identity=self.identity)
        fresh_until, served = PAST, self.served
        if not state.invalidated:
            fresh_until = state.expires.after(-advisory_window(state.lifetime, window))
        if state.keys.access_key not in served:
            served = (state.keys.access_key, *served[: _SERVED - 1])
        frozen = ReadOnlyCredentials(*state.keys.parts())
        features = state.keys.features
        pid, identity = os.getpid(), self.identity
        return Current(state, fresh_until, epoch, identity, pid, frozen, served, features)


# ``Held``: the keys that are in force in this process, and what puts others in their place.


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

    def start_with(self, keys: FrozenCredentials | None) -> None:
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


logger = logging.getLogger(__name__)

#: Seconds to wait for the fetch of another thread where there is nothing to serve meanwhile:
#: longer than a token process may take before the fetch itself.
LONGEST_WAIT = 120


class _ReplacedItselfError(Exception):
    """The fetch has replaced the token that it began with."""


class Refresher(Held):
    """Keys that are fetched at the first use and refreshed in time."""

    def __init__(
        self,
        name: str,
        fetch: Callable[[], FrozenCredentials],
        clock: Clock,
        window: Callable[[], Window],
        wait: Wait = wait,
    ) -> None:
        """Take the provider's name for texts, and how to fetch; nothing is fetched yet."""
        super().__init__(clock, window)
        self._name, self._fetch, self._wait = name, fetch, wait
        self._flight: SingleFlight[Current | None] = SingleFlight()
        #: The fetches, of whichever provider, that have replaced the token last.
        self._replaced_by: list[ref[Flight[Any]]] = []

    def start_with(self, keys: FrozenCredentials | None) -> None:
        """See ``Held.start_with``."""
        self._replaced_by = [ref(one) for one in leading()]
        super().start_with(keys)

    def cached(self, *, refreshing: bool) -> Current | None:
        """Return what to serve without a fetch (see ``ProviderCredentials.cached``), if any."""
        current = self.in_this_process()
        decision = decide(current.state, self.now(), self._window())
        is_good = decision is Decision.TRY and refreshing
        return current if is_good or decision in (Decision.SERVE, Decision.WAIT) else None

    def get_or_fetch(self) -> Current:
        """Return what to serve, after a fetch where one is due.

        A fetch that began after the caller came is good for this caller. What was invalidated
        meanwhile is not kept; what was obtained with another token is not served.

        Raises:
            NeedsItselfError: The fetch asks for its own outcome.
            Exception: What the fetch raised, where there is nothing to serve.
        """
        has_replaced_itself = False
        while True:
            current = self.in_this_process()
            decision = decide(current.state, self.now(), self._window())
            if decision in (Decision.SERVE, Decision.WAIT):
                return current
            if decision is Decision.RAISE:
                raise _remembered(current.state)
            try:
                settled = self._fetched(current, decision)
            except _ReplacedItselfError:
                if has_replaced_itself:
                    raise ConfigurationError(
                        provider=self._name,
                        error_msg="a callable of this provider replaces its token at each fetch: "
                        "let it return the new token",
                    ) from None
                has_replaced_itself = True
                continue
            if settled is not None and settled.identity == self.current.identity:
                return settled

    def refresh(self) -> None:
        """Fetch now.

        Raises:
            Exception: What the fetch raised, also where older keys stay in use.
        """
        self.invalidate()
        state = self.get_or_fetch().state
        if state.last_error is not None:
            raise _remembered(state)

    def _fetched(self, current: Current, decision: Decision) -> Current | None:
        """Return what is in force after a fetch, this thread's or another's.

        Where that of another takes too long these are the keys from before, if they are still
        good; else None.
        """
        good = current.state.is_good(self.now())
        patience = FETCH_BUDGET if good else LONGEST_WAIT
        if decision is Decision.TRY:
            patience = 0
        try:
            return self._flight.run(self._attempt, key=current.epoch, patience=patience)
        except StillUnderWayError:
            if good:
                is_same = self.current.epoch == current.epoch
                return current if is_same and current.state.is_good(self.now()) else None
            raise self._error(
                f"another thread has been fetching for {LONGEST_WAIT} seconds: look for what "
                "its token callable or process waits for"
            ) from None
        except NeedsItselfError:
            if good:
                return current  # the fetch itself makes a request with them
            raise

    def _attempt(self) -> Current | None:
        """Fetch, unless the thread before this one has just done so, or has been refused.

        None: the token was replaced meanwhile.
        """
        began = self.current
        due = decide(began.state, self.now(), self._window())
        if due in (Decision.SERVE, Decision.WAIT):
            return began
        if due is Decision.RAISE:
            raise _remembered(began.state)
        try:
            state = self._checked(run_with_budget(self._clock.monotonic, self._fetch))
        except Exception as error:
            # Raised from here: a frame that has it as an argument would keep it, and with it all
            # frames of the caller, until the next garbage collection.
            outcome = self._failed(error, began)
            if outcome is None or not must_raise(outcome.state, error, self.now()):
                return outcome
            raise
        return self._put(began, lambda _: state)

    def _put(self, began: Current, change: Callable[[State], State]) -> Current | None:
        """Put the outcome of a fetch in force, unless what it began with was invalidated.

        Return the outcome; None: the token was replaced meanwhile.
        """
        while True:
            latest = self.current
            if latest.identity != began.identity:
                if any(one() is mine for one in self._replaced_by for mine in leading()[-1:]):
                    raise _ReplacedItselfError
                return None
            outcome = latest.followed_by(change(latest.state), latest.epoch, self._window())
            if latest.epoch != began.epoch or self.swap(latest, outcome):
                return outcome

    def _checked(self, keys: object) -> State:
        if not isinstance(keys, FrozenCredentials):
            raise self._error(
                f"fetch() returned {type(keys).__name__}: it must return FrozenCredentials"
            )
        now = self.now()
        fact = refusal(self.current.state, keys, now)
        if fact is not None:
            raise self._error(fact)
        logger.debug("Fetched credentials via %s until %s", self._name, keys.expiration)
        return State(keys, obtained=now, replaced_rejected=self.current.state.rejected)

    def _error(self, fact: str) -> FetchError:
        return FetchError(provider=self._name, error_msg=fact)

    def _failed(self, error: Exception, began: Current) -> Current | None:
        """Remember the failure; return what is in force, or None as ``_put`` does."""
        now, chance, remembered = self.now(), self._clock.random(), own_copy(error)
        before = self.current.state
        outcome = self._put(
            began, lambda state: after_failure(state, remembered, now, chance, self._wait)
        )
        if outcome is None:
            return None
        if must_raise(before, error, now):
            text = "Fetching credentials via %s failed: %s"
            logger.warning(text, self._name, shown(error))
            return outcome
        validity = "are still valid" if before.is_good(now) else "have expired"
        if before.invalidated:
            validity = "were invalidated"
        if before.last_error is None or validity != "are still valid":
            text = "Refreshing credentials via %s failed; the keys in use %s: %s"
            logger.warning(text, self._name, validity, shown(error))
        return outcome


def _remembered(state: State) -> Exception:
    """Return the error to raise again: a copy, for this caller alone."""
    error: Any = state.last_error  # never None here: only a failure sets ``raise_until``
    remembered: Exception = own_copy(error)
    return remembered
