"""The outcomes of all replays, compared with the list of known differences.

``python -m tests.tools.conformance.report`` prints that list as it is in
``docs/conformance.md``.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.parity.cases import read

from .case import Case
from .replay import Replay, leaked, visible

DIFFERENCES = Path(__file__).parent / "differences.toml"

MET, DIFFERS, FAILS, INSTALL_ONLY, LEFT_OUT = (
    "met",
    "differs, listed",
    "FAILS",
    "install() only",
    "left out",
)
#: From the best to the worst: of the same case of two SDKs the worse one counts.
_ORDER = (LEFT_OUT, INSTALL_ONLY, MET, DIFFERS, FAILS)


@dataclass(frozen=True)
class Difference:
    """Cases of a suite that ours does not meet, what it does instead, and why."""

    suites: tuple[str, ...]
    cases: tuple[str, ...]
    #: Patterns of what is found; whatever is found must match one.
    shows: tuple[str, ...]
    ours: str
    why: str
    #: Only through these factories; empty: through any.
    through: tuple[str, ...] = ()

    def is_about(self, case: Case, factory: str) -> bool:
        """Whether the case, through this factory, is listed here."""
        is_case = case.suite in self.suites and case.name in self.cases
        return is_case and (not self.through or factory in self.through)

    def explains(self, found: Iterable[str]) -> bool:
        """Whether this is all that is found."""
        return all(any(re.search(one, line) for one in self.shows) for line in found)


def differences() -> list[Difference]:
    """Read the list."""
    return [
        Difference(
            **{
                name: tuple(value) if isinstance(value, list) else value
                for name, value in one.items()
            }
        )
        for one in read(DIFFERENCES)["difference"]
    ]


@dataclass
class Result:
    """The outcome of one case."""

    case: Case
    #: Whether all that can be seen is the same under ``install()``.
    equal: bool = True
    #: What plain botocore does not meet.
    plain: list[str] = field(default_factory=list)
    #: The same for each factory of this package.
    ours: dict[str, list[str]] = field(default_factory=dict)

    def status(self, listed: Sequence[Difference]) -> str:
        """Return which of the five it is."""
        if self.case.left_out:
            return LEFT_OUT
        if not self.ours:
            return INSTALL_ONLY
        if not any(self.ours.values()):
            return MET
        return FAILS if any(self.unexplained(listed)) else DIFFERS

    def unexplained(self, listed: Sequence[Difference]) -> Iterator[str]:
        """Give what is found and does not stand in the list."""
        for factory, found in self.ours.items():
            known = [one for one in listed if one.is_about(self.case, factory)]
            if found and not any(one.explains(found) for one in known):
                yield f"{self.case}, through {factory}: {'; '.join(found)}"

    def outdated(self, listed: Sequence[Difference]) -> Iterator[str]:
        """Yield what is in the list of differences but is met."""
        for factory, found in self.ours.items():
            if not found and any(one.is_about(self.case, factory) for one in listed):
                yield f"{self.case}, through {factory}: is in the list of differences, but is met"


def ours(replay: Replay, case: Case, factory: str) -> list[str]:
    """Return what is not as the case has it through one of our factories."""
    seen = replay.ours(case, factory)
    return case.verdict(seen) + leaked(case, seen)


def result(replay: Replay, case: Case) -> Result:
    """Replay a case in every way."""
    if case.left_out:
        return Result(case)
    plain, installed = replay.plain(case), replay.installed(case)
    return Result(
        case,
        visible(plain) == visible(installed),
        case.verdict(plain),
        {factory: ours(replay, case, factory) for factory in case.factories},
    )


def is_credentials(case: Case) -> bool:
    """Whether the case counts: one of 418 gives a bearer token where credentials are meant."""
    return "bearer token" not in case.left_out


def table(results: Sequence[Result], listed: Sequence[Difference]) -> str:
    """Return a line for each suite, and for all cases that are not the same."""
    heads = ["vectors", "same under install()", "botocore meets", MET, DIFFERS, FAILS]
    heads += [INSTALL_ONLY, LEFT_OUT]
    suites = list(dict.fromkeys(one.case.suite for one in results))
    width = max(len(suite) for suite in [*suites, ""])
    lines = [f"{'':{width}}  " + "  ".join(heads)]
    for suite in [*suites, "all"]:
        chosen = [one for one in results if suite in (one.case.suite, "all")]
        run = [one for one in chosen if not one.case.left_out]
        count = Counter(one.status(listed) for one in chosen)
        cells = [
            str(len(chosen)),
            f"{sum(one.equal for one in run)} of {len(run)}",
            str(sum(not one.plain for one in run)),
            *(str(count[status]) for status in heads[3:]),
        ]
        shown = [f"{cell:>{len(head)}}" for head, cell in zip(heads, cells, strict=True)]
        lines.append(f"{suite:{width}}  {'  '.join(shown)}")
    distinct = Counter(distinct_statuses(results, listed).values())
    parts = ", ".join(f"{distinct[status]} {status}" for status in _ORDER if distinct[status])
    return "\n".join([*lines, "", f"{distinct.total()} distinct cases: {parts}"])


def distinct_statuses(results: Sequence[Result], listed: Sequence[Difference]) -> dict[str, str]:
    """Return the outcome of each case, counting the same case of two SDKs once."""
    worst: dict[str, str] = {}
    for one in results:
        if is_credentials(one.case):
            status, before = one.status(listed), worst.get(one.case.key, LEFT_OUT)
            worst[one.case.key] = max(status, before, key=_ORDER.index)
    return worst


def as_markdown(listed: Sequence[Difference]) -> str:
    """Return the list: what ours does, why, and the vectors that show it."""
    parts = []
    for one in listed:
        suites = " and ".join(f"`{suite}`" for suite in one.suites)
        names = "; ".join(f"*{name.rstrip('.')}*" for name in one.cases)
        through = f", through `{'`, `'.join(one.through)}`" if one.through else ""
        parts.append(
            f"- **It {one.ours.strip()}.** {one.why.strip()}\n\n  {suites}{through}: {names}"
        )
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.stdout.write(as_markdown(differences()))
