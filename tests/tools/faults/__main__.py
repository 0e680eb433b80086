"""``python -m tests.tools.faults``: try every fault, print the table, and write ``docs/faults.md``.

It ends with status 1, and writes nothing, where something else came of a fault than is written
down in ``expected.toml``.
"""

import sys
import tempfile
import time
from pathlib import Path

from .expected import discrepancies, tables
from .running import run_slow, run_step
from .steps import LOCAL, STEPS

PAGE = Path(__file__).parent.parent.parent.parent / "docs" / "faults.md"
BEGIN, END = "<!-- faults: by python -m tests.tools.faults -->\n", "<!-- faults: end -->\n"


def written(page: str) -> str:
    """Return the page with the table as it is now."""
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n{tables()}{END}{rest.split(END)[1]}"


def main() -> int:
    """Do so; return the exit status."""
    found, count, longest, start = [], 0, 0.0, time.monotonic()
    tries = [*(lambda home, one=one: run_step(one, home) for one in (*STEPS, *LOCAL)), run_slow]
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
        f"written down; the longest wait for keys was {longest:.1f} s.\n"
    )
    if found:
        return 1
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
