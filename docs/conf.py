"""How Sphinx makes the documentation site from the Markdown here: `make docs`, offline, without fonts or scripts from elsewhere."""

from __future__ import annotations

import re
from importlib.metadata import version as version_of
from typing import Any

from pygments.lexers.special import TextLexer
from sphinx.highlighting import lexers

project = "heptagrid"
author = "The heptagrid developers"
copyright = author
version = release = version_of("heptagrid")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_heading_anchors = 4
lexers["csv"] = TextLexer()

autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 80
napoleon_google_docstring = False

html_theme = "furo"
html_title = f"heptagrid {release}"
html_copy_source = False
html_show_copyright = False

_PARAMETER = re.compile(r"^( *)(\w+) : (.+)$")
_CODE = re.compile(r"(?<!`)`([^`]+)`(?!`)(\w?)")


def as_restructured_text(app: Any, what: str, name: str, of: Any, options: Any, lines: list[str]) -> None:
    """Turn a docstring of ours into what numpydoc's readers take.

    What is said of a parameter goes below its name, and `code` within one pair of backquotes into two.
    """
    doubled = [
        _CODE.sub(lambda found: f"``{found[1]}``" + (rf"\ {found[2]}" if found[2] else ""), line) for line in lines
    ]
    lines[:] = [part for line in doubled for part in _PARAMETER.sub(r"\1\2\n\1    \3", line).split("\n")]


def setup(app: Any) -> None:
    app.connect("autodoc-process-docstring", as_restructured_text, priority=400)  # before napoleon reads it, at 500
