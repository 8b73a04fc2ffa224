"""Reads the Reliability Test System of the Grid Modernization Laboratory Consortium (RTS-GMLC) as its source data folder holds it.

Costs are in USD of the folder's own fuel prices. A unit's blocks are its incremental heat rates; a start's heat depends on how long the unit has been
off. Water, and photovoltaics on roofs, give what their series say; wind and other photovoltaics may give less.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.errors import FileError
from heptagrid.world.commitment_case import (
    BranchNetwork,
    CommitmentCase,
    CommittedUnits,
    Reserves,
    Reservoirs,
    Sources,
    Storages,
)

Floats = npt.NDArray[np.float64]
Row = dict[str, str]

_BASE_MVA = 100.0  # of the per-unit figures (SourceData, branch.csv)

# The columns that are read; a bus's and a branch's others are not, but for resistances (R), which losses need.
NEEDED = {
    "bus": ("Bus ID", "Bus Name", "MW Load", "Area"),
    "branch": ("UID", "From Bus", "To Bus", "X", "Tr Ratio", "Cont Rating", "LTE Rating"),
    "dc_branch": ("From Bus", "To Bus", "MW Load"),
    "gen": (
        *("GEN UID", "Bus ID", "Unit Type", "Category", "PMin MW", "PMax MW", "Ramp Rate MW/Min", "Fuel Price $/MMBTU"),
        *("Output_pct_0", "Output_pct_1", "Output_pct_2", "Output_pct_3", "HR_avg_0"),
        *("HR_incr_1", "HR_incr_2", "HR_incr_3", "HR_incr_4", "VOM", "Non Fuel Start Cost $"),
        *("Start Heat Hot MBTU", "Start Heat Warm MBTU", "Start Heat Cold MBTU", "Start Time Warm Hr"),
        *("Start Time Cold Hr", "Min Up Time Hr", "Min Down Time Hr", "Pump Load MW", "Storage Roundtrip Efficiency"),
    ),
    "storage": ("GEN UID", "position", "Max Volume GWh", "Initial Volume GWh", "Start Energy"),
    "reserves": (
        "Reserve Product",
        "Timeframe (sec)",
        "Direction",
        "Eligible Regions",
        "Eligible Device SubCategories",
    ),
}
THERMAL = ("CT", "CC", "STEAM", "NUCLEAR")
FIXED = ("HYDRO", "ROR", "RTPV")
_BLOCKS = (1, 2, 3, 4)
YEAR = 2020  # of its series
_LONG_H = 10_000  # so long that no minimum time binds


def read_rts_gmlc(folder: Path, first: date, hours: int = 24) -> CommitmentCase:
    """The case of `hours` hours from a day of 2020 on. What units did before is not known: each has been on for long and may stop at once.

    Raises
    ------
    FileError
        For a file that is missing or lacks a column, and for a day without data; the message names it.
    """
    if first.year != YEAR or (first + timedelta(days=(hours - 1) // 24)).year != YEAR:
        raise FileError(str(folder), [f"its series are of {YEAR}; {hours} hours from {first} on are not in it"])
    try:
        return _case(_Folder(folder, first, hours), first)
    except ValueError as problem:
        raise FileError(str(folder), [f"a figure cannot be read: {problem}"]) from None


def _case(reader: _Folder, first: date) -> CommitmentCase:
    buses = reader.table("bus")
    place = {int(row["Bus ID"]): k for k, row in enumerate(buses)}
    fleet = [row for row in reader.table("gen") if row["Unit Type"] != "SYNC_COND"]
    committed = [row for row in fleet if row["Unit Type"] in (*THERMAL, "CSP")]
    given = [row for row in fleet if row["Unit Type"] in (*FIXED, "PV", "WIND")]
    return CommitmentCase(
        name=f"RTS-GMLC {first}",
        bus_names=np.array([row["Bus Name"] for row in buses]),
        load_mw=_loads(reader, buses),
        units=_units(committed, place),
        sources=_sources(reader, given, place),
        storages=_storages(reader, [row for row in fleet if row["Unit Type"] == "STORAGE"], place),
        reservoirs=_reservoirs(reader, committed),
        reserves=_reserves(reader, buses, committed, given),
        network=_network(reader, place),
    )


class _Folder:
    """The folder's tables, and its day-ahead series over the hours that are asked for."""

    def __init__(self, folder: Path, first: date, hours: int) -> None:
        self.hours, self._folder = hours, folder
        self._days = [first + timedelta(days=k) for k in range(-(-hours // 24))]
        self._read: dict[str, dict[str, Floats]] = {}

    def table(self, name: str) -> list[Row]:
        path = self._folder / "SourceData" / f"{name}.csv"
        rows = _rows(path)
        lacking = [column for column in NEEDED[name] if rows and column not in rows[0]]
        if lacking:
            raise FileError(str(path), [f"there is no column {one!r}" for one in lacking])
        return rows

    def one(self, kind: str, name: str, column: str) -> Floats:
        """(hours,) a column of a series."""
        found = self.series(kind, name)
        if column not in found:
            raise FileError(str(self._file(kind, name)), [f"there is no column {column!r}"])
        return found[column]

    def series(self, kind: str, name: str) -> dict[str, Floats]:
        """The columns of a series, (hours,) each; a table with the day's hours side by side has one, of its own name."""
        if name not in self._read:
            path = self._file(kind, name)
            wanted = {(one.month, one.day) for one in self._days}
            every = _rows(path)
            lacking = [one for one in ("Month", "Day") if every and one not in every[0]]
            if lacking:
                raise FileError(str(path), [f"there is no column {one!r}" for one in lacking])
            rows = [row for row in every if (int(row["Month"]), int(row["Day"])) in wanted]
            if "Period" in rows[0] if rows else False:
                columns = [column for column in rows[0] if column not in ("Year", "Month", "Day", "Period")]
                found = {one: np.array([float(row[one]) for row in rows])[: self.hours] for one in columns}
            else:
                values = [float(row[str(k)]) for row in rows for k in range(1, 25)]
                found = {name: np.array(values)[: self.hours]}
            if any(len(column) < self.hours for column in found.values()) or not found:
                days = f"{self._days[0]} to {self._days[-1]}"
                raise FileError(str(path), [f"there are fewer than {self.hours} hours for {days}; choose another day"])
            self._read[name] = found
        return self._read[name]

    def _file(self, kind: str, name: str) -> Path:
        for folder in (self._folder / "timeseries_data_files").glob("*"):
            if folder.name.lower() == kind.lower():
                return folder / f"DAY_AHEAD_{name}.csv"
        return self._folder / "timeseries_data_files" / kind / f"DAY_AHEAD_{name}.csv"


def _rows(path: Path) -> list[Row]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise FileError(str(path), [f"it cannot be read ({problem}); an RTS-GMLC folder holds it"]) from None


def _column(rows: Sequence[Row], name: str) -> Floats:
    return np.array([_number(row[name]) for row in rows])


def _number(text: str) -> float:
    return 0.0 if text in ("", "NA") else float(text)


def _loads(reader: _Folder, buses: Sequence[Row]) -> Floats:
    """Each region's load, shared out as the buses' own loads are."""
    regional = {one: reader.one("Load", "regional_Load", one) for one in {row["Area"] for row in buses}}
    own_mw, area = _column(buses, "MW Load"), [row["Area"] for row in buses]
    shares = np.array([own_mw[k] / own_mw[[one == area[k] for one in area]].sum() for k in range(len(buses))])
    return np.asarray(np.stack([regional[one] for one in area], axis=1) * shares)


def _units(fleet: Sequence[Row], place: dict[int, int]) -> CommittedUnits:
    high = _column(fleet, "PMax MW")
    fuel = _column(fleet, "Fuel Price $/MMBTU")
    is_csp = np.array([row["Unit Type"] == "CSP" for row in fleet])
    # Heat rates are in BTU/kWh, so a thousandth of one in MMBTU/MWh. The solar thermal unit burns nothing.
    at_pct = np.stack([_column(fleet, f"Output_pct_{k}") for k in range(4)], axis=1)
    at_mw = np.append(at_pct * high[:, np.newaxis], high[:, np.newaxis], axis=1)
    # A unit of fewer blocks has nothing (NA) where the others have their further points.
    block_mw = np.diff(np.maximum.accumulate(at_mw, axis=1), axis=1)
    rates = np.stack([_column(fleet, f"HR_incr_{k}") for k in _BLOCKS], axis=1)
    block_cost = np.where(block_mw > 0.0, rates / 1000.0 * fuel[:, np.newaxis], 0.0)
    low = np.where(is_csp, _column(fleet, "PMin MW"), at_mw[:, 0])
    no_load = _column(fleet, "HR_avg_0") / 1000.0 * fuel * low
    vom = _column(fleet, "VOM")
    heat = np.stack([_column(fleet, f"Start Heat {one} MBTU") for one in ("Hot", "Warm", "Cold")], axis=1)
    starts = heat * fuel[:, np.newaxis] + _column(fleet, "Non Fuel Start Cost $")[:, np.newaxis]
    nuclear = np.array([row["Unit Type"] == "NUCLEAR" for row in fleet])
    starts[nuclear] = starts[nuclear, 2:]
    begins = [np.zeros(len(fleet)), _column(fleet, "Start Time Warm Hr"), _column(fleet, "Start Time Cold Hr")]
    return CommittedUnits(
        names=np.array([row["GEN UID"] for row in fleet]),
        bus=np.array([place[int(row["Bus ID"])] for row in fleet]),
        p_min_mw=low,
        p_max_mw=high,
        block_mw=block_mw,
        block_cost=block_cost + np.where(block_mw > 0.0, vom[:, np.newaxis], 0.0),
        no_load=no_load + vom * low,
        starts=np.maximum.accumulate(starts, axis=1),
        cold_after_h=np.stack(begins, axis=1),
        min_up_h=np.maximum(np.ceil(_column(fleet, "Min Up Time Hr")), 1).astype(np.int64),
        min_down_h=np.maximum(np.ceil(_column(fleet, "Min Down Time Hr")), 1).astype(np.int64),
        ramp_mw_per_h=_column(fleet, "Ramp Rate MW/Min") * 60.0,
        on_h=np.full(len(fleet), _LONG_H),
        before_mw=np.full(len(fleet), np.nan),
    )


def _sources(reader: _Folder, given: Sequence[Row], place: dict[int, int]) -> Sources:
    files = {"HYDRO": ("Hydro", "hydro"), "ROR": ("Hydro", "hydro"), "RTPV": ("RTPV", "rtpv"), "PV": ("PV", "pv")}
    high = [
        reader.one(*files.get(row["Unit Type"], ("WIND", "wind")), row["GEN UID"]) for row in given
    ]  # fmt: skip
    high_mw = np.stack(high, axis=1)
    is_fixed = np.array([row["Unit Type"] in FIXED for row in given])
    return Sources(
        names=np.array([row["GEN UID"] for row in given]),
        bus=np.array([place[int(row["Bus ID"])] for row in given]),
        low_mw=np.where(is_fixed, high_mw, 0.0),
        high_mw=high_mw,
    )


def _storages(reader: _Folder, fleet: Sequence[Row], place: dict[int, int]) -> Storages:
    heads = {row["GEN UID"]: row for row in reader.table("storage") if row["position"] == "head"}
    mine = [heads[row["GEN UID"]] for row in fleet]
    return Storages(
        names=np.array([row["GEN UID"] for row in fleet], dtype=np.str_),
        bus=np.array([place[int(row["Bus ID"])] for row in fleet], dtype=np.int64),
        charge_mw=_column(fleet, "Pump Load MW"),
        discharge_mw=_column(fleet, "PMax MW"),
        volume_mwh=_column(mine, "Max Volume GWh") * 1000.0,
        begin_mwh=_column(mine, "Initial Volume GWh") * 1000.0,
        efficiency=_column(fleet, "Storage Roundtrip Efficiency") / 100.0,
    )


def _reservoirs(reader: _Folder, committed: Sequence[Row]) -> Reservoirs:
    heads = {row["GEN UID"]: row for row in reader.table("storage")}
    which = [k for k, row in enumerate(committed) if row["Unit Type"] == "CSP"]
    mine = [heads[committed[k]["GEN UID"]] for k in which]
    inflow = [reader.one("CSP", "Natural_Inflow", committed[k]["GEN UID"]) for k in which]
    return Reservoirs(
        unit=np.array(which, dtype=np.int64),
        volume_mwh=_column(mine, "Max Volume GWh") * 1000.0,
        begin_mwh=_column(mine, "Initial Volume GWh") * 1000.0,
        start_mwh=_column(mine, "Start Energy") * 1000.0,
        inflow_mwh=np.stack(inflow, axis=1) if which else np.zeros((reader.hours, 0)),
    )


def _reserves(reader: _Folder, buses: Sequence[Row], committed: Sequence[Row], given: Sequence[Row]) -> Reserves:
    products = reader.table("reserves")
    area = {row["Bus ID"]: row["Area"] for row in buses}

    def eligible(fleet: Sequence[Row], product: Row) -> list[bool]:
        kinds = product["Eligible Device SubCategories"].strip("()").split(",")
        regions = product["Eligible Regions"].strip("()").split(",")
        return [row["Category"] in kinds and area[row["Bus ID"]] in regions for row in fleet]

    required = [
        next(iter(reader.series("Reserves", f"regional_{product['Reserve Product']}").values())) for product in products
    ]
    return Reserves(
        names=np.array([product["Reserve Product"] for product in products]),
        required_mw=np.stack(required, axis=1),
        within_min=_column(products, "Timeframe (sec)") / 60.0,
        is_up=np.array([product["Direction"] == "Up" for product in products]),
        units=np.array([eligible(committed, product) for product in products]),
        sources=np.array([eligible(given, product) for product in products]),
    )


def _network(reader: _Folder, place: dict[int, int]) -> BranchNetwork:
    branches = reader.table("branch")
    links = reader.table("dc_branch")
    ends: Any = {
        name: np.array([place[int(row[name])] for row in branches], dtype=np.int64) for name in ("From Bus", "To Bus")
    }
    ratio = _column(branches, "Tr Ratio")
    return BranchNetwork(
        names=np.array([row["UID"] for row in branches]),
        from_bus=ends["From Bus"],
        to_bus=ends["To Bus"],
        susceptance_pu=1.0 / (_column(branches, "X") * np.where(ratio > 0.0, ratio, 1.0)),
        rating_mw=_column(branches, "Cont Rating"),
        emergency_mw=_column(branches, "LTE Rating"),
        link_from=np.array([place[int(row["From Bus"])] for row in links], dtype=np.int64),
        link_to=np.array([place[int(row["To Bus"])] for row in links], dtype=np.int64),
        link_mw=_column(links, "MW Load"),
        loss_mw_per_mw2=_column(branches, "R") / _BASE_MVA if "R" in branches[0] else np.empty(0),
    )
