"""The sentences on what communication costs and what hangs on its messages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from heptagrid.report.communication_page import page
from heptagrid.report.communication_words import communication_sentences
from tests.report.test_page import browser

__all__ = ["browser"]


def row(value: str, cost: float, hanging: float, npv: float) -> dict[str, Any]:
    """Of 1,000 customers over ten years without interest; figures per customer and year."""
    yearly = {"cost": cost, "break_even": hanging, "whole_break_even": npv + cost, "npv": npv}
    return {
        "value": value,
        "cost_eur": 10_000 * cost,
        "hanging_eur": 10_000 * hanging,
        "items_eur": {"access_unit": 4000.0 * cost, "access_site": 6000.0 * cost},
        "npv_eur": 10_000 * npv,
        "npv_without_eur": 10_000 * (npv - hanging),
        "pays": hanging > cost,
        "benefits": [
            {"title": "generation capacity", "with_eur": 10_000 * hanging - 1000.0, "without_eur": 0.0},
            {"title": "energy and losses", "with_eur": 3000.0, "without_eur": 2000.0},
        ],
        "eur_per_customer_year": {name: {"mean": one, "min": one, "max": one} for name, one in yearly.items()},
    }


def test_a_technology_that_pays_is_named_with_its_break_even() -> None:
    said = communication_sentences({"rows": [row("lte-m", 9.0, 8.0, -3.0), row("wi-sun-50k", 5.0, 8.0, 1.0)]})
    assert said[0] == (
        "Communication pays for itself: with wi-sun-50k it costs 5.00 EUR per customer and year, and 8.00 EUR of benefits would be lost "
        "without its messages."
    )
    assert said[1] == (
        "Of the technologies 1 of 2 pay for themselves. The others, what they cost against what would be lost without their messages: "
        "lte-m 9.00 against 8.00."
    )
    assert said[2].startswith(
        "Up to 8.00 EUR per customer and year communication with wi-sun-50k would pay (break-even)"
    )
    assert said[2].endswith("generation capacity +7.90, energy and losses +0.10.")
    assert said[3].endswith(
        "gains society 1.00 EUR per customer and year with it: it pays up to 6.00 for communication."
    )


def test_where_none_pays_the_page_says_so_first() -> None:
    said = communication_sentences({"rows": [row("lte-m", 9.0, 2.0, -12.0), row("nb-iot", 8.0, 2.0, -11.0)]})
    assert said[0] == (
        "Communication does not pay for itself with any of 2 technologies: the nearest is nb-iot, which costs 8.00 EUR per customer and "
        "year, and only 2.00 EUR of benefits would be lost without its messages."
    )
    assert said[1].startswith("Of the technologies none pays")
    assert said[3].endswith("it would not pay if communication cost nothing.")


def test_messages_that_do_harm_have_no_price() -> None:
    said = communication_sentences({"rows": [row("lorawan", 3.0, -1.0, -2.0)]})
    assert said[0].endswith("and no benefit would be lost without its messages.")
    assert said[1].startswith("Communication with lorawan would not pay at any price; what hangs on its messages is")
    assert said[2].endswith("it would pay if communication cost less than 1.00.")


def answer(names: list[str]) -> str:
    rows = [row(name, 5.0 + k, 8.0, -3.0) for k, name in enumerate(names)]
    table = {"key": "messages.access.technology", "others": {"vehicles.share": 0.2}, "rows": rows}
    about = {"scenario": "town", "dates": ["2016-01-27"], "typical": True, "customers": 1000, "seeds": [1, 2]}
    return page({**about, "horizon_years": 10.0, "discount_rate": 0.0, "communication": [table]})


def test_the_page_has_the_answer_as_its_headline_and_every_figure_of_it() -> None:
    text = answer(["wi-sun-50k", "nb-iot"])
    assert "<h1>Communication pays for itself: with wi-sun-50k it costs 5.00 EUR per customer and year" in text
    for words in ("communication units of the meters", "without messages", "with vehicles.share=0.2", "8.00 to 8.00"):
        assert words in text, words
    assert text.count(">50\u202f000<") == 1 and text.count(">60\u202f000<") == 1, "what each costs together"


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 400])
def test_nothing_is_cut_off(browser: Any, width: int, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(answer(["wi-sun-50k", "nb-iot-power-saving", "5g-urllc", "satellite-geo"]), encoding="utf-8")
    shown = browser.new_page(viewport={"width": width, "height": 900})
    shown.goto(path.as_uri())
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    shown.close()
