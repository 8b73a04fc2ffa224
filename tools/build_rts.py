"""Rebuild the bulk system's data from an RTS-GMLC folder (development only).

python tools/build_rts.py RTS_GMLC_FOLDER [heptagrid/scenario/data/rts-gmlc]

Sources of one kind at one bus become one plant. Photovoltaics on roofs are no plants: they are kept by bus, and lower its load.
"""

from __future__ import annotations

import csv
import shutil
import sys
from pathlib import Path

import numpy as np

HOURS = 8784
FUELS = {"NG": "gas", "Coal": "coal", "Nuclear": "nuclear"}
OILS = {"CT": "light oil", "STEAM": "heavy oil"}
TURBINES = {"CT": "gas", "CC": "gas", "STEAM": "steam", "NUCLEAR": "nuclear", "HYDRO": "hydro", "ROR": "hydro"}
SOURCES = {"HYDRO": "water", "ROR": "water", "PV": "sun", "WIND": "wind"}
FILES = {"water": ("Hydro", "hydro"), "sun": ("PV", "pv"), "wind": ("WIND", "wind"), "roof": ("RTPV", "rtpv")}
BLOCKS, HEATS = (1, 2, 3, 4), ("Hot", "Warm", "Cold")

Row = dict[str, str]


def main(gmlc: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    buses, branches, fleet, stores = (table(gmlc, name) for name in ("bus", "branch", "gen", "storage"))
    held = {row["Bus ID"]: row["V Setpoint p.u."] for row in fleet if row["V Setpoint p.u."] not in ("", "0")}
    write(
        out / "buses.csv",
        ["bus", "name", "area", "load_mw", "load_mvar", "shunt_mw", "shunt_mvar", "held_pu", "base_kv", "lat", "lng"],
        [
            [
                *(row[name] for name in ("Bus ID", "Bus Name", "Area", "MW Load", "MVAR Load", "MW Shunt G")),
                *(row["MVAR Shunt B"], held.get(row["Bus ID"], "1.0"), row["BaseKV"]),
                *(round(float(row[name]), 4) for name in ("lat", "lng")),
            ]
            for row in buses
        ],
    )
    write(
        out / "branches.csv",
        ["name", "from_bus", "to_bus", "r_pu", "x_pu", "b_pu", "rating_mw", "emergency_mw", "ratio"],
        [
            [
                *(row[name] for name in ("UID", "From Bus", "To Bus", "R", "X", "B", "Cont Rating", "LTE Rating")),
                row["Tr Ratio"] if float(row["Tr Ratio"]) > 0.0 else "1.0",
            ]
            for row in branches
        ],
    )
    condensers = [row for row in fleet if row["Unit Type"] == "SYNC_COND"]
    columns = ("Bus ID", "QMin MVAR", "QMax MVAR")
    write(
        out / "condensers.csv",
        ["bus", "q_min_mvar", "q_max_mvar"],
        [[row[name] for name in columns] for row in condensers],
    )
    thermal = [row for row in fleet if row["Unit Type"] in ("CT", "CC", "STEAM", "NUCLEAR")]
    rows, series = [thermal_row(row) for row in thermal], {}
    for (kind, bus), plants in by_place(fleet).items():
        name = f"{bus}_{kind.upper()}"
        series[name] = sum(column(gmlc, *FILES[kind], row["GEN UID"]) for row in plants)
        rows.append(source_row(name, kind, plants))
    heads = {row["GEN UID"]: row for row in stores if row["position"] == "head"}
    for row in fleet:
        if row["Unit Type"] == "CSP":
            series[row["GEN UID"]] = column(gmlc, "CSP", "Natural_Inflow", row["GEN UID"])
            rows.append(store_row(row, "tower", heads[row["GEN UID"]], 0.0, 1.0))
        elif row["Unit Type"] == "STORAGE":
            efficiency = float(row["Storage Roundtrip Efficiency"]) / 100.0
            rows.append(store_row(row, "storage", heads[row["GEN UID"]], -float(row["Pump Load MW"]), efficiency))
    write(out / "units.csv", HEADER, rows)
    roofs: dict[str, np.ndarray] = {}
    for row in fleet:
        if row["Unit Type"] == "RTPV":
            given = column(gmlc, *FILES["roof"], row["GEN UID"])
            roofs[row["Bus ID"]] = roofs.get(row["Bus ID"], np.zeros(HOURS)) + given
    areas = sorted({row["Area"] for row in buses})
    np.savez_compressed(
        out / "series.npz",
        load_mw=np.stack([column(gmlc, "Load", "regional_Load", area) for area in areas], axis=1).astype(np.float32),
        source=np.array(list(series)),
        source_mw=np.stack(list(series.values()), axis=1).astype(np.float32),
        roof_bus=np.array(list(roofs), dtype=np.int64),
        roof_mw=np.stack(list(roofs.values()), axis=1).astype(np.float32),
    )
    shutil.copy(gmlc / "NOTICE.md", out / "NOTICE-RTS-GMLC.md")


HEADER = [
    *("unit", "bus", "kind", "fuel", "p_max_mw", "p_min_mw", "q_min_mvar", "q_max_mvar", "ramp_mw_per_min"),
    *("min_up_h", "min_down_h", "mva", "inertia_s", "turbine", "volume_mwh", "efficiency", "vom_usd_per_mwh"),
    *("no_load_mmbtu_per_h", *(f"block_{k}_mw" for k in BLOCKS), *(f"block_{k}_mmbtu_per_mwh" for k in BLOCKS)),
    *(f"start_{heat.lower()}_mmbtu" for heat in HEATS),
    *("start_usd", "warm_after_h", "cold_after_h", "co2_kg_per_mmbtu"),
]
LB_KG = 0.45359237


def thermal_row(row: Row) -> list[object]:
    high = number(row, "PMax MW")
    at_mw = np.array([number(row, f"Output_pct_{k}") * high for k in range(4)] + [high])
    at_mw = np.maximum.accumulate(at_mw)  # a unit of fewer blocks has NA where others have their further points
    block_mw = np.diff(at_mw)
    rates = [number(row, f"HR_incr_{k}") / 1000.0 for k in BLOCKS]  # BTU/kWh
    heat = [number(row, f"Start Heat {one} MBTU") for one in HEATS]
    if row["Unit Type"] == "NUCLEAR":
        heat = [heat[2]] * 3  # it has one heat alone
    return [
        *(
            row["GEN UID"],
            row["Bus ID"],
            "thermal",
            FUELS.get(row["Fuel"]) or OILS[row["Unit Type"]],
            high,
            round(float(at_mw[0]), 6),
        ),
        *(row["QMin MVAR"], row["QMax MVAR"], row["Ramp Rate MW/Min"], row["Min Up Time Hr"], row["Min Down Time Hr"]),
        *(row["Base MVA"], row["Inertia MJ/MW"], TURBINES[row["Unit Type"]], 0.0, 1.0, row["VOM"]),
        round(number(row, "HR_avg_0") / 1000.0 * float(at_mw[0]), 6),
        *(round(float(one), 6) for one in block_mw),
        *(round(rate, 6) if size > 0.0 else 0.0 for rate, size in zip(rates, block_mw, strict=True)),
        *(np.maximum.accumulate(heat).tolist()),
        *(row["Non Fuel Start Cost $"], number(row, "Start Time Warm Hr"), number(row, "Start Time Cold Hr")),
        round(number(row, "Emissions CO2 Lbs/MMBTU") * LB_KG, 4),
    ]


def source_row(name: str, kind: str, plants: list[Row]) -> list[object]:
    def total(column: str) -> float:
        return round(sum(number(row, column) for row in plants), 3)

    high = total("PMax MW")
    turns = kind == "water"
    machine = [total("Base MVA"), number(plants[0], "Inertia MJ/MW"), "hydro"] if turns else [0.0, 0.0, "none"]
    reactive = [total("QMin MVAR"), total("QMax MVAR")] if turns else converter_mvar(high)
    ramp = high  # as fast as its source
    return [
        *(name, plants[0]["Bus ID"], kind, "", high, 0.0, *reactive, ramp, 1, 1, *machine, 0.0, 1.0, 0.0),
        *(0.0, high, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, *([0.0] * 3), 0.0, 0.0, 0.0, 0.0),
    ]


def store_row(row: Row, kind: str, head: Row, low: float, efficiency: float) -> list[object]:
    high, is_tower = number(row, "PMax MW"), kind == "tower"
    machine = [row["Base MVA"], row["Inertia MJ/MW"], "steam"] if is_tower else [0.0, 0.0, "none"]
    reactive = [row["QMin MVAR"], row["QMax MVAR"]] if is_tower else converter_mvar(high)
    volume = float(head["Max Volume GWh"]) * 1000.0
    return [
        *(row["GEN UID"], row["Bus ID"], kind, "", high, low, *reactive, row["Ramp Rate MW/Min"], 1, 1, *machine),
        *(volume, efficiency, 0.0, 0.0, high, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, *([0.0] * 3), 0.0, 0.0, 0.0, 0.0),
    ]


def converter_mvar(p_mw: float) -> list[object]:
    """Reactive power of wind, sun and storages, of which the consortium has none: a power factor of 0.95, as grid codes ask."""
    q_mvar = round(p_mw * 0.33, 3)
    return [-q_mvar, q_mvar]


def by_place(fleet: list[Row]) -> dict[tuple[str, str], list[Row]]:
    found: dict[tuple[str, str], list[Row]] = {}
    for row in fleet:
        if row["Unit Type"] in SOURCES:
            found.setdefault((SOURCES[row["Unit Type"]], row["Bus ID"]), []).append(row)
    return found


def number(row: Row, name: str) -> float:
    return 0.0 if row[name] in ("", "NA") else float(row[name])


_READ: dict[Path, dict[str, np.ndarray]] = {}


def column(gmlc: Path, folder: str, name: str, which: str) -> np.ndarray:
    path = gmlc / "timeseries_data_files" / folder / f"DAY_AHEAD_{name}.csv"
    if path not in _READ:
        with path.open(encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
        _READ[path] = {one: np.array([float(row[one]) for row in rows]) for one in rows[0]}
    found = _READ[path][which]
    assert len(found) == HOURS, path
    return found


def table(gmlc: Path, name: str) -> list[Row]:
    with (gmlc / "SourceData" / f"{name}.csv").open(encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def write(path: Path, header: list[str], rows: list[list[object]]) -> None:
    assert all(len(row) == len(header) for row in rows), path
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


if __name__ == "__main__":
    default = "heptagrid/scenario/data/rts-gmlc"
    main(Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else default))
