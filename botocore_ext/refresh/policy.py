"""Pure functions that decide when to refresh. They take the time as an argument and do no I/O.

The rules are AWS's cross-SDK credential refresh behavior of 2026, with the five-minute window of
the AWS SDK for JavaScript as the default. ``decide`` returns what a caller does; ``after_failure``
and ``after_invalidation`` return the state to remember.
"""

from collections.abc import Callable
from enum import Enum, auto
from typing import Final, Literal, NamedTuple, TypeAlias

from ..aws.frozen_credentials import FrozenCredentials
from ..errors import is_recoverable, is_wrong_mfa_code

# The state and the time.


class Moment(NamedTuple):
    """A time on two clocks, because each of them fails in its own way.

    The wall clock may be set, and the monotonic one stops while a machine is suspended. A wait is
    over, and credentials have expired, as soon as one of the two says so.
    """

    #: Seconds since 1970.
    wall: float
    #: Seconds of a monotonic clock.
    steady: float

    def after(self, seconds: float) -> "Moment":
        """Return the time ``seconds`` later."""
        return Moment(self.wall + seconds, self.steady + seconds)

    def until(self, other: "Moment") -> float:
        """Return the seconds to ``other`` by the clock that gets there first; negative after it."""
        return min(other.wall - self.wall, other.steady - self.steady)


PAST: Final = Moment(float("-inf"), float("-inf"))
NEVER: Final = Moment(float("inf"), float("inf"))


class State(NamedTuple):
    """Everything that the decision depends on, except the time."""

    credentials: FrozenCredentials | None = None
    #: The time of the last successful fetch.
    obtained: Moment = PAST
    #: ``invalidate`` was called: the next use fetches.
    invalidated: bool = False
    #: It was called because a service rejected them: the same credentials again are not new.
    rejected: bool = False
    #: These credentials replaced rejected ones.
    replaced_rejected: bool = False
    #: No attempt before this time, as long as there are credentials.
    retry_at: Moment = PAST
    #: Attempts that failed since the credentials expired or were invalidated, or since the start.
    failures: int = 0
    #: The error of the last attempt; None after a success.
    last_error: Exception | None = None
    #: Until then ``last_error`` is raised again without an attempt.
    raise_until: Moment = PAST

    @property
    def lifetime(self) -> float:
        """Seconds from the fetch to expiry; infinite for credentials that do not expire."""
        if self.credentials is None or self.credentials.expiration is None:
            return float("inf")
        return self.credentials.expiration.timestamp() - self.obtained.wall

    @property
    def expires(self) -> Moment:
        """When the credentials expire."""
        if self.credentials is None or self.credentials.expiration is None:
            return NEVER
        wall = self.credentials.expiration.timestamp()
        return Moment(wall, self.obtained.steady + (wall - self.obtained.wall))

    def is_unexpired(self, now: Moment) -> bool:
        """Whether there are credentials that have not expired."""
        return self.credentials is not None and now.until(self.expires) > 0


# The windows.

#: Seconds before expiry at which a refresh is first tried.
DEFAULT_WINDOW: Final = 300
#: Seconds before expiry from which all callers wait for a refresh.
MANDATORY_WINDOW: Final = 60

#: Seconds within which credentials that replaced rejected ones are not replaced for a rejection: a
#: service that rejects all credentials, or a wrong clock, must not cost a fetch for each request.
YOUNG: Final = 5

#: Below this, ``auto`` takes half the lifetime.
_SHORT_LIFETIME = 10 * 60
#: ``auto``: a lifetime below the first number has a window of the second, any other an hour.
_AUTO_WINDOWS = ((20 * 60 + 1, 5 * 60), (90 * 60, 15 * 60))

Window = float | Literal["auto"]


def advisory_window(lifetime: float, window: Window) -> float:
    """Return the seconds before expiry at which a refresh is first tried.

    At most half of ``lifetime``, so that a short lifetime does not mean a fetch for each request.
    """
    if window != "auto":
        return min(window, lifetime / 2)
    if lifetime < _SHORT_LIFETIME:
        return lifetime / 2
    return next((wide for limit, wide in _AUTO_WINDOWS if lifetime < limit), 3600)


def mandatory_window(lifetime: float) -> float:
    """Return the seconds before expiry from which callers wait; at most a tenth of ``lifetime``."""
    return min(float(MANDATORY_WINDOW), lifetime / 10)


# The decision.


class Decision(Enum):
    """What a caller that needs credentials does."""

    SERVE = auto()
    """Use the cached credentials."""
    TRY = auto()
    """Refresh unless another caller does; the cached credentials can be used meanwhile."""
    MUST = auto()
    """Wait for a refresh."""
    WAIT = auto()
    """Use the cached credentials: an attempt failed and the next one is not due."""
    RAISE = auto()
    """Raise the remembered error again."""


def decide(state: State, now: Moment, window: Window) -> Decision:
    """Return what a caller does at the time ``now``, with the configured ``window``."""
    if now.until(state.raise_until) > 0:
        return Decision.RAISE
    if state.credentials is None:
        return Decision.MUST
    left = now.until(state.expires)
    if not state.invalidated and left > advisory_window(state.lifetime, window):
        return Decision.SERVE
    if now.until(state.retry_at) > 0:
        return Decision.WAIT
    if state.invalidated or left <= mandatory_window(state.lifetime):
        return Decision.MUST
    return Decision.TRY


#: How long to wait after a failure; see ``retry_delay`` for its arguments.
RetryDelay: TypeAlias = Callable[[State, Moment, float], float]


def retry_delay(state: State, now: Moment, chance: float) -> float:
    """Return the seconds until the next attempt after a failure.

    While the credentials are valid: 300 to 600 s, at most half the time left, at least 5 s. After
    they have expired or were invalidated: 5 s doubling to 60 s, half of it random. ``chance`` is
    a random number from 0 up to 1.
    """
    left = now.until(state.expires)
    if left > 0 and not state.invalidated:
        return max(5.0, min(300 + 300 * chance, left / 2))
    longest: float = min(5.0 * 2 ** min(state.failures, 4), 60.0)
    return longest * (0.5 + chance / 2)


def reason_to_refuse(state: State, fetched: FrozenCredentials, now: Moment) -> str | None:
    """Return why the fetched credentials count as a failed fetch; None if they can be used."""
    if fetched.expiration is not None and fetched.expiration.timestamp() <= now.wall:
        return (
            f"it returned credentials that expired at {fetched.expiration}: check the clocks of "
            "this machine and of the source"
        )
    current = state.credentials
    if state.rejected and current is not None and fetched.access_key == current.access_key:
        return (
            "it returned the same credentials again that a service rejected as expired: check "
            "whether the source caches credentials for too long"
        )
    return None


def after_failure(
    state: State,
    error: Exception,
    now: Moment,
    chance: float,
    retry_delay: RetryDelay = retry_delay,
) -> State:
    """Return the state after an attempt that raised ``error`` at the time ``now``."""
    counts = state.invalidated or not state.is_unexpired(now)
    state = state._replace(last_error=error, retry_at=PAST, raise_until=PAST)
    if is_wrong_mfa_code(error):
        pass  # the next use asks for another code
    elif is_recoverable(error):
        state = state._replace(retry_at=now.after(retry_delay(state, now, chance)))
    else:
        state = state._replace(raise_until=now.after(1 + 4 * chance))
    return state._replace(failures=state.failures + counts)


def must_raise(state: State, error: Exception, now: Moment) -> bool:
    """Whether a failed attempt fails the request too; if not, it uses the cached credentials.

    ``state`` is the one before the attempt.
    """
    if is_wrong_mfa_code(error):
        return state.invalidated or not state.is_unexpired(now)
    return state.credentials is None or not is_recoverable(error)


def after_invalidation(state: State, access_key: str | None, now: Moment) -> State:
    """Return the state after ``ProviderCredentials.invalidate``; maybe the same."""
    if access_key is None:
        return state._replace(invalidated=True, rejected=False, retry_at=PAST, raise_until=PAST)
    if state.credentials is None or access_key != state.credentials.access_key:
        return state
    if state.replaced_rejected and now.until(state.obtained.after(YOUNG)) > 0:
        return state
    return state._replace(invalidated=True, rejected=True)
