"""How Sphinx builds the documentation; every warning is an error (see .ci/run)."""  # noqa: INP001 - a setting, no package

from typing import TYPE_CHECKING

from pygments.lexers.special import TextLexer

from botocore_ext import __version__

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "botocore_ext"
author = "The botocore_ext maintainers"
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"botocore_ext {release}"
html_show_copyright = False  # LICENSE speaks for every page
html_static_path = ["_static"]
html_css_files = ["site.css"]

# Links such as profiles.md#token-references.
myst_heading_anchors = 3

autoclass_content = "both"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
# The signature of a factory is a line of ten options otherwise.
maximum_signature_line_length = 80

# Names of other projects have no page here, and an inventory of them would need the network;
# names of this package must resolve.
nitpick_ignore_regex = [("py:.*", r"(?!botocore_ext\.).*")]


def setup(app: "Sphinx") -> None:
    """Let ``wire`` blocks, which say what a profile sends, be plain text."""
    app.add_lexer("wire", TextLexer)
