"""Curves of SunSpec's older models: they are read, written, followed within a step, and refused where they are none."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from importlib.util import find_spec

import numpy as np
import pytest

from heptagrid.live.inverter_functions import vars_by_factors
from heptagrid.live.protocols.modbus.inverters import Inverters
from heptagrid.live.protocols.modbus.storage import Storage
from heptagrid.scenario.schema import Scenario
from tests.live.modbus_client import Driver, power_kw, until
from tests.live.served import Served, served
from tests.live.test_modbus_control import BATTERY, SETTINGS, UNIT, v_pu
from tests.live.test_modbus_judges import said

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="not run: devices have addresses of their own on Linux")

KVA_PER_KW = 1.11


@pytest.fixture(scope="module")
def grid(lane: Scenario) -> Iterator[Served]:
    with served(lane, {"modbus": None}, settings=SETTINGS, is_ideal=True, at="2016-07-04T12:00") as one:
        yield one


def rated_kw(grid: Served) -> float:
    return float(grid.grid.inventory.device("local_units/0").rated_kw)


def is_refused(answer: bytes, code: int) -> bool:
    return answer == bytes((0x90, code))


def test_before_anybody_writes_there_are_standards_curves_and_all_are_off(grid: Served) -> None:
    unit = Driver(grid, UNIT, Inverters)
    for model in (126, 131, 132, 134):
        assert [unit.raw(f"{model}.{name}") for name in ("ActCrv", "ModEna", "NCrv", "NPt")] == [1, 0, 1, 20]
    of_126 = [unit.raw(f"126.curve[0].{name}") for name in ("ActPt", "DeptRef", "V1", "VAr1", "V4", "VAr4")]
    assert of_126 == [4, 2, 9_200, 10_000, 10_800, -10_000]
    assert [unit.raw(f"131.curve[0].{name}") for name in ("ActPt", "W2", "PF2", "W3", "PF3")] == [
        3,
        5_000,
        1_000,
        10_000,
        900,
    ]
    assert [unit.raw(f"132.curve[0].{name}") for name in ("ActPt", "V1", "W1", "V2", "W2")] == [
        2,
        10_600,
        10_000,
        11_000,
        0,
    ]
    assert [unit.raw(f"134.curve[0].{name}") for name in ("ActPt", "Hz1", "W1", "Hz2", "W2")] == [
        2,
        6_004,
        10_000,
        6_304,
        0,
    ]


def test_volt_var_of_126_takes_the_place_of_705_and_ends(grid: Served) -> None:
    unit = Driver(grid, UNIT, Inverters)
    assert unit.write("705.Ena", 1)[0] == 16
    points = (9_000, 5_000, 9_999, 5_000, 10_000, -5_000, 12_000, -5_000)
    assert unit.write("126.curve[0].V1", *points)[0] == 16
    assert unit.write("126.curve[0].RmpTms", 0)[0] == 16
    assert unit.write("126.RvrtTms", 90)[0] == 16
    assert unit.write("126.ModEna", 1)[0] == 16
    assert (unit.raw("705.Ena"), unit.raw("126.ModEna")) == (0, 1)
    most_kvar = 0.44 * KVA_PER_KW * rated_kw(grid)
    assert v_pu(grid) > 1.0
    assert until(grid, lambda: abs(grid.grid.state.unit_kvar[0] + 0.5 * most_kvar) < 1e-6, 30.0), "half of VArMax"
    assert unit.raw("701.Var") == pytest.approx(-500.0 * most_kvar, abs=1.0)
    assert until(grid, lambda: grid.grid.state.unit_kvar[0] == 0.0, 120.0), "its time is up"
    assert unit.raw("126.ModEna") == 0


def test_a_curve_in_force_may_change_into_another_one_but_not_into_none(grid: Served) -> None:
    unit = Driver(grid, UNIT, Inverters)
    assert unit.write("126.curve[0].V1", 9_000, 0, 9_500, 0, 10_000, -5_000, 12_000, -5_000)[0] == 16
    assert unit.write("126.ModEna", 1)[0] == 16
    assert is_refused(unit.write("126.curve[0].V3", 9_400), 3), "voltages would not rise"
    assert is_refused(unit.write("126.curve[0].VAr4", -4_000), 3), "vars would rise"
    assert (unit.raw("126.curve[0].V3"), unit.raw("126.curve[0].VAr4")) == (10_000, -5_000)
    assert unit.write("126.curve[0].VAr3", -2_000, 12_000, -2_000)[0] == 16
    most_kvar = 0.44 * KVA_PER_KW * rated_kw(grid)
    assert until(grid, lambda: abs(grid.grid.state.unit_kvar[0] + 0.2 * most_kvar) < 1e-6, 30.0)
    assert unit.write("126.ActCrv", 0)[0] == 16
    assert until(grid, lambda: grid.grid.state.unit_kvar[0] == 0.0, 30.0), "no curve is chosen"
    assert unit.write("126.curve[0].V3", 9_400)[0] == 16, "what is not in force may be anything"
    assert is_refused(unit.write("126.ActCrv", 1), 3) and unit.raw("126.ActCrv") == 0
    assert unit.write("126.ModEna", 0)[0] == 16


def test_power_factors_by_the_power_are_those_of_131(grid: Served) -> None:
    unit = Driver(grid, UNIT, Inverters)
    assert unit.write("131.curve[0].ActPt", 2, 0, 1_000, 10_000, -800)[0] == 16
    assert unit.write("131.ModEna", 1)[0] == 16
    assert until(grid, lambda: grid.grid.state.unit_kvar[0] > 0.01, 30.0), "below 0 it injects, as EEI counts"
    share = power_kw(grid, "local_units") / rated_kw(grid)
    by_factor = power_kw(grid, "local_units") * math.tan(math.acos(1.0 - 0.2 * share))
    assert grid.grid.state.unit_kvar[0] == pytest.approx(by_factor, abs=2e-3 * rated_kw(grid))
    assert unit.write("131.ModEna", 0)[0] == 16


def test_volt_watt_of_132_limits_power(grid: Served) -> None:
    unit = Driver(grid, UNIT, Inverters)
    assert unit.write("132.curve[0].V1", 9_000, 500, 12_000, 500)[0] == 16
    assert unit.write("132.ModEna", 1)[0] == 16
    assert until(grid, lambda: abs(power_kw(grid, "local_units") - 0.05 * rated_kw(grid)) < 1e-3, 90.0)
    assert unit.raw("103.W") == pytest.approx(50.0 * rated_kw(grid), abs=5.0)
    assert unit.write("132.ModEna", 0)[0] == 16
    assert until(grid, lambda: power_kw(grid, "local_units") > 0.06 * rated_kw(grid), 90.0)


def test_frequency_watt_of_134_limits_power_and_takes_the_place_of_711(grid: Served) -> None:
    unit, terminals = Driver(grid, UNIT, Inverters), grid.harness.run.engine.simulation.grid.terminals
    assert unit.write("711.Ena", 1)[0] == 16
    assert unit.write("134.curve[0].ActPt", 2, 6_010, 10_000, 6_110, 0)[0] == 16
    assert unit.write("134.curve[0].RmpPT1Tms", 1)[0] == 16
    assert unit.write("134.ModEna", 1)[0] == 16
    assert unit.raw("711.Ena") == 0
    terminals.deviation_hz = 1.05
    grid.advance(30.0)
    assert power_kw(grid, "local_units") == pytest.approx(0.05 * rated_kw(grid), rel=1e-3)
    terminals.deviation_hz = 0.0
    assert unit.write("134.ModEna", 0)[0] == 16
    assert until(grid, lambda: power_kw(grid, "local_units") > 0.06 * rated_kw(grid), 60.0)


@pytest.mark.parametrize(
    ("name", "raws", "code"),
    [
        ("126.ActCrv", (2,), 3),
        ("126.ModEna", (2,), 3),
        ("126.curve[0].ActPt", (21,), 3),
        ("126.curve[0].ActPt", (1,), 3),
        ("126.curve[0].DeptRef", (3,), 3),
        ("126.NCrv", (2,), 2),
        ("126.RmpTms", (5,), 2),
        ("131.curve[0].PF1", (499,), 3),
        ("132.curve[0].DeptRef", (2,), 3),
        ("132.curve[0].W1", (-1,), 3),
        ("134.curve[0].SnptW", (1,), 3),
        ("134.curve[0].WRef", (50,), 2),
    ],
)
def test_what_a_curve_cannot_be_is_refused(grid: Served, name: str, raws: tuple[int, ...], code: int) -> None:
    unit = Driver(grid, UNIT, Inverters)
    before = unit.raw(name)
    assert is_refused(unit.write(name, *raws), code)
    assert unit.raw(name) == before


def test_a_charged_battery_has_the_power_factor_of_131(grid: Served) -> None:
    battery = Driver(grid, BATTERY, Storage)
    assert battery.write("131.curve[0].ActPt", 3, -10_000, -900, 0, 1_000, 10_000, 900)[0] == 16
    assert battery.write("131.ModEna", 1)[0] == 16
    assert battery.write("704.WSet", -4500)[0] == 16
    assert battery.write("704.WSetEna", 1, 1)[0] == 16
    full_kvar = 4.5 * math.tan(math.acos(0.9))
    assert until(grid, lambda: abs(grid.grid.state.devices["batteries"].given_kvar[0] - full_kvar) < 1e-6, 60.0)
    assert battery.write("131.ModEna", 0)[0] == 16
    assert battery.write("704.WSetEna", 0)[0] == 16


def test_points_of_power_factors_become_points_of_vars() -> None:
    """Against the power factor in proportion to the power, drawn and given, absorbed and injected."""
    x, factors = (-1.0, -0.5, 0.2, 0.8, 1.0), (-0.9, 1.0, 1.0, -0.7, 0.8)
    p = np.linspace(-1.0, 1.0, 2001)
    beyond = np.interp(p, x, [-0.1, 0.0, 0.0, -0.3, 0.2])
    wanted = np.sign(beyond) * np.abs(p) * np.tan(np.arccos(1.0 - np.abs(beyond))) / KVA_PER_KW
    assert np.interp(p, *vars_by_factors(x, factors, KVA_PER_KW)) == pytest.approx(wanted, abs=2e-3)


CURVES = """
import json, sys
import sunspec2.modbus.client as client
device = client.SunSpecModbusClientDeviceTCP(slave_id=1, ipaddr=sys.argv[1], ipport=int(sys.argv[2]), timeout=30)
device.scan()
model = device.models[134][0]
curve = model.groups["curve"][0]
for name, value in (("ActPt", 3), ("Hz1", 60.1), ("W1", 100.0), ("Hz2", 60.5), ("W2", 40.0), ("Hz3", 61.0), ("W3", 0.0), ("RmpPT1Tms", 2)):
    curve.points[name].cvalue = value
model.write()
model.points["ModEna"].cvalue = 1
model.write()
model.read()
curve = model.groups["curve"][0]
print(json.dumps([model.points["ModEna"].cvalue, *(curve.points[name].cvalue for name in ("ActPt", "Hz2", "W2", "RmpPT1Tms"))]))
"""


def test_pysunspec2_writes_a_curve_of_the_frequency(grid: Served) -> None:
    if find_spec("sunspec2") is None:
        pytest.skip("not run: pysunspec2 is not installed")
    row, terminals = 1, grid.harness.run.engine.simulation.grid.terminals
    words = grid.while_time_goes_on(lambda: said(CURVES, "127.32.0.1", str(grid.ports["modbus"])))
    assert json.loads(words) == [1, 3, 60.5, 40.0, 2]
    terminals.deviation_hz = 0.9
    grid.advance(30.0)
    rated = float(grid.grid.inventory.device(f"local_units/{row}").rated_kw)
    assert power_kw(grid, "local_units", row) == pytest.approx(0.08 * rated, rel=1e-3)
    terminals.deviation_hz = 0.0
