"""Write the reference page of all parameters from their declarations.

python tools/reference_page.py docs/reference/parameters.md
"""

from __future__ import annotations

import sys
from pathlib import Path

from heptagrid.foundation.parameters import declarations
from heptagrid.foundation.registry import all_sections
from heptagrid.scenario.schema import RunParameters
from heptagrid.scenario.towns import CompanyParameters, TownParameters
from heptagrid.scenario.words import likely, span

HEAD = """# Every parameter

Made from the declarations by `make docs`; do not edit.
*Source not read* after a source means: the document is named, but no text of it could be read to check the value.
"""


def reference() -> str:
    """The page as Markdown."""
    parts = [HEAD]
    of_several = {
        "towns.NAME": TownParameters,
        "retailers.NAME": CompanyParameters,
        "aggregators.NAME": CompanyParameters,
    }
    for section, kind in {"run": RunParameters, **of_several, **all_sections()}.items():
        phrase = (kind.__doc__ or "").strip().splitlines()[0]
        parts.append(
            f"\n## `{section}`\n\n{phrase}\n\n| key | default | unit | range | what | source |\n|---|---|---|---|---|---|"
        )
        for name, _, default, one in declarations(kind):
            limits = "; ".join(words for words in (span(one), likely(one)) if words) or ", ".join(one.choices or ())
            cells = (f"`{name}`", str(default), one.unit, limits, one.info, one.source)
            parts.append("| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |")
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(reference(), encoding="utf-8")
