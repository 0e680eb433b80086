"""The providers and their options as Markdown tables, written from the declarations.

``botocore-ext providers`` prints what stands between the two markers of ``README.md``, and
``botocore-ext providers --options`` what stands between those of ``docs/options.md``.
"""

import argparse
import inspect
import sys
from collections.abc import Iterable

from .links import EVERY
from .options import Option
from .provider import Provider
from .registry import PROVIDERS

_PROVIDER_HEADINGS = ["factory", "`METHOD`", "canonical name", "selected by the ini key"]
_OPTION_HEADINGS = ["keyword", "ini key", "environment variable", "default", "meaning"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "--options", action="store_true", help="print the options of each provider instead"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print a table and return 0."""
    sys.stdout.write(options() if arguments.options else overview())
    return 0


def overview() -> str:
    """Return one table of all providers."""
    return _table(_PROVIDER_HEADINGS, map(_provider_cells, EVERY)) + "\n"


def options() -> str:
    """Return the options of each provider, and those that all have."""
    shared = Provider.options()
    parts = []
    for kind in EVERY:
        own = [one for one in kind.options() if one not in shared]
        table = _options_table(own) if own else "No options of its own."
        parts += [f"## `{kind.FACTORY}`", str(inspect.getdoc(kind)), table]
    parts += ["## Every provider", _options_table(shared)]
    return "\n\n".join(parts) + "\n"


def _provider_cells(kind: type[Provider]) -> list[str]:
    keys = ", ".join(_code(one.ini) for one in kind.options() if one.selects and one.ini)
    selected = f"{keys} (botocore's own)" if keys and kind not in PROVIDERS else keys or "-"
    return [_code(kind.FACTORY), _code(kind.METHOD), _code(kind.CANONICAL_NAME), selected]


def _options_table(options: Iterable[Option]) -> str:
    return _table(_OPTION_HEADINGS, map(_option_cells, options))


def _option_cells(one: Option) -> list[str]:
    name = f"*{one.name}" if one.positional else one.name
    return [_code(name), _code(one.ini), _code(one.env), _default(one), one.help]


def _default(one: Option) -> str:
    if one.required:
        return "required"
    if one.default is None:
        return "-"
    return str(one.default) if isinstance(one.default, bool) else f"{one.default:g}"


def _code(name: str | None) -> str:
    return "-" if name is None else f"`{name}`"


def _table(headings: list[str], rows: Iterable[list[str]]) -> str:
    cells = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)
