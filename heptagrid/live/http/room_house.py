"""What the control room shows of a house: its devices, its last messages and their way, its bill so far."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from heptagrid.assembly.place_names import Places
from heptagrid.foundation.errors import UsageError
from heptagrid.foundation.registry import registered_tariffs
from heptagrid.foundation.time import NS_PER_S
from heptagrid.live.grid import LiveGrid
from heptagrid.recording.bill_parts import BILL_PARTS
from heptagrid.report.words import KIND_WORDS, LOST_BY

MESSAGES = 12


def house(grid: LiveGrid, places: Places, point: int) -> dict[str, Any]:
    """A metering point as it is now.

    Raises
    ------
    UsageError
        If there is none of that number.
    """
    world, state = grid.inventory.world, grid.state
    if not 0 <= point < world.points:
        raise UsageError(f"there is no metering point {point}; they are numbered from 0 to {world.points - 1}")
    is_customer = point < world.customers_count
    node = int(world.point_node[point])
    substation = int(world.substation_of[point])
    parts = dict(zip(BILL_PARTS, state.money.bill_parts[:, point].tolist(), strict=True))
    tariff = registered_tariffs()[int(world.owned.tariff_of[point])].title if is_customer else None
    heard_ns = int(state.traffic.heard_ns[point])
    return {
        "point": point,
        "name": str(world.grid.loads.names[point]) if is_customer else "producer without a load",
        "node": node,
        "bus": str(world.grid.buses.names[world.network.bus_of_node[node]]),
        "substation": substation,
        "is_supplied": bool(state.point_is_supplied[point]),
        "p_kw": float(state.point_p_kw[point]),
        "q_kvar": float(state.point_q_kvar[point]),
        "v_pu": float(state.point_v_pu[point]),
        "import_kwh": float(state.import_kwh[point]),
        "export_kwh": float(state.export_kwh[point]),
        "heard_s": (state.at_ns - heard_ns) / NS_PER_S if heard_ns else None,
        "tariff": tariff,
        "retailer": world.companies.retailer_name(point),
        "bill": parts | {"total": sum(parts.values()), "since_ns": state.money.since_ns},
        "devices": _devices(grid, point),
        "messages": _messages(grid, places, point),
        "way": way(grid, places, int(world.endpoints.gateways[point]), world.endpoints.operations),
        "at_ns": state.at_ns,
        "age_s": state.age_s,
    }


def _devices(grid: LiveGrid, point: int) -> list[dict[str, Any]]:
    """The devices behind a meter, and what each does."""
    state, found = grid.state, []
    for name, one in grid.inventory.classes.items():
        if name == "meters" or not (one.point >= 0).any():
            continue
        for row in (one.point == point).nonzero()[0].tolist():
            entry: dict[str, Any] = {"name": f"{name}/{row}", "one": one.one, "rated_kw": float(one.rated_kw[row])}
            device = state.devices.get(name)
            if device is None:
                entry["power_kw"] = -float(state.unit_kw[row])
            else:
                content = float(device.content_kwh[row])
                until_ns = int(device.ordered_until_ns[row])
                entry |= {
                    "power_kw": float(device.power_kw[row]),
                    "content_kwh": content if content == content else None,
                    "is_home": bool(device.is_home[row]),
                    "ordered_kw": float(device.ordered_kw[row]) if until_ns > state.at_ns else None,
                    "ordered_until_ns": until_ns if until_ns > state.at_ns else None,
                }
            found.append(entry)
    return found


def _messages(grid: LiveGrid, places: Places, point: int) -> list[dict[str, Any]]:
    """The last messages of a gateway."""
    here = int(grid.inventory.world.endpoints.gateways[point])
    return [
        {
            "id": one.id,
            "kind": KIND_WORDS[one.kind],
            "topic": one.topic,
            "is_outgoing": one.source == here,
            "other": places.name(one.destination if one.source == here else one.source),
            "sent_ns": one.sent_ns,
            "fate": one.fate if one.fate in ("delivered", "under way") else f"lost {LOST_BY[one.fate]}",
            "delay_s": (one.at_ns - one.sent_ns) / NS_PER_S if one.fate == "delivered" else None,
            "way": way(grid, places, one.source, one.destination),
        }
        for one in grid.engine.traffic.last_of(here, MESSAGES, grid.state.at_ns)
    ]


def way(grid: LiveGrid, places: Places, source: int, destination: int) -> list[dict[str, Any]]:
    """The hops from an endpoint to another in the planned network: to which place, over what; a mesh with broken nodes may find others."""
    plan = grid.inventory.world.plan
    edges, classes = plan.topology.edges, plan.topology.port_class
    up, down = _ancestors(edges.parent, source), _ancestors(edges.parent, destination)
    shared = set(down)
    top = next((place for place in up if place in shared), up[-1])
    climbed = up[: up.index(top) + 1]
    descended = list(reversed(down[: down.index(top)])) if top in shared else []
    hops = [(parent, child) for child, parent in pairwise(climbed)]
    hops += [(child, child) for child in descended]
    return [
        {
            "to": places.name(to),
            "over": _technology(grid, child, int(classes[edges.up_port[child]])),
        }
        for to, child in hops
    ]


def _technology(grid: LiveGrid, place: int, link_class: int) -> str:
    """The technology of a place's link to its parent."""
    plan = grid.inventory.world.plan
    town = max(int(plan.town_of[place]), 0)
    return str((plan.access[town], plan.backhaul[town], plan.wan)[link_class].name)


def _ancestors(parent: Any, place: int) -> list[int]:
    """A place and all above it."""
    found = [place]
    while parent[found[-1]] >= 0:
        found.append(int(parent[found[-1]]))
    return found
