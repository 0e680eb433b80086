"""Times as the values of options (see ``values``)."""

from datetime import timedelta
from typing import Any, Literal

#: The shortest lifetime that a chain may give to keys: that of the default refresh window.
FIVE_MINUTES = 300
#: The longest that an endpoint may take to say something.
LONGEST_TIMEOUT = 60
#: The longest time that an option may name: a century.
LONGEST = 100 * 365 * 86_400


def seconds(value: object) -> float:
    """A positive number of seconds, or a ``timedelta``."""
    given: Any = value.total_seconds() if isinstance(value, timedelta) else value
    try:
        number = float(given)
    except (TypeError, ValueError, OverflowError):
        number = float("nan")
    if isinstance(value, bool) or not 0 < number <= LONGEST:
        msg = "is not a number of seconds above 0"
        raise ValueError(msg)
    return number


def timeout(value: object) -> float:
    """Seconds, a minute at most."""
    found = seconds(value)
    if found > LONGEST_TIMEOUT:
        msg = "is more than a minute (it is in seconds, not in milliseconds)"
        raise ValueError(msg)
    return found


def window(value: object) -> float | Literal["auto"]:
    """A refresh window: seconds, or ``auto``."""
    if isinstance(value, str) and value.strip().lower() == "auto":
        return "auto"
    try:
        return seconds(value)
    except ValueError:
        msg = "is neither a number of seconds above 0 nor `auto`"
        raise ValueError(msg) from None


def lifetime(value: object) -> float:
    """Seconds, five minutes or more."""
    found = seconds(value)
    if found < FIVE_MINUTES:
        msg = "is less than five minutes (300)"
        raise ValueError(msg)
    return found
