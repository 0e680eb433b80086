"""The expected outcome of each fault, and the tables of the page."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .catalogue import FAULTS
from .steps import LOCAL, STEPS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .running import Cell

#: Family -> fault -> its outcomes: at every attempt, no credentials yet; at one attempt; at every
#: attempt of a refresh while the credentials are valid.
EXPECTED: Mapping[str, Mapping[str, list[str]]] = tomllib.loads(
    Path(__file__).with_name("expected.toml").read_text(encoding="utf-8")
)
_COLUMNS = (
    "| fault | every attempt, no credentials yet | one attempt, no credentials yet "
    "| every attempt, the credentials are valid |\n"
)
#: Steps without an operation of AWS -> how the page names them.
_REQUESTS = {
    "GET": "The request to the endpoint",
    "GetIdToken": "The request for the token of a job",
    "GetToken": "The request to the token endpoint",
    "GetMetadataToken": "`PUT /latest/api/token`",
    "GetInstanceRole": "`GET .../iam/security-credentials/`",
    "GetInstanceKeys": "`GET .../iam/security-credentials/ROLE`",
}
_LOCAL_COLUMNS = "| fault | no credentials yet | the credentials are valid |\n"


def discrepancies(cells: Iterable[Cell]) -> list[str]:
    """Return the faults with another outcome, and what must never happen."""
    found = []
    for cell in cells:
        expected = EXPECTED.get(cell.step.family, {}).get(cell.fault.name, [])
        place = f"{cell.step}: {cell.fault.name}"
        if list(cell.outcome) != expected:
            found.append(f"{place}: {list(cell.outcome)} instead of {expected}")
        found += [f"{place}: {problem}" for problem in cell.problems]
    return found


def tables() -> str:
    """Return the whole matrix, a table for each family of steps."""
    families: dict[str, list[str]] = {}
    for step in (*STEPS, *LOCAL):
        names = families.setdefault(step.family, [_operation(step.operation)])
        names.append(_factory(step))
    return "".join(
        f"### {operation} of {' and '.join(factories)}\n\n{_table(family)}\n"
        for family, (operation, *factories) in families.items()
    )


def _operation(operation: str) -> str:
    if " " in operation:
        return operation[0].upper() + operation[1:]
    return _REQUESTS.get(operation, f"`{operation}`")


def _factory(step: object) -> str:
    factory, _, case = str(step).rpartition(" of ")[2].partition(", ")
    return f"`{factory}`" + (f", {case}" if case else "")


def _table(family: str) -> str:
    rows = EXPECTED[family]
    is_local = not any(once for _, once, _ in rows.values())
    head = _LOCAL_COLUMNS if is_local else _COLUMNS
    lines = [head, "| --- " * (head.count("|") - 1) + "|\n"]
    for fault in [one.name for one in FAULTS if one.name in rows]:
        first, once, valid = rows[fault]
        cells = [fault, first, valid] if is_local else [fault, first, once, valid]
        lines.append(f"| {' | '.join(cells)} |\n")
    return "".join(lines)
