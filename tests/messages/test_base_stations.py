"""Where base stations stand: everyone whom a cell serves lies within its range, whatever the substation.

Distances are put down by hand along a meridian (1 degree is 111,195 m).
"""

from __future__ import annotations

import numpy as np
import pytest

from heptagrid.assembly.world import build_world
from heptagrid.planes.messages.links import Access, Backhaul, Wan
from heptagrid.planes.messages.planning.network_planner import plan_network
from heptagrid.planes.messages.planning.planned_network import Plan
from heptagrid.planes.messages.technology import technology
from heptagrid.scenario.load import load

DEGREE_M = 111_195.0


def along_a_road(at_m: list[float], name: str) -> Plan:
    """Gateways at these distances from the only substation."""
    gateways = np.column_stack([np.full(len(at_m), 10.0), 53.5 + np.array(at_m) / DEGREE_M])
    station = np.array([[10.0, 53.5]])
    links = [Access(technology=name)], [Backhaul(technology="fibre")], Wan()
    first = np.zeros(len(at_m), dtype=np.int64)
    return plan_network(gateways, first, station, first[:1], station, {"operations": (10.0, 53.6)}, *links)


def home_of(plan: Plan) -> list[int]:
    """The base station of each gateway, numbered in the order of their first use."""
    parent = plan.topology.edges.parent[plan.gateways]
    return [list(dict.fromkeys(parent.tolist())).index(one) for one in parent.tolist()]


def test_a_gateway_beyond_the_range_of_its_substations_mast_gets_another() -> None:
    # 5G URLLC reaches 300 m: 0, 250 and 299 m are the substation's; 900 m and, 0.7 of the range away, 1,100 m share a mast;
    # 1,150 m is within the range of that one too.
    plan = along_a_road([0.0, 250.0, 299.0, 900.0, 1100.0, 1150.0], "5g-urllc")
    assert home_of(plan) == [0, 0, 0, 1, 1, 2]
    assert plan.access_sites.tolist() == [3]
    assert (plan.topology.edges.loss[plan.gateways] < 1e-4).all()


def test_who_is_in_range_of_another_substations_mast_needs_none_of_its_own() -> None:
    gateways = np.array([[10.0, 53.5], [10.0, 53.5 + 400.0 / DEGREE_M], [10.0, 53.5 + 600.0 / DEGREE_M]])
    stations = gateways[[0, 2]]
    links = [Access(technology="5g-urllc")], [Backhaul(technology="fibre")], Wan()
    ends = gateways, np.array([0, 0, 1]), stations, np.array([0, 0]), stations[:1]
    plan = plan_network(*ends, {"operations": (10.0, 53.6)}, *links)
    assert home_of(plan) == [0, 1, 1]
    assert plan.access_sites.tolist() == [2]


@pytest.mark.parametrize("name", ["5g-urllc", "5g", "lte", "lte-m", "nb-iot", "lorawan"])
def test_everyone_in_the_town_lies_within_the_range_of_its_base_station(name: str) -> None:
    plan = build_world(load("town", [f"messages.access.technology={name}"])).plan
    parent = plan.topology.edges.parent[plan.gateways]
    xy_m = plan.topology.wiring.xy_m
    far_m = np.hypot(*(xy_m[plan.gateways] - xy_m[parent]).T)
    assert far_m.max() <= technology(name).range_m
