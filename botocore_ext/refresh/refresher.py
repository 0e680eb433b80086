"""``Refresher``: holds the credentials of one provider and does what ``policy.decide`` returns.

It knows nothing of botocore: it has a fetch, a clock and a window. Any number of threads share
one fetch, credentials that are still valid are served through an outage, and a forked child starts
with its own locks.
"""

import os
import threading
from collections.abc import Callable
from typing import Any
from weakref import ref

from botocore.credentials import ReadOnlyCredentials

from ..aws.frozen_credentials import FrozenCredentials
from ..errors import ConfigurationError, FetchError, redacted_text
from ..runtime.deadline import FETCH_BUDGET, run_with_budget
from ..runtime.single_flight import (
    Flight,
    NeedsItselfError,
    ProcessLocal,
    SingleFlight,
    StillUnderWayError,
    current_flights,
    own_copy,
)
from ..system import Clock
from . import logger
from .policy import (
    PAST,
    Decision,
    Moment,
    RetryDelay,
    State,
    Window,
    advisory_window,
    after_failure,
    after_invalidation,
    decide,
    must_raise,
    reason_to_refuse,
    retry_delay,
)

#: Seconds to wait for the fetch of another thread while there are no credentials to serve: longer
#: than a token process may take before the fetch itself.
LONGEST_WAIT = 120
#: Access keys that are remembered: a request may last longer than the credentials that signed it.
_SERVED = 16

_EMPTY = ReadOnlyCredentials("", "", None)


class Current:
    """The state of a refresher; replaced as a whole, so that no reader sees half of it.

    Security: it is not a tuple, which shows its members, because error trackers send the variables
    of a traceback to a server.
    """

    def __init__(
        self,
        pid: int,
        state: State = State(),  # noqa: B008 - it does not change
        *,
        fresh_until: Moment = PAST,
        epoch: int = 0,
        identity: int = 0,
        frozen: ReadOnlyCredentials = _EMPTY,
        served: tuple[str, ...] = (),
        features: tuple[str, ...] = (),
    ) -> None:
        self.pid, self.state = pid, state
        #: Until then there is nothing to decide.
        self.fresh_until = fresh_until
        #: Grows with each invalidation that a fetch begun before it must not undo.
        self.epoch = epoch
        #: Grows when the token is replaced: credentials of the previous token are never used again.
        self.identity = identity
        #: The credentials to serve, as botocore signs with them; empty before the first fetch.
        self.frozen = frozen
        #: The access keys served so far, the newest first; those of a previous token are dropped.
        self.served = served
        #: See ``FrozenCredentials.features``.
        self.features = features

    def with_state(self, state: State, epoch: int, window: Window) -> "Current":
        """Return what follows once ``state`` applies."""
        pid, identity = os.getpid(), self.identity
        if state.credentials is None:
            return Current(pid, state, epoch=epoch, identity=identity)
        fresh_until, served = PAST, self.served
        if not state.invalidated:
            fresh_until = state.expires.after(-advisory_window(state.lifetime, window))
        if state.credentials.access_key not in served:
            served = (state.credentials.access_key, *served[: _SERVED - 1])
        return Current(
            pid,
            state,
            fresh_until=fresh_until,
            epoch=epoch,
            identity=identity,
            frozen=ReadOnlyCredentials(*state.credentials.parts()),
            served=served,
            features=state.credentials.features,
        )


class _ReplacedItselfError(Exception):
    """The fetch has replaced the token that it began with."""


class Refresher:
    """Credentials that are fetched on first use and refreshed before they expire."""

    def __init__(
        self,
        name: str,
        fetch: Callable[[], FrozenCredentials],
        clock: Clock,
        window: Callable[[], Window],
        retry_delay: RetryDelay = retry_delay,
    ) -> None:
        """Take the provider's name for texts, and how to fetch; nothing is fetched yet."""
        self._name, self._fetch, self._retry_delay = name, fetch, retry_delay
        self._clock, self._window = clock, window
        self._flight: SingleFlight[Current | None] = SingleFlight()
        #: The fetches, of any provider, that replaced the token last.
        self._replaced_by: list[ref[Flight[Any]]] = []
        # Reentrant, because a signal handler may come here; nothing is called while it is held.
        self._lock = ProcessLocal(threading.RLock)
        self.current = Current(os.getpid())

    def now(self) -> Moment:
        """Return the time."""
        return Moment(self._clock.now(), self._clock.monotonic())

    # Serving.

    def cached_state(self, *, allow_stale: bool) -> Current | None:
        """Return what to serve without a fetch, if anything.

        ``allow_stale``: also in the advisory window, because another caller fetches already.
        """
        current = self._in_this_process()
        decision = decide(current.state, self.now(), self._window())
        is_usable = decision is Decision.TRY and allow_stale
        return current if is_usable or decision in (Decision.SERVE, Decision.WAIT) else None

    def get_or_fetch(self) -> Current:
        """Return what to serve, fetching first if a refresh is due.

        A fetch that began after this call counts for it. Credentials that were invalidated
        meanwhile are not cached; those of a previous token are not served.

        Raises:
            NeedsItselfError: The fetch waits for its own result.
            Exception: The error of the fetch, if there are no credentials to serve.
        """
        has_replaced_itself = False
        while True:
            current = self._in_this_process()
            decision = decide(current.state, self.now(), self._window())
            if decision in (Decision.SERVE, Decision.WAIT):
                return current
            if decision is Decision.RAISE:
                raise _remembered_error(current.state)
            try:
                outcome = self._share_fetch(current, decision)
            except _ReplacedItselfError:
                if has_replaced_itself:
                    raise ConfigurationError(
                        provider=self._name,
                        error_msg="a callable of this provider replaces its token on each fetch: "
                        "return the new token from the callable instead",
                    ) from None
                has_replaced_itself = True
                continue
            if outcome is not None and outcome.identity == self.current.identity:
                return outcome

    def refresh(self) -> None:
        """Fetch now.

        Raises:
            Exception: The error of the fetch, even if the cached credentials stay in use.
        """
        self.invalidate()
        state = self.get_or_fetch().state
        if state.last_error is not None:
            raise _remembered_error(state)

    # The current state. It is replaced as a whole, and only if it is still the one that was read.

    def invalidate(self, access_key: str | None = None) -> None:
        """Make the next use fetch (see ``ProviderCredentials.invalidate``)."""
        # A fetch under way returns newer credentials than the rejected ones, whenever it began:
        # the callers that report the same rejection share it, and none of them starts another.
        self._in_this_process()
        grows = access_key is None
        self._change(lambda state: after_invalidation(state, access_key, self.now()), epoch=grows)

    def start_with(self, credentials: FrozenCredentials | None) -> None:
        """Start again with these credentials, or with None; a fetch under way no longer counts."""
        self._replaced_by = [ref(one) for one in current_flights()]
        state = State() if credentials is None else State(credentials, obtained=self.now())
        while True:
            read = self.current
            empty = Current(os.getpid(), identity=read.identity + 1)
            if self._swap(read, empty.with_state(state, read.epoch + 1, self._window())):
                return

    def _swap(self, read: Current, changed: Current) -> bool:
        """Replace the state by ``changed`` if it is still ``read``; return whether it was."""
        # On one line: nothing, not even a debugger's trace function, runs before the release.
        with self._lock.get(): self.current = changed if (is_same := self.current is read) else self.current  # noqa: E501, E701 - see above  # fmt: skip
        return is_same

    def _change(self, change: Callable[[State], State], *, epoch: int = 0) -> None:
        while True:
            read = self.current
            changed = read.with_state(change(read.state), read.epoch + epoch, self._window())
            if self._swap(read, changed):
                return

    def _in_this_process(self) -> Current:
        """Return the current state; a forked child does not inherit the waits of its parent."""
        if self.current.pid != os.getpid():
            self._change(lambda state: state._replace(retry_at=PAST, raise_until=PAST))
        return self.current

    # Fetching.

    def _share_fetch(self, current: Current, decision: Decision) -> Current | None:
        """Return the state after a fetch, made by this thread or by another one.

        If the other thread takes too long: ``current``, if its credentials can still be used, else
        None.
        """
        is_unexpired = current.state.is_unexpired(self.now())
        timeout = FETCH_BUDGET if is_unexpired else LONGEST_WAIT
        if decision is Decision.TRY:
            timeout = 0
        try:
            return self._flight.run(self._attempt, key=current.epoch, timeout=timeout)
        except StillUnderWayError:
            if is_unexpired:
                is_same = self.current.epoch == current.epoch
                return current if is_same and current.state.is_unexpired(self.now()) else None
            raise self._error(
                f"another thread has been fetching credentials for {LONGEST_WAIT} seconds: check "
                "what its token callable or process waits for"
            ) from None
        except NeedsItselfError:
            if is_unexpired:
                return current  # the fetch itself makes a request with them
            raise

    def _attempt(self) -> Current | None:
        """Fetch, unless the thread before this one has just done so, or was refused.

        Returns None if the token was replaced meanwhile.
        """
        began = self.current
        due = decide(began.state, self.now(), self._window())
        if due in (Decision.SERVE, Decision.WAIT):
            return began
        if due is Decision.RAISE:
            raise _remembered_error(began.state)
        try:
            state = self._check(run_with_budget(self._clock.monotonic, self._fetch))
        except Exception as error:
            # Raised here: a frame with the error as an argument would keep it, and with it all
            # frames of the caller, until the next garbage collection.
            outcome = self._after_failure(error, began)
            if outcome is None or not must_raise(outcome.state, error, self.now()):
                return outcome
            raise
        return self._put(began, lambda _: state)

    def _put(self, began: Current, change: Callable[[State], State]) -> Current | None:
        """Store the outcome of a fetch, unless the state that it began with was invalidated.

        Returns the outcome, or None if the token was replaced meanwhile.
        """
        while True:
            latest = self.current
            if latest.identity != began.identity:
                innermost = current_flights()[-1:]
                if any(one() in innermost for one in self._replaced_by):
                    raise _ReplacedItselfError
                return None
            outcome = latest.with_state(change(latest.state), latest.epoch, self._window())
            if latest.epoch != began.epoch or self._swap(latest, outcome):
                return outcome

    def _check(self, fetched: object) -> State:
        if not isinstance(fetched, FrozenCredentials):
            raise self._error(
                f"fetch() returned {type(fetched).__name__}: it must return FrozenCredentials"
            )
        now = self.now()
        fact = reason_to_refuse(self.current.state, fetched, now)
        if fact is not None:
            raise self._error(fact)
        logger.debug("Fetched credentials via %s until %s", self._name, fetched.expiration)
        return State(fetched, obtained=now, replaced_rejected=self.current.state.rejected)

    def _after_failure(self, error: Exception, began: Current) -> Current | None:
        """Remember and log the failure; return the state, or None as ``_put`` does."""
        now, chance, remembered = self.now(), self._clock.random(), own_copy(error)
        before = self.current.state
        outcome = self._put(
            began, lambda state: after_failure(state, remembered, now, chance, self._retry_delay)
        )
        if outcome is None:
            return None
        if must_raise(before, error, now):
            # Not a warning: the caller gets the error.
            text = redacted_text(error)
            logger.debug("Fetching credentials via %s failed: %s", self._name, text)
            return outcome
        validity = "are still valid" if before.is_unexpired(now) else "have expired"
        if before.invalidated:
            validity = "were invalidated"
        if before.last_error is None or validity != "are still valid":
            text = "Refreshing credentials via %s failed; the credentials in use %s: %s"
            logger.warning(text, self._name, validity, redacted_text(error))
        return outcome

    def _error(self, fact: str) -> FetchError:
        return FetchError(provider=self._name, error_msg=fact)


def _remembered_error(state: State) -> Exception:
    """Return the error to raise again: a copy, for this caller alone."""
    error: Any = state.last_error  # never None here: only a failure sets ``raise_until``
    remembered: Exception = own_copy(error)
    return remembered
