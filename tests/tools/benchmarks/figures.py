"""What is found, how a user reads it, and whether it meets its goal."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

#: The fields of ``Times``, which is a list once it has been JSON.
WALL, CPU = 0, 1
#: The part of botocore's larger figure that does not count as growth.
_NOISE = 0.05


@dataclass(frozen=True)
class Comparison:
    """Times of this package and of plain botocore, taken by turns in one run."""

    what: str
    ours: Sequence[Sequence[float]]
    theirs: Sequence[Sequence[float]]
    goal: float
    #: What keeps it from being faster.
    bound: str
    #: Times to subtract from both.
    common: Sequence[Sequence[float]] = ()

    def seconds(self, statistic: Callable[[Any], float], clock: int = WALL) -> tuple[float, float]:
        """Return the seconds of this package and of botocore."""
        ours, theirs, common = (
            statistic([one[clock] for one in times]) if times else 0
            for times in (self.ours, self.theirs, self.common)
        )
        return ours - common, theirs - common

    def ratio(self, statistic: Callable[[Any], float] = min, clock: int = WALL) -> float:
        """Return how much of botocore's time this package takes."""
        ours, theirs = self.seconds(statistic, clock)
        return ours / theirs

    @property
    def is_met(self) -> bool:
        return self.ratio() <= self.goal

    def result(self) -> str:
        """Return the cell of the table that a user reads."""
        return compared(*self.seconds(min))

    def cells(self) -> list[str]:
        """Return the cells of the table of goals up to the verdict."""
        ratios = self.ratio(), self.ratio(median), self.ratio(clock=CPU)
        return [f"{self.goal:g}", *(f"{one:.3f}" for one in ratios)]


@dataclass(frozen=True)
class Amount:
    """A figure whose goal does not depend on botocore."""

    what: str
    value: float
    unit: str
    goal: float
    bound: str
    #: Follows the figure in the table that a user reads.
    note: str = ""
    #: Whether more is better.
    is_least: bool = False

    @property
    def is_met(self) -> bool:
        return self.value >= self.goal if self.is_least else self.value <= self.goal

    def result(self) -> str:
        """See ``Comparison.result``."""
        return f"{_short(self.value)} {self.unit}".strip() + self.note

    def cells(self) -> list[str]:
        """See ``Comparison.cells``."""
        goal = f"{'at least ' * self.is_least}{self.goal:g} {self.unit}".strip()
        return [goal, _short(self.value), "", ""]


@dataclass(frozen=True)
class Growth:
    """Seconds of something small and of something large, here and in plain botocore."""

    what: str
    ours: Sequence[float]
    #: Empty if botocore has nothing like it.
    theirs: Sequence[float]

    @property
    def is_met(self) -> bool:
        ours, theirs = (large - small for small, large in (self.ours, self.theirs))
        return ours <= theirs + _NOISE * self.theirs[1]

    def cells(self) -> list[str]:
        """Return the cells of its row."""
        both = [" to ".join(map(time_of, one)) for one in (self.ours, self.theirs)]
        return [self.what, *both, _verdict(self) if self.theirs else ""]


def compared(ours: float, theirs: float) -> str:
    """Return a sentence about two times, such as ``10 % less time: 0.90 s against 1.00 s``."""
    more, times = (ours / theirs - 1) * 100, theirs / ours
    if times >= 1.5:
        words = f"**{times:.{0 if times >= 9.95 else 1}f} times faster**"
    else:
        words = f"{-more:.0f} % less time" if more < 0 else f"{more:.1f} % more time"
    return f"{words}: {time_of(ours)} against {time_of(theirs)}"


def time_of(seconds: float) -> str:
    """Return seconds in the unit that suits them."""
    units = {"s": 1, "ms": 1e-3, "µs": 1e-6}
    unit = "s" if seconds > 0.7 else "ms" if seconds > 0.7e-3 else "µs"
    return f"{_short(seconds / units[unit])} {unit}"


def _short(value: float) -> str:
    """Return a number with three digits, or more before the point."""
    return f"{value:.{max(0, 3 - len(f'{value:.0f}'))}f}" if value else "0"


def _verdict(one: Comparison | Amount | Growth) -> str:
    return "yes" if one.is_met else "**no**"


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines) if lines[2:] else ""


def parts(found: Iterable[Any]) -> dict[str, str]:
    """Return the tables of the page by their names; a text says what was not measured."""
    found = list(found)
    figures = [one for one in found if isinstance(one, Comparison | Amount)]
    return {
        "results": _table(
            ["", "compared with plain botocore"], ([one.what, one.result()] for one in figures)
        )
        + "".join(f"\nNot measured: {one}.\n" for one in found if isinstance(one, str)),
        "goals": _table(
            ["", "goal", "fastest", "median", "processor", "met", "bounded by"],
            ([one.what, *one.cells(), _verdict(one), one.bound] for one in figures),
        ),
        "growth": _table(
            ["", "this package", "plain botocore", "grows no more"],
            (one.cells() for one in found if isinstance(one, Growth)),
        ),
    }
