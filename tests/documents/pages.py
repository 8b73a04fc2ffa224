"""The documentation's pages as text: their blocks of code, their links, their headings, and what the site's contents list."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

_FENCE = re.compile(r"^```(\{?[\w-]*\}?).*?\n(.*?)^```", re.M | re.S)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def pages() -> list[Path]:
    """Every page of the site."""
    return sorted(DOCS.rglob("*.md"))


def named(page: Path) -> str:
    """A page as messages name it."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a page in one language."""
    return [text for found, text in _FENCE.findall(page.read_text(encoding="utf-8")) if found == language]


def links(page: Path) -> list[str]:
    """Where the page's text leads to within the repository."""
    text = re.sub(r"`[^`\n]+`", "", _FENCE.sub("", page.read_text(encoding="utf-8")))
    return [one for one in _LINK.findall(text) if not re.match(r"[a-z]+:", one)]


def anchors(page: Path) -> set[str]:
    """What `#` may name on a page: its headings as GitHub and MyST spell them."""
    headings = re.findall(r"^#{1,4} (.+)$", _FENCE.sub("", page.read_text(encoding="utf-8")), re.M)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in plain}


def listed(page: Path) -> list[Path]:
    """The pages that a page's tables of contents list."""
    found: list[Path] = []
    for block in blocks(page, "{toctree}"):
        for line in block.splitlines():
            entry = line.strip()
            if entry and not entry.startswith(":"):
                at = sorted(page.parent.glob(f"{entry}.md"))
                assert at, f"{named(page)} lists {entry}, which there is not"
                found += at
    return found
