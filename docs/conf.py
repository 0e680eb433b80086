"""How Sphinx builds the documentation; every warning is an error (see .ci/run)."""  # noqa: INP001 - a setting, no package

from typing import TYPE_CHECKING

from pygments.lexers.special import TextLexer
from sphinx.util.typing import stringify_annotation

from botocore_ext import Source, Token, __version__

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "botocore_ext"
author = "The botocore_ext maintainers"
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"botocore_ext {release}"
html_show_copyright = False  # LICENSE speaks for every page
html_static_path = ["_static"]
html_css_files = ["site.css"]

# "what a refresh sends" is not code to copy.
copybutton_selector = "div:not(.highlight-wire) > div.highlight > pre"

# Links such as profiles.md#token-references.
myst_heading_anchors = 3

autoclass_content = "both"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
# The signature of a factory is a line of ten options otherwise.
maximum_signature_line_length = 80

# Names of other projects have no page here, and an inventory of them would need the network;
# names of this package must resolve.
nitpick_ignore_regex = [
    ("py:.*", r"(?!botocore_ext\.).*"),
    ("py:class", r"botocore_ext\.aws\.clients\.InnerClients"),  # an argument that bindings pass
]


#: Stands for a colon while napoleon looks at an attribute: it takes the text before it for a type.
_COLON = "\ue000"


def hide_colons(
    _app: "Sphinx", what: str, _name: str, _of: object, _options: object, lines: list[str]
) -> None:
    """Replace the colons of what is said about an attribute."""
    if what in {"attribute", "property"}:
        lines[:] = [line.replace(":", _COLON) for line in lines]


def show_colons(
    _app: "Sphinx", _what: str, _name: str, _of: object, _options: object, lines: list[str]
) -> None:
    """Put them back."""
    lines[:] = [line.replace(_COLON, ":") for line in lines]


#: Types that the signatures show by name, because what they consist of is long.
_ALIASES = {
    stringify_annotation(alias, "smart"): f"botocore_ext.{name}"
    for name, alias in (("Source", Source), ("Token", Token))
}


def name_aliases(
    _app: "Sphinx", _what: str, _name: str, _of: object, _options: object, *texts: str | None
) -> tuple[str | None, ...]:
    """Replace what ``Source`` and ``Token`` consist of."""
    for long, name in _ALIASES.items():
        texts = tuple(text and text.replace(long, name) for text in texts)
    return texts


def setup(app: "Sphinx") -> None:
    """Let ``wire`` blocks, which show what a profile sends, be plain text."""
    app.add_lexer("wire", TextLexer)
    app.connect("autodoc-process-signature", name_aliases)
    app.connect("autodoc-process-docstring", hide_colons, priority=400)
    app.connect("autodoc-process-docstring", show_colons, priority=600)  # napoleon has 500
