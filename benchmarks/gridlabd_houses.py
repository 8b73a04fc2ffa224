"""GridLAB-D's houses with heat pumps on one feeder with power flow, and what a step of them takes, where the `gridlabd` wheel is installed."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

HOUSES, HOURS, OUTSIDE_F = 1000, 6, 30
PEER = "GridLAB-D's houses with power flow"


def gridlabd_ns() -> float | None:
    """Of GridLAB-D, in ns of processor time; None where it is not installed."""
    try:
        import gridlabd
    except ImportError:
        print("GridLAB-D: not installed (pip install gridlabd)")
        return None
    with tempfile.TemporaryDirectory() as place, contextlib.chdir(place):  # it leaves files where it runs
        model = Path(place) / "houses.glm"
        model.write_text(feeder(HOUSES, HOURS), encoding="utf-8")
        grid = gridlabd.GridLabD(verbose=False)
        grid.setup_before_load()
        grid.load_glm([str(model)])
        grid.setup_after_load()
        began_s = workers_s()
        grid.run()
        took_s = workers_s() - began_s
        states = [grid.get_object_properties(f"h{k}")["air_temperature"] for k in (0, HOUSES - 1)]
        grid.finalize()
    steps = HOUSES * HOURS * 60
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
module residential {{ implicit_enduses NONE; default_outdoor_temperature {OUTSIDE_F}; }}
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
