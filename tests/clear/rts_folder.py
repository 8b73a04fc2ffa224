"""A folder of RTS-GMLC's form with figures of our own: three buses in a ring, two units, a wind farm, two days of July, one reserve."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from heptagrid.importers.rts_gmlc import NEEDED

UNIT = dict.fromkeys(NEEDED["gen"], "0") | {
    "Unit Type": "STEAM",
    "Category": "Coal",
    "Output_pct_0": "0.2",
    "Output_pct_1": "0.5",
    "Output_pct_2": "0.8",
    "Output_pct_3": "1",
    "HR_avg_0": "10000",
    "Ramp Rate MW/Min": "10",
    "Min Up Time Hr": "2",
    "Min Down Time Hr": "2",
}


def unit(name: str, bus: int, most_mw: float, usd: float, **others: str) -> dict[str, str]:
    """A unit whose MWh cost `usd`, at the minimum too."""
    rates = {f"HR_incr_{k}": "10000" for k in (1, 2, 3)} | {"HR_incr_4": "NA"}
    fuel = {"Fuel Price $/MMBTU": str(usd / 10.0), "Start Heat Cold MBTU": "50", "Start Heat Warm MBTU": "20"}
    return UNIT | rates | fuel | {"GEN UID": name, "Bus ID": str(bus), "PMax MW": str(most_mw)} | others


def write_folder(folder: Path) -> Path:
    """Write it; its bus 3 has all of the load."""
    tables: dict[str, list[dict[str, Any]]] = {
        "bus": [
            {"Bus ID": k, "Bus Name": name, "MW Load": 100 if k == 3 else 0, "Area": 1}
            for k, name in ((1, "Ash"), (2, "Birch"), (3, "Cedar"))
        ],
        "branch": [
            {"UID": f"{a}{b}", "From Bus": a, "To Bus": b, "Cont Rating": 60, "LTE Rating": 70}
            | {"R": 0.02, "X": 0.1, "Tr Ratio": 0}
            for a, b in ((1, 2), (1, 3), (2, 3))
        ],
        "dc_branch": [],
        "gen": [
            unit("cheap", 1, 200, 20.0),
            unit("dear", 3, 100, 50.0),
            UNIT | {"GEN UID": "wind", "Bus ID": "2", "Unit Type": "WIND", "Category": "Wind", "PMax MW": "30"},
        ],
        "storage": [],
        "reserves": [
            {
                "Reserve Product": "Spin",
                "Timeframe (sec)": 600,
                "Direction": "Up",
                "Eligible Regions": "(1)",
                "Eligible Device SubCategories": "(Coal)",
            }
        ],
    }
    for name, rows in tables.items():
        _write(folder / "SourceData" / f"{name}.csv", rows, NEEDED[name])
    hours = [{"Year": 2020, "Month": 7, "Day": day, "Period": hour} for day in (10, 11) for hour in range(1, 25)]
    series = folder / "timeseries_data_files"
    load = [row | {"1": 80 + 2 * row["Period"]} for row in hours]
    _write(series / "Load" / "DAY_AHEAD_regional_Load.csv", load)
    _write(series / "WIND" / "DAY_AHEAD_wind.csv", [row | {"wind": row["Period"]} for row in hours])
    _write(series / "Reserves" / "DAY_AHEAD_regional_Spin.csv", [row | {"1": 20} for row in hours])
    return folder


def _write(path: Path, rows: list[dict[str, Any]], columns: tuple[str, ...] = ()) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]) if rows else columns)
        writer.writeheader()
        writer.writerows(rows)
