"""Writes the table of contracts into `docs/messages.md`: `python tools/topics_page.py docs/messages.md`."""

from __future__ import annotations

import sys
from pathlib import Path

from heptagrid.contracts.policy import declared, table

BEGIN, END = "<!-- topics:", "<!-- end of topics -->"


def with_topics(page: str) -> str:
    """The page with the table between its marks made anew."""
    before, rest = page.split(BEGIN, 1)
    mark, old = rest.split("\n", 1)
    return "\n".join([f"{before}{BEGIN}{mark}", *table(declared()), END]) + old.split(END, 1)[1]


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(with_topics(path.read_text(encoding="utf-8")), encoding="utf-8")
