"""Terms are explained where a page first uses them, and only there."""

from __future__ import annotations

import re
from pathlib import Path

from heptagrid.report.terms import TERMS, explained

ROOT = Path(__file__).parents[2]


def test_a_term_is_explained_at_its_first_use_in_running_text() -> None:
    page = explained(
        "<h1>Arms</h1><svg><text>arm</text></svg><p>The smart arm sends set-points; the other arm sends none.</p>"
    )
    assert page.startswith("<h1>Arms</h1><svg><text>arm</text></svg>"), "headings and pictures stay as they are"
    assert page.count("<abbr") == 2
    assert re.search(
        r'The smart <abbr title="One of the two runs[^"]+">arm</abbr> sends <abbr title="[^"]+">set-points</abbr>', page
    )
    assert "the other arm sends none" in page, "a second use is not marked"


def test_the_list_at_the_end_holds_the_terms_of_the_page_and_no_others() -> None:
    page = explained("<p>Imbalance is settled apart from day-ahead energy.</p>")
    assert re.findall(r"<dt>([^<]+)</dt>", page) == ["day-ahead", "imbalance"]
    assert "Terms" not in explained("<p>Nothing to explain.</p>")


def test_a_term_within_another_word_or_an_attribute_is_none() -> None:
    page = '<p class="arm" title="last gasp">alarms, charms and farms</p>'
    assert explained(page) == page


def test_a_term_inside_a_longer_one_is_explained_at_its_own_first_use() -> None:
    page = explained("<p>the lowest supply voltage in pu</p><p>pu</p>")
    assert page.count("<abbr") == 2


def test_every_term_of_a_page_stands_in_the_glossary() -> None:
    glossary = (ROOT / "docs/glossary.md").read_text(encoding="utf-8").lower()
    for name, _, _ in TERMS:
        assert name in glossary, name
