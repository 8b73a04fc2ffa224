"""Processor time per device and step of each class of devices, on one thread, against GridLAB-D's houses where the `gridlabd` wheel is installed.

python benchmarks/devices.py [DEVICES] [--record]

Two hours of a winter morning in steps of 60 s after one hour that is not counted; once by itself, once under prices, once steered by an aggregator, which makes
a class follow also what each device would have done alone; the least of six parts of 20 steps, since others use the machine. GridLAB-D: as many of its houses as are asked for at a time, on one feeder with power flow.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from history import report

import heptagrid
from heptagrid.assembly.span import Phase, Span
from heptagrid.domains.customers.device import Surroundings, device_classes
from heptagrid.foundation.time import Step
from heptagrid.importers.weather import read_weather

ZONE = ZoneInfo("Europe/Berlin")
TOWN = Path(heptagrid.__file__).parent / "scenario/data/town"
STEP_S, WARM, COUNTED, PARTS = 60, 60, 120, 6
THEIRS, THEIR_HOURS = 1000, 6


def main() -> None:
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    count = numbers[0] if numbers else 20_000
    span = Span(date(2016, 1, 27), 1, STEP_S, STEP_S, ZONE)
    morning = [step for phase, step in span.steps() if phase is Phase.COUNTED][5 * 60 : 5 * 60 + WARM + COUNTED]
    print(f"{count} devices of each class, ns of processor time per device and step: by itself, priced, steered")
    ours = {
        name: [each(name, count, morning, how) for how in ("alone", "priced", "steered")] for name in device_classes()
    }
    diaries = {"behaviour": "diaries"}
    ours["by diaries"] = [each("vehicles", count, morning, how, **diaries) for how in ("alone", "priced", "steered")]
    ours["giving"] = [
        each("vehicles", count, morning, how, v2g_share=1.0, **diaries) for how in ("alone", "priced", "steered")
    ]
    for name, figures in ours.items():
        print(f"  {name:12s}" + "".join(f"{figure:8.1f}" for figure in figures))
    theirs = gridlabd_ns()
    if theirs is not None:
        report(
            "a house's step",
            ours["houses"][0],
            "ns per house and step",
            theirs / ours["houses"][0],
            "GridLAB-D's houses with power flow",
        )


def each(name: str, count: int, steps: list[Step], how: str, **keys: Any) -> float:
    """Of one class with some keys of its section, in ns."""
    one: Any = device_classes()[name]
    surroundings = Surroundings(read_weather(TOWN), ZONE, 1)
    device = one.made(one.section(**keys), np.arange(count, dtype=np.int64), surroundings)
    signal = 2.0 + np.sin(np.arange(96) / 7.0)
    book = device.plans
    if how != "alone":
        rows = book.priced if how == "priced" else book.steered
        rows[:] = book.row_of(1, steps[0].quarter, signal, 96)
    p_kw, supplied = np.zeros(count), np.ones(count, dtype=bool)
    for step in steps[:WARM]:
        device.advance(step, p_kw, supplied)
    took_ns = []
    for step in steps[WARM:]:
        began = time.thread_time_ns()
        device.advance(step, p_kw, supplied)
        took_ns.append(time.thread_time_ns() - began)
    parts = np.array(took_ns, dtype=float).reshape(PARTS, -1).mean(axis=1)
    return float(parts.min()) / count


def gridlabd_ns() -> float | None:
    """Of GridLAB-D, in ns of processor time; None where it is not installed."""
    try:
        import gridlabd
    except ImportError:
        print("GridLAB-D: not installed (pip install gridlabd)")
        return None
    with tempfile.TemporaryDirectory() as place, contextlib.chdir(place):  # it leaves files where it runs
        model = Path(place) / "houses.glm"
        model.write_text(feeder(THEIRS, THEIR_HOURS), encoding="utf-8")
        grid = gridlabd.GridLabD(verbose=False)
        grid.setup_before_load()
        grid.load_glm([str(model)])
        grid.setup_after_load()
        began_s = workers_s()
        grid.run()
        took_s = workers_s() - began_s
        states = [grid.get_object_properties(f"h{k}")["air_temperature"] for k in (0, THEIRS - 1)]
        grid.finalize()
    steps = THEIRS * THEIR_HOURS * 60
    print(f"GridLAB-D: {steps / took_s:,.0f} house-steps of 60 s a second of processor time, air at {states} F")
    return 1e9 * took_s / steps


def workers_s() -> float:
    """Processor time of this process's children, in one of which the wheel runs GridLAB-D."""
    here = Path("/proc/self/task")
    children = {pid for task in here.iterdir() for pid in (task / "children").read_text().split()}
    ticks = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13] for pid in children]
    return sum(int(one) for pair in ticks for one in pair) / os.sysconf("SC_CLK_TCK")


def feeder(houses: int, hours: int) -> str:
    """Houses with heat pumps, ten to a centre-tapped transformer, on one feeder of 12.47 kV."""
    parts = [
        f"""clock {{ timezone UTC0; starttime '2015-01-01 06:00:00 UTC'; stoptime '2015-01-01 {6 + hours:02d}:00:00 UTC'; }}
#set minimum_timestep=60
module residential {{ implicit_enduses NONE; }}
module powerflow {{ solver_method NR; }}
object node {{ name top; phases ABCN; bustype SWING; nominal_voltage 7199.558; }}
object overhead_line_conductor {{ name wire; geometric_mean_radius 0.0244; resistance 0.306; }}
object line_spacing {{ name space; distance_AB 2.5; distance_BC 4.5; distance_AC 7.0; distance_AN 5.656854; distance_BN 4.272002; distance_CN 5.0; }}
object line_configuration {{ name lines; conductor_A wire; conductor_B wire; conductor_C wire; conductor_N wire; spacing space; }}
object triplex_line_conductor {{ name drop; resistance 0.97; geometric_mean_radius 0.01111; }}
object triplex_line_configuration {{ name drops; conductor_1 drop; conductor_2 drop; conductor_N drop; insulation_thickness 0.08; diameter 0.368; }}
"""
    ]
    for phase in "ABC":
        parts.append(
            f"object transformer_configuration {{ name tr{phase}; connect_type SINGLE_PHASE_CENTER_TAPPED; install_type POLETOP; power{phase}_rating 100; "
            f"primary_voltage 7199.558; secondary_voltage 120; resistance 0.006; reactance 0.0136; }}\n"
        )
    above = "top"
    for k in range(houses):
        if k % 10 == 0:
            phase, at = "ABC"[k // 10 % 3], k // 10
            parts.append(
                f"object node {{ name n{at}; phases ABCN; nominal_voltage 7199.558; }}\n"
                f"object overhead_line {{ phases ABCN; from {above}; to n{at}; length 100; configuration lines; }}\n"
                f"object triplex_node {{ name s{at}; phases {phase}S; nominal_voltage 120; }}\n"
                f"object transformer {{ phases {phase}S; from n{at}; to s{at}; configuration tr{phase}; }}\n"
            )
            above = f"n{at}"
        parts.append(
            f"object triplex_meter {{ name m{k}; phases {phase}S; nominal_voltage 120; }}\n"
            f"object triplex_line {{ phases {phase}S; from s{at}; to m{k}; length 50; configuration drops; }}\n"
            f"object house {{ name h{k}; parent m{k}; floor_area {1500 + k % 11 * 100} sf; heating_system_type HEAT_PUMP; cooling_system_type HEAT_PUMP; "
            f"heating_setpoint {66 + k % 5}; cooling_setpoint 90; air_temperature {66 + k % 5}; mass_temperature {66 + k % 5}; fan_type NONE; "
            f"auxiliary_system_type ELECTRIC; auxiliary_strategy DEADBAND; "
            f"object ZIPload {{ base_power 0.5; power_pf 1; power_fraction 1; current_fraction 0; impedance_fraction 0; heatgain_fraction 1; }}; }};\n"
        )
    parts.append(
        "module tape; object recorder { parent h0; property air_temperature; interval 60; file none.csv; };\n"
    )  # houses alone do not drive the clock
    return "".join(parts)


if __name__ == "__main__":
    main()
