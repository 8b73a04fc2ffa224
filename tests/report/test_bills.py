"""A bill before and after, and who gains: parts that sum to the ledger's bills, and what the page shows of them."""

from __future__ import annotations

from html import unescape

import numpy as np
import pytest

from heptagrid.recording.bill_parts import BILL_PARTS
from heptagrid.recording.results import Run
from heptagrid.report.bills import bills_section
from heptagrid.report.stacked import Row, stacked_bars


def test_parts_are_stacked_from_zero_to_either_side() -> None:
    drawn = stacked_bars("Bill", "EUR", ["energy <x>", "tax", "feed-in"], [Row("before", [6.0, 3.0, -3.0])], digits=1)
    # From -3 to 9 across 476 points: zero stands at 121, energy ends at 359.
    assert '<rect class="part c0" x="121.0" y="3" width="238.0"' in drawn
    assert '<rect class="part c1" x="359.0" y="3" width="119.0"' in drawn
    assert '<rect class="part c2" x="2.0" y="3" width="119.0"' in drawn
    assert "before: 6.0 EUR" in drawn and "energy &lt;x&gt;" in drawn


def test_what_no_row_has_is_not_in_the_legend() -> None:
    assert "tax" not in stacked_bars("Bill", "EUR", ["energy", "tax"], [Row("before", [0.0, 0.0])])


def test_the_parts_of_every_bill_sum_to_what_the_ledger_has(day: Run) -> None:
    for arm in ("conventional", "smart"):
        bills = day.bills
        parts = np.array([bills[f"{name}_eur_{arm}"].to_numpy() for name in BILL_PARTS])
        assert parts.sum(axis=0) == pytest.approx(bills[f"bill_eur_{arm}"].to_numpy(), abs=1e-9)
        mean = day.summary["arms"][arm]["bills"]["mean_parts_eur"]
        assert sum(mean.values()) == pytest.approx(day.summary["arms"][arm]["bills"]["mean_bill_eur"])
    assert np.abs(bills["other_eur_conventional"].to_numpy()).max() < 1e-9, "nobody pays for flexibility there"
    assert bills["other_eur_smart"].to_numpy().min() < -0.01


def test_who_gains_is_told_of_a_day_too(day: Run) -> None:
    found = day.summary["difference"]["bills"]
    change = (day.bills["bill_eur_smart"] - day.bills["bill_eur_conventional"]).to_numpy()
    assert not found["is_year"]
    assert found["quantiles_eur"][0] == pytest.approx(change.min())
    assert found["quantiles_eur"][100] == pytest.approx(change.max())
    everybody = found["groups"][0]
    assert everybody["share_who_gain"] == pytest.approx((change < -0.005).mean())
    assert everybody["share_who_lose"] == pytest.approx((change > 0.005).mean())


def test_the_page_shows_three_bills_before_and_after(day: Run) -> None:
    page = unescape(day.report.read_text(encoding="utf-8"))
    for words in ("A bill before and after, and who gains", "The mean bill, before and after", "gains most: customer"):
        assert words in page, words
    change = day.bills["bill_eur_smart"] - day.bills["bill_eur_conventional"]
    assert f"loses most: customer {change.arg_max()} " in page


def test_one_arm_alone_has_no_bill_before_and_after() -> None:
    assert bills_section({"difference": None}, None) == ""
