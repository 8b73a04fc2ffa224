"""What the control room is told once: the network with its places, who is where in it, and how its frames are laid out."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.live.alarms import BAND_PU, substation_names
from heptagrid.live.grid import LiveGrid
from heptagrid.live.history import SERIES
from heptagrid.live.http.room_frames import layout_of
from heptagrid.recording.bill_parts import BILL_PARTS
from heptagrid.report.words import DOMAIN_TITLES
from heptagrid.world.accounts import COLUMN_NAMES
from heptagrid.world.grid import HIGH_VOLTAGE_KV
from heptagrid.world.joined import KM_PER_DEGREE

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def scene_of(grid: LiveGrid) -> dict[str, Any]:
    """The scene, ready for JSON."""
    world = grid.inventory.world
    network, buses, at = world.network, world.grid.buses, world.substations
    x_m, y_m = _places(grid)
    names = [str(buses.names[bus]) if bus >= 0 else "" for bus in network.bus_of_node.tolist()]
    kva = world.grid.transformers.sn_mva * 1000.0
    return {
        "name": grid.scenario.name,
        "zone": str(grid.scenario.zone),
        "frequency_hz": world.grid.frequency_hz,
        "band_pu": list(BAND_PU),
        "domains": list(DOMAIN_TITLES),
        "accounts": list(COLUMN_NAMES),
        "bill_parts": list(BILL_PARTS),
        "series": list(SERIES),
        "frame": layout_of(grid),
        "nodes": {
            "x_m": x_m.tolist(),
            "y_m": y_m.tolist(),
            "parent": network.parent.tolist(),
            "feeder": network.feeder.tolist(),
            "kv": np.round(network.v_base_kv, 3).tolist(),
            "transformer": network.transformer_of_node.tolist(),
            "substation": _substation_of_nodes(grid).tolist(),
            "name": names,
        },
        "points": {"node": world.point_node.tolist(), "customers": world.customers_count},
        "transformers": [str(one) for one in world.grid.transformers.names],
        "substations": [
            {"name": name, "node": int(node), "kva": float(kva[k])}
            for name, k, node in zip(substation_names(world), at.transformer.tolist(), at.node.tolist(), strict=True)
        ],
        "towns": [
            {
                "name": town.name or grid.scenario.name,
                "busbar": int(busbar),
                "primary": [
                    {
                        "name": str(town.grid.transformers.names[k]),
                        "kva": float(town.grid.transformers.sn_mva[k]) * 1000.0,
                    }
                    for k in np.flatnonzero(town.grid.transformers.vn_hv_kv >= HIGH_VOLTAGE_KV)
                ],
            }
            for town, busbar in zip(world.towns, network.busbars.tolist(), strict=True)
        ],
        "feeders": [world.feeder_head(k) for k in range(1, int(network.feeder.max()) + 1)],
        "devices": {
            name: {"one": one.one, "count": len(one), "kw": float(one.rated_kw.sum())}
            for name, one in grid.inventory.classes.items()
        },
        "technologies": [", ".join(one.name for one in used) for used in world.plan.technologies],
        "is_ideal": grid.is_ideal,
    }


def _places(grid: LiveGrid) -> tuple[Ints, Ints]:
    """Metres east and north of the south-western corner, (nodes,) each; an open end is where its line begins."""
    world = grid.inventory.world
    network, buses = world.network, world.grid.buses
    bus = network.bus_of_node.copy()
    for node in np.flatnonzero(bus < 0).tolist():
        bus[node] = bus[network.parent[node]]
    longitude, latitude = buses.longitude_deg[bus], buses.latitude_deg[bus]
    per_degree_m = 1000.0 * KM_PER_DEGREE
    east = (longitude - longitude.min()) * np.cos(np.radians(latitude.mean())) * per_degree_m
    north = (latitude - latitude.min()) * per_degree_m
    return np.rint(east).astype(np.int64), np.rint(north).astype(np.int64)


def _substation_of_nodes(grid: LiveGrid) -> Ints:
    """(nodes,) the substation that feeds each low-voltage node, -1 above them."""
    world = grid.inventory.world
    found = np.full(world.network.nodes, -1, dtype=np.int64)
    found[world.substations.node] = np.arange(len(world.substations.node))
    for node, parent in enumerate(world.network.parent.tolist()):
        if found[node] < 0 and parent >= 0:
            found[node] = found[parent]
    return found
