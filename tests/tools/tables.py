"""The documentation of providers and their options, written from their declarations.

``python -m tests.tools.tables FILE...`` updates the generated parts of Markdown files. Each part is
between two comments: ``<!-- NAME: begin -->`` and ``<!-- NAME: end -->``.
"""

import inspect
import re
import sys
from pathlib import Path

from botocore_ext.catalogue import ROWS, find
from botocore_ext.commands.table import HEADINGS, cells, code, selected_by, table
from botocore_ext.options.option import ALIASES, annotations, type_text
from botocore_ext.providers.base import Provider

_PART = re.compile(
    r"(?P<begin><!-- (?P<name>\w+): begin[^\n]*-->\n).*?(?P<end><!-- (?P=name): end -->)", re.DOTALL
)


def main(paths):
    """Update the generated parts of each file."""
    for path in map(Path, paths):
        text = path.read_text(encoding="utf-8")
        path.write_text(updated(text), encoding="utf-8")


def updated(text):
    """Return a page with its generated parts up to date."""
    return _PART.sub(lambda match: f"{match['begin']}\n{part(match['name'])}\n{match['end']}", text)


def part(name):
    """Return a generated part; a factory has ``NAME``, and ``NAME_options`` or ``NAME_links``."""
    if name == "providers":
        return table(HEADINGS, map(cells, ROWS))
    if name == "pages":
        return table(["factory", "returns"], ([_link(kind), _summary(kind)] for kind in _kinds()))
    if name == "keys":
        return table(["ini key", "environment variable", "of"], _keys())
    if name == "every":
        return _options(Provider, Provider.options())
    return _part_of(find(re.sub(r"_(options|links)$", "", name)), name)


def _part_of(row, name):
    """Return a generated part of the page of a provider."""
    kind = row.load()
    if name == row.factory:
        return f"{_summary(kind)}\n"
    own = [one for one in kind.options() if one not in Provider.options()]
    options = _described_elsewhere if name.endswith("_links") else _options
    return f"{_names(row)}\n{options(kind, own)}" if own else _names(row)


def _names(row):
    """Return the names of a provider and what selects it."""
    facts = {"`METHOD`": code(row.method), "Canonical name": code(row.canonical_name)}
    selecting = selected_by(row)
    return _list(facts | ({"Selected in a profile by": selecting} if selecting else {}))


def _options(kind, options):
    types = annotations(kind)
    return "\n".join(
        f"### `{one.keyword}`\n\n{one.help}\n\n{_facts(one, types)}" for one in options
    )


def _facts(one, types):
    """Return the type and default of an option, and an example of each way to set it."""
    kind = type_text(types[one.name]).removesuffix(" | None")
    link = " ([API](../api.md#types-for-annotations))"
    described = link if any(re.search(rf"\b{name}\b", kind) for name in ALIASES) else ""
    is_optional = "required" if one.required else "optional"
    facts = {"Type": f"{code(kind)}{described}, {is_optional}"}
    if one.default is not None:
        facts["Default"] = code(one.default_text.removeprefix("By default "))
    python = one.code_example if one.positional else f"{one.name}={one.code_example}"
    facts["In Python"] = code(python)
    if one.ini:
        facts["In a profile"] = code(f"{one.ini} = {one.example}")
    if one.env:
        also = f", or else {code(one.also_env)}" if one.also_env else ""
        facts["Environment variable"] = f"{code(one.env)}{also}"
    return _list(facts)


def _described_elsewhere(kind, options):
    """Return a table of the pages that describe the options which a provider passes on."""
    pages = {}
    others = [row.load() for row in ROWS if row.is_native or issubclass(kind, row.load())]
    for one in options:
        page = next(
            other
            for other in others
            if other is not kind and one.help in {same.help for same in other.options()}
        )
        pages.setdefault(_link(page, ""), []).append(code(one.name))
    return table(["page", "options"], ([page, ", ".join(of)] for page, of in pages.items()))


def _keys():
    """Return a row for each ini key, with the providers that read it."""
    found = {}
    for kind in _kinds():
        for one in kind.options():
            if one.ini and one not in Provider.options():
                found.setdefault((one.ini, one.env), []).append(_link(kind))
    ordered = sorted(found.items(), key=lambda entry: (entry[0][0], entry[0][1] or ""))
    return [[code(ini), code(env), ", ".join(of)] for (ini, env), of in ordered]


def _summary(kind):
    return str(inspect.getdoc(kind)).partition("\n\nArgs:")[0]


def _link(kind, folder="providers/"):
    return f"[{code(kind.FACTORY)}]({folder}{kind.FACTORY}.md)"


def _kinds():
    return [row.load() for row in ROWS]


def _list(facts):
    return "".join(f"- {name}: {fact}\n" for name, fact in facts.items())


if __name__ == "__main__":
    main(sys.argv[1:])
