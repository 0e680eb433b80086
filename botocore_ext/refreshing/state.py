"""``State``: all that it depends on when keys are refreshed, and ``Moment``, the time of it."""

from typing import Any, Final, NamedTuple

from ..keys import Keys


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

    keys: Keys | None = None
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
