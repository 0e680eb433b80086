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
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..catalogue import ROWS, Row, find
from ..options.option import ALIASES, Option, annotations, type_text
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
    """Return a generated part; a factory has ``NAME``, and ``NAME_options`` or ``NAME_links``."""
    if name == "providers":
        return _table(_PROVIDER_HEADINGS, map(_provider_cells, ROWS))
    if name == "pages":
        rows = ([_link(kind), _summary(kind)] for kind in _kinds())
        return _table(["factory", "returns"], rows)
    if name == "keys":
        return _table(["ini key", "environment variable", "of"], _keys())
    if name == "every":
        return _options(Provider, Provider.options())
    return _part_of(find(re.sub(r"_(options|links)$", "", name)), name)


def _part_of(row: Any, name: str) -> str:
    """Return a generated part of the page of a provider."""
    kind: type[Provider] = row.load()
    if name == row.factory:
        return f"{_summary(kind)}\n"
    own = [one for one in kind.options() if one not in Provider.options()]
    options = _described_elsewhere if name.endswith("_links") else _options
    return f"{_names(row)}\n{options(kind, own)}" if own else _names(row)


def _names(row: Row) -> str:
    """Return the names of a provider and what selects it."""
    selecting = _selecting(row)
    facts = {"`METHOD`": _code(row.method), "Canonical name": _code(row.canonical_name)}
    return _list(facts | ({"Selected in a profile by": selecting} if selecting else {}))


def _options(kind: type, options: Iterable[Option]) -> str:
    types = annotations(kind)
    parts = (f"### `{one.keyword}`\n\n{one.help}\n\n{_facts(one, types)}" for one in options)
    return "\n".join(parts)


def _facts(one: Option, types: Mapping[str, Any]) -> str:
    """Return the type and default of an option, and an example of each way to set it."""
    kind = type_text(types[one.name]).removesuffix(" | None")
    link = " ([API](../api.md#types-for-annotations))"
    described = link if any(re.search(rf"\b{name}\b", kind) for name in ALIASES) else ""
    is_optional = "required" if one.required else "optional"
    facts = {"Type": f"{_code(kind)}{described}, {is_optional}"}
    if one.default is not None:
        facts["Default"] = _code(one.default_text.removeprefix("By default "))
    python = one.code_example if one.positional else f"{one.name}={one.code_example}"
    facts["In Python"] = _code(python)
    if one.ini:
        facts["In a profile"] = _code(f"{one.ini} = {one.example}")
    if one.env:
        also = f", or else {_code(one.also_env)}" if one.also_env else ""
        facts["Environment variable"] = f"{_code(one.env)}{also}"
    return _list(facts)


def _described_elsewhere(kind: type[Provider], options: Iterable[Option]) -> str:
    """Return a table of the pages that describe the options which a provider passes on."""
    pages: dict[str, list[str]] = {}
    others = [row.load() for row in ROWS if row.is_native or issubclass(kind, row.load())]
    for one in options:
        page = next(
            other
            for other in others
            if other is not kind and one.help in {same.help for same in other.options()}
        )
        pages.setdefault(_link(page, ""), []).append(_code(one.name))
    return _table(["page", "options"], ([page, ", ".join(of)] for page, of in pages.items()))


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


def _link(kind: type[Provider], folder: str = "providers/") -> str:
    return f"[{_code(kind.FACTORY)}]({folder}{kind.FACTORY}.md)"


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


def _list(facts: Mapping[str, str]) -> str:
    return "".join(f"- {name}: {fact}\n" for name, fact in facts.items())


def _table(headings: list[str], rows: Iterable[list[str]]) -> str:
    cells = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells) + "\n"


if __name__ == "__main__":
    main(sys.argv[1:])
