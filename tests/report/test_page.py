"""The report in a real browser, at desktop and phone width; and what it says."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from heptagrid.foundation.reasons import Reason
from heptagrid.planes.money import telecom
from heptagrid.recording.results import Run
from heptagrid.report import requirements, tables
from heptagrid.report.charts import Line, line_chart
from heptagrid.report.rendering import FOLDER
from heptagrid.report.words import duration, number, signed
from tests.report.summaries import summary, with_business

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("NOT RUN: there is no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.mark.long
@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("which", ["day", "broken_day", "two_towns_day"])
def test_no_script_error_and_nothing_cut_off(
    browser: Any, which: str, width: int, request: pytest.FixtureRequest
) -> None:
    run: Run = request.getfixturevalue(which)
    page = browser.new_page(viewport={"width": width, "height": 900})
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("request", lambda asked: troubles.append(asked.url) if not asked.url.startswith("file:") else None)
    page.goto(run.report.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "no sideways scrolling"
    beyond = page.evaluate(
        """width => [...document.querySelectorAll('body *')].filter(one => {
            const box = one.getBoundingClientRect();
            return box.width > 0 && box.right > width + 1 && !one.closest('.scroll') && !one.closest('svg');
        }).map(one => one.tagName + ' ' + one.className)""",
        width,
    )
    assert beyond == []
    small = page.evaluate(
        "Math.min(...[...document.querySelectorAll('svg')].map(one => one.getBoundingClientRect().width))"
    )
    assert small > 250, "every picture is large enough to read"
    assert troubles == []
    page.close()


def test_the_page_needs_nothing_from_outside(day: Run) -> None:
    text = day.report.read_text(encoding="utf-8")
    for word in ("<script src", "<link ", "http-equiv", "@import", "url("):
        assert word not in text
    assert len(text) < 2_000_000
    assert not re.search(r"\bnan\b", text, re.I), "no number that is none"


def test_the_page_says_what_a_newcomer_asks(day: Run) -> None:
    text = day.report.read_text(encoding="utf-8")
    for words in (
        *(
            "Does the grid hold?",
            "Does it pay, and for whom?",
            "most loaded lines",
            "1\u202f594 vehicles",
            "peak import",
        ),
        *("Not annualised", "EN 50160", "Who pays whom", "meter reading", "deadline", "Assumptions"),
        *("SimBench", "different years", "holds", "Service providers"),
    ):
        assert words in text, words


def test_a_chart_of_nothing_but_zeros_can_be_drawn() -> None:
    x = np.arange(5.0)
    drawn = line_chart("nothing", "kW", [Line("all arms", "base", x, np.zeros(5))], [(0.0, "0h")], from_zero=True)
    assert "NaN" not in drawn
    assert "<path" in drawn


def test_numbers_read_as_people_write_them() -> None:
    assert number(1234567.0) == "1\u202f234\u202f567"
    assert number(-0.001, 2) == "0.00"
    assert signed(2.0, 1) == "+2.0"
    assert signed(-2.0, 1) == "\u22122.0"
    assert number(None) == "–"
    assert duration(0.0456) == "45.6\u202fms"
    assert duration(900.0) == "15.0\u202fmin"


def test_the_page_says_which_applications_got_what_they_ask_for(day: Run) -> None:
    text = day.report.read_text(encoding="utf-8")
    for words in (
        *(
            "Which applications met their requirement",
            "recurrent meter reading",
            "RFC 8036 (2017) section 4.2 class C4",
        ),
        *(
            "access networks",
            "110 met",
            "Not refuted",
            "on the same channel is not modelled",
            "Not modelled, by technology",
        ),
        *("Crosses: applications that missed", "neighbouring meshes"),
    ):
        assert words in text, words
    missed = day.table("transformer_list")["missed_smart"].to_numpy()
    assert len(re.findall(r'<path class="cross r\d"', text)) == (missed > 0).sum()


def test_a_cross_names_the_worst_application(broken_day: Run) -> None:
    text = broken_day.report.read_text(encoding="utf-8")
    missed = broken_day.table("transformer_list")["missed_smart"].to_numpy()
    assert (missed > 0).sum() > 100, "a dead access network misses everywhere"
    assert len(re.findall(r"applications missed their requirement, worst [\w ]+ with 0\.00 % in time", text)) > 100


def test_a_share_is_never_rounded_up_to_the_whole() -> None:
    assert requirements._share(1.0) == "100\u202f%"
    assert requirements._share(0.99999) == "99.999\u202f%"
    assert requirements._share(0.98) == "98.0\u202f%"


def test_everything_that_may_be_bought_has_a_title() -> None:
    assert set(tables.BOUGHT) == {*telecom.ITEMS, "station_transformers", "primary_transformers"}
    for name, item in telecom.ITEMS.items():
        assert tables.BOUGHT[name][1] == (item.reason is Reason.TELECOM), name


def test_what_is_bought_is_listed_with_the_share_of_communications() -> None:
    bought = [("smart_meter", 900.0), ("access_unit", 300.0), ("wan", 100.0), ("plain_meter", -200.0), ("line_m", 0.0)]
    summary = {
        "days": 2,
        "customers": 10,
        "business": {
            "weights_sum": 366.0,
            "rows": [{"npv_eur": -500.0}, {"npv_eur": 100.0}],
            "investments": [
                {"name": name, "domain": "operations", "present_value_eur": amount} for name, amount in bought
            ],
        },
        "arms": {"smart": {"money_eur": {"by_reason": [{"reason": "telecom", "amount_eur": 4.0}]}}},
    }
    drawn = tables.investment_table(summary)
    assert "Communications are 400 EUR of what is bought, and 732 EUR a year to run" in drawn
    assert f"{signed(-40.0)} EUR" in drawn
    assert "plain meters, not needed" in drawn
    assert "lines laid" not in drawn, "none was bought"
    assert f"<b>{number(1100.0)}</b>" in drawn


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_the_net_present_value_of_every_domain_is_in_sight(browser: Any, width: int, tmp_path: Path) -> None:
    """With values of eight digits, which a town of a million customers has."""
    made = with_business(summary(), [-39_066_060.0] * 7, state_eur_per_year=-1_200_000.0)
    path = tmp_path / "page.html"
    style = (FOLDER.parent / "style.css").read_text(encoding="utf-8")
    html = f"<!DOCTYPE html><meta charset='utf-8'><style>{style}</style><main><section>{tables.business_table(made['business'])}</section></main>"
    path.write_text(html, encoding="utf-8")
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(path.as_uri())
    assert page.evaluate("(one => one.scrollWidth <= one.clientWidth)(document.querySelector('.scroll'))")
    ends = page.evaluate(
        "[...document.querySelectorAll('.business tbody td:last-child')].map(one => one.getBoundingClientRect().right)"
    )
    assert len(ends) == 10
    assert max(ends) <= width
    page.close()
