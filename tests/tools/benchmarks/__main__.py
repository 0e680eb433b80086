"""``python -m tests.tools.benchmarks [NAME ...]``: measure, and write ``docs/performance.md``.

With names (``valid``, ``refreshes``, ...) only these are measured, and nothing is written. It takes
some minutes; the less else the machine does, the steadier the figures.
"""

import os
import platform
import sys
import tempfile
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

from . import first, fleet, many, refreshes, server, start, storm, valid
from .measuring import ROOT, Figure, world

MODULES = (valid, refreshes, first, start, many, storm, fleet)

_HEAD = """\
# Performance

This page is written by `python -m tests.tools.benchmarks`. Times are medians of rounds in which
plain botocore and this package take turns in the same process; what happens once in a process is
measured in processes that take turns. The services are a loopback server in a process of its own,
which answers in one write with TCP_NODELAY set: to AWS, the network comes on top for both.

A figure of a busy machine may miss a goal that it meets on an idle one; a ratio moves least. On the
machine of this page, which shares its cores with others, a refresh took between 0.27 and 0.33 of
botocore's, and an identity between 2.4 and 4.3 ms, from one run of the same code to the next.
"""
_TABLE = "| | figure | goal | met | made of |\n| --- | --- | --- | --- | --- |\n"


def _machine() -> str:
    found = Path("/proc/cpuinfo")
    lines = found.read_text().splitlines() if found.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    model = models[0] if models else platform.processor() or platform.machine()
    when = datetime.now(timezone.utc).date()
    return (
        f"Measured on {when}: {model}, {os.cpu_count()} cores, {platform.system()} "
        f"{platform.release()}, Python {platform.python_version()}, boto3 {version('boto3')}, "
        f"botocore {version('botocore')}, urllib3 {version('urllib3')}.\n"
    )


def _row(figure: Figure) -> str:
    value = figure.form.format(figure.value)
    goal = "" if figure.goal is None else f"{figure.goal:g}"
    verdict = "" if figure.goal is None else "yes" if figure.is_met else "**no**"
    return f"| {figure.what} | {value} | {goal} | {verdict} | {figure.made_of} |\n"


def _section(module, figures) -> str:
    rows = "".join(_row(one) for one in figures)
    said = f"*What bounds it:* {module.BOUND}\n\n*What would be improved next:* {module.NEXT}\n"
    return f"\n## {module.TITLE}\n\n{_TABLE}{rows}\n{said}"


def main(arguments: list[str]) -> None:
    """Measure, print each section as it is done, and write the page if it is whole."""
    is_quick = "--quick" in arguments
    names = [one for one in arguments if one != "--quick"]
    chosen = [one for one in MODULES if not names or one.__name__.rpartition(".")[2] in names]
    page = [_HEAD + "\n" + _machine()]
    with (
        tempfile.TemporaryDirectory() as home,
        server.running() as service,
        world(Path(home), service, effort=0.003 if is_quick else 1) as there,
    ):
        for module in chosen:
            page.append(_section(module, module.run(there)))
            sys.stdout.write(page[-1])
            sys.stdout.flush()
    if not names and not is_quick:
        (ROOT / "docs" / "performance.md").write_text("".join(page), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
