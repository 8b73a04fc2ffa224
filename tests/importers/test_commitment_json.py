"""Unit-commitment cases in JSON: held against the model that pglib-uc publishes, written down a second time; and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from heptagrid.foundation.errors import FileError
from heptagrid.importers.commitment_json import read_commitment_json
from heptagrid.importers.egret_uc import egret_case
from heptagrid.importers.pglib_uc import pglib_case
from heptagrid.planes.money.markets.unit_commitment import Settings, commit

EXACT = Settings(gap=1e-8)


def pglib(rng: np.random.Generator, count: int = 3, periods: int = 6) -> dict[str, Any]:
    """A case of own figures with all that the format knows."""
    thermal = {}
    for k in range(count):
        low, room = float(rng.integers(10, 30)), float(rng.integers(20, 60))
        slopes = np.sort(rng.integers(10, 60, 2)).astype(float)
        is_on = bool(rng.random() < 0.6)
        up, down = (float(rng.integers(10, 50)) for _ in range(2))
        idle = float(rng.integers(100, 600))
        lag = int(rng.integers(1, 3))
        thermal[f"g{k}"] = {
            "must_run": int(rng.random() < 0.2 and is_on),
            "power_output_minimum": low,
            "power_output_maximum": low + room,
            "ramp_up_limit": up,
            "ramp_down_limit": down,
            "ramp_startup_limit": low + float(rng.integers(0, 30)),
            "ramp_shutdown_limit": low + float(rng.integers(0, 30)),
            "time_up_minimum": int(rng.integers(1, 4)),
            "time_down_minimum": lag,
            "unit_on_t0": int(is_on),
            "power_output_t0": low + float(rng.uniform(0.0, 0.5)) * room if is_on else 0.0,
            "time_up_t0": int(rng.integers(1, 6)) if is_on else 0,
            "time_down_t0": 0 if is_on else int(rng.integers(1, 6)),
            "startup": [{"lag": lag, "cost": 100.0}, {"lag": lag + 2, "cost": 100.0 + float(rng.integers(0, 300))}],
            "piecewise_production": [
                {"mw": low, "cost": idle},
                {"mw": low + 0.5 * room, "cost": idle + 0.5 * room * slopes[0]},
                {"mw": low + room, "cost": idle + 0.5 * room * slopes.sum()},
            ],
        }
    most = sum(one["power_output_maximum"] for one in thermal.values())
    demand = (rng.uniform(0.3, 0.6) + 0.1 * rng.uniform(-1.0, 1.0, periods)) * most
    return {
        "time_periods": periods,
        "demand": demand.round(1).tolist(),
        "reserves": (0.05 * demand).round(1).tolist(),
        "thermal_generators": thermal,
        "renewable_generators": {
            "w": {"power_output_minimum": [0.0] * periods, "power_output_maximum": rng.uniform(0, 20, periods).tolist()}
        },
    }


class Reference:
    """MODEL.pdf of pglib-uc, equation by equation, with its numbers."""

    def __init__(self) -> None:
        self.low: list[float] = []
        self.high: list[float] = []
        self.cost: list[float] = []
        self.whole: list[int] = []
        self.rows: list[tuple[dict[int, float], float, float]] = []

    def column(self, low: float, high: float, cost: float = 0.0, whole: bool = False) -> int:
        self.low.append(low)
        self.high.append(high)
        self.cost.append(cost)
        self.whole.append(int(whole))
        return len(self.low) - 1

    def row(self, terms: list[tuple[int, float]], low: float, high: float) -> None:
        found: dict[int, float] = {}
        for column, value in terms:
            found[column] = found.get(column, 0.0) + value
        self.rows.append((found, low, high))

    def solve(self) -> float | None:
        matrix = np.zeros((len(self.rows), len(self.low)))
        for k, (terms, _, _) in enumerate(self.rows):
            matrix[k, list(terms)] = list(terms.values())
        found = milp(
            self.cost,
            integrality=self.whole,
            bounds=Bounds(self.low, self.high),
            constraints=LinearConstraint(matrix, [r[1] for r in self.rows], [r[2] for r in self.rows]),
            options={"mip_rel_gap": 1e-9},
        )
        return float(found.fun) if found.success else None


def published_optimum(data: dict[str, Any]) -> float | None:
    m, inf, periods = Reference(), np.inf, range(data["time_periods"])
    last = data["time_periods"]
    balance: list[list[tuple[int, float]]] = [[] for _ in periods]
    reserve: list[list[tuple[int, float]]] = [[] for _ in periods]
    for gen in data["thermal_generators"].values():
        low, high = gen["power_output_minimum"], gen["power_output_maximum"]
        was_on, up, down = gen["unit_on_t0"], gen["ramp_up_limit"], gen["ramp_down_limit"]
        starts, pieces = gen["startup"], gen["piecewise_production"]
        u = [m.column(gen["must_run"], 1.0, pieces[0]["cost"], True) for _ in periods]  # (11)
        v = [m.column(0.0, 1.0, 0.0, True) for _ in periods]
        w = [m.column(0.0, 1.0, 0.0, True) for _ in periods]
        p = [m.column(0.0, inf) for _ in periods]
        r = [m.column(0.0, inf) for _ in periods]
        kinds = [[m.column(0.0, 1.0, one["cost"], True) for _ in periods] for one in starts]
        share = [[m.column(0.0, 1.0, one["cost"] - pieces[0]["cost"]) for _ in periods] for one in pieces]
        before = was_on * (gen["power_output_t0"] - low)
        lost_start, lost_stop = max(high - gen["ramp_startup_limit"], 0), max(high - gen["ramp_shutdown_limit"], 0)
        held = (
            (gen["time_up_minimum"] - gen["time_up_t0"]) if was_on else gen["time_down_minimum"] - gen["time_down_t0"]
        )
        for t in range(min(max(held, 0), last)):
            m.row([(u[t], 1.0)], was_on, was_on)  # (4), (5)
        for t in periods:
            back = [(u[t - 1], -1.0)] if t else []
            m.row(
                [(u[t], 1.0), *back, (v[t], -1.0), (w[t], 1.0)], 0.0 if t else was_on, 0.0 if t else was_on
            )  # (6), (12)
            ago = [(p[t - 1], -1.0)] if t else []
            was = 0.0 if t else before
            m.row([(p[t], 1.0), (r[t], 1.0), *ago], -inf, up + was)  # (8), (19)
            m.row([(p[t], -1.0), *[(one, 1.0) for one, _ in ago]], -inf, down - was)  # (9), (20)
            least_up, least_down = min(gen["time_up_minimum"], last), min(gen["time_down_minimum"], last)
            if t + 1 >= least_up:
                m.row([*[(v[i], 1.0) for i in range(t - least_up + 1, t + 1)], (u[t], -1.0)], -inf, 0.0)  # (13)
            if t + 1 >= least_down:
                m.row([*[(w[i], 1.0) for i in range(t - least_down + 1, t + 1)], (u[t], 1.0)], -inf, 1.0)  # (14)
            m.row([(v[t], 1.0), *[(kind[t], -1.0) for kind in kinds]], 0.0, 0.0)  # (16)
            m.row([(p[t], 1.0), (r[t], 1.0), (u[t], low - high), (v[t], lost_start)], -inf, 0.0)  # (17)
            if t + 1 < last:
                m.row([(p[t], 1.0), (r[t], 1.0), (u[t], low - high), (w[t + 1], lost_stop)], -inf, 0.0)  # (18)
            m.row(
                [(p[t], 1.0), *[(s[t], low - one["mw"]) for s, one in zip(share, pieces, strict=True)]], 0.0, 0.0
            )  # (21)
            m.row([(u[t], 1.0), *[(s[t], -1.0) for s in share]], 0.0, 0.0)  # (23)
            balance[t] += [(p[t], 1.0), (u[t], low)]
            reserve[t].append((r[t], 1.0))
        if was_on:
            m.row([(w[0], lost_stop)], -inf, high - low - before)  # (10)
        for k in range(len(starts) - 1):
            until = starts[k + 1]["lag"]
            for t in range(1, last + 1):
                if max(1, until - gen["time_down_t0"] + 1) <= t <= min(until - 1, last):
                    m.row([(kinds[k][t - 1], 1.0)], 0.0, 0.0)  # (7)
                if t >= until:
                    stopped = [(w[t - 1 - i], -1.0) for i in range(starts[k]["lag"], until)]
                    m.row([(kinds[k][t - 1], 1.0), *stopped], -inf, 0.0)  # (15)
    for gen in data["renewable_generators"].values():
        for t in periods:
            balance[t].append((m.column(gen["power_output_minimum"][t], gen["power_output_maximum"][t]), 1.0))  # (24)
    for t in periods:
        m.row(balance[t], data["demand"][t], data["demand"][t])  # (2)
        m.row(reserve[t], data["reserves"][t], inf)  # (3)
    return m.solve()


@pytest.mark.long
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_a_pglib_case_costs_what_its_published_model_says(seed: int) -> None:
    data = pglib(np.random.default_rng(seed))
    found = commit(pglib_case(data, "test"), EXACT)
    optimum = published_optimum(data)
    assert found.cost is not None
    if optimum is None:
        assert found.penalty > 0.0 or found.unserved_mwh > 0.0 or found.short_mw > 0.0
    elif found.penalty < 1e-6:
        assert found.cost == pytest.approx(optimum, rel=1e-6)
    else:
        assert found.cost + found.penalty <= optimum * (1.0 + 1e-6)


def egret_of(data: dict[str, Any]) -> dict[str, Any]:
    """The same case in Egret's words."""
    generators: dict[str, Any] = {}
    for name, one in data["thermal_generators"].items():
        hours = one["time_up_t0"] if one["unit_on_t0"] else -one["time_down_t0"]
        up, down, low = one["ramp_up_limit"], one["ramp_down_limit"], one["power_output_minimum"]
        generators[name] = {
            "generator_type": "thermal",
            "bus": "b",
            "p_min": low,
            "p_max": one["power_output_maximum"],
            "ramp_up_60min": up,
            "ramp_down_60min": down,
            "startup_capacity": min(one["ramp_startup_limit"], low + up),
            "shutdown_capacity": min(one["ramp_shutdown_limit"], low + down),
            "min_up_time": one["time_up_minimum"],
            "min_down_time": one["time_down_minimum"],
            "initial_status": hours,
            "initial_p_output": one["power_output_t0"],
            "startup_cost": [[pair["lag"], pair["cost"]] for pair in one["startup"]],
            "p_cost": {
                "cost_curve_type": "piecewise",
                "values": [[q["mw"], q["cost"]] for q in one["piecewise_production"]],
            },
            "fixed_commitment": 1 if one["must_run"] else None,
        }
    for name, one in data["renewable_generators"].items():
        generators[name] = {
            "generator_type": "renewable",
            "bus": "b",
            "p_min": 0.0,
            "p_max": {"data_type": "time_series", "values": one["power_output_maximum"]},
        }
    return {
        "elements": {
            "bus": {"b": {}},
            "load": {"l": {"bus": "b", "p_load": {"data_type": "time_series", "values": data["demand"]}}},
            "generator": generators,
        },
        "system": {
            "time_keys": [str(k) for k in range(data["time_periods"])],
            "time_period_length_minutes": 60,
            "reserve_requirement": {"data_type": "time_series", "values": data["reserves"]},
            "load_mismatch_cost": 1e4,
            "reserve_shortfall_cost": 4e3,
        },
    }


@pytest.mark.parametrize("seed", range(4))
def test_the_same_case_in_egrets_words_costs_the_same(seed: int) -> None:
    data = pglib(np.random.default_rng(seed))
    ours, theirs = commit(pglib_case(data, "p"), EXACT), commit(egret_case(egret_of(data), "e"), EXACT)
    assert ours.cost is not None and theirs.cost is not None
    assert theirs.cost + theirs.penalty == pytest.approx(ours.cost + ours.penalty, rel=1e-6)


def test_a_polynomial_cost_is_cut_in_two_and_fuel_costs_what_its_price_says() -> None:
    data = egret_of(pglib(np.random.default_rng(1), count=1))
    unit = data["elements"]["generator"]["g0"]
    unit |= {"p_min": 100.0, "p_max": 300.0, "startup_capacity": 200.0}
    del unit["p_cost"]
    unit["p_fuel"] = {"fuel_curve_type": "polynomial", "values": {"0": 50.0, "1": 8.0, "2": 0.01}}
    unit |= {"fuel_cost": 2.0, "startup_fuel": [[1, 10.0]], "non_fuel_startup_cost": 5.0}
    del unit["startup_cost"]
    units = egret_case(data, "test").units
    np.testing.assert_allclose(units.block_mw, [[100.0, 100.0]])
    np.testing.assert_allclose(units.block_cost, [[2.0 * 11.0, 2.0 * 13.0]])
    np.testing.assert_allclose(units.no_load, [2.0 * (50.0 + 800.0 + 100.0)])
    np.testing.assert_allclose(units.starts, [[25.0]])


def test_a_published_case_of_one_unit_without_load_costs_what_egret_says() -> None:
    """tiny_uc_12 of Egret's tests: the unit must stay on for two hours and nobody takes its output, at 1,000,000 USD/MWh."""
    unit = {
        **{"generator_type": "thermal", "bus": "Arne", "p_min": 22.0, "p_max": 55.0, "fuel_cost": 3.88722},
        "p_fuel": {
            "data_type": "fuel_curve",
            "values": [[22.0, 338.69], [33.0, 434.31], [44.0, 542.93], [55.0, 652.26]],
        },
        **{
            "startup_fuel": [[2.2, 14.574]],
            "non_fuel_startup_cost": 0.0,
            "ramp_up_60min": 222.0,
            "ramp_down_60min": 222.0,
        },
        **{"startup_capacity": 22.0, "shutdown_capacity": 22.0, "min_up_time": 2.2, "min_down_time": 2.2},
        **{"initial_status": 1, "initial_p_output": 0.0, "future_status": 0.0},
    }
    data = {
        "elements": {"load": {}, "bus": {"Arne": {}}, "generator": {"gen": unit}},
        "system": {"time_keys": ["1", "2", "3", "4"]},
    }
    found = commit(egret_case(data, "tiny_uc_12"), EXACT)
    assert found.cost is not None
    assert found.cost + found.penalty == pytest.approx(44_002_633.1250836, rel=1e-9)


def test_a_figure_that_changes_with_time_is_refused() -> None:
    data = egret_of(pglib(np.random.default_rng(1)))
    data["elements"]["generator"]["g0"]["non_fuel_no_load_cost"] = {"data_type": "time_series", "values": [1.0]}
    with pytest.raises(FileError, match="a figure changes with time"):
        egret_case(data, "test")


def test_what_egret_has_and_this_market_has_not_is_named() -> None:
    data = egret_of(pglib(np.random.default_rng(1)))
    data["elements"]["storage"] = {"s": {}}
    data["elements"]["generator"]["g0"]["startup_curve"] = [1.0]
    data["system"]["regulation_up_requirement"] = 5.0
    with pytest.raises(FileError) as problem:
        egret_case(data, "test")
    said = str(problem.value)
    assert "1 storage" in said and "startup_curve" in said and "regulation_up_requirement" in said
    egret_case(data, "test", ("storage", "startup_curve", "ancillary_services"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.update(time_periods="x"), "time_periods is 'x'"),
        (lambda d: d.update(thermal_generators=[1]), "thermal_generators is no object"),
        (lambda d: d["demand"].pop(), "demand is not 6 numbers"),
        (lambda d: d["thermal_generators"]["g1"].pop("ramp_up_limit"), "g1: ramp_up_limit is missing"),
        (lambda d: d["thermal_generators"]["g1"].update(power_output_maximum=1.0), "g1: its minimum of"),
        (lambda d: d["thermal_generators"]["g1"].update(startup=[]), "g1: startup is missing"),
        (
            lambda d: d["thermal_generators"]["g1"]["piecewise_production"][1].update(cost=1e6),
            "g1: its production cost rises ever slower",
        ),
    ],
)
def test_a_broken_pglib_case_says_what_is_wrong(change: Any, said: str) -> None:
    data = pglib(np.random.default_rng(1))
    change(data)
    with pytest.raises(FileError, match=said):
        pglib_case(data, "test")


def test_other_json_is_in_neither_format(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    for text, said in (("{}", "neither the keys"), ("[1]", "no object"), ("{", "cannot be read as JSON")):
        path.write_text(text)
        with pytest.raises(FileError, match=said):
            read_commitment_json(str(path))
    path.write_text(json.dumps(pglib(np.random.default_rng(1))))
    assert read_commitment_json(str(path)).periods == 6
