"""``python -m tests.tools.faults``: try every fault, print the table, and write ``docs/faults.md``.

It ends with status 1, and writes nothing, if an outcome differs from ``expected.toml``.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from .expected import discrepancies, tables
from .running import Cell, run_slow, run_step
from .steps import LOCAL, STEPS

PAGE = Path(__file__).parent.parent.parent.parent / "docs" / "faults.md"
BEGIN, END = "<!-- faults: by python -m tests.tools.faults -->\n", "<!-- faults: end -->\n"


def written(page: str) -> str:
    """Return the page with the table as it is now."""
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n{tables()}{END}{rest.split(END)[1]}"


#: What is tried, each in a directory of its own.
TRIES = (*(partial(run_step, one) for one in (*STEPS, *LOCAL)), run_slow)


def main(page: Path = PAGE, tries: Sequence[Callable[[Path], list[Cell]]] = TRIES) -> int:
    """Try all, write the page, and return the exit status."""
    found, count, longest, start = [], 0, 0.0, time.monotonic()
    for one in tries:
        with tempfile.TemporaryDirectory() as home:
            cells = one(Path(home))
        found += discrepancies(cells)
        count += len(cells)
        longest = max([longest, *(cell.longest for cell in cells)])
    sys.stdout.write(tables())
    sys.stdout.write("".join(f"{line}\n" for line in found))
    sys.stdout.write(
        f"{count} faults tried in {time.monotonic() - start:.0f} s, {len(found)} of them not as "
        f"expected; the longest fetch took {longest:.1f} s.\n"
    )
    if found:
        return 1
    page.write_text(written(page.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
