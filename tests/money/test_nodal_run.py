"""A whole run of a small feeder with prices by bus and dispatch on the network: who pays what, and that every euro has a payee."""

from __future__ import annotations

from pathlib import Path

import polars
import pytest

import heptagrid
from heptagrid.recording.results import Run
from tests.conftest import shared_run

pytestmark = pytest.mark.long

LANE = Path(__file__).parents[1] / "cases/lane/lane.dss"
SETTINGS = ["market.pricing=nodal", "market.losses=marginal", "market.reserves=bought", "dispatch.rule=network"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    def make(out: Path) -> Run:
        return heptagrid.run(feeder=LANE, step_s=900, single="smart", threads=1, days=2, settings=SETTINGS, out=out)

    return shared_run("lane-nodal", tmp_path_factory, make)


def test_rent_reaches_transmission_and_what_units_lack_generation(run: Run) -> None:
    smart = run.summary["arms"]["smart"]
    paid = {(one["reason"], one["payer"], one["payee"]): one["amount_eur"] for one in smart["money_eur"]["by_reason"]}
    assert smart["money_eur"]["sum"] == 0.0
    for reason, payee in (
        ("congestion_rent", "transmission"),
        ("loss_surplus", "transmission"),
        ("make_whole", "generation"),
        ("reserve", "generation"),
    ):
        into = sum(eur for (name, _, to), eur in paid.items() if (name, to) == (reason, "markets"))
        back = sum(eur for (name, by, to), eur in paid.items() if (name, by) == (reason, "markets") and to != payee)
        assert into - back == pytest.approx(paid[reason, "markets", payee], abs=1e-4) and into > 0.0
    rows = run.ledger.filter(polars.col("reason").is_in(["congestion_rent", "loss_surplus", "make_whole", "reserve"]))
    assert len(rows) > 0 and (rows["cause"] >= 0).all(), "the message that told the day"


def test_the_town_pays_the_price_of_its_bus(run: Run) -> None:
    prices = run.table("bus_prices")
    here = prices.filter(polars.col("bus") == 109).sort("hour_ns")["price_eur_per_mwh"].to_numpy()
    told = run.summary["arms"]["smart"]["market"]
    assert told["congestion_rent_eur"] > 0.0 and told["make_whole_eur"] > 0.0
    parts = prices["energy_eur_per_mwh"] + prices["congestion_eur_per_mwh"] + prices["loss_eur_per_mwh"]
    assert told["loss_surplus_eur"] > 0.0 and told["losses_mwh"] > 0.0
    at_reference = prices.filter(polars.col("bus") == 101)
    assert at_reference["loss_eur_per_mwh"].abs().max() == 0.0 == at_reference["congestion_eur_per_mwh"].abs().max()
    assert (parts - prices["price_eur_per_mwh"]).abs().max() < 1e-3
    at_steps = run.table("totals")["price_eur_per_mwh"].to_numpy()
    assert len(here) == 48
    assert sorted(set(at_steps.round(2))) == sorted(set(here.round(2)))


def test_reserve_is_sold_up_to_what_is_required(run: Run) -> None:
    hours = (
        run.table("unit_hours")
        .group_by("hour_ns")
        .agg(polars.col("reserve_eur_per_mw").first(), polars.col("held_mw").sum())
    )
    sold_eur = (hours["reserve_eur_per_mw"].cast(float) * hours["held_mw"].cast(float)).sum()
    assert sold_eur == pytest.approx(run.summary["arms"]["smart"]["market"]["reserve_eur"], rel=1e-3)
    assert hours["held_mw"].min() > 200.0, "a tenth of the demand"
    reasons = {one["reason"] for one in run.summary["arms"]["smart"]["money_eur"]["by_reason"]}
    assert "reserve" in reasons and "reserve_not_held" not in reasons, "no unit was out"
