"""Retailers and aggregators side by side on a run's page and in the terminal, where there are several."""

from __future__ import annotations

import io
import re

from rich.console import Console

from heptagrid.recording.results import Run
from heptagrid.report import terminal
from heptagrid.report.companies import companies_of, company_rows, has_several
from heptagrid.report.headline import devices
from tests.report.summaries import summary


def printed(run: Run) -> str:
    console = Console(width=110, file=io.StringIO())
    console.print(terminal.summary(run.summary, run.manifest))
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_companies_are_called_by_their_own_names(two_towns_day: Run, day: Run) -> None:
    assert companies_of(two_towns_day.summary, "retailer") == ["stadtwerke", "greenpower"]
    assert companies_of(two_towns_day.summary, "aggregator") == ["flexo", "wattson"]
    assert companies_of(day.summary, "retailer") == ["retailer"]
    assert has_several(two_towns_day.summary)
    assert not has_several(day.summary)


def test_a_companys_rows_are_its_arms_and_their_difference(two_towns_day: Run) -> None:
    rows = dict(company_rows(two_towns_day.summary, "retailer"))["greenpower"]
    assert [title for title, _ in rows] == ["conventional", "smart", "difference"]
    customers = [cells[0] for _, cells in rows]
    assert customers[0] == customers[1]
    assert customers[2] == "", "the same in both arms"
    arms = two_towns_day.summary["arms"]
    smart, conventional = (arms[name]["companies"][1]["margin_eur"] for name in ("smart", "conventional"))
    assert rows[2][1][5].replace("\u2212", "-").replace("+", "").replace("\u202f", "") == f"{smart - conventional:.0f}"


def test_the_page_has_a_table_of_companies_only_where_there_are_several(two_towns_day: Run, day: Run) -> None:
    text = two_towns_day.report.read_text(encoding="utf-8")
    found = re.search(r'<section id="companies">.*?</section>', text, re.DOTALL)
    assert found is not None
    for name in ("stadtwerke", "greenpower", "flexo", "wattson"):
        assert f"<b>{name}</b>" in found[0]
    for words in ("The retailers had bought", "they were short of", "aggregators control the devices"):
        assert words in text
    assert '<section id="companies">' not in day.report.read_text(encoding="utf-8")


def test_the_terminal_sets_towns_and_companies_side_by_side(two_towns_day: Run, day: Run) -> None:
    text = printed(two_towns_day)
    for words in ("in 2 towns", "peak import of all towns", "town  arm", "stadtwerke", "wattson", "their aggregator"):
        assert words in text, words
    one = printed(day)
    for words in ("towns", "retailer ", "their aggregator"):
        assert words not in one, words


def test_devices_are_let_to_an_only_aggregator_where_companies_are_not_known() -> None:
    assert "let the aggregator control" in devices(summary())


def test_nobody_has_no_margin_per_customer() -> None:
    made = summary()
    figures = {"supplied_mwh": 0.0, "received_eur": 0.0, "paid_eur": 1.0, "imbalance_eur": 0.0, "margin_eur": -1.0}
    for arm in made["arms"].values():
        arm["companies"] = [{"kind": "retailer", "name": "retailer none", "customers": 0} | figures]
    ((_, rows),) = company_rows(made, "retailer")
    assert [cells[-1] for _, cells in rows] == ["–", "–", ""]
