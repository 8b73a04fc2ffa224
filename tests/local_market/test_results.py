"""What a run with local markets leaves behind: tables, summary, page, terminal, and what can be asked of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import polars
import pytest

import heptagrid
from heptagrid.inquiry.explain import explain
from heptagrid.inquiry.run_bill import run_bill
from heptagrid.inquiry.trace import trace
from heptagrid.recording.results import Run
from heptagrid.report.bill_text import bill_text
from heptagrid.report.local_market import local_market_lines
from heptagrid.report.run_bill_text import run_bill_text
from tests.conftest import shared_run

pytestmark = pytest.mark.long

SHORT = """
[vehicles]
share = 1
[heat_pumps]
share = 1
[gateways]
enrolled_share = 1
[messages.access]
loss = 0.3
retries = 0
[local_market]
enabled = true
capacity_pct = 20
"""


@pytest.fixture(scope="module")
def run(lane_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A day in which transformers are short and many messages are lost."""

    def make(out: Path) -> Run:
        file = out.parent / "short.toml"
        file.write_text(lane_file.read_text(encoding="utf-8") + SHORT, encoding="utf-8")
        return heptagrid.run(file, step_s=300, single="smart", threads=1, out=out)

    return shared_run("short_of_capacity", tmp_path_factory, make)


@pytest.fixture(scope="module")
def entry(run: Run) -> dict[str, Any]:
    found: dict[str, Any] = run.summary["arms"]["smart"]["local_market"]
    return found


def test_the_table_has_each_market_and_interval_and_the_summary_their_sums(run: Run, entry: dict[str, Any]) -> None:
    rows = run.table("local_market")
    assert rows.height == entry["cleared"] == 4 * 288 and rows["time_ns"].n_unique() == 288
    for name in ("bids_sent", "bids_arrived", "bids_late", "prices_sent", "prices_in_time"):
        assert rows[name].sum() == entry[name]
    assert entry["bids_sent"] == entry["bids_arrived"] + entry["bids_late"] + entry["bids_lost"]
    assert 0.0 < entry["bids_lost"] / entry["bids_sent"] < 0.7
    assert entry["prices_in_time"] < entry["prices_sent"] <= entry["bids_arrived"]
    assert entry["surplus_eur"] == pytest.approx(rows["owed_eur"].sum(), rel=1e-5)
    assert entry["traded_mwh"] == pytest.approx(rows["traded_kw"].sum() / 12.0 / 1000.0, rel=1e-5)
    short = rows.filter(polars.col("set_by") != "grid")
    assert short.height == round(entry["congested_share"] * rows.height) > 0
    assert (rows["import_kw"] <= rows["capacity_kw"] + 1e-3).all()


def test_the_sum_is_what_the_ledger_has(run: Run, entry: dict[str, Any]) -> None:
    rows = run.ledger.filter(polars.col("reason") == "local_market")
    to_aggregator = polars.when(polars.col("payer").str.starts_with("point")).then(1).otherwise(-1)
    assert rows.select((to_aggregator * polars.col("amount_millicent")).sum()).item() == round(
        entry["surplus_eur"] * 1e5
    )
    assert (rows["cause"] >= 0).all()
    bids = run.waves.filter(polars.col("topic").str.starts_with("bid."))
    first = bids["first_id"].search_sorted(rows["cause"], side="right").cast(polars.Int64) - 1
    within = rows["cause"] - bids["first_id"].gather(first)
    assert (within < bids["messages"].gather(first)).all(), "each entry names a bid"


def test_the_page_and_the_terminal_show_the_markets(run: Run, entry: dict[str, Any]) -> None:
    page = run.report.read_text(encoding="utf-8")
    section = page[page.index('id="local_market"') :]
    for words in ("Local markets", "Prices of the local markets", "congestion surplus, EUR", "transformer.pole_oak"):
        assert words in section, words
    (line,) = local_market_lines(run.summary)
    assert re.match(r"local markets: 4, \d\d\.\d\d % of [\d\u202f]+ bids arrived in time", line)


def test_a_run_without_markets_has_no_table_and_no_section(lane_day: Run) -> None:
    assert "local_market" not in lane_day.summary["arms"]["smart"]
    assert local_market_lines(lane_day.summary) == []
    assert not (lane_day.folder / "local_market.parquet").exists()
    assert 'id="local_market"' not in lane_day.report.read_text(encoding="utf-8")


def test_a_bid_can_be_traced_to_the_entry_of_the_ledger_that_it_caused(run: Run) -> None:
    rows = run.ledger.filter((polars.col("reason") == "local_market") & polars.col("payer").str.starts_with("point"))
    row = rows.sort("amount_millicent", descending=True).row(0, named=True)
    found = trace(run.folder, row["cause"])
    assert found["message"]["kind"] == "bid" and f"customer {row['payer'].removeprefix('point ')}" in str(
        found["message"]
    )
    assert re.match(
        r"It was in time for the market below transformer\.\w+ from \d\d:\d\d to \d\d:\d\d", found["effect"]
    )
    (line,) = found["consequences"]["ledger"]
    assert (line["reason"], line["lines"]) == ("local_market", 1)
    assert line["amount_eur"] == pytest.approx(row["amount_millicent"] / 1e5)


def test_the_customers_bill_names_it(run: Run) -> None:
    rows = run.ledger.filter((polars.col("reason") == "local_market") & polars.col("payer").str.starts_with("point"))
    payer = rows.group_by("payer").agg(polars.col("amount_millicent").sum()).sort("amount_millicent")["payer"][-1]
    customer = int(payer.removeprefix("point "))
    (day,) = run_bill(run.folder, customer)["days"]
    (line,) = [one for one in day["lines"] if one["reason"] == "local_market"]
    assert line["amount_eur"] > 0.0 and line["causes"][0]["kind"] == "bid"
    assert re.search(
        r"local market: its price above the grid's, \d+ bids", run_bill_text(run_bill(run.folder, customer))
    )
    said = explain(run.folder, customer)
    assert said["local_market"]["bids"] > said["local_market"]["prices"] > 0 and said["local_market"]["bids_lost"]
    assert not said["remarks"], "the replay's bill is the run's"
    words = bill_text(said)
    assert "leaves your vehicle and heat pump to the local market" in words
    assert "bids were lost" in words and "EUR for what its price lay above the grid's" in words
    assert sum(one["amount_eur"] for one in said["lines"] if one["reason"] == "local_market") == pytest.approx(
        line["amount_eur"]
    )
