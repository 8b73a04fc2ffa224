"""Lists of a run's things with their worst figures: nodes, transformers, customers, bills."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.world import World
from heptagrid.foundation.beside import Promise, begin
from heptagrid.planes.messages import reliability
from heptagrid.recording.bill_parts import BILL_PARTS
from heptagrid.recording.joined import Joined
from heptagrid.recording.spool import Words
from heptagrid.recording.tables import write_columns
from heptagrid.world.joined import towns_of_nodes

Ints = npt.NDArray[np.int64]


def write_lists(folder: Path, world: World, arms: Mapping[str, Joined]) -> list[Promise[None]]:
    """Begin to write `node_list`, `transformer_list`, `customer_list` and `bills` of a run."""
    network, grid = world.network, world.grid
    town = towns_of_nodes(world.towns, np.arange(network.nodes))
    bus = _bus_of_each_node(world)
    nodes = {
        "node": np.arange(network.nodes, dtype=np.int32),
        "town": town.astype(np.int32),
        "bus": grid.buses.names[bus].tolist(),
        "parent": network.parent.astype(np.int32),
        "feeder": network.feeder.astype(np.int32),
        "vn_kv": network.v_base_kv,
        "longitude_deg": grid.buses.longitude_deg[bus],
        "latitude_deg": grid.buses.latitude_deg[bus],
        "line": network.line_of_node.astype(np.int32),
        "line_name": [str(grid.lines.names[line]) if line >= 0 else None for line in network.line_of_node.tolist()],
        "length_km": np.where(
            network.line_of_node >= 0, grid.lines.length_km[np.maximum(network.line_of_node, 0)], 0.0
        ),
    }
    transformers = grid.transformers
    high, low = transformers.vn_hv_kv, transformers.vn_lv_kv
    trafo = {
        "transformer": np.arange(len(transformers.names), dtype=np.int32),
        "town": np.repeat(
            np.arange(len(world.towns), dtype=np.int32), [len(one.grid.transformers.names) for one in world.towns]
        ),
        "name": transformers.names.tolist(),
        "sn_kva": transformers.sn_mva * 1000.0,
        "voltage_kv": [f"{a:g}/{b:g}" for a, b in zip(high, low, strict=True)],
        "longitude_deg": grid.buses.longitude_deg[transformers.lv_bus],
        "latitude_deg": grid.buses.latitude_deg[transformers.lv_bus],
    }
    for name, arm in arms.items():
        nodes[f"v_min_{name}"] = arm.extremes.node_v_min.astype(np.float32)
        nodes[f"v_max_{name}"] = arm.extremes.node_v_max.astype(np.float32)
        nodes[f"branch_peak_pct_{name}"] = arm.extremes.branch_peak_pct.astype(np.float32)
        trafo[f"peak_pct_{name}"] = arm.extremes.transformer_peak_pct.astype(np.float32)
        trafo |= _requirements(world, arm, name) | _access_networks(world, arm, name)
    customers: dict[str, Any] = {
        "customer": np.arange(world.customers_count, dtype=np.int32),
        "node": world.point_node[: world.customers_count].astype(np.int32),
        "transformer": world.substations.transformer[world.substation_of[: world.customers_count]].astype(np.int32),
        "town": world.town_of[: world.customers_count].astype(np.int32),
        "retailer": world.companies.retailer_of[: world.customers_count].astype(np.int32),
        "aggregator": world.companies.aggregator_of[: world.customers_count].astype(np.int32),
    }
    for name, arm in arms.items():
        customers[f"v_min_{name}"] = arm.extremes.customer_v_min.astype(np.float32)
        customers[f"v_max_{name}"] = arm.extremes.customer_v_max.astype(np.float32)
        customers[f"outside_min_{name}"] = (arm.extremes.customer_outside_s / 60.0).astype(np.float32)
    bills = {"customer": np.arange(world.customers_count, dtype=np.int32), "name": grid.loads.names.tolist()}
    for name, arm in arms.items():
        if arm.days:
            bills[f"bill_eur_{name}"] = arm.bills_eur
            bills[f"delivered_kwh_{name}"] = arm.delivered_kwh[: world.customers_count]
            bills[f"billed_kwh_{name}"] = arm.billed_kwh[: world.customers_count]
            bills |= {f"{part}_eur_{name}": arm.bill_parts_eur[k] for k, part in enumerate(BILL_PARTS)}
    lists = {"node_list": nodes, "transformer_list": trafo, "customer_list": customers, "bills": bills}
    return [begin(write_columns, folder / f"{table}.parquet", columns) for table, columns in lists.items()]


def _bus_of_each_node(world: World) -> Ints:
    """(nodes,) the bus at each node; of a line's open end the bus that the line would lead to."""
    network, lines = world.network, world.grid.lines
    bus = network.bus_of_node.copy()
    is_open = np.flatnonzero(bus < 0)
    line = network.line_of_node[is_open]
    begin, end = lines.from_bus[line], lines.to_bus[line]
    bus[is_open] = np.where(network.node_of_bus[begin] == network.parent[is_open], end, begin)
    return bus


def _requirements(world: World, arm: Joined, name: str) -> dict[str, Any]:
    """Columns of the transformers: how many applications their access network served, how many it missed, the worst."""
    of, count = world.substations.transformer, len(world.grid.transformers.names)
    share, missed, worst = (
        find(arm.places)
        for find in (reliability.share_by_place, reliability.missed_by_place, reliability.worst_by_place)
    )
    served, not_met = np.zeros(count, dtype=np.int16), np.zeros(count, dtype=np.int16)
    served[of], not_met[of] = (~np.isnan(share)).sum(axis=0), missed.sum(axis=0)
    application: list[str | None] = [None] * count  # None too of transformers without an access network
    in_time = np.full(count, np.nan, dtype=np.float32)
    for place in np.flatnonzero(worst >= 0):
        application[of[place]] = reliability.BY_KIND[worst[place]].application
        in_time[of[place]] = share[worst[place], place]
    return {
        f"applications_{name}": served,
        f"missed_{name}": not_met,
        f"worst_application_{name}": Words(application),
        f"worst_share_{name}": in_time,
    }


def _access_networks(world: World, arm: Joined, name: str) -> dict[str, Any]:
    """Columns of the transformers: what their access network came to; not a number of transformers without one."""
    columns = {}
    for figure, values in vars(arm.access_networks(world)).items():
        column = np.full(len(world.grid.transformers.names), np.nan, dtype=np.float32)
        column[world.substations.transformer] = values
        columns[f"access_{figure}_{name}"] = column
    return columns
