"""Prices and optima of markets on networks: published by an archive, by a system operator's example, and worked out by hand."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from heptagrid.importers.matpower_market import read_market
from heptagrid.planes.money.formulations.program import OPTIMAL
from heptagrid.planes.money.markets.dc_opf import Dispatched, dispatch_on
from heptagrid.validate.case import DATA, Finding, case, farthest
from heptagrid.world.market_case import DirectLines, Floats, Ints, MarketBranches, MarketCase, MarketUnits

OPTIMA = DATA / "pglib/dc.csv"
ARCHIVES = (DATA / "meshed/pglib.zip", DATA / "pglib/larger.zip")
_PART = 5e-5  # half of the last of the five digits that are published, or less


@case(
    "pglib-dc-opf",
    plane="money",
    kind="exact",
    source="PGLib-OPF v23.07 BASELINE, DC optima (PowerModels, Ipopt) of nine systems of 5 to 300 buses",
)
def pglib_dc_opf(live: bool) -> Iterator[Finding]:
    """Least hourly cost on the network, and the gap to the bound that our prices prove."""
    with OPTIMA.open(encoding="utf-8") as file:
        systems = list(csv.DictReader(file))
    gaps = []
    with TemporaryDirectory() as folder:
        for path in ARCHIVES:
            with zipfile.ZipFile(path) as archive:
                archive.extractall(folder)
        for system in systems:
            found = dispatch_on(read_market(str(Path(folder) / f"pglib_opf_{system['system']}.m")))
            cost, gap = _cost_and_gap(found)
            gaps.append(gap)
            yield Finding(system["system"], float(system["dc_usd_per_h"]), cost, _PART, True, unit="USD/h")
    yield farthest("gap to the proven bound", np.zeros(len(gaps)), gaps, 1e-9)


@case(
    "pjm-five-bus",
    plane="money",
    kind="exact",
    source="PJM's training example, as in Li and Bo, Small Test Systems for Power System Economic Studies (2010), and MATPOWER's case5",
)
def pjm_five_bus(live: bool) -> Iterator[Finding]:
    """Prices at the five buses to half a cent, outputs of the five units, cost."""
    ends = np.array([[0, 1], [0, 3], [0, 4], [1, 2], [2, 3], [3, 4]])
    limits = np.array([400.0, np.inf, np.inf, np.inf, np.inf, 240.0])
    x_pu = np.array([0.0281, 0.0304, 0.0064, 0.0108, 0.0297, 0.0297])
    most, price = np.array([40.0, 170.0, 520.0, 200.0, 600.0]), np.array([14.0, 15.0, 30.0, 40.0, 10.0])
    load = np.array([0.0, 300.0, 300.0, 400.0, 0.0])
    found = dispatch_on(_case(load, ends, x_pu, limits, np.array([0, 0, 2, 3, 4]), most, price))
    cost, _ = _cost_and_gap(found)
    for bus, theirs, ours in zip("ABCDE", (16.98, 26.38, 30.0, 39.94, 10.0), found.price.tolist(), strict=True):
        yield Finding(f"price at {bus}", theirs, ours, 0.005, unit="USD/MWh")
    names = ("Alta", "Park City", "Solitude", "Sundance", "Brighton")
    outputs = zip(names, (40.0, 170.0, 323.49, 0.0, 466.51), found.output_mw.tolist(), strict=True)
    for name, theirs, ours in outputs:
        yield Finding(name, theirs, ours, 0.005, unit="MW")
    yield Finding("cost", 17479.90, cost, 0.01, unit="USD/h")


@case("loop-flow", plane="money", kind="exact", source="by hand: three equal lines, one of them limited")
def loop_flow(live: bool) -> Iterator[Finding]:
    """A price below zero: one MW more at bus 2 lets the cheap unit give two more and the dear one less."""
    ends, limits = np.array([[0, 1], [0, 2], [1, 2]]), np.array([np.inf, np.inf, 20.0])
    most, price = np.array([300.0, 300.0]), np.array([10.0, 50.0])
    found = dispatch_on(
        _case(np.array([0.0, 0.0, 150.0]), ends, np.full(3, 0.1), limits, np.array([0, 2]), most, price)
    )
    cost, _ = _cost_and_gap(found)
    yield farthest("outputs", [60.0, 90.0], found.output_mw, 1e-6, unit="MW")
    yield farthest("flows", [20.0, 40.0, 20.0], found.flow_mw, 1e-6, unit="MW")
    yield farthest("prices", [10.0, -30.0, 50.0], found.price, 1e-6, unit="USD/MWh")
    yield Finding("worth of a MW on line 2-3", 120.0, float(found.shadow_price[2]), 1e-6, unit="USD/MWh")
    yield Finding("cost", 5100.0, cost, 1e-6, unit="USD/h")


def _cost_and_gap(found: Dispatched) -> tuple[float, float]:
    if found.status != OPTIMAL or found.certificate is None:
        return float("nan"), float("nan")
    return found.certificate.cost, found.certificate.gap


def _case(load: Floats, ends: Ints, x_pu: Floats, limits: Floats, bus: Ints, most: Floats, price: Floats) -> MarketCase:
    """Units that give from nothing to `most` at one price each, on lines of these reactances (100 MVA) and limits (MW)."""
    lines, buses, units = np.zeros(len(ends)), len(load), len(most)
    nothing, none = np.zeros(0), np.zeros(0, dtype=np.int64)
    return MarketCase(
        name="by hand",
        base_mva=100.0,
        bus_names=np.arange(buses).astype(str),
        load_mw=load,
        branches=MarketBranches(
            names=np.arange(len(ends)).astype(str),
            from_bus=ends[:, 0],
            to_bus=ends[:, 1],
            r_pu=lines,
            x_pu=x_pu,
            tap=lines + 1.0,
            shift_rad=lines,
            limit_mw=limits,
            angle_low_rad=lines - np.inf,
            angle_high_rad=lines + np.inf,
        ),
        direct_lines=DirectLines(none.astype(str), none, none, nothing, nothing, nothing, nothing),
        units=MarketUnits(
            names=np.arange(units).astype(str),
            bus=bus,
            low_mw=np.zeros(units),
            high_mw=most,
            polynomial=np.column_stack([np.zeros(units), price]),
            segment_unit=none,
            segment_slope=nothing,
            segment_usd=nothing,
        ),
    )
