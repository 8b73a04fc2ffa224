"""The documentation's pages: each is in the contents, every link leads somewhere, and the site builds without a warning."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents.pages import DOCS, ROOT, anchors, links, listed, named, pages

HOME = DOCS / "index.md"
AT_THE_ROOT = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")]


def test_every_page_is_in_the_contents_once() -> None:
    found: list[Path] = []
    waiting = [HOME]
    while waiting:
        page = waiting.pop()
        found.append(page)
        waiting += listed(page)
    assert sorted(found) == pages()


@pytest.mark.parametrize("page", [*pages(), *AT_THE_ROOT], ids=named)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in links(page):
        path, _, anchor = link.partition("#")
        goal = (page.parent / path).resolve() if path else page
        assert goal.exists(), f"{link}: there is no {goal}"
        assert goal.is_relative_to(ROOT), link
        assert not anchor or anchor in anchors(goal), f"{link}: {named(goal)} has no such heading"


@pytest.mark.long
def test_the_site_builds_without_a_warning_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    pytest.importorskip("sphinx", reason="the site's packages are not installed: make .venv/.test")
    built = subprocess.run(
        [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "-q", str(DOCS), str(tmp_path / "site")],
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    reference = (tmp_path / "site/reference/python.html").read_text(encoding="utf-8")
    for name in ("run", "Simulation.step", "Simulation.restore", "flow", "carry", "sweep"):
        assert f'id="heptagrid.{name}"' in reference
    for page in (tmp_path / "site").rglob("*.html"):
        loaded = re.findall(
            r"<(?:script|img|link|iframe)[^>]+(?:src|href)=\"(?:https?:)?//[^>]+>", page.read_text(encoding="utf-8")
        )
        assert not loaded, page
    assert not [
        sheet
        for sheet in (tmp_path / "site").rglob("*.css")
        if re.search(r"(?:@import|url\()[\s\"']*(?:https?:)?//", sheet.read_text(encoding="utf-8"))
    ]
