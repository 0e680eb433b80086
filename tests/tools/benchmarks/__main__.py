"""``python -m tests.tools.benchmarks``: measure, and write the tables of ``docs/performance.md``.

It takes five minutes; the less else the machine does, the steadier the figures.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import sys
from dataclasses import asdict
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

from .figures import parts
from .measuring import ROOT, world
from .rows import ROWS

PAGE = ROOT / "docs" / "performance.md"


def _machine() -> str:
    found = Path("/proc/cpuinfo")
    models = re.findall(r"model name\s*: (.*)", found.read_text()) if found.exists() else []
    packages = ", ".join(f"{one} {version(one)}" for one in ("boto3", "botocore", "urllib3"))
    return (
        f"Measured on {datetime.now(timezone.utc).date()}: "
        f"{models[0] if models else platform.machine()}, {os.cpu_count()} cores, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}, "
        f"{packages}.\n"
    )


def updated(page: str, tables: dict[str, str]) -> str:
    """Return the page with new tables between its comments ``NAME: by`` and ``NAME: end``."""
    for name, text in tables.items():
        between = re.compile(rf"(<!-- {name}: by.*?-->\n).*(<!-- {name}: end -->)", re.DOTALL)
        page = between.sub(lambda found, text=text: f"{found[1]}\n{text}\n{found[2]}", page)
    return page


def main(arguments: list[str]) -> None:
    """Measure and print; write the page if everything was measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.tools.benchmarks", description=__doc__)
    parser.add_argument(
        "--rows", nargs="+", choices=ROWS, default=list(ROWS), metavar="NAME", help=", ".join(ROWS)
    )
    parser.add_argument("--quick", action="store_true", help="only see that everything runs")
    parser.add_argument("--json", action="store_true", help="print all times, not tables")
    parser.add_argument(
        "--aio",
        type=Path,
        default=Path(sys.executable),
        metavar="PYTHON",
        help="the interpreter that has aiobotocore",
    )
    chosen = parser.parse_args(arguments)
    found = []
    with world(0.003 if chosen.quick else 1, str(chosen.aio.absolute())) as there:
        for name in chosen.rows:
            sys.stderr.write(f"{name}\n")
            found += ROWS[name](there)
    tables = parts(found) | {"machine": _machine()}
    if chosen.json:
        figures = [one if isinstance(one, str) else asdict(one) for one in found]
        sys.stdout.write(json.dumps(figures, indent=1) + "\n")
    else:
        sys.stdout.write("\n".join(filter(None, tables.values())))
    if list(ROWS) == chosen.rows and not chosen.quick:
        PAGE.write_text(updated(PAGE.read_text(encoding="utf-8"), tables), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
