"""When to refresh, as pure functions of state and time.

The rules are AWS's cross-SDK credential refresh behaviour of 2026, with the five-minute window of
the AWS SDK for JavaScript as the default. ``decide`` says what a caller does; ``after_failure`` and
``after_invalidation`` say what is remembered. None knows a clock or the network; everything that
varies is an argument.
"""

from collections.abc import Callable
from enum import Enum, auto
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from ..aws.frozen_credentials import FrozenCredentials
from ..errors import is_recoverable, is_wrong_mfa_code

# ``State``: all that it depends on when keys are refreshed, and ``Moment``, the time of it.


class Moment(NamedTuple):
    """A time by two clocks, because each of them fails in its own way.

    The wall clock may be set, and the steady one stands still while a machine is suspended. A
    wait is over, and keys have expired, as soon as one of the two says so.
    """

    #: Seconds since 1970.
    wall: float
    #: Seconds since some time of no meaning; they only grow.
    steady: float

    def after(self, seconds: float) -> "Moment":
        """Return the time ``seconds`` later."""
        return Moment(self.wall + seconds, self.steady + seconds)

    def until(self, other: "Moment") -> float:
        """Return the seconds to ``other`` by the clock that is there first; negative after it."""
        return min(other.wall - self.wall, other.steady - self.steady)


PAST: Final = Moment(float("-inf"), float("-inf"))
NEVER: Final = Moment(float("inf"), float("inf"))


class State(NamedTuple):
    """All that the decision depends on, besides the time."""

    keys: FrozenCredentials | None = None
    #: The time of the last success.
    obtained: Moment = PAST
    #: Someone asked for new keys.
    invalidated: bool = False
    #: They did because a service has rejected these: the same ones again are not new.
    rejected: bool = False
    #: These replaced keys that a service had rejected.
    replaced_rejected: bool = False
    #: No attempt before this time, while there are keys.
    retry_at: Moment = PAST
    #: Attempts that failed since the keys expired or were invalidated, or before there were any.
    failures: int = 0
    #: What the last attempt raised; None after a success.
    last_error: Exception | None = None
    #: Until then ``last_error`` is raised again without an attempt.
    raise_until: Moment = PAST

    def but(self, **changes: Any) -> "State":
        """Return the same with some changes."""
        return self._replace(**changes)

    @property
    def lifetime(self) -> float:
        """Seconds from the fetch to expiry; infinite for keys that do not expire."""
        if self.keys is None or self.keys.expiration is None:
            return float("inf")
        return self.keys.expiration.timestamp() - self.obtained.wall

    @property
    def expires(self) -> Moment:
        """When the keys stop working."""
        lifetime = self.lifetime
        return NEVER if lifetime == float("inf") else self.obtained.after(lifetime)

    def is_good(self, now: Moment) -> bool:
        """Whether there are keys that have not expired."""
        return self.keys is not None and now.until(self.expires) > 0


#: Seconds before expiry at which a refresh is first tried.
DEFAULT_WINDOW: Final = 300
#: Seconds before expiry from which all callers wait for a refresh.
MANDATORY_WINDOW: Final = 60

#: Seconds within which credentials that replaced rejected ones are not replaced for a rejection: a
#: service that rejects all credentials, or a wrong clock, must not cost a fetch for each request.
YOUNG: Final = 5

#: Below this, ``auto`` takes half the lifetime.
_SHORT_LIFETIME = 10 * 60
#: ``auto``: lifetimes below (first) have a window of (second), others an hour.
_AUTO_WINDOWS = ((20 * 60 + 1, 5 * 60), (90 * 60, 15 * 60))

Window = float | Literal["auto"]


class Decision(Enum):
    """What a caller that needs keys does."""

    SERVE = auto()
    """Use the keys."""
    TRY = auto()
    """Refresh unless another caller does; the keys are good either way."""
    MUST = auto()
    """Wait for a refresh."""
    WAIT = auto()
    """Use the keys: an attempt failed and the next one is not due."""
    RAISE = auto()
    """Raise the remembered error again."""


#: How long to wait after a failure; see ``wait`` for its arguments.
Wait: TypeAlias = Callable[[State, Moment, float], float]


def advisory_window(lifetime: float, window: Window) -> float:
    """Seconds before expiry at which a refresh is tried.

    At most half of ``lifetime``, so that no lifetime means a fetch for each request; ``auto`` has
    its own table, and needs that only below ten minutes.
    """
    if window != "auto":
        return min(window, lifetime / 2)
    if lifetime < _SHORT_LIFETIME:
        return lifetime / 2
    return next((wide for limit, wide in _AUTO_WINDOWS if lifetime < limit), 3600)


def mandatory_window(lifetime: float) -> float:
    """Seconds before expiry from which callers wait; a tenth of a lifetime under ten minutes."""
    return min(float(MANDATORY_WINDOW), lifetime / 10)


def decide(state: State, now: Moment, window: Window) -> Decision:
    """What a caller does at the time ``now``, with the ``window`` that is configured."""
    if now.until(state.raise_until) > 0:
        return Decision.RAISE
    if state.keys is None:
        return Decision.MUST
    left = now.until(state.expires)
    if not state.invalidated and left > advisory_window(state.lifetime, window):
        return Decision.SERVE
    if now.until(state.retry_at) > 0:
        return Decision.WAIT
    if state.invalidated or left <= mandatory_window(state.lifetime):
        return Decision.MUST
    return Decision.TRY


def wait(state: State, now: Moment, chance: float) -> float:
    """Seconds until the next attempt after a failure.

    While keys are valid: 300 to 600 s, at most half the time left, at least 5 s. Once they have
    expired or were invalidated: 5 s doubling to 60 s, of which a random half. ``chance`` is from 0
    up to 1.
    """
    left = now.until(state.expires)
    if left > 0 and not state.invalidated:
        return max(5.0, min(300 + 300 * chance, left / 2))
    longest: float = min(5.0 * 2 ** min(state.failures, 4), 60.0)
    return longest * (0.5 + chance / 2)


def refusal(state: State, keys: FrozenCredentials, now: Moment) -> str | None:
    """Say why ``keys``, just fetched, count as a failed fetch; None: they are what is wanted."""
    if keys.expiration is not None and keys.expiration.timestamp() <= now.wall:
        return (
            f"the keys it gave expired at {keys.expiration}: check the clocks of this machine and "
            "of the source"
        )
    if state.rejected and state.keys is not None and keys.access_key == state.keys.access_key:
        return (
            "it gave the keys again that a service has rejected as expired: check whether the "
            "source keeps keys for too long"
        )
    return None


def after_failure(
    state: State, error: Exception, now: Moment, chance: float, wait: Wait = wait
) -> State:
    """Return the state after an attempt that raised ``error`` at the time ``now``."""
    counts = state.invalidated or not state.is_good(now)
    state = state.but(last_error=error, retry_at=PAST, raise_until=PAST)
    if is_wrong_mfa_code(error):
        pass  # the next use asks for another one
    elif is_recoverable(error):
        state = state.but(retry_at=now.after(wait(state, now, chance)))
    else:
        state = state.but(raise_until=now.after(1 + 4 * chance))
    return state.but(failures=state.failures + counts)


def must_raise(state: State, error: Exception, now: Moment) -> bool:
    """Whether a failed attempt fails the request too; if not, it uses the cached credentials.

    Args:
        state: The state before the attempt.
        error: What the attempt raised.
        now: The time.
    """
    if is_wrong_mfa_code(error):
        return state.invalidated or not state.is_good(now)
    return state.keys is None or not is_recoverable(error)


def after_invalidation(state: State, access_key: str | None, now: Moment) -> State:
    """Return the state after ``ProviderCredentials.invalidate``; the same if it is not meant."""
    if access_key is None:
        return state.but(invalidated=True, rejected=False, retry_at=PAST, raise_until=PAST)
    if state.keys is None or access_key != state.keys.access_key:
        return state
    if state.replaced_rejected and now.until(state.obtained.after(YOUNG)) > 0:
        return state
    return state.but(invalidated=True, rejected=True)
