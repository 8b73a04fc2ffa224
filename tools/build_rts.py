"""Rebuild the bulk system's data from PGLib-OPF's 24-bus case and RTS-GMLC (development only).

python tools/build_rts.py PGLIB_CASE24.m RTS_GMLC_FOLDER [heptagrid/scenario/data/rts]
"""

from __future__ import annotations

import csv
import re
import shutil
import sys
from pathlib import Path

LIKE_UNITS = {12: "U12", 20: "U20", 50: "U50", 76: "U76", 155: "U155", 350: "U350"}
TURBINES = {"CT": "gas", "STEAM": "steam", "HYDRO": "hydro", "NUCLEAR": "nuclear"}
# Units without a like one in RTS-GMLC: ramp MW/min, min up h, min down h, cold start MBTU, fuel USD/MBTU, and of the
# machine MVA, inertia constant in s on that base, turbine.
PUBLISHED_1979 = {
    100: (7.0, 8.0, 8.0, 566.0, 10.3494, 118.0, 2.8, "steam"),
    197: (3.0, 12.0, 10.0, 775.0, 10.3494, 232.0, 2.8, "steam"),
    400: (20.0, 24.0, 48.0, 78978.0, 0.81035, 471.0, 5.0, "nuclear"),
}
SOURCE_1979 = {
    100: "IEEE RTS 1979 and 1996 unit tables (source not read), oil at the RTS-GMLC price",
    197: "IEEE RTS 1979 and 1996 unit tables (source not read), oil at the RTS-GMLC price",
    400: "ramp: IEEE RTS 1979 (source not read); the rest: RTS-GMLC 121_NUCLEAR_1 (like unit)",
}


def main(case: Path, gmlc: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    text = case.read_text()
    bus, gen, cost, branch = (matrix(text, name) for name in ("bus", "gen", "gencost", "branch"))
    fleet = list(csv.DictReader((gmlc / "SourceData/gen.csv").open()))
    machines = [
        row for row in fleet if row["Bus ID"].startswith("1") and row["Unit Type"] in (*TURBINES, "CC", "SYNC_COND")
    ]
    nuclear = [row for row in fleet if row["Unit Type"] == "NUCLEAR"]  # the like unit of bus 18 stands at bus 21
    held_pu = {int(row["Bus ID"]) - 100: float(row["V Setpoint p.u."]) for row in (*nuclear, *machines)}
    write(
        out / "buses.csv",
        ["bus", "load_mw", "load_mvar", "shunt_mw", "shunt_mvar", "held_pu", "base_kv"],
        [[int(r[0]), *r[2:6], held_pu.get(int(r[0]), 1.0), r[9]] for r in bus],
    )
    condensers = [[int(unit[0]), unit[4], unit[3]] for unit in gen if round(unit[8]) == 0]
    write(out / "condensers.csv", ["bus", "q_min_mvar", "q_max_mvar"], condensers)
    write(
        out / "branches.csv",
        ["from_bus", "to_bus", "r_pu", "x_pu", "b_pu", "rating_mw", "ratio"],
        [[int(r[0]), int(r[1]), r[2], r[3], r[4], r[5], r[8] or 1.0] for r in branch],
    )
    like = {row["Unit Group"]: row for row in reversed(fleet)}
    rows = []
    for unit, terms in zip(gen, cost, strict=True):
        size = round(unit[8])
        if size == 0:
            continue  # the synchronous condenser at bus 14
        rows.append(
            [int(unit[0]), unit[8], unit[9], unit[4], unit[3], terms[4], terms[5], terms[6], *dynamics(size, like)]
        )
    header = ["bus", "p_max_mw", "p_min_mw", "q_min_mvar", "q_max_mvar", "cost_2", "cost_1", "cost_0"]
    header += ["ramp_mw_per_min", "min_up_h", "min_down_h", "start_usd", "mva", "inertia_s", "turbine", "source"]
    write(out / "units.csv", header, rows)
    load = list(csv.DictReader((gmlc / "timeseries_data_files/Load/DAY_AHEAD_regional_Load.csv").open()))
    write(
        out / "load.csv",
        ["month", "day", "hour", "load_mw"],
        [[r["Month"], r["Day"], int(r["Period"]) - 1, round(float(r["1"]), 3)] for r in load],
    )
    shutil.copy(gmlc / "NOTICE.md", out / "NOTICE-RTS-GMLC.md")


def dynamics(size: int, like: dict[str, dict[str, str]]) -> list[object]:
    if size in LIKE_UNITS:
        row = like[LIKE_UNITS[size]]
        start = float(row["Start Heat Cold MBTU"]) * float(row["Fuel Price $/MMBTU"]) + float(
            row["Non Fuel Start Cost $"]
        )
        values = [float(row[name]) for name in ("Ramp Rate MW/Min", "Min Up Time Hr", "Min Down Time Hr")]
        machine = [float(row["Base MVA"]), float(row["Inertia MJ/MW"]), TURBINES[row["Unit Type"]]]
        return [*values, round(start, 2), *machine, f"RTS-GMLC unit group {LIKE_UNITS[size]}"]
    ramp, up, down, heat, price, *machine = PUBLISHED_1979[size]
    return [ramp, up, down, round(heat * price, 2), *machine, SOURCE_1979[size]]


def matrix(text: str, name: str) -> list[list[float]]:
    body = re.search(rf"mpc\.{name} = \[(.*?)\];", text, re.S)
    assert body, name
    return [[float(x) for x in line.split(";")[0].split()] for line in body[1].splitlines() if line.strip()]


def write(path: Path, header: list[str], rows: list[list[object]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


if __name__ == "__main__":
    main(
        Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3] if len(sys.argv) > 3 else "heptagrid/scenario/data/rts")
    )
