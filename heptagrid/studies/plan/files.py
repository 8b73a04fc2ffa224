"""Files of a plan: sites and meters as tables, sites for a map, and a network with traffic for `heptagrid carry`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from heptagrid.assembly.access_plan import METERS, SITES
from heptagrid.foundation.output_file import write_text
from heptagrid.studies.plan.api import READING_BYTES, Planned
from heptagrid.studies.plan.network import HEAD_END, PlanNetwork, toml_of
from heptagrid.studies.rows_file import write_rows

TRAFFIC_S = 3600.0
"""How much traffic is written."""


def write_plan(folder: Path, one: Planned, network: PlanNetwork, reading_s: float, seed: int) -> None:
    """Write a plan's files into a folder that exists."""
    write_rows(
        [
            (folder / SITES, _sites(one, network)),
            (folder / METERS, _meters(one, network, np.arange(len(network.meters)))),
            (folder / "uncovered.csv", _meters(one, network, one.plan.unserved)),
        ]
    )
    write_text(folder / "sites.geojson", json.dumps(_geojson(one, network)) + "\n")
    write_text(folder / "network.toml", "".join(toml_of(network.content())))
    sent_ns, who = network.readings(reading_s, TRAFFIC_S, seed)
    rows = [
        f"{when * 1e-9:.9f},{json.dumps(network.meters[meter])},{HEAD_END},{READING_BYTES[0]},reading\n"
        for when, meter in zip(sent_ns.tolist(), who.tolist(), strict=True)
    ]
    write_text(folder / "traffic.csv", "".join(["sent_s,source,destination,bytes,kind\n", *rows]))


def _sites(one: Planned, network: PlanNetwork) -> dict[str, Any]:
    plan, found = one.plan, one.plan.cover
    served = plan.served
    sizes = np.maximum(1, plan.meters_of)
    expected = np.bincount(found.site[served], weights=found.expected[served], minlength=len(sizes)) / sizes
    deepest = np.zeros(len(sizes), dtype=np.int64)
    np.maximum.at(deepest, found.site[served], found.hops[served])
    longitude, latitude = one.around.degrees[one.node].T
    x_m, y_m = plan.places.xy_m[plan.place].T
    return {
        "site": network.sites,
        "at": one.around.names[one.node],
        "longitude_deg": longitude,
        "latitude_deg": latitude,
        "x_m": x_m,
        "y_m": y_m,
        "meters": _whole(plan.meters_of),
        "most_hops": _whole(deepest),
        "mean_transmissions": expected,
        "channel_load": plan.loads.own,
        "radio_load": plan.loads.radio,
        "neighbour_load": plan.loads.neighbours,
        "margin_db": plan.loads.margin_db,
    }


def _meters(one: Planned, network: PlanNetwork, which: np.ndarray) -> dict[str, Any]:
    plan, found = one.plan, one.plan.cover
    longitude, latitude = one.around.degrees[one.around.meter_node[which]].T
    is_served = found.site[which] >= 0
    names = np.array([*network.meters, ""])
    sites = np.array([*network.sites, ""])
    over_site = np.where(is_served & (found.parent[which] < 0), found.site[which], -1)

    def known(column: Any) -> Any:
        return np.where(is_served, column[which], np.nan)

    return {
        "meter": names[which],
        "longitude_deg": longitude,
        "latitude_deg": latitude,
        "site": sites[found.site[which]],
        "next": np.where(over_site >= 0, sites[over_site], names[np.where(is_served, found.parent[which], -1)]),
        "hops": [
            str(hops) if served else ""
            for hops, served in zip(found.hops[which].tolist(), is_served.tolist(), strict=True)
        ],
        "loss_of_a_frame": known(plan.error),
        "margin_db": known(plan.margin_db),
        "transmissions": known(found.expected),
        "sites_that_hear": _whole(plan.heard[which]),
    }


def _whole(column: Any) -> list[str]:
    return [str(value) for value in column.tolist()]


def _geojson(one: Planned, network: PlanNetwork) -> dict[str, Any]:
    points = zip(
        network.sites, one.around.degrees[one.node].round(7).tolist(), one.plan.meters_of.tolist(), strict=True
    )
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": place},
                "properties": {"site": name, "meters": meters, "technology": one.facts.name},
            }
            for name, place, meters in points
        ],
    }
