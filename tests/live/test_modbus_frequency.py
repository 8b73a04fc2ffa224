"""SunSpec model 711: what is written lets inverters answer the frequency, as IEEE 1547-2018 has droop, until it ends."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from heptagrid.live.protocols.modbus.inverters import Inverters
from heptagrid.live.protocols.modbus.storage import Storage
from heptagrid.scenario.schema import Scenario
from tests.live.modbus_client import Driver, power_kw, until
from tests.live.served import Served, served
from tests.live.test_modbus_control import BATTERY, SETTINGS, UNIT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="not run: devices have addresses of their own on Linux")

NOMINAL_HZ, BAND_HZ, DROOP = 60.0, 0.036, 0.05


@pytest.fixture(scope="module")
def grid(lane: Scenario) -> Iterator[Served]:
    with served(lane, {"modbus": None}, settings=SETTINGS, is_ideal=True, at="2016-07-04T12:00") as one:
        yield one


def deviate(grid: Served, hz: float) -> None:
    """Let the frequency of the bulk system, which is nominal where nobody follows it, be another one from now on."""
    grid.harness.run.engine.simulation.grid.terminals.deviation_hz = hz


def rated_kw(grid: Served, name: str) -> float:
    return float(grid.grid.inventory.device(f"{name}/0").rated_kw)


def test_droop_takes_power_off_above_the_dead_band_and_gives_it_back_within(grid: Served) -> None:
    unit = Driver(grid, UNIT, Inverters)
    assert unit.write("711.Ena", 1)[0] == 16
    grid.advance(60.0)
    before_kw = power_kw(grid, "local_units")
    deviate(grid, 0.4)
    grid.advance(60.0)
    less_kw = (0.4 - BAND_HZ) / (NOMINAL_HZ * DROOP) * rated_kw(grid, "local_units")
    assert power_kw(grid, "local_units") == pytest.approx(before_kw - less_kw, rel=0.01)
    assert unit.raw("701.Hz") == 60_400 and unit.raw("711.Ena") == 1
    assert unit.raw("103.W") == pytest.approx(1000.0 * (before_kw - less_kw), rel=0.01)
    deviate(grid, 0.0)
    grid.advance(60.0)
    assert power_kw(grid, "local_units") == pytest.approx(before_kw, rel=0.02)
    assert unit.write("711.Ena", 0)[0] == 16
    grid.advance(60.0)
    deviate(grid, 0.4)
    grid.advance(60.0)
    assert power_kw(grid, "local_units") == pytest.approx(before_kw, rel=0.02), "it is switched off"
    deviate(grid, 0.0)


def test_another_control_takes_the_place_of_the_one_in_force_when_it_is_adopted(grid: Served) -> None:
    unit = Driver(grid, UNIT, Inverters)
    grid.advance(30.0)
    before_kw = power_kw(grid, "local_units")
    assert unit.write("711.Ctl[1].DbOf", 200, 500, 40, 50, 2)[0] == 16
    assert (unit.raw("711.Ctl[0].DbOf"), unit.raw("711.Ctl[0].KOf"), unit.raw("711.Ctl[0].RspTms")) == (36, 50, 50)
    assert unit.write("711.AdptCtlReq", 2)[0] == 16
    assert unit.raw("711.AdptCtlRslt") == 1
    assert (unit.raw("711.Ctl[0].DbOf"), unit.raw("711.Ctl[0].KOf"), unit.raw("711.Ctl[0].RspTms")) == (200, 40, 2)
    assert unit.write("711.RvrtTms", 300)[0] == 16
    assert unit.write("711.Ena", 1)[0] == 16
    grid.advance(30.0)
    deviate(grid, 0.3)
    grid.advance(30.0)
    less_kw = (0.3 - 0.2) / (NOMINAL_HZ * 0.04) * rated_kw(grid, "local_units")
    assert power_kw(grid, "local_units") == pytest.approx(before_kw - less_kw, rel=0.01)
    assert 0 < unit.raw("711.RvrtRem") < 300
    assert until(grid, lambda: power_kw(grid, "local_units") > before_kw - 0.5 * less_kw, 300.0), "its time is up"
    assert (unit.raw("711.Ena"), unit.raw("711.RvrtRem")) == (0, 0)
    deviate(grid, 0.0)


@pytest.mark.parametrize(
    ("name", "raws", "code"),
    [
        ("711.Ena", (2,), 3),
        ("711.Ctl[1].KOf", (19,), 3),
        ("711.Ctl[1].KUf", (51,), 3),
        ("711.Ctl[1].DbOf", (1001,), 3),
        ("711.Ctl[1].DbUf", (16,), 3),
        ("711.Ctl[1].RspTms", (101,), 3),
        ("711.Ctl[1].PMin", (101,), 3),
        ("711.Ctl[0].KOf", (30,), 3),
        ("711.AdptCtlReq", (1,), 3),
        ("711.NCtl", (3,), 2),
        ("711.RvrtRem", (3,), 2),
    ],
)
def test_a_setting_that_the_standard_does_not_have_is_refused(
    grid: Served, name: str, raws: tuple[int, ...], code: int
) -> None:
    unit = Driver(grid, UNIT, Inverters)
    before = unit.raw(name)
    assert unit.write(name, *raws) == bytes((0x90, code))
    assert unit.raw(name) == before


def test_a_battery_gives_more_below_the_dead_band(grid: Served) -> None:
    battery = Driver(grid, BATTERY, Storage)
    assert battery.raw("711.Ctl[0].PMin") == -100
    assert battery.write("704.WSet", 500)[0] == 16
    assert battery.write("704.WSetEna", 1, 1)[0] == 16
    assert battery.write("711.Ena", 1)[0] == 16
    assert until(grid, lambda: abs(power_kw(grid, "batteries") + 0.5) < 1e-6, 60.0)
    deviate(grid, -0.3)
    grid.advance(60.0)
    more_kw = (0.3 - BAND_HZ) / (NOMINAL_HZ * DROOP) * rated_kw(grid, "batteries")
    assert power_kw(grid, "batteries") == pytest.approx(-0.5 - more_kw, rel=1e-6)
    deviate(grid, 1.6)
    grid.advance(60.0)
    less_kw = (1.6 - BAND_HZ) / (NOMINAL_HZ * DROOP) * rated_kw(grid, "batteries")
    before_kw = -0.5 - more_kw
    assert power_kw(grid, "batteries") == pytest.approx(before_kw + less_kw, rel=1e-6), (
        "from where it was, and it may be charged"
    )
    deviate(grid, 0.0)
    assert battery.write("711.Ena", 0)[0] == 16
    assert battery.write("704.WSetEna", 0)[0] == 16
