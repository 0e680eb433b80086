"""The documentation of providers and their options, written from their declarations.

``botocore-ext providers`` prints the table of all providers, those of other packages too.
``python -m botocore_ext.commands.table FILE...`` updates the generated parts of Markdown files.
Each part is between two comments: ``<!-- NAME: begin -->`` and ``<!-- NAME: end -->``.
"""

import argparse
import inspect
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ..catalogue import ROWS, Row, find
from ..options.option import Option
from ..profiles.registry import plugins
from ..providers.base import Provider

_PART = re.compile(
    r"(?P<begin><!-- (?P<name>\w+): begin[^\n]*-->\n).*?(?P<end><!-- (?P=name): end -->)", re.DOTALL
)
_PROVIDER_HEADINGS = ["factory", "`METHOD`", "canonical name", "selected by the ini key"]


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
        sys.stdout.write(part("providers"))
        rows = [[*_provider_cells(row), row.package] for row in others]
        if rows:
            sys.stdout.write("\n" + _table([*_PROVIDER_HEADINGS, "package"], rows))
    for row in plugins():
        if row.problem is not None:
            sys.stdout.write(f"\nNot used: a profile that {row.problem}\n")
    return 0


def _details(row: Row, width: int) -> str:
    """Return what else is known of a provider, indented for a terminal."""
    details = [str(row.canonical_name), f"selected by {_selecting(row) or 'code only'}"]
    details += [f"of the package {row.package}"] if row.package else []
    text = ", ".join(details).replace("`", "")
    indent = " " * 4
    return textwrap.fill(text, width, initial_indent=indent, subsequent_indent=indent)


def main(paths: Sequence[str]) -> None:
    """Update the generated parts of each file."""
    for path in map(Path, paths):
        text = path.read_text(encoding="utf-8")
        path.write_text(updated(text), encoding="utf-8")


def updated(text: str) -> str:
    """Return a page with its generated parts up to date."""
    return _PART.sub(lambda match: f"{match['begin']}\n{part(match['name'])}\n{match['end']}", text)


def part(name: str) -> str:
    """Return a generated part; a factory has two, ``NAME`` and ``NAME_options``."""
    if name == "providers":
        return _table(_PROVIDER_HEADINGS, map(_provider_cells, ROWS))
    if name == "pages":
        rows = ([_link(kind), _summary(kind)] for kind in _kinds())
        return _table(["factory", "returns"], rows)
    if name == "keys":
        return _table(["ini key", "environment variable", "of"], _keys())
    if name == "every":
        return _options(Provider.options())
    row: Any = find(name.removesuffix("_options"))
    kind: type[Provider] = row.load()
    if name == row.factory:
        return _introduction(row, kind)
    own = [one for one in kind.options() if one not in Provider.options()]
    return _options(own) if own else "It has none of its own.\n"


def _introduction(row: Row, kind: type[Provider]) -> str:
    """Return what a provider does, and its names."""
    rows = [["`METHOD`", _code(row.method)], ["canonical name", _code(row.canonical_name)]]
    selecting = _selecting(row)
    rows += [["selected in a profile by", selecting]] if selecting else []
    return f"{_summary(kind)}\n\n{_table(['name', 'value'], rows)}"


def _options(options: Iterable[Option]) -> str:
    return "\n".join(f"### `{one.keyword}`\n\n{one.help}\n\n{_ways(one)}.\n" for one in options)


def _ways(one: Option) -> str:
    """Return how an option is set, and its default."""
    ways = ["positional" if one.positional else "keyword"]
    ways += [f"ini key {_code(one.ini)}"] if one.ini else []
    also = f" (or else {_code(one.also_env)})" if one.also_env else ""
    ways += [f"environment variable {_code(one.env)}{also}"] if one.env else []
    return f"{one.default_text}; {', '.join(ways)}"


def _keys() -> list[list[str]]:
    """Return a row for each ini key, with the providers that read it."""
    found: dict[tuple[str, str | None], list[str]] = {}
    for kind in _kinds():
        for one in kind.options():
            if one.ini and one not in Provider.options():
                found.setdefault((one.ini, one.env), []).append(_link(kind))
    ordered = sorted(found.items(), key=lambda entry: (entry[0][0], entry[0][1] or ""))
    return [[_code(ini), _code(env), ", ".join(of)] for (ini, env), of in ordered]


def _summary(kind: type[Provider]) -> str:
    return str(inspect.getdoc(kind)).partition("\n\nArgs:")[0]


def _link(kind: type[Provider]) -> str:
    return f"[{_code(kind.FACTORY)}](providers/{kind.FACTORY}.md)"


def _provider_cells(row: Row) -> list[str]:
    selecting = _selecting(row) or "-"
    return [_code(row.factory), _code(row.method), _code(row.canonical_name), selecting]


def _selecting(row: Row) -> str:
    keys = ", ".join(map(_code, row.selecting))
    return f"{keys} (botocore's own)" if keys and row.is_native else keys


def _kinds() -> list[type[Provider]]:
    return [row.load() for row in ROWS]


def _code(name: str | None) -> str:
    return "-" if name is None else f"`{name}`"


def _table(headings: list[str], rows: Iterable[list[str]]) -> str:
    cells = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells) + "\n"


if __name__ == "__main__":
    main(sys.argv[1:])
