"""What markets are put together from: programs over several periods, units that may be off, costs in pieces and bent, another package's rule."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from heptagrid.foundation.errors import UsageError
from heptagrid.foundation.registry import markets
from heptagrid.planes.money.formulations.network import angle_network, put_limits, put_network
from heptagrid.planes.money.formulations.program import OPTIMAL, Program
from heptagrid.planes.money.formulations.units import UnitCosts, put_first_cuts, put_tangents, put_units
from heptagrid.planes.money.markets.dc_opf import dispatch_on
from heptagrid.planes.money.markets.market import Market
from heptagrid.studies.clear import api
from heptagrid.world.market_case import MarketUnits
from tests.clear.test_dc_opf import random_case

NONE = np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0)


def units_of(low: list[float], high: list[float], polynomial: list[list[float]]) -> MarketUnits:
    names = np.arange(len(low)).astype(str)
    return MarketUnits(
        names, np.zeros(len(low), dtype=np.int64), np.array(low), np.array(high), np.array(polynomial), *NONE
    )


def test_periods_in_one_program_cost_what_they_cost_alone() -> None:
    case = random_case(11)
    loads = case.load_mw * np.array([[1.0], [0.97], [0.99]])
    alone = [dispatch_on(replace(case, load_mw=load)) for load in loads]
    assert all(one.certificate is not None for one in alone)
    network, costs, program = angle_network(case, "powermodels"), UnitCosts(case.units), Program()
    columns = put_units(program, costs, (3,))
    place = put_network(program, network, columns.output, loads)
    branches = np.flatnonzero(np.isfinite(network.low_mw) | np.isfinite(network.high_mw))
    period, branch = (grid.ravel() for grid in np.meshgrid(np.arange(3), branches, indexing="ij"))
    put_limits(program, network, place, (period,), branch)
    found = program.solve()
    assert found.status == OPTIMAL
    constant = 3.0 * case.units.polynomial[:, 0].sum()
    assert found.objective is not None
    assert found.objective + constant == pytest.approx(sum(one.certificate.cost for one in alone if one.certificate))
    np.testing.assert_allclose(found.dual[place.balance], [one.price for one in alone], atol=1e-6)


def test_a_unit_that_is_off_costs_nothing_and_one_that_is_on_its_bent_cost() -> None:
    """By hand: two alike units, 100 + 10 p + 0.05 p² within 20..100 MW; 60 MW come from one, 160 MW from both in equal parts."""
    units = units_of([20.0, 20.0], [100.0, 100.0], [[100.0, 10.0, 0.05]] * 2)
    costs, program, load = UnitCosts(units), Program(), np.array([60.0, 160.0])
    columns = put_units(program, costs, (2,), low_mw=0.0)
    on = program.columns(np.zeros((2, 2)), 1.0, is_integer=True)
    for factor, low, high in ((units.low_mw, 0.0, np.inf), (units.high_mw, -np.inf, 0.0)):
        rows = program.rows(np.full((2, 2), low), high)
        program.put(rows, columns.output, 1.0)
        program.put(rows, on, -factor)
    balance = program.rows(load, load)
    program.put(balance[:, np.newaxis], columns.output, 1.0)
    put_first_cuts(program, costs, columns, on)
    for _ in range(20):
        found = program.solve()
        p_mw = found.x[columns.output]
        put_tangents(program, costs, columns, p_mw, np.ones((2, 2), dtype=np.bool_), on)
    assert found.objective == pytest.approx((100.0 + 600.0 + 180.0) + 2.0 * (100.0 + 800.0 + 320.0), rel=1e-6)
    assert sorted(found.x[on][0].round().tolist()) == [0.0, 1.0]
    np.testing.assert_allclose(found.x[columns.output][1], [80.0, 80.0], atol=0.1)


def test_the_best_output_at_a_price_is_where_the_slope_is() -> None:
    units = units_of([0.0, 0.0, 10.0], [100.0, 100.0, 50.0], [[0.0, 10.0, 0.05], [0.0, 20.0, 0.0], [0.0, 5.0, 0.01]])
    costs = UnitCosts(units)
    best = costs.best_output(np.array([15.0, 19.0, 100.0]), units.low_mw, units.high_mw)
    np.testing.assert_allclose(best, [50.0, 0.0, 50.0])
    pieces = replace(
        units_of([0.0], [100.0], [[0.0]]),
        segment_unit=np.array([0, 0]),
        segment_slope=np.array([10.0, 30.0]),
        segment_usd=np.array([0.0, -800.0]),
    )
    costs = UnitCosts(pieces)
    assert costs.best_output(np.array([20.0]), pieces.low_mw, pieces.high_mw)[0] == pytest.approx(40.0)
    below, above = costs.slopes(np.array([40.0]))
    assert (below[0], above[0]) == (10.0, 30.0)
    assert costs.value(np.array([[50.0], [10.0]])).tolist() == [[700.0], [100.0]]


def test_the_rules_are_found_through_entry_points_and_picked_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(markets()) == ["dc-opf", "double-auction", "unit-commitment"]
    own = markets()["double-auction"]
    mine = Market("mine", "as the other", own.takes, own.options, own.clear)
    monkeypatch.setattr(api, "markets", lambda: {**markets(), "mine": mine})
    path = tmp_path / "bids.csv"
    path.write_text("side,price,quantity\nbuy,50,5\nsell,30,5\n")
    assert api.clear(str(path), rule="mine").summary()["market"] == "mine"
    with pytest.raises(UsageError, match="there are dc-opf, double-auction, unit-commitment, mine"):
        api.clear(str(path), rule="yours")
