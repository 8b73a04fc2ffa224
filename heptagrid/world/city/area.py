"""The area of one primary substation: its grid, from 110 kV to every customer, a pure function of the city's seed and the area's number."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import numpy.typing as npt

from heptagrid.world.city.catalogue import Catalogue
from heptagrid.world.city.draws import Draws
from heptagrid.world.city.low_voltage import Forest, forest
from heptagrid.world.city.medium_voltage import BUSBAR, Rings, rings
from heptagrid.world.city.places import whole_area
from heptagrid.world.city.streets import Streets, streets
from heptagrid.world.grid import Buses, BusSwitches, Grid, Lines, Loads, Transformers, Units
from heptagrid.world.joined import KM_PER_DEGREE

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

PER_LOAD_MVA = 0.0042
"""Of a local transformer's rating for each customer behind it at least: assumption; SimBench's town has 0.0051 in all."""
SIMULTANEOUS = 0.5
"""Of their rated power what the customers of a transformer or cable draw at once, as it is planned: assumption; on a winter's day of a run it is 0.34 to 0.55, vehicles and heat pumps included."""
UTILISED = 0.7
"""Of its rating what a transformer or cable is planned to carry: assumption."""
PRIMARIES = 2
"""Equal transformers of a primary substation, one of which can carry all: the rule of n-1."""
THICK_LOW, THICK_MEDIUM = 15, 4
"""Behind more customers a low-voltage cable is the thick one, behind more substations a medium-voltage cable: assumption."""
CLUSTERED = 0.8
"""How unequal roofs with photovoltaics are spread over blocks of houses, standard deviation of the logarithm: assumption."""
BLOCK_M = 400.0
"""Side of a block."""
NONE = np.empty(0, dtype=np.int64)
OCCASIONS = 100
"""Of an area's draws, before which are those of its place."""


def area(seed: int, number: int, customers: int, of: Catalogue) -> Grid:
    """The grid of an area, its primary substation in the middle of the catalogue's coordinates."""
    draws = Draws(seed, number, OCCASIONS)
    found = streets(draws, whole_area(seed, number)[1], customers)
    trees = forest(found)
    laid = rings(draws, found.x_m[trees.station], found.y_m[trees.station])
    return _Assembly(of, draws, found, trees, laid).grid()


class _Assembly:
    """Puts an area's grid together. Buses: the infeed, the busbar, each substation's two, then the other nodes of cables."""

    def __init__(self, of: Catalogue, draws: Draws, streets: Streets, trees: Forest, laid: Rings) -> None:
        self.of, self.draws, self.streets, self.trees, self.laid = of, draws, streets, trees, laid
        stations = len(trees.station)
        self.medium, self.low = 2 + np.arange(stations), 2 + stations + np.arange(stations)
        self.bus = np.full(len(streets.x_m), -1)
        self.bus[trees.station] = self.low
        self.bus[trees.node] = 2 + 2 * stations + np.arange(len(trees.node))

    def grid(self) -> Grid:
        """All of it."""
        loads = self._loads()
        planned_mva = SIMULTANEOUS / UTILISED * np.hypot(loads.p_kw, loads.q_kvar) / 1000.0
        return Grid(
            buses=self._buses(),
            lines=self._lines(planned_mva),
            transformers=self._transformers(planned_mva),
            switches=BusSwitches(NONE, NONE, NONE > 0),
            loads=loads,
            units=self._units(),
            infeed_bus=0,
            infeed_v_pu=self.of.grid.infeed_v_pu,
            frequency_hz=self.of.grid.frequency_hz,
        )

    def _buses(self) -> Buses:
        streets, trees, stations = self.streets, self.trees, len(self.trees.station)
        at = np.concatenate([trees.station, trees.station, trees.node])
        x_km, y_km = (np.concatenate([np.zeros(2), one[at] / 1000.0]) for one in (streets.x_m, streets.y_m))
        middle = self.of.grid.buses
        latitude_deg = float(middle.latitude_deg.mean()) + y_km / KM_PER_DEGREE
        per_degree_km = KM_PER_DEGREE * np.cos(np.radians(float(middle.latitude_deg.mean())))
        primary = self.of.grid.transformers
        kv = np.full(len(at) + 2, float(primary.vn_lv_kv[self.of.local[0]]))
        kv[0], kv[1] = primary.vn_hv_kv[self.of.primary], primary.vn_lv_kv[self.of.primary]
        kv[2 : 2 + stations] = kv[1]
        return Buses(_names("B", len(kv)), kv, float(middle.longitude_deg.mean()) + x_km / per_degree_km, latitude_deg)

    def _lines(self, planned_mva: Floats) -> Lines:
        """Cables, several side by side where a thick one is too little; planned_mva: (customers,) of rating that each takes."""
        trees, laid = self.trees, self.laid
        upper, lower = (np.where(one == BUSBAR, 1, self.medium[np.maximum(one, 0)]) for one in (laid.upper, laid.lower))
        from_bus = np.concatenate([upper, self.bus[trees.parent]])
        to_bus = np.concatenate([lower, self.bus[trees.node]])
        length_km = np.concatenate([laid.length_m, np.maximum(trees.length_m, 1.0)]) / 1000.0
        is_thick = np.concatenate([laid.behind > THICK_MEDIUM, trees.customers > THICK_LOW])
        types = (*self.of.medium, *self.of.low)
        type = np.where(is_thick, 0, 1) + np.where(np.arange(len(from_bus)) < len(laid.upper), 0, 2)

        def column(name: str) -> Floats:
            return np.asarray(np.array([getattr(one, name) for one in types])[type])

        low_mva = np.sqrt(3.0) * self.of.low[0].max_i_ka * float(self.of.grid.transformers.vn_lv_kv[self.of.local[0]])
        needed = np.ceil(trees.behind(self.streets.customer, planned_mva) / low_mva)
        beside = np.concatenate([np.ones(len(laid.upper)), np.maximum(needed, 1.0)])
        is_open = np.concatenate([laid.is_open, np.zeros(len(trees.node), dtype=np.bool_)])
        return Lines(
            names=_names("L", len(from_bus)),
            from_bus=from_bus,
            to_bus=to_bus,
            from_closed=np.ones(len(from_bus), dtype=np.bool_),
            to_closed=~is_open,
            r_ohm=column("r_ohm") * length_km / beside,
            x_ohm=column("x_ohm") * length_km / beside,
            c_nf=column("c_nf") * length_km * beside,
            g_us=np.zeros(len(from_bus)),
            max_i_ka=column("max_i_ka") * beside,
            length_km=length_km,
        )

    def _transformers(self, planned_mva: Floats) -> Transformers:
        of, stations = self.of, len(self.trees.station)
        rated_mva = of.grid.transformers.sn_mva[of.local]
        count, planned = (np.bincount(self.trees.of, one, stations) for one in (None, planned_mva))
        size = np.minimum(np.searchsorted(rated_mva, np.maximum(count * PER_LOAD_MVA, planned)), len(of.local) - 1)
        rows = np.concatenate([np.full(PRIMARIES, of.primary), of.local[size]])
        chosen = Transformers(*(getattr(of.grid.transformers, one.name)[rows] for one in fields(Transformers)))
        return replace(
            chosen,
            names=_names("T", len(rows)),
            hv_bus=np.concatenate([np.zeros(PRIMARIES, dtype=np.int64), self.medium]),
            lv_bus=np.concatenate([np.ones(PRIMARIES, dtype=np.int64), self.low]),
        )

    def _loads(self) -> Loads:
        streets, table = self.streets, self.of.grid.loads
        rows = self._rows(self.of.loads, streets.kind)
        return Loads(
            names=_names("C", len(rows)),
            bus=self.bus[streets.customer],
            p_kw=table.p_kw[rows],
            q_kvar=table.q_kvar[rows],
            p_profile=table.p_profile[rows],
            q_profile=table.q_profile[rows],
            profile_names=table.profile_names[rows],
        )

    def _units(self) -> Units:
        """Photovoltaics on roofs, as many of a hundred houses as in the neighbourhood's own network, in some blocks more than in others."""
        streets, table = self.streets, self.of.grid.units
        share = np.array([len(units) / len(loads) for units, loads in zip(self.of.units, self.of.loads, strict=True)])
        x_m, y_m = streets.x_m[streets.customer], streets.y_m[streets.customer]
        column, row = (((one - one.min()) // BLOCK_M).astype(np.int64) for one in (x_m, y_m))
        block = column * (int(row.max()) + 1) + row
        liking = np.exp(CLUSTERED * self.draws.normal(int(block.max()) + 1) - CLUSTERED**2 / 2.0)
        has_roof = self.draws.uniform(len(block)) < share[streets.kind] * liking[block]
        at = np.flatnonzero(has_roof)
        rows = self._rows(self.of.units, streets.kind[at])
        return Units(
            names=_names("U", len(rows)),
            bus=self.bus[streets.customer[at]],
            p_kw=table.p_kw[rows],
            q_kvar=table.q_kvar[rows],
            profile=table.profile[rows],
            kinds=table.kinds[rows],
        )

    def _rows(self, of_kind: tuple[Ints, ...], kind: Ints) -> Ints:
        """A row of the neighbourhood's own, drawn for each."""
        count = np.array([len(one) for one in of_kind])
        first = np.cumsum(count) - count
        drawn = (self.draws.uniform(len(kind)) * count[kind]).astype(np.int64)
        return np.asarray(np.concatenate(of_kind)[first[kind] + drawn])


def _names(letter: str, count: int) -> npt.NDArray[np.str_]:
    return np.char.add(letter, np.arange(1, count + 1).astype(f"U{len(str(count))}"))
