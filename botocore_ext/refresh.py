"""When to refresh, as a pure function of state and time.

The rules are AWS's cross-SDK credential refresh behaviour of 2026, with the five-minute window of
the AWS SDK for JavaScript as the default. ``decide`` knows neither clock nor network; everything
that varies is an argument.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, Literal

from .keys import Keys

#: Seconds before expiry at which a refresh is first tried.
DEFAULT_WINDOW: Final = 300
#: Seconds before expiry from which all callers wait for a refresh.
MANDATORY_WINDOW: Final = 60

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


@dataclass(frozen=True)
class State:
    """All that the decision depends on, besides the time."""

    keys: Keys | None = None
    #: Seconds since 1970; the time of the last success.
    obtained: float = 0.0
    #: Someone asked for new keys.
    invalidated: bool = False
    #: No attempt before this time, while there are keys.
    retry_at: float = 0.0
    #: Attempts that failed since the keys expired.
    failures: int = 0
    #: What the last attempt raised; None after a success.
    last_error: Exception | None = None
    #: Until then ``last_error`` is raised again without an attempt.
    raise_until: float = 0.0

    @property
    def expires(self) -> float:
        """Seconds since 1970; infinite for keys that do not expire."""
        if self.keys is None or self.keys.expiration is None:
            return float("inf")
        return self.keys.expiration.timestamp()

    @property
    def lifetime(self) -> float:
        """Seconds from the fetch to expiry."""
        return self.expires - self.obtained


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


def decide(state: State, now: float, window: Window) -> Decision:
    """What a caller does at the time ``now``, with the ``window`` that is configured."""
    if now < state.raise_until:
        return Decision.RAISE
    if state.keys is None:
        return Decision.MUST
    left = state.expires - now
    if not state.invalidated and left > advisory_window(state.lifetime, window):
        return Decision.SERVE
    if now < state.retry_at:
        return Decision.WAIT
    if state.invalidated or left <= mandatory_window(state.lifetime):
        return Decision.MUST
    return Decision.TRY


def wait(state: State, now: float, chance: float) -> float:
    """Seconds until the next attempt after a failure.

    While keys are valid: 300 to 600 s, at most half the time left, at least 5 s. Once they have
    expired: 5 s doubling to 60 s, of which a random half. ``chance`` is from 0 up to 1.
    """
    left = state.expires - now
    if left > 0:
        return max(5.0, min(300 + 300 * chance, left / 2))
    longest: float = min(5.0 * 2 ** min(state.failures, 4), 60.0)
    return longest * (0.5 + chance / 2)
