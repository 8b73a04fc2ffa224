"""The merit order of an hour, by hand, with the point where it clears; and a map of the prices at the buses."""

from __future__ import annotations

from html import unescape

import numpy as np
import polars
import pytest

from heptagrid.recording.results import Run
from heptagrid.report.bus_prices import bus_price_map
from heptagrid.report.market import TABLES, beside, market_section, merit_order
from heptagrid.report.merit_order import MINIMUM, Block, merit_order_chart

UNITS = polars.DataFrame(
    {
        "unit": [0, 1, 2, 3, 4],
        "name": ["coal", "gas", "idle", "wind", "pump"],
        "kind": ["thermal", "thermal", "thermal", "wind", "storage"],
        "fuel": ["coal", "gas", "gas", "", ""],
    }
)
# Coal gives 40 MW at least, then 60 MW at 30 EUR; gas nothing at least, then 50 MW at 80 and 50 at 25 EUR.
BLOCKS = polars.DataFrame(
    {
        "unit": [0, 0, 1, 1, 2],
        "name": ["coal", "coal", "gas", "gas", "idle"],
        "kind": ["thermal"] * 5,
        "fuel": ["coal", "coal", "gas", "gas", "gas"],
        "from_mw": [0.0, 40.0, 0.0, 50.0, 0.0],
        "to_mw": [40.0, 100.0, 50.0, 100.0, 100.0],
        "eur_per_mwh": [35.0, 30.0, 80.0, 25.0, 20.0],
    }
)


def hour(high_of_gas_mw: float = 100.0) -> polars.DataFrame:
    return polars.DataFrame(
        {
            "unit": [0, 1, 2, 3, 4],
            "on": [True, True, False, True, True],
            "low_mw": [40.0, 0.0, 10.0, 0.0, -20.0],
            "high_mw": [100.0, high_of_gas_mw, 100.0, 70.0, 20.0],
            "p_mw": [100.0, 10.0, 0.0, 70.0, -20.0],
        }
    )


def test_least_outputs_stand_first_then_what_is_free_then_blocks_by_cost() -> None:
    blocks, given_mw = merit_order(hour(), UNITS, BLOCKS)
    assert blocks == [
        Block("coal", MINIMUM, 40.0, 0.0),
        Block("wind", "wind", 70.0, 0.0),
        Block("gas", "gas", 50.0, 25.0),
        Block("coal", "coal", 60.0, 30.0),
        Block("gas", "gas", 50.0, 80.0),
    ]
    assert given_mw == 180.0, "storages are on the side of demand"


def test_a_unit_offers_no_more_than_it_can() -> None:
    blocks, _ = merit_order(hour(high_of_gas_mw=70.0), UNITS, BLOCKS)
    assert sum(one.mw for one in blocks if one.unit == "gas") == 70.0


def test_the_clearing_point_stands_where_demand_meets_the_price() -> None:
    drawn = merit_order_chart(
        "Noon", [Block("wind <1>", "wind", 100.0, 0.0), Block("gas", "gas", 100.0, 50.0)], 150.0, 50.0
    )
    # 200 MW across 422 points from 46: 150 MW stand at 362.5; 0 to 60 EUR from 206 up to 18.
    assert '<circle class="mark conventional" cx="362.5" cy="' in drawn
    assert "cleared: 0.15 GW at 50.0 EUR/MWh" in drawn and "wind &lt;1&gt;" in drawn
    assert drawn.count('class="block') == 2 and "coal" not in drawn


@pytest.mark.parametrize("price", [4000.0, -20.0, 0.0])
def test_prices_beyond_the_offers_stay_on_the_chart(price: float) -> None:
    drawn = merit_order_chart("Noon", [Block("gas", "gas", 100.0, 50.0)], 100.0, price)
    (y,) = (float(part.split('"')[0]) for part in drawn.split(' cy="')[1:])
    assert 0.0 <= y <= 250.0
    assert merit_order_chart("Nothing", [], 0.0, price)


def test_buses_are_coloured_by_price() -> None:
    places = np.array([0.0, 1.0, 1.0]), np.array([50.0, 50.0, 51.0])
    branches = np.array([0, 1]), np.array([1, 2])
    drawn = bus_price_map("Noon", ["A", "B", "C & D"], places, branches, np.array([10.0, 20.0, 60.0]))
    assert 'class="price p0"' in drawn and 'class="price p1"' in drawn and 'class="price p4"' in drawn
    assert "C &amp; D: 60.0 EUR/MWh" in drawn and "10.0 to 20.0" in drawn
    alike = bus_price_map("Noon", ["A", "B", "C"], places, branches, np.full(3, 42.0))
    assert "42.0 at every bus" in alike and alike.count('class="price p2"') == 3


def test_the_page_shows_how_the_price_of_its_day_came_about(day: Run) -> None:
    """In the dearest hour the curve meets demand at the price, within the width of a block: no ramp or tank binds then on this day."""
    page = unescape(day.report.read_text(encoding="utf-8"))
    for words in (
        "How the day-ahead price came about",
        "Merit order of the dearest hour",
        "Price at each bus, cheapest hour",
    ):
        assert words in page, words
    totals = day.totals.filter(polars.col("arm") == "smart")
    dearest = totals.sort("price_eur_per_mwh", "time_ns", descending=[True, False])
    price, begins = float(dearest["price_eur_per_mwh"][0]), int(dearest["time_ns"][0])
    hours = day.table("unit_hours").filter((polars.col("arm") == "smart") & (polars.col("hour_ns") == begins))
    blocks, given_mw = merit_order(hours, day.table("unit_list"), day.table("unit_blocks"))
    reached = int(np.searchsorted(np.cumsum([one.mw for one in blocks]), given_mw - 1e-6))
    near = [one.eur_per_mwh for one in blocks[reached - 1 : reached + 2]]
    assert min(near) - 0.1 <= price <= max(near) + 0.1
    assert f"{price:.1f} EUR/MWh" in page


def test_a_run_without_its_tables_has_no_such_section() -> None:
    assert market_section(dict.fromkeys(("totals", *TABLES)), {}, "smart", 0) == ""


def test_losses_and_reserve_are_said_where_they_are_priced() -> None:
    """Two units in two hours: 10 and 30 MW at 5 EUR, 20 and 20 MW at nothing; nothing is said of a market without either."""
    prices = polars.DataFrame({"bus": [101, 102, 103], "loss_eur_per_mwh": [0.0, -1.25, 3.0]})
    hours = {"hour_ns": [0, 0, 1, 1], "held_mw": [10.0, 30.0, 20.0, 20.0], "reserve_eur_per_mw": [5.0, 5.0, 0.0, 0.0]}
    said = " ".join(beside(prices, polars.DataFrame(hours)))
    assert "-1.2 to 3.0 EUR/MWh are for losses" in said.replace("\u2212", "-")
    assert "sold 40 MW of reserve in the mean, for 200 EUR in all" in said
    assert "In 1 of 2 hours reserve had a price, up to 5.0 EUR/MW" in said
    silent = {name: [0.0] * 4 for name in hours}
    assert beside(polars.DataFrame({"loss_eur_per_mwh": [0.0]}), polars.DataFrame(silent)) == []
    assert beside(polars.DataFrame({"price": [0.0]}), polars.DataFrame({"hour_ns": [0]})) == [], "an older run's tables"
