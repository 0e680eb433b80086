"""The environment of this process, its clock and chance: no other module reaches for them."""

import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone


def system_environment() -> Mapping[str, str]:
    """Return the environment of this process, live."""
    return os.environ


def hand_down(name: str, value: str) -> None:
    """Set a variable for the processes that this one starts."""
    os.environ[name] = value


def _wall_clock() -> float:
    # Looked up each time: a library for tests may replace it, and then services believe it, too.
    return time.time()


@dataclass(frozen=True)
class Clock:
    """Time and chance, so that a test can hold both."""

    #: Seconds since 1970.
    now: Callable[[], float] = _wall_clock
    #: Seconds that only grow.
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    #: A number from 0 up to 1.
    random: Callable[[], float] = random.random

    def utc(self) -> datetime:
        """Return the time as botocore takes it."""
        return datetime.fromtimestamp(self.now(), timezone.utc)
