"""Programs of others read and write over Modbus, each in a process of its own: mbpoll, pysunspec2, pymodbus."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest

from heptagrid.scenario.schema import Scenario
from tests.live.served import Served, served

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="not run: devices have addresses of their own on Linux")

SETTINGS = ("vehicles.share=1.0", "batteries.share=1.0", "gateways.enrolled_share=0.0")
UNIT, METER, BATTERY = "127.32.0.0", "127.16.0.3", "127.48.0.0"

SCAN = """
import json, sys
import sunspec2.modbus.client as client
device = client.SunSpecModbusClientDeviceTCP(slave_id=1, ipaddr=sys.argv[1], ipport=int(sys.argv[2]), timeout=30)
device.scan()
found = {}
for model in device.model_list:
    points = {name: one.cvalue for name, one in model.points.items() if one.cvalue is not None}
    for group, members in model.groups.items():
        for k, one in enumerate(members if isinstance(members, list) else []):
            points |= {f"{group}[{k}].{name}": p.cvalue for name, p in one.points.items() if p.cvalue is not None}
    found[str(model.model_id)] = {"points": points, "problem": model.error_info}
print(json.dumps(found))
"""

LIMIT = """
import sys
import sunspec2.modbus.client as client
device = client.SunSpecModbusClientDeviceTCP(slave_id=1, ipaddr=sys.argv[1], ipport=int(sys.argv[2]), timeout=30)
device.scan()
control = device.models[123][0]
control.points["WMaxLimPct"].cvalue = 5.0
control.points["WMaxLimPct_RvrtTms"].cvalue = 300
control.points["WMaxLim_Ena"].cvalue = 1
control.write()
control.read()
print(control.points["WMaxLimPct"].cvalue, control.points["WMaxLim_Ena"].cvalue)
"""

DROOP = """
import sys
import sunspec2.modbus.client as client
device = client.SunSpecModbusClientDeviceTCP(slave_id=1, ipaddr=sys.argv[1], ipport=int(sys.argv[2]), timeout=30)
device.scan()
droop = device.models[711][0]
droop.groups["Ctl"][1].points["DbOf"].cvalue = 0.02
droop.groups["Ctl"][1].points["KOf"].cvalue = 0.03
droop.groups["Ctl"][1].points["RspTms"].cvalue = 0.5
droop.write()
droop.points["AdptCtlReq"].cvalue = 2
droop.points["Ena"].cvalue = 1
droop.write()
droop.read()
own = droop.groups["Ctl"][0].points
print(*(own[name].cvalue for name in ("DbOf", "DbUf", "KOf", "KUf", "RspTms")), droop.points["AdptCtlRslt"].cvalue, droop.points["Ena"].cvalue)
"""

PYMODBUS = """
import json, sys
from pymodbus.client import ModbusTcpClient
client = ModbusTcpClient(sys.argv[1], port=int(sys.argv[2]), timeout=30)
client.connect()
key = "device_id" if "device_id" in ModbusTcpClient.read_holding_registers.__kwdefaults__ else "slave"
unit = {key: 1}
found = {}
found["mark"] = client.read_holding_registers(40000, count=2, **unit).registers
found["input"] = client.read_input_registers(40000, count=2, **unit).registers
found["unmapped"] = client.read_holding_registers(100, count=2, **unit).exception_code
found["coils"] = client.read_coils(0, count=1, **unit).exception_code
found["read_only"] = client.write_register(40000, 1, **unit).exception_code
info = client.read_device_information(read_code=1, object_id=0, **unit)
found["vendor"] = info.information[0].decode()
wrote = client.readwrite_registers(read_address=40000, read_count=2, write_address=int(sys.argv[3]), values=[4321], **unit)
found["both"] = wrote.registers
found["written"] = client.read_holding_registers(int(sys.argv[3]), count=1, **unit).registers
client.close()
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def grid(lane: Scenario) -> Iterator[Served]:
    with served(lane, {"modbus": None}, settings=SETTINGS, is_ideal=True, at="2016-07-04T12:00") as one:
        yield one


def said(script: str, *words: str) -> str:
    """What a script prints in a process of its own."""
    done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def scanned(grid: Served, address: str) -> dict[str, Any]:
    """Models and points as pysunspec2 sees them."""
    if find_spec("sunspec2") is None:
        pytest.skip("not run: pysunspec2 is not installed")
    found: dict[str, Any] = json.loads(said(SCAN, address, str(grid.ports["modbus"])))
    for model, one in found.items():
        assert one["problem"] == "", (model, one["problem"])
    return found


def nominal_v(grid: Served, point: int) -> float:
    """Of a phase at a metering point: of a North American service over both legs."""
    world = grid.grid.inventory.world
    line_v = float(1000.0 * world.network.v_base_kv[world.point_node[point]])
    return line_v if line_v < 300.0 else line_v / 3.0**0.5


def test_pysunspec2_scans_an_inverter(grid: Served) -> None:
    found = scanned(grid, UNIT)
    at, state = grid.grid.inventory.device("local_units/0"), grid.grid.state
    (single,) = found.keys() & {"101", "103"}
    assert list(found) == [
        "1",
        single,
        "120",
        "121",
        "122",
        "123",
        "126",
        "131",
        "132",
        "134",
        "160",
        "701",
        "702",
        "703",
        "704",
        "705",
        "706",
        "711",
        "712",
        "714",
    ]
    w = 1000.0 * state.unit_kw[0]
    points = found[single]["points"]
    assert points["W"] == pytest.approx(w, abs=10.0) and w > 0.0
    assert points["PhVphA"] == pytest.approx(state.point_v_pu[at.point] * nominal_v(grid, at.point), abs=0.2)
    assert points["Hz"] == pytest.approx(state.frequency_hz, abs=0.01)
    assert points["WH"] == pytest.approx(1000.0 * state.energy.unit_kwh[0], abs=1.0)
    assert "TmpCab" not in points, "what is not implemented is not shown"
    assert found["701"]["points"]["W"] == points["W"]
    assert found["160"]["points"]["module[0].DCW"] == pytest.approx(w / 0.97, abs=10.0)
    assert (
        found["120"]["points"]["WRtg"] == found["702"]["points"]["WMaxRtg"] == pytest.approx(1000.0 * at.rated_kw, 1e-3)
    )


def test_pysunspec2_scans_a_battery(grid: Served) -> None:
    found, state = scanned(grid, BATTERY), grid.grid.state
    mine = state.devices["batteries"]
    assert list(found)[-2:] == ["714", "802"] and {"124", "713"} <= found.keys()
    assert found["802"]["points"]["SoC"] == pytest.approx(100.0 * mine.content_kwh[0] / 9.0, abs=0.01)
    assert found["802"]["points"]["W"] == pytest.approx(-1000.0 * mine.power_kw[0], abs=1.0)
    assert found["713"]["points"]["WHAvail"] == pytest.approx(1000.0 * mine.content_kwh[0], abs=1.0)


def test_pysunspec2_scans_a_meter(grid: Served) -> None:
    found, state = scanned(grid, METER), grid.grid.state
    assert list(found) in (["1", "203"], ["1", "201"])
    points = list(found.values())[1]["points"]
    assert points["W"] == pytest.approx(1000.0 * state.point_p_kw[3], abs=1.0)
    assert points["TotWhImp"] == pytest.approx(1000.0 * state.import_kwh[3], abs=1.0)
    by_phase = [points[f"Wph{phase}"] for phase in "ABC" if f"Wph{phase}" in points]
    assert sum(by_phase) == pytest.approx(points["W"], abs=2.0)


def test_pysunspec2_limits_an_inverter(grid: Served) -> None:
    if find_spec("sunspec2") is None:
        pytest.skip("not run: pysunspec2 is not installed")
    before_kw = grid.grid.state.unit_kw[0]
    words = grid.while_time_goes_on(lambda: said(LIMIT, UNIT, str(grid.ports["modbus"])))
    assert words.split() == ["5.0", "1"]
    grid.advance(30.0)
    rated_kw = grid.grid.inventory.device("local_units/0").rated_kw
    assert grid.grid.state.unit_kw[0] == pytest.approx(0.05 * rated_kw) and before_kw > 0.06 * rated_kw


def test_pysunspec2_sets_the_droop_of_an_inverter(grid: Served) -> None:
    if find_spec("sunspec2") is None:
        pytest.skip("not run: pysunspec2 is not installed")
    address = "127.32.0.1"
    words = grid.while_time_goes_on(lambda: said(DROOP, address, str(grid.ports["modbus"])))
    assert [float(one) for one in words.split()] == [0.02, 0.036, 0.03, 0.05, 0.5, 1, 1]
    before_kw, rated_kw = grid.grid.state.unit_kw[1], grid.grid.inventory.device("local_units/1").rated_kw
    terminals = grid.harness.run.engine.simulation.grid.terminals
    terminals.deviation_hz = 0.17
    grid.advance(30.0)
    assert grid.grid.state.unit_kw[1] == pytest.approx(before_kw - 0.15 / (60.0 * 0.03) * rated_kw, rel=0.01)
    terminals.deviation_hz = 0.0


def test_pymodbus_reads_writes_and_is_refused(grid: Served) -> None:
    if find_spec("pymodbus") is None:
        pytest.skip("not run: pymodbus is not installed")
    limit = 40_000 + 228 + 5  # WMaxLimPct of model 123
    found = json.loads(said(PYMODBUS, "127.32.0.1", str(grid.ports["modbus"]), str(limit)))
    assert found == {
        "mark": [0x5375, 0x6E53],
        "input": [0x5375, 0x6E53],
        "unmapped": 2,
        "coils": 1,
        "read_only": 2,
        "vendor": "heptagrid",
        "both": [0x5375, 0x6E53],
        "written": [4321],
    }


@pytest.mark.parametrize(
    ("words", "code", "output"),
    [
        (("-r", "40000", "-c", "3"), 0, "21365"),
        (("-t", "4:hex", "-r", "40000", "-c", "2"), 0, "0x5375"),
        (("-t", "3", "-r", "40000", "-c", "1"), 0, "21365"),
        (("-r", "100", "-c", "1"), 1, "Illegal data address"),
        (("-t", "0", "-r", "0", "-c", "1"), 1, "Illegal function"),
        (("-r", "40233", "2500"), 0, "Written 1 references"),
        (("-r", "40233", "10001"), 1, "Illegal data value"),
    ],
)
def test_mbpoll_reads_writes_and_is_refused(grid: Served, words: tuple[str, ...], code: int, output: str) -> None:
    mbpoll = shutil.which("mbpoll")
    if mbpoll is None:
        pytest.skip("not run: mbpoll is not installed (apt-get install mbpoll)")
    kind = () if "-t" in words else ("-t", "4")
    given = [mbpoll, "-m", "tcp", "-p", str(grid.ports["modbus"]), "-a", "1", "-0", "-o", "10", *kind]
    address = "127.32.0.1"
    once = () if words[-1].isdecimal() and "-c" not in words else ("-1",)
    values = [words[-1]] if not once else []
    options = words[:-1] if not once else words
    done = subprocess.run([*given, *options, *once, address, *values], capture_output=True, text=True, timeout=60)
    assert output in done.stdout + done.stderr, done.stdout + done.stderr
    assert (done.returncode != 0) == bool(code)
