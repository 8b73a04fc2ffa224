"""Marginal losses in prices: by hand on one line, laws on random networks, and who pays for what is lost on the built-in system."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import heptagrid
from heptagrid.foundation.errors import NetworkError
from heptagrid.planes.money.formulations.losses import TOLERANCE
from heptagrid.planes.money.formulations.transfer import transfer_factors
from heptagrid.planes.money.formulations.units import UnitCosts
from heptagrid.planes.money.markets.day_ahead import MARGINAL, NODAL, Cleared, Parameters, clear
from heptagrid.planes.money.markets.day_case import Before, Rows, day_case
from heptagrid.planes.money.markets.dc_opf import clear as clear_hour
from heptagrid.planes.money.markets.dc_opf import dispatch_on
from heptagrid.planes.money.markets.nodal_payments import Lost, paid_at_buses
from heptagrid.planes.money.markets.unit_commitment import Commitment, Settings, dispatch
from heptagrid.world.commitment_case import BranchNetwork, CommitmentCase
from heptagrid.world.market_case import DirectLines, MarketBranches, MarketCase, MarketUnits
from tests.clear.rts_folder import write_folder
from tests.clear.test_dc_opf import random_case
from tests.markets.fleets import case_of, units_of
from tests.markets.test_day_ahead import TOWN, demand, offers, system
from tests.markets.test_unit_commitment import case, meshed, units

LOSSES = Settings(with_reserves=False, with_losses=True)
LOSS = 1e-3  # MW of the square of the flow: 0.1 pu at 100 MVA


def line(rating_mw: float = 1e6) -> BranchNetwork:
    one = np.ones(1)
    ends = np.array(["A-B"]), np.array([0]), np.array([1])
    return BranchNetwork(*ends, 10.0 * one, rating_mw * one, rating_mw * one, loss_mw_per_mw2=LOSS * one)


def by_hand(load_mw: float, unit_at_b: float | None = None, rating_mw: float = 1e6) -> CommitmentCase:
    """A unit at A (20 EUR/MWh), a load at B, and a unit there if its cost is given."""
    cost = [20.0] if unit_at_b is None else [20.0, unit_at_b]
    fleet = replace(units_of([500.0] * len(cost), [0.0] * len(cost), cost), bus=np.arange(len(cost)))
    alone = case_of(fleet, [load_mw])
    return replace(alone, bus_names=np.array(["A", "B"]), load_mw=np.array([[0.0, load_mw]]), network=line(rating_mw))


def test_one_line_by_hand() -> None:
    """Of the flow f half of 0.001 f² is lost at either end: f - 0.0005 f² = 100, so f = 105.57 and the unit gives 105.57 + 5.57 = 111.15 MW. One MW more
    at B takes (1 + 0.001 f) / (1 - 0.001 f) = 1.236 of it, 24.72 EUR."""
    found = dispatch(by_hand(100.0), np.ones((1, 1), dtype=bool), LOSSES)
    flow = 1000.0 * (1.0 - np.sqrt(1.0 - 2.0 * 0.1))
    assert flow == pytest.approx(105.573, abs=1e-3)
    assert found.unit_mw[0, 0] == pytest.approx(flow + 0.5 * LOSS * flow**2, rel=TOLERANCE)
    assert found.losses_mw[0] == pytest.approx(LOSS * flow**2, rel=TOLERANCE)
    assert found.price[0].tolist() == pytest.approx([20.0, 20.0 * (1.0 + LOSS * flow) / (1.0 - LOSS * flow)], rel=1e-4)
    assert found.loss_price[0].tolist() == pytest.approx([0.0, found.price[0, 1] - 20.0])
    assert found.congestion_price[0] == pytest.approx([0.0, 0.0], abs=1e-9)


def test_a_dear_unit_beyond_losses_shares_the_load() -> None:
    """By hand: 24 EUR/MWh at B are 1.2 times those at A, so that both give where (1 + 0.001 f) / (1 - 0.001 f) = 1.2, at f = 1000 / 11 = 90.9 MW."""
    found = dispatch(by_hand(150.0, 24.0), np.ones((1, 2), dtype=bool), LOSSES)
    assert found.flow_mw[0, 0] == pytest.approx(1000.0 / 11.0, abs=3.0), (
        "the cost is flat here: 0.01 MW of losses are 3 MW of flow"
    )
    assert found.price[0].tolist() == pytest.approx([20.0, 24.0])


def test_a_full_line_has_congestion_beside_losses() -> None:
    """By hand: 50 MW, at which one MW more at B would take 1.05 / 0.95 at A, 22.11 EUR; the rest of the 60 EUR there is congestion. Limits are of the flow in the middle."""
    found = dispatch(by_hand(100.0, 60.0, rating_mw=50.0), np.ones((1, 2), dtype=bool), LOSSES)
    assert found.flow_mw[0, 0] == pytest.approx(50.0, abs=1e-3)
    assert found.price[0].tolist() == pytest.approx([20.0, 60.0])
    # Losses at either end are priced at the mean of both, 40: 40 x 0.001 x 2 x 50 = 4 EUR for a MW that flows
    assert found.loss_price[0, 1] == pytest.approx(4.0, rel=1e-3)
    assert found.congestion_price[0, 1] == pytest.approx(36.0, rel=1e-3)


def random_day(seed: int, tightness: float = 1.0) -> CommitmentCase:
    rng = np.random.default_rng(seed)
    network = meshed(rng, 7)
    network = replace(
        network,
        rating_mw=network.rating_mw * tightness,
        loss_mw_per_mw2=rng.uniform(0.0, 0.15, len(network.names)) / 100.0 * rng.uniform(0.2, 1.0),
    )
    fleet = units(rng, 4, bus=np.array([0, 2, 3, 5]), p_min_mw=np.zeros(4), on_h=np.full(4, 9))
    return case(fleet, rng.uniform(0.0, 15.0, (3, 7)), network)


def all_on(one: CommitmentCase, reference: int = 0) -> Commitment:
    on = np.ones((one.periods, len(one.units)), dtype=bool)
    return dispatch(one, on, LOSSES, reference)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0.4, 3.0]))
def test_losses_are_those_of_the_flows_and_lie_where_they_are_lost(seed: int, tightness: float) -> None:
    one = random_day(seed, tightness)
    found, network = all_on(one), one.network
    assert network is not None
    fed_in = -one.load_mw - found.losses_mw[:, np.newaxis] * found.loss_share
    np.add.at(fed_in.T, one.units.bus, found.unit_mw.T)
    if found.unserved_mwh == 0.0:
        np.testing.assert_allclose(fed_in.sum(axis=1), 0.0, atol=1e-6)
    flow = found.flow_mw
    assert (np.abs(flow) <= network.rating_mw + 1e-3).all()
    lost = network.loss_mw_per_mw2 * flow**2
    np.testing.assert_allclose(found.losses_mw, lost.sum(axis=1), rtol=TOLERANCE, atol=1e-4)
    np.testing.assert_allclose(found.loss_share.sum(axis=1), 1.0)


@pytest.mark.long
@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 6), st.sampled_from([0.4, 3.0]))
def test_no_price_hangs_on_the_reference(seed: int, reference: int, tightness: float) -> None:
    """And what is for losses, or for congestion, is nothing there."""
    one = random_day(seed, tightness)
    here, there = all_on(one), all_on(one, reference)
    np.testing.assert_allclose(here.price, there.price, atol=1e-6)
    np.testing.assert_allclose(there.price[:, reference], there.energy_price, atol=1e-9)
    for found, bus in ((here, 0), (there, reference)):
        assert np.abs(found.loss_price[:, bus]).max() < 1e-9
        assert np.abs(found.congestion_price[:, bus]).max() < 1e-9


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0.4, 3.0]))
def test_units_have_no_reason_to_give_more_or_less(seed: int, tightness: float) -> None:
    """The conditions of an optimum, at its prices: who could give more costs no less, who could give less no more."""
    one = random_day(seed, tightness)
    found = all_on(one)
    price, cost = found.price[:, one.units.bus], one.units.block_cost[:, 0]
    assert (price <= cost + 1e-6)[found.unit_mw < one.units.block_mw[:, 0] - 1e-3].all()
    assert (price >= cost - 1e-6)[found.unit_mw > 1e-3].all()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 6))
def test_a_price_is_what_a_megawatt_more_costs_there(seed: int, bus: int) -> None:
    """By other solutions with 0.5 MW more and less: the least cost rises ever faster with load, so that the price lies between what both come to."""
    one = random_day(seed)
    found = all_on(one)
    step = np.zeros(one.load_mw.shape)
    step[1, bus] = 0.5
    more, less = (all_on(replace(one, load_mw=one.load_mw + sign * step)) for sign in (1.0, -1.0))
    costs = [one.cost + one.penalty for one in (less, found, more) if one.cost is not None]
    slack = 0.02 * max(
        found.price.max(), 1.0
    )  # the tolerance of losses, and their places, which a price takes as given
    assert 2.0 * (costs[1] - costs[0]) - slack <= found.price[1, bus] <= 2.0 * (costs[2] - costs[1]) + slack


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0.4, 3.0]))
def test_what_buyers_pay_is_revenue_rent_and_loss_surplus(seed: int, tightness: float) -> None:
    """Revenue adequacy: beyond what units get, all that is paid is what limits earn, and the losses at the price at which they are bought."""
    one = random_day(seed, tightness)
    found = all_on(one)
    paid = paid_at_buses(
        *(found.price, found.unit_mw, one.units.bus, found.unit_cost, one.load_mw, np.array([4])),
        Lost(found.loss_price, found.losses_mw, found.loss_share),
    )
    nobody = np.zeros((3, 1))
    rent, surplus = paid.congestion_eur(one.load_mw, nobody), paid.loss_surplus_eur(one.load_mw, nobody)
    all_paid = float((found.price * one.load_mw).sum())
    if found.unserved_mwh > 0.0:
        return
    assert all_paid == pytest.approx(paid.revenue_eur.sum() + rent + surplus, rel=1e-9)
    assert rent == pytest.approx(float(found.binding.rent.sum()), rel=1e-6, abs=1e-3)
    bought = float(((found.loss_share * found.price).sum(axis=1) * found.losses_mw).sum())
    assert surplus == pytest.approx(bought, rel=0.03, abs=0.1), "tangents end within a ten-thousandth of the losses"


def test_without_resistances_there_are_no_losses() -> None:
    one = random_day(1)
    assert one.network is not None
    with pytest.raises(NetworkError, match="resistances"):
        all_on(replace(one, network=replace(one.network, loss_mw_per_mw2=np.empty(0))))


@cache
def winter_day() -> Cleared:
    rules = Parameters(pricing=NODAL, losses=MARGINAL)
    return clear(system(), offers(), demand(), Before.unknown(system().units), rules)


@pytest.mark.long
def test_the_built_in_system_gives_its_losses_and_prices_them() -> None:
    cleared, bulk = winter_day(), system()
    load = demand().at_buses(demand().towns_mw)
    lost = cleared.p_mw.sum(axis=1) - load.sum(axis=1)
    assert cleared.losses_mwh == pytest.approx(lost.sum(), abs=1e-3)
    assert 0.02 < cleared.losses_mwh / load.sum() < 0.06
    network = day_case(bulk, offers(), load, Before.unknown(bulk.units), np.zeros(24), 4000.0).network
    assert network is not None
    factors = transfer_factors(network, 73)
    for hour in range(24):
        fed_in = np.bincount(bulk.units.bus, cleared.p_mw[hour], 73) - load[hour]
        flow = factors @ (fed_in - lost[hour] * np.maximum(load[hour], 0.0) / np.maximum(load[hour], 0.0).sum())
        assert float(bulk.branch_r_pu @ flow**2) / 100.0 == pytest.approx(lost[hour], rel=0.06), "losses laid by load"


@pytest.mark.long
def test_rent_and_surplus_of_the_built_in_system_are_those_of_the_program() -> None:
    cleared, rows, load = winter_day(), Rows.of(system().units), demand().at_buses(demand().towns_mw)
    one = day_case(system(), offers(), load, Before.unknown(system().units), np.zeros(24), 4000.0)
    again = dispatch(one, cleared.on[:, rows.committed], LOSSES)
    paid_eur, revenue_eur = float((cleared.bus_eur_per_mwh * load).sum()), float(cleared.paid.revenue_eur.sum())
    assert paid_eur == pytest.approx(revenue_eur + cleared.congestion_eur + cleared.loss_surplus_eur, rel=1e-9)
    assert cleared.congestion_eur == pytest.approx(float(again.binding.rent.sum()), rel=1e-3)
    bought = float(((again.loss_share * again.price).sum(axis=1) * again.losses_mw).sum())
    assert cleared.loss_surplus_eur == pytest.approx(bought, rel=1e-3)
    assert cleared.loss_surplus_eur > 1000.0


def test_units_are_paid_for_what_is_lost() -> None:
    """What units get for a MWh that is bought is more than the mean of their prices by the losses on its way."""
    cleared, load = winter_day(), demand().at_buses(demand().towns_mw)
    got = float((cleared.paid.unit_eur_per_mwh * load.sum(axis=1)).sum())
    assert got == pytest.approx(float(cleared.paid.revenue_eur.sum()), rel=1e-9)
    assert cleared.price_eur_per_mwh == pytest.approx(cleared.bus_eur_per_mwh[:, TOWN[0]])


def test_losses_that_are_foreseen_have_no_price() -> None:
    cleared = clear(system(), offers(), demand(), Before.unknown(system().units), Parameters(pricing=NODAL))
    assert cleared.loss_surplus_eur == 0.0 and np.abs(cleared.loss_eur_per_mwh).max() == 0.0
    load = demand().at_buses(demand().towns_mw)
    assert cleared.losses_mwh == pytest.approx(0.03 * load.sum())


@pytest.mark.long
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.booleans(), st.sampled_from(["powermodels", "matpower"]))
def test_an_hour_gives_its_losses_and_proves_itself(seed: int, bent: bool, model: str) -> None:
    """Balance at every bus, losses those of the flows, price between the slopes of every unit, and all that is paid has a name; shifts and taps too."""
    one = random_case(seed, bent=bent)
    units_too = replace(one.units, high_mw=one.units.high_mw * 2.0 + 10.0)
    branches = replace(
        one.branches, limit_mw=one.branches.limit_mw * 2.0 + 10.0, angle_low_rad=one.branches.angle_low_rad - 1.0
    )
    one = replace(one, units=units_too, branches=branches, load_mw=np.maximum(one.load_mw, 0.0))
    found = dispatch_on(one, model, with_losses=True)  # type: ignore[arg-type]
    if found.status != "optimal":  # loads are others than those that limits were drawn for
        return
    assert found.certificate is not None and found.certificate.gap < 1e-6
    on, buses = one.branches, len(one.load_mw)
    lost = on.r_pu / 100.0 * found.flow_mw**2
    if (found.price > 1e-3).all():
        assert float(found.lost_mw.sum()) == pytest.approx(float(lost.sum()), rel=2e-4, abs=1e-4)
    brought = np.bincount(one.units.bus, found.output_mw, buses) - np.bincount(on.from_bus, found.flow_mw, buses)
    brought += np.bincount(on.to_bus, found.flow_mw, buses) - found.loss_share * found.lost_mw[found.network.island]
    np.testing.assert_allclose(brought, one.load_mw, atol=1e-5)
    below, above = UnitCosts(one.units).slopes(found.output_mw)
    price = found.price[one.units.bus]
    assert (price <= above + 1e-3)[found.output_mw < one.units.high_mw - 1e-4].all()
    assert (price >= below - 1e-3)[found.output_mw > one.units.low_mw + 1e-4].all()
    rows = clear_hour(one, dc_model=model, losses="on")  # type: ignore[arg-type]
    named = ("payments", "revenues", "congestion_rent", "loss_surplus")
    payments, revenues, rent, surplus = (float(str(rows.figures[name])) for name in named)
    assert payments == pytest.approx(revenues + rent + surplus, rel=1e-6, abs=1e-2)
    parts = sum(np.asarray(rows.prices[name]) for name in ("energy", "congestion", "loss"))
    np.testing.assert_allclose(parts, np.asarray(rows.prices["price"]), atol=1e-8)


def test_an_hour_and_a_day_price_losses_alike() -> None:
    """Two programs, with angles and with factors, on the same line: both as by hand."""
    none = np.zeros(0, dtype=np.int64)
    one, free = np.ones(1), np.full(1, np.inf)
    branch = MarketBranches(
        np.array(["1"]), np.array([0]), np.array([1]), 0.1 * one, 0.1 * one, one, 0.0 * one, free, -free, free
    )
    unit = MarketUnits(
        np.array(["1"]), np.array([0]), 0.0 * one, 500.0 * one, np.array([[0.0, 20.0]]), none, np.zeros(0), np.zeros(0)
    )
    nobody = DirectLines(none.astype(np.str_), none, none, *(np.zeros(0),) * 4)
    names = np.array(["A", "B"])
    found = dispatch_on(
        MarketCase("line", 100.0, names, np.array([0.0, 100.0]), branch, nobody, unit), "matpower", with_losses=True
    )
    day = dispatch(by_hand(100.0), np.ones((1, 1), dtype=bool), LOSSES)
    np.testing.assert_allclose(found.price, day.price[0], rtol=1e-3)
    np.testing.assert_allclose(found.loss_price, day.loss_price[0], rtol=1e-2)
    assert found.output_mw[0] == pytest.approx(day.unit_mw[0, 0], rel=1e-4)
    assert found.certificate is not None and found.certificate.gap < 1e-9


def test_the_command_writes_the_parts_of_prices(tmp_path: Path) -> None:
    """Of a folder in RTS-GMLC's form: three buses in a ring. The mean of the parts for losses is nothing, by load; beyond what units get all that is paid has a name."""
    folder, out = write_folder(tmp_path / "rts"), tmp_path / "prices.csv"
    found = heptagrid.clear(str(folder), out, date="2020-07-10", reserves="off", losses="on").summary()
    rows = polars.read_csv(out)
    assert rows.columns == ["period", "bus", "product", "price", "energy", "congestion", "loss"]
    parts = rows["energy"] + rows["congestion"] + rows["loss"]
    assert (parts - rows["price"]).abs().max() < 1e-6  # type: ignore[operator]
    assert rows.filter(polars.col("bus") == "Cedar")["loss"].abs().max() == pytest.approx(0.0, abs=1e-9), (
        "has all of the load"
    )
    assert rows.filter(polars.col("bus") == "Ash")["loss"].max() < 0.0  # type: ignore[operator]
    assert found["losses_mwh"] > 0.0 and found["loss_surplus"] > 0.0
    assert found["loss_residual_mw"] < 0.01 * found["losses_mwh"]
    price = {(row["period"], row["bus"]): row["price"] for row in found["prices"]}
    revenues = sum(row["mw"] * price[row["period"], row["bus"]] for row in found["quantities"])
    named = revenues + found["congestion_rent"] + found["loss_surplus"]
    assert found["payments"] == pytest.approx(named, rel=1e-6)
    without = heptagrid.clear(str(folder), date="2020-07-10", reserves="off", losses="on", network="none")
    assert any("--losses on has no effect" in one for one in without.remarks)
