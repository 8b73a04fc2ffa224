"""Writes into SunSpec controls become orders over the modelled network, and end as the models say."""

from __future__ import annotations

import socket
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import heptagrid
from heptagrid.foundation.time import NS_PER_S
from heptagrid.live.again import replay
from heptagrid.live.protocols.modbus.codec import framed
from heptagrid.live.protocols.modbus.inverters import Inverters
from heptagrid.live.protocols.modbus.layout import BASE
from heptagrid.live.protocols.modbus.storage import Storage
from heptagrid.scenario.schema import Scenario
from tests.live.modbus_client import Client, Driver, power_kw, until
from tests.live.served import Served, served

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="not run: devices have addresses of their own on Linux")

SETTINGS = (
    "vehicles.share=1.0",
    "batteries.share=1.0",
    "batteries.capacity_kwh=40.0",  # neither full nor empty in the end
    "gateways.enrolled_share=0.0",
    "gateways.dynamic_tariff_share=0.0",
)
UNIT, BATTERY = "127.32.0.0", "127.48.0.0"


@pytest.fixture(scope="module")
def grid(lane: Scenario) -> Iterator[Served]:
    with served(lane, {"modbus": None}, settings=SETTINGS, at="2016-07-04T12:00") as one:
        yield one


def test_a_limit_in_percent_holds_until_its_time_is_up(grid: Served) -> None:
    unit = Driver(grid, UNIT, Inverters)
    whole_kw, rated_kw = power_kw(grid, "local_units"), grid.grid.inventory.device("local_units/0").rated_kw
    assert whole_kw > 0.05 * rated_kw, "the sun shines"
    assert unit.write("123.WMaxLimPct", 500)[0] == 16, "the limit by itself does nothing"
    grid.advance(20.0)
    assert power_kw(grid, "local_units") == pytest.approx(whole_kw, rel=0.2)
    assert unit.write("123.WMaxLimPct_RvrtTms", 120)[0] == 16
    assert unit.write("123.WMaxLim_Ena", 1)[0] == 16
    assert until(grid, lambda: abs(power_kw(grid, "local_units") - 0.05 * rated_kw) < 1e-6, 30.0)
    assert unit.raw("123.WMaxLim_Ena") == 1
    assert unit.raw("103.W") == pytest.approx(50.0 * rated_kw, abs=5.0)
    assert until(grid, lambda: power_kw(grid, "local_units") > 0.06 * rated_kw, 150.0)
    assert unit.raw("123.WMaxLim_Ena") == 0, "it says that it is over"


def test_a_limit_without_an_end_is_held_by_renewing_it_and_ends_after_75_minutes(grid: Served) -> None:
    unit = Driver(grid, UNIT, Inverters)
    assert unit.write("704.WMaxLimPctEna", 1, 100)[0] == 16
    grid.advance(60.0)
    held_ns = int(grid.harness.run.engine.simulation.grid.customers._units.orders.table.until_ns[0])
    grid.advance(600.0)
    assert unit.write("704.WMaxLimPctEna", 1)[0] == 16
    grid.advance(60.0)
    renewed_ns = int(grid.harness.run.engine.simulation.grid.customers._units.orders.table.until_ns[0])
    assert 600.0 <= (renewed_ns - held_ns) / NS_PER_S < 900.0
    assert abs((renewed_ns - grid.grid.now_ns) / NS_PER_S - 75 * 60) < 120.0
    assert unit.write("704.WMaxLimPctEna", 0)[0] == 16
    grid.advance(60.0)
    assert grid.harness.run.engine.simulation.grid.customers._units.orders.table.until_ns[0] < grid.grid.now_ns


def test_a_reversion_takes_the_place_of_a_limit_whose_time_is_up(grid: Served) -> None:
    unit, rated_kw = Driver(grid, UNIT, Inverters), grid.grid.inventory.device("local_units/0").rated_kw
    assert unit.write("704.WMaxLimPctEna", 1, 200, 500, 1, 60)[0] == 16
    assert until(grid, lambda: abs(power_kw(grid, "local_units") - 0.02 * rated_kw) < 1e-6, 30.0)
    assert 0 < unit.raw("704.WMaxLimPctRvrtRem") <= 60
    assert until(grid, lambda: abs(power_kw(grid, "local_units") - 0.05 * rated_kw) < 1e-6, 90.0)
    assert (unit.raw("704.WMaxLimPct"), unit.raw("704.WMaxLimPctRvrtRem")) == (500, 0)
    assert unit.write("704.WMaxLimPctEna", 0)[0] == 16


def test_of_several_limits_the_least_holds(grid: Served) -> None:
    unit, rated_kw = Driver(grid, UNIT, Inverters), grid.grid.inventory.device("local_units/0").rated_kw
    assert unit.write("704.WMaxLimPctEna", 1, 500)[0] == 16
    assert unit.write("123.Conn", 0)[0] == 16
    assert until(grid, lambda: power_kw(grid, "local_units") == 0.0, 30.0)
    assert unit.write("123.Conn", 1)[0] == 16
    assert until(grid, lambda: abs(power_kw(grid, "local_units") - 0.05 * rated_kw) < 1e-6, 30.0)
    assert unit.write("703.ES", 0)[0] == 16
    assert until(grid, lambda: power_kw(grid, "local_units") == 0.0, 30.0)
    assert unit.write("703.ES", 1)[0] == 16
    assert unit.write("704.WMaxLimPctEna", 0)[0] == 16


@pytest.mark.parametrize(
    ("name", "raws", "code"),
    [
        ("123.WMaxLimPct", (10_001,), 3),
        ("123.WMaxLim_Ena", (2,), 3),
        ("123.OutPFSet", (40,), 3),
        ("123.OutPFSet_Ena", (2,), 3),
        ("123.OutPFSet_Ena", (0,), None),
        ("123.VArPct_Mod", (3,), 3),
        ("123.VArAvalPct", (5,), 2),
        ("123.VArAvalPct", (0x8000,), None),
        ("103.W", (5,), 2),
        ("121.WMax", (1,), 3),
        ("704.WSet", (-1,), 3),
        ("704.WSet", (10_000_000,), 3),
        ("123.WMaxLimPct", (0xFFFF,), None),
        ("704.PFWInj.PF", (499,), 3),
        ("704.PFWAbs.PF", (900,), 2),
        ("704.VarSet", (-10_000_000,), 3),
        ("705.AdptCrvReq", (1,), 3),
        ("705.Crv[0].ActPt", (3,), 3),
        ("705.Crv[1].ActPt", (9,), 3),
    ],
)
def test_a_value_that_a_point_does_not_take_is_refused(
    grid: Served, name: str, raws: tuple[int, ...], code: int | None
) -> None:
    unit = Driver(grid, UNIT, Inverters)
    before = unit.raw(name)
    response = unit.write(name, *raws)
    assert response == bytes((0x90, code)) if code else response[0] == 16
    assert unit.raw(name) == before


def v_pu(grid: Served) -> float:
    world = grid.grid.inventory.world
    return float(grid.grid.state.point_v_pu[world.owned.unit_point[0]])


def test_vars_of_a_unit_move_the_voltage_at_its_node_until_their_time_is_up(grid: Served) -> None:
    unit, rated_kw = Driver(grid, UNIT, Inverters), grid.grid.inventory.device("local_units/0").rated_kw
    kva = 1.11 * rated_kw
    before_pu = v_pu(grid)
    assert unit.write("704.VarSetPct", -4000)[0] == 16
    assert unit.write("704.VarSetRvrtTms", 240)[0] == 16
    assert unit.write("704.VarSetEna", 1, 3)[0] == 16
    assert until(grid, lambda: abs(grid.grid.state.unit_kvar[0] + 0.4 * kva) < 1e-6, 60.0)
    given_kvar, at_pu = -0.4 * kva, v_pu(grid)
    assert at_pu < before_pu - 0.001
    assert unit.raw("701.Var") == unit.raw("103.VAr") == round(1000.0 * given_kvar)
    given_kw = power_kw(grid, "local_units")
    assert unit.raw("701.PF") == pytest.approx(1000.0 * given_kw / np.hypot(given_kw, given_kvar), abs=20.0)
    assert until(grid, lambda: grid.grid.state.unit_kvar[0] == 0.0, 300.0), "time is up"
    assert unit.raw("704.VarSetEna") == 0 and v_pu(grid) > at_pu + 0.001


def test_of_functions_that_set_vars_the_last_holds(grid: Served) -> None:
    unit = Driver(grid, UNIT, Inverters)
    assert unit.write("123.OutPFSet", -90)[0] == 16
    assert unit.write("123.OutPFSet_Ena", 1)[0] == 16
    assert until(grid, lambda: grid.grid.state.unit_kvar[0] > 0.1, 60.0), "below 0 is over-excited, as EEI counts"
    given_kw, given_kvar = power_kw(grid, "local_units"), grid.grid.state.unit_kvar[0]
    assert given_kw / np.hypot(given_kw, given_kvar) == pytest.approx(0.9)
    assert unit.write("705.Crv[1].Pt[2].V", 10_050)[0] == 16
    assert unit.write("705.Crv[1].Pt[3].V", 10_040)[0] == 16
    assert unit.write("705.AdptCrvReq", 2)[0] == 16
    assert (unit.raw("705.AdptCrvRslt"), unit.raw("705.Crv[0].Pt[3].V")) == (2, 10_800), "its voltages do not rise"
    assert unit.write("705.Crv[1].Pt[3].V", 10_100)[0] == 16
    assert unit.write("705.AdptCrvReq", 2)[0] == 16
    assert (unit.raw("705.AdptCrvRslt"), unit.raw("705.Crv[0].Pt[3].V")) == (1, 10_100)
    assert unit.write("705.Ena", 1)[0] == 16
    grid.advance(120.0)
    assert unit.raw("123.OutPFSet_Ena") == 0, "the other is switched off"
    kva = 1.11 * grid.grid.inventory.device("local_units/0").rated_kw
    on_the_curve = -0.44 * kva * np.clip((v_pu(grid) - 1.005) / 0.005, 0.0, 1.0)
    assert grid.grid.state.unit_kvar[0] == pytest.approx(on_the_curve, abs=0.01 * kva) and on_the_curve < 0.0
    assert unit.write("705.Ena", 0)[0] == 16
    assert until(grid, lambda: grid.grid.state.unit_kvar[0] == 0.0, 60.0)


def test_a_limit_is_reached_in_its_ramp_time(grid: Served) -> None:
    unit, rated_kw = Driver(grid, UNIT, Inverters), grid.grid.inventory.device("local_units/0").rated_kw
    assert unit.write("704.WMaxLimPctEna", 0)[0] == 16
    assert unit.write("123.WMaxLimPct", 1_000)[0] == 16
    assert unit.write("123.WMaxLimPct_RvrtTms", 0)[0] == 16
    assert unit.write("123.WMaxLim_Ena", 1)[0] == 16
    assert until(grid, lambda: abs(power_kw(grid, "local_units") - 0.1 * rated_kw) < 1e-6, 30.0)
    assert unit.write("123.WMaxLimPct_RmpTms", 3_601) == bytes((0x90, 3))
    assert unit.write("123.WMaxLimPct_RmpTms", 100)[0] == 16
    assert power_kw(grid, "local_units") == pytest.approx(0.1 * rated_kw), "it is there already"
    assert unit.write("123.WMaxLimPct", 200)[0] == 16
    seen_kw = []
    for _ in range(24):
        grid.advance(5.0)
        seen_kw.append(power_kw(grid, "local_units"))
    assert (np.diff(seen_kw) <= 1e-9).all() and seen_kw[-1] == pytest.approx(0.02 * rated_kw)
    falling = [kw for kw in seen_kw if 0.025 * rated_kw < kw < 0.095 * rated_kw]
    assert len(falling) >= 15 and np.diff(falling) == pytest.approx(-0.004 * rated_kw, abs=0.0014 * rated_kw)
    assert unit.write("123.WMaxLim_Ena", 0)[0] == 16
    assert unit.write("123.WMaxLimPct_RmpTms", 0)[0] == 16


def test_vars_and_power_factors_are_reached_in_their_ramp_times(grid: Served) -> None:
    unit, kva = Driver(grid, UNIT, Inverters), 1.11 * grid.grid.inventory.device("local_units/0").rated_kw
    assert unit.write("123.VArPct_RmpTms", 60)[0] == 16
    assert unit.write("123.VArMaxPct", -5_000)[0] == 16
    assert unit.write("123.VArPct_Mod", 2, 1)[0] == 16
    grid.advance(25.0)
    halfway = grid.grid.state.unit_kvar[0]
    assert -0.18 * kva < halfway < -0.04 * kva
    grid.advance(60.0)
    assert grid.grid.state.unit_kvar[0] == pytest.approx(-0.22 * kva)
    assert unit.write("123.OutPFSet_RmpTms", 60)[0] == 16
    assert unit.write("123.OutPFSet", 80)[0] == 16
    assert unit.write("123.OutPFSet_Ena", 1)[0] == 16
    grid.advance(25.0)
    given_kw, given_kvar = power_kw(grid, "local_units"), grid.grid.state.unit_kvar[0]
    assert 0.85 < given_kw / np.hypot(given_kw, given_kvar) < 0.98 and given_kvar < 0.0
    grid.advance(60.0)
    given_kw = power_kw(grid, "local_units")
    assert grid.grid.state.unit_kvar[0] == pytest.approx(-given_kw * np.tan(np.arccos(0.8)), rel=1e-6)
    assert unit.write("123.OutPFSet_Ena", 0)[0] == 16
    for name in ("123.VArPct_RmpTms", "123.OutPFSet_RmpTms"):
        assert unit.write(name, 0)[0] == 16


def test_a_battery_gives_vars_beside_its_power(grid: Served) -> None:
    battery = Driver(grid, BATTERY, Storage)
    assert battery.write("704.VarSet", 1000)[0] == 16
    assert battery.write("704.VarSetEna", 1, 4)[0] == 16
    assert until(grid, lambda: abs(grid.grid.state.devices["batteries"].given_kvar[0] - 1.0) < 1e-6, 60.0)
    assert battery.write("704.VarSetEna", 0)[0] == 16


def test_a_battery_has_a_power_factor_for_each_direction(grid: Served) -> None:
    battery = Driver(grid, BATTERY, Storage)

    def vars_beside(watts: int) -> float:
        assert battery.write("704.WSet", watts)[0] == 16
        assert battery.write("704.WSetEna", 1, 1)[0] == 16
        assert until(grid, lambda: abs(power_kw(grid, "batteries") + watts / 1000.0) < 1e-6, 60.0)
        return float(1000.0 * grid.grid.state.devices["batteries"].given_kvar[0])

    assert battery.write("704.PFWInj.PF", 900, 0)[0] == 16
    assert battery.write("704.PFWInjEna", 1)[0] == 16
    assert battery.write("704.PFWAbs.PF", 950, 1)[0] == 16
    assert battery.write("704.PFWAbsEna", 1)[0] == 16
    assert battery.raw("704.PFWInjEna") == 1, "they hold beside one another"
    assert vars_beside(1500) == pytest.approx(1500.0 * np.tan(np.arccos(0.9)))
    assert vars_beside(-1500) == pytest.approx(-1500.0 * np.tan(np.arccos(0.95)))
    assert battery.raw("701.Var") == -493
    assert battery.write("704.VarSet", 0)[0] == 16
    assert battery.write("704.VarSetEna", 1)[0] == 16
    assert (battery.raw("704.PFWInjEna"), battery.raw("704.PFWAbsEna")) == (0, 0), "constant vars switch both off"
    assert until(grid, lambda: grid.grid.state.devices["batteries"].given_kvar[0] == 0.0, 60.0)
    assert battery.write("704.PFWAbsEnaRvrt", 1, 60)[0] == 16
    assert battery.write("704.PFWAbsRvrt.PF", 800, 0)[0] == 16
    assert battery.write("704.PFWAbsEna", 1)[0] == 16
    assert battery.raw("704.VarSetEna") == 0
    after = 1.5 * np.tan(np.arccos(0.8))
    assert until(grid, lambda: abs(grid.grid.state.devices["batteries"].given_kvar[0] - after) < 1e-6, 120.0)
    assert (battery.raw("704.PFWAbs.PF"), battery.raw("704.PFWAbs.Ext"), battery.raw("704.PFWAbsRvrtRem")) == (
        800,
        0,
        0,
    )
    assert battery.write("704.PFWAbs.PF", 499) == bytes((0x90, 3))
    assert battery.write("704.PFWAbsEna", 0)[0] == 16
    assert battery.write("704.WSetEna", 0)[0] == 16


def test_half_of_a_long_point_cannot_be_written(grid: Served) -> None:
    unit = Driver(grid, UNIT, Inverters)
    at = BASE + unit.points["704.WSet"].at
    assert unit.ask(struct.pack(">BHH", 6, at, 5)) == b"\x86\x02"
    assert unit.ask(struct.pack(">BHHBH", 16, at + 1, 1, 2, 5)) == b"\x90\x02"


def test_a_write_that_is_wrong_in_one_point_changes_none(grid: Served) -> None:
    unit = Driver(grid, UNIT, Inverters)
    assert unit.write("704.WMaxLimPctEna", 1, 10_001) == b"\x90\x03"
    assert unit.raw("704.WMaxLimPctEna") == 0


def test_function_23_writes_before_it_reads(grid: Served) -> None:
    unit = Driver(grid, UNIT, Inverters)
    at = BASE + unit.points["123.WMaxLimPct"].at
    both = struct.pack(">BHHHHBH", 23, at, 1, at, 1, 2, 7777)
    assert unit.ask(both) == struct.pack(">BBH", 23, 2, 7777)
    assert unit.raw("123.WMaxLimPct") == 7777
    beyond = struct.pack(">BHHHHBH", 23, 9, 1, at, 1, 2, 1)
    assert unit.ask(beyond) == b"\x97\x02"
    assert unit.raw("123.WMaxLimPct") == 7777, "what cannot be read is refused before anything is written"


@pytest.mark.parametrize(
    ("mode", "drawn_pct", "given_pct", "share"),
    [(1, 40, 100, 0.4), (2, 100, 30, -0.3), (2, 100, -20, 0.2), (3, 0, 0, 0.0), (3, 100, -50, 0.5)],
)
def test_a_battery_charges_and_discharges_as_model_124_says(
    grid: Served, mode: int, drawn_pct: int, given_pct: int, share: float
) -> None:
    """The cases with a negative rate are how evcc and Fronius charge from the grid."""
    battery = Driver(grid, BATTERY, Storage)
    rated_kw = grid.grid.inventory.device("batteries/0").rated_kw
    assert battery.write("124.OutWRte", 100 * given_pct, 100 * drawn_pct, 0xFFFF, 600)[0] == 16
    assert battery.write("124.StorCtl_Mod", mode)[0] == 16
    assert until(grid, lambda: abs(power_kw(grid, "batteries") - share * rated_kw) < 1e-6, 60.0)
    assert battery.raw("802.W") == pytest.approx(-share * rated_kw * 1000.0, abs=1.0)
    assert battery.write("124.StorCtl_Mod", 0)[0] == 16


def test_of_a_batterys_set_points_the_last_holds(grid: Served) -> None:
    battery = Driver(grid, BATTERY, Storage)
    assert battery.write("124.StorCtl_Mod", 1)[0] == 16
    assert battery.write("704.WSet", -1500)[0] == 16
    assert battery.write("704.WSetEna", 1, 1)[0] == 16
    assert until(grid, lambda: abs(power_kw(grid, "batteries") - 1.5) < 1e-6, 60.0)
    assert battery.raw("124.StorCtl_Mod") == 0, "the other is switched off"
    assert battery.write("704.WSetEna", 0)[0] == 16


def test_what_the_network_loses_gets_no_answer_and_changes_nothing(grid: Served) -> None:
    unit = Driver(grid, UNIT, Inverters)
    device = grid.grid.inventory.device("local_units/0")
    plane = grid.harness.run.engine.simulation.grid.transport._plane
    now_ns = grid.grid.now_ns
    plane.fail(np.array([device.endpoint]), now_ns + NS_PER_S, now_ns + 400 * NS_PER_S)
    grid.advance(5.0)
    with socket.create_connection((UNIT, grid.ports["modbus"]), 60.0) as link:
        link.sendall(framed(1, 1, struct.pack(">BHHBH", 16, BASE + unit.points["123.Conn"].at, 1, 2, 0)))
        port = link.getsockname()[1]
        while not any(one.address.endswith(f":{port}") and one.frames for one in grid.grid.peers):
            time.sleep(0.01)
        grid.advance(420.0)
        link.sendall(framed(2, 1, struct.pack(">BHH", 3, BASE + unit.points["123.Conn"].at, 1)))
        transaction, _, pdu = grid.while_time_goes_on(Client(link).take)
    assert transaction == 2, "a request without an answer does not take that of the next (pymodbus 538)"
    assert pdu == b"\x03\x02\x00\x01"


def test_a_day_with_writes_can_be_run_again_to_the_last_bit(lane: Scenario, tmp_path: Path) -> None:
    with served(lane, {"modbus": None}, settings=SETTINGS, at="2016-07-04T12:00", out=tmp_path / "live") as grid:
        unit, battery = Driver(grid, UNIT, Inverters), Driver(grid, BATTERY, Storage)
        assert unit.write("704.WMaxLimPctEna", 1, 200, 500, 1, 60)[0] == 16
        assert battery.write("704.WSet", 1500)[0] == 16
        assert unit.write("704.VarSetEna", 1, 3, 1)[0] == 16
        assert unit.write("704.VarSetPct", -4000)[0] == 16
        assert battery.write("704.WSetEna", 1, 1)[0] == 16
        assert unit.raw("103.W") > 0
        grid.advance(90.0)
    assert heptagrid.open_run(tmp_path / "live").summary["arms"]["smart"]["messages"]["residual"] == 0
    again = replay(tmp_path / "live", out=tmp_path / "again")
    assert again.differing == [] and again.remarks == []
