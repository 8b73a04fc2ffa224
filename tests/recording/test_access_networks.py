"""How access networks fared, checked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from heptagrid.foundation.domains import Domain, Kind
from heptagrid.planes.messages import tables as t
from heptagrid.planes.messages.links import Access, Backhaul, Wan
from heptagrid.planes.messages.plane import MessagePlane
from heptagrid.planes.messages.planning.base_stations import EARTH_RADIUS_M
from heptagrid.planes.messages.planning.network_planner import plan_network
from heptagrid.planes.messages.planning.planned_network import Plan
from heptagrid.planes.messages.statistics import KINDS
from heptagrid.recording.access_networks import _hops, access_networks
from tests.messages.test_plane import S, single_server


def test_a_port_is_busy_for_as_long_as_it_sends() -> None:
    plane = MessagePlane(single_server(196 * 8.0), 1)  # 100 bytes and 96 of security take 1 s
    none = np.zeros(3, dtype=int)
    plane.send(Kind.TELEMETRY, none, none + 1, none, sender=Domain.GENERATION, receiver=Domain.OPERATIONS)
    plane.advance(10 * S)
    assert plane.busy_s().tolist() == [[3.0], [0.0]]
    plane.begin_counting()
    assert plane.busy_s().tolist() == [[0.0], [0.0]]


def test_hops_are_counted_to_the_first_place_that_is_no_gateway() -> None:
    # Gateways 0, 1, 2 in a row to concentrator 3; gateway 4 on its own at concentrator 5; the hub is 6.
    parent = np.array([3, 0, 1, 6, 5, 6, -1])
    assert _hops(parent, np.array([0, 1, 2, 4])).tolist() == [1, 2, 3, 1]


def planned(technology: str) -> Plan:
    """Four gateways, 10 to 40 m from their substation, and one at a second, which stands 20 km apart."""
    gateways_m = np.array([[10.0, 0.0], [20.0, 0.0], [30.0, 0.0], [40.0, 0.0], [20_010.0, 0.0]])
    stations_m = np.array([[0.0, 0.0], [20_000.0, 0.0]])
    degrees = [np.degrees(each / EARTH_RADIUS_M) for each in (gateways_m, stations_m)]
    ends = degrees[0], np.array([0, 0, 0, 0, 1]), degrees[1], np.array([0, 0]), np.zeros((1, 2))
    links = [Access(technology=technology)], [Backhaul(technology="fibre")], Wan(technology="fibre")
    return plan_network(*ends, {"operations": (0.0, 0.0)}, *links)


def test_load_and_headroom_are_times_on_the_air_by_hand() -> None:
    plan = planned("lorawan")
    net = plan.topology.wiring.net((0.0, 0.0, 0.0))
    up = plan.topology.edges.up_port[plan.gateways]
    medium = net.port[up, t.P_MEDIUM]
    assert len(set(medium[:4].tolist())) == 1 and medium[4] != medium[0], "a gateway of its own 20 km apart"
    channels, duty = int(net.medium[medium[0], t.M_CHANNELS]), net.medium[medium[0], t.M_DUTY_PPM] * 1e-6
    busy_s = np.zeros((2, len(net.port)))
    busy_s[0, up] = [1.0, 2.0, 3.0, 4.0, 0.5]
    places = np.zeros((KINDS, 3, 4), dtype=np.int64)
    places[Kind.METER_READING, 1] = 90, 80, 5, 8  # five under way at the end
    places[Kind.BILL, 1] = 10, 10, 0, 0
    found = access_networks(plan, places, busy_s, counted_s=1000.0)
    # 10 s in 1000 s are 1 % of one channel's time; who sends 4 s in 1000 s leaves 1 - 0.4 % / 1 % of a duty cycle of 1 %.
    assert found.load_pct.tolist() == pytest.approx([1.0 / channels, 0.05 / channels])
    assert duty == pytest.approx(0.01)
    assert found.headroom_pct.tolist() == pytest.approx([60.0, 95.0])
    assert found.in_time_pct[0] == pytest.approx(82.0), (
        "72 and 10 of the 100 that were sent, not of the 90 that arrived"
    )
    assert np.isnan(found.in_time_pct[1])
    assert found.summary()["headroom_pct"] == pytest.approx({"median": 77.5, "worst": 60.0})
    # A gateway that sends 80 s in second windows leaves 1 - 8 % / 10 % of theirs, and loads none of the three channels.
    busy_s[1, net.medium[medium[0], t.M_BASE]] = 80.0
    found = access_networks(plan, places, busy_s, counted_s=1000.0)
    assert found.headroom_pct.tolist() == pytest.approx([20.0, 95.0])
    assert found.load_pct.tolist() == pytest.approx([1.0 / channels, 0.05 / channels])


def test_the_load_of_a_cell_is_that_of_its_fuller_carrier() -> None:
    """NB-IoT: twelve tones up, one carrier down (3GPP TS 36.211). 10 s of 1000 s up are 1/12 %; 500 s down are 50 %, not 510/12000."""
    plan = planned("nb-iot")
    net = plan.topology.wiring.net((0.0, 0.0, 0.0))
    up = plan.topology.edges.up_port[plan.gateways]
    medium = net.medium[net.port[up[0], t.P_MEDIUM]]
    assert medium[t.M_CHANNELS] == 12
    busy_s = np.zeros((2, len(net.port)))
    busy_s[0, up[:4]] = [1.0, 2.0, 3.0, 4.0]
    places = np.zeros((KINDS, 3, 4), dtype=np.int64)
    assert access_networks(plan, places, busy_s, counted_s=1000.0).load_pct[0] == pytest.approx(1.0 / 12.0)
    busy_s[0, medium[t.M_BASE]] = 500.0
    assert access_networks(plan, places, busy_s, counted_s=1000.0).load_pct[0] == pytest.approx(50.0)


def test_a_line_of_its_own_has_no_shared_medium() -> None:
    plan = planned("fibre")
    ports = len(plan.topology.wiring.net((0.0, 0.0, 0.0)).port)
    found = access_networks(plan, np.zeros((KINDS, 3, 4), dtype=np.int64), np.ones((2, ports)), counted_s=10.0)
    assert found.summary()["load_pct"] is None and found.summary()["headroom_pct"] is None
    assert found.hops_most.tolist() == [1.0, 1.0]
