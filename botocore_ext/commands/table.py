"""``botocore-ext providers``: the table of all providers, those of other packages too."""

import argparse
import shutil
import sys
import textwrap
from collections.abc import Iterable

from ..catalogue import ROWS, Row
from ..profiles.registry import plugins

HEADINGS = ["factory", "`METHOD`", "canonical name", "selected by the ini key"]


def add_arguments(_: argparse.ArgumentParser) -> None:
    """Declare no arguments."""


def run(_: argparse.Namespace) -> int:
    """Print the table of all providers, in Markdown unless it is for a terminal, and return 0."""
    others = [row for row in plugins() if row.problem is None]
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns
        for row in (*ROWS, *others):
            sys.stdout.write(f"{row.factory:<28}  {row.method}\n{_details(row, width)}\n")
    else:
        sys.stdout.write(table(HEADINGS, map(cells, ROWS)))
        rows = [[*cells(row), row.package] for row in others]
        if rows:
            sys.stdout.write("\n" + table([*HEADINGS, "package"], rows))
    for row in plugins():
        if row.problem is not None:
            sys.stdout.write(f"\nNot used: a profile that {row.problem}\n")
    return 0


def _details(row: Row, width: int) -> str:
    """Return what else is known of a provider, indented for a terminal."""
    details = [str(row.canonical_name), f"selected by {selected_by(row) or 'code only'}"]
    details += [f"of the package {row.package}"] if row.package else []
    text = ", ".join(details).replace("`", "")
    indent = " " * 4
    return textwrap.fill(text, width, initial_indent=indent, subsequent_indent=indent)


def cells(row: Row) -> list[str]:
    """Return the cells of a provider under ``HEADINGS``."""
    names = map(code, (row.factory, row.method, row.canonical_name))
    return [*names, selected_by(row) or "-"]


def selected_by(row: Row) -> str:
    """Return the settings that select a provider; an empty text if code alone does."""
    keys = ", ".join(map(code, row.selecting))
    return f"{keys} (botocore's own)" if keys and row.is_native else keys


def code(name: str | None) -> str:
    """Return a name as code in Markdown; a dash for None."""
    return "-" if name is None else f"`{name}`"


def table(headings: list[str], rows: Iterable[list[str]]) -> str:
    """Return a table in Markdown."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
