"""A city's figures beside published ones, without a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.importers.extract import read_grid
from heptagrid.scenario.schema import Scenario
from heptagrid.world.city.area import area
from heptagrid.world.city.catalogue import catalogue
from heptagrid.world.city.places import whole_area
from heptagrid.world.grid import HIGH_VOLTAGE_KV, Grid

Ints = npt.NDArray[np.int64]

EURELECTRIC = "Eurelectric, Power Distribution in Europe (2013): 10 million km of lines for 260 million customers, towns and countryside of all Europe"
SIMBENCH = "SimBench's semi-urban town, 8,772 customers (Meinecke et al. 2020)"
SIX = "SimBench's six low-voltage networks (Meinecke et al. 2020)"


@dataclass(frozen=True)
class Figure:
    """Something that is known of other networks too. published: None, or from least to most, one figure where only one is known; note: why it differs."""

    name: str
    unit: str
    value: float
    published: tuple[float, float] | None
    source: str
    note: str = ""

    @property
    def is_within(self) -> bool:
        """Whether it lies among the published ones."""
        return self.published is not None and self.published[0] <= self.value <= self.published[1]


@dataclass(frozen=True)
class CityFigures:
    """A city. characters: areas by character."""

    customers: int
    areas: int
    characters: dict[str, int]
    figures: list[Figure]

    def summary(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


def city_figures(scenario: Scenario) -> CityFigures:
    """Make each area of a scenario's city, one after the other, and add up."""
    seed = scenario.sections["city"].seed
    of = catalogue(read_grid(scenario.folder))
    entries = [town.entry for town in scenario.towns]
    totals: Counter[str] = Counter()
    stations: list[Ints] = []
    for one in entries:
        grid = area(seed, one.area, one.customers, of)
        totals.update(dict(_totals(grid)))
        stations.append(_loads_of_stations(grid))
    behind = np.concatenate(stations)
    customers = sum(one.customers for one in entries)
    per_customer = {name: total / customers for name, total in totals.items()}
    line_m = per_customer["low_m"] + per_customer["medium_m"]
    return CityFigures(
        customers,
        len(entries),
        dict(Counter(whole_area(seed, one.area)[1] for one in entries)),
        [
            Figure(
                "line for each customer, low and medium voltage",
                "m",
                line_m,
                (38.5, 38.5),
                EURELECTRIC,
                "where people live close together, each needs less line",
            ),
            Figure("of it at low voltage", "m", per_customer["low_m"], (10.0, 43.0), SIX),
            Figure("of it at medium voltage", "m", per_customer["medium_m"], None, ""),
            Figure("customers behind a local substation, mean", "", float(behind.mean()), (13.0, 118.0), SIX),
            Figure("... a tenth have fewer", "", float(np.percentile(behind, 10.0)), None, ""),
            Figure("... a tenth have more", "", float(np.percentile(behind, 90.0)), None, ""),
            Figure("rating of local transformers", "kVA/customer", per_customer["local_kva"], (5.1, 5.1), SIMBENCH),
            Figure("local generation", "units/100 customers", 100.0 * per_customer["units"], (9.1, 9.1), SIMBENCH),
            Figure("rated load", "kW/customer", per_customer["load_kw"], (3.6, 3.6), SIMBENCH),
        ],
    )


def _totals(grid: Grid) -> Iterator[tuple[str, float]]:
    kv = grid.buses.vn_kv[grid.lines.from_bus]
    is_local = grid.transformers.vn_hv_kv < HIGH_VOLTAGE_KV
    yield "low_m", 1000.0 * float(grid.lines.length_km[kv < 1.0].sum())
    yield "medium_m", 1000.0 * float(grid.lines.length_km[kv > 1.0].sum())
    yield "local_kva", 1000.0 * float(grid.transformers.sn_mva[is_local].sum())
    yield "units", float(len(grid.units.bus))
    yield "load_kw", float(grid.loads.p_kw.sum())


def _loads_of_stations(grid: Grid) -> Ints:
    """(stations,) customers behind each, followed up the cables."""
    above = np.arange(len(grid.buses.vn_kv))
    low = grid.buses.vn_kv[grid.lines.from_bus] < 1.0
    above[grid.lines.to_bus[low]] = grid.lines.from_bus[low]
    while not np.array_equal(further := above[above], above):
        above = further
    local = grid.transformers.lv_bus[grid.transformers.vn_hv_kv < HIGH_VOLTAGE_KV]
    return np.bincount(above[grid.loads.bus], minlength=len(above))[local]
