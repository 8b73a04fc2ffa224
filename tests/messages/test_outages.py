"""Places die, lines are cut, media are jammed: what is lost, what waits, who finds another way; everything is accounted for."""

from __future__ import annotations

import numpy as np
import pytest

from heptagrid.foundation.domains import Domain, Kind
from heptagrid.planes.messages.links import Access, Backhaul, Wan
from heptagrid.planes.messages.plane import MessagePlane
from heptagrid.planes.messages.planning.network_planner import plan_network
from heptagrid.planes.messages.planning.planned_network import Plan
from heptagrid.planes.messages.routing.paths import TreeRouter
from heptagrid.planes.messages.tables import BY_OUTAGE, N_DELIVERED, N_LOST, N_SENT

S = 1_000_000_000
UP = {"sender": Domain.CUSTOMERS, "receiver": Domain.OPERATIONS}


def streets(meters: int = 6, far_m: float = 60.0, backhaul: Backhaul | None = None) -> Plan:
    """Two substations 3 km apart, each with a street of meters, one behind another."""
    degree_m = 111_195.0
    street = np.column_stack([np.full(meters, 10.0), 53.5 + far_m * np.arange(1, meters + 1) / degree_m])
    there = street + np.array([0.05, 0.0])
    stations = np.array([[10.0, 53.5], [10.05, 53.5]])
    which = np.repeat([0, 1], meters)
    ends = np.concatenate([street, there]), which, stations, np.array([0, 0]), stations[:1]
    links = [Access()], [backhaul or Backhaul(technology="fibre")], Wan()
    return plan_network(*ends, {"operations": (10.0, 53.6)}, *links, queued=True)


def report(plane: MessagePlane, plan: Plan, kind: Kind, who: np.ndarray, at_s: np.ndarray | float) -> int:
    to = np.full(len(who), plan.sites["operations"])
    at_ns = np.broadcast_to(np.rint(np.asarray(at_s) * S).astype(np.int64), (len(who),)).copy()
    return plane.send(kind, plan.gateways[who], to, at_ns, **UP)


def accounted(plane: MessagePlane) -> np.ndarray:
    """The counters, after a look at the books."""
    counts = plane.counts()
    assert counts.residual == 0
    return counts.counters


def test_a_dead_meter_is_silent_and_all_is_accounted_for() -> None:
    plan = streets()
    plane = MessagePlane(plan.topology, 1)
    plane.fail(plan.gateways[:6], 10 * S, 1000 * S)
    for at_s in (1.0, 50.0, 300.0, 2000.0):
        report(plane, plan, Kind.METER_READING, np.arange(12), at_s + 1.0 * np.arange(12))
    ids, times = plane.advance(5000 * S)
    mine = ids % 12 < 6
    assert not ((times > 10 * S) & (times < 1000 * S) & mine).any()
    assert ((times > 10 * S) & (times < 1000 * S)).any(), "the other street goes on"
    counters = accounted(plane)
    assert counters[N_LOST + BY_OUTAGE, Kind.METER_READING] == 12, "each tried three times, all while it was dead"
    assert counters[N_SENT, Kind.METER_READING] == 48
    assert len(np.unique(ids)) == len(ids), "each arrives once"


def test_what_waits_at_a_concentrator_survives_and_drains_when_its_line_is_back() -> None:
    plan = streets()
    plane = MessagePlane(plan.topology, 1)
    plane.cut(plan.concentrators[:1], 10 * S, 500 * S)
    report(plane, plan, Kind.METER_READING, np.arange(12), 20.0 + 2.0 * np.arange(12))
    ids, times = plane.advance(499 * S)
    assert set(ids) == set(range(6, 12))
    ids, times = plane.advance(5000 * S)
    assert set(ids) == set(range(6))
    assert times.max() < 501 * S
    counters = accounted(plane)
    assert counters[N_DELIVERED, Kind.METER_READING] == 12


def test_a_dead_concentrator_hears_nothing() -> None:
    plan = streets()
    plane = MessagePlane(plan.topology, 1)
    plane.fail(plan.concentrators[:1], 10 * S, 500 * S)
    report(plane, plan, Kind.ALARM, np.arange(12), 20.0 + 2.0 * np.arange(12))
    ids, _ = plane.advance(5000 * S)
    assert set(ids) == set(range(6, 12))
    accounted(plane)


def test_a_jam_of_one_place_touches_no_other() -> None:
    plan = streets()
    alone, jammed = MessagePlane(plan.topology, 1), MessagePlane(plan.topology, 1)
    jammed.jam(jammed.media_of(plan.gateways[:6]), 10 * S, 900 * S)
    times = {}
    for name, plane in (("alone", alone), ("jammed", jammed)):
        report(plane, plan, Kind.METER_READING, np.arange(12), 20.0 + 3.0 * np.arange(12))
        ids, at = plane.advance(800 * S)
        times[name] = dict(zip(ids.tolist(), at.tolist(), strict=True))
        accounted(plane)
    assert set(times["alone"]) == set(range(12))
    assert set(times["jammed"]) == set(range(6, 12))
    assert all(times["alone"][k] == times["jammed"][k] for k in range(6, 12)), "to the nanosecond"


def test_a_cut_of_the_wide_area_network_fails_over() -> None:
    plan = streets()
    plane = MessagePlane(plan.topology, 1)
    plane.cut(np.array([plan.sites["operations"]]), 10 * S, 500 * S, notice_ns=S // 20)
    at_s = np.array([9.0, 9.99999, 10.02, 10.1, 100.0, 499.0, 501.0])
    source, to = np.full(7, plan.hubs[0]), np.full(7, plan.sites["operations"])
    ways = {"sender": Domain.DISTRIBUTION, "receiver": Domain.OPERATIONS}
    plane.send(Kind.TELEMETRY, source, to, (at_s * S).astype(np.int64), **ways)
    ids, times = plane.advance(1000 * S)
    assert set(ids) == {0, 3, 4, 5, 6}, "only what was on the line or came before the fail-over is lost"
    delay_s = dict(zip(ids.tolist(), times / S - at_s[ids], strict=True))
    assert delay_s[3] > delay_s[0], "over the second router"
    assert delay_s[6] == pytest.approx(delay_s[0], rel=1e-6), "and back over the first"
    counters = accounted(plane)
    assert counters[N_LOST + BY_OUTAGE, Kind.TELEMETRY] == 2


def test_the_children_of_a_dead_relay_find_another_parent() -> None:
    plan = streets(meters=12, far_m=110.0)
    edges = plan.topology.edges
    relays = np.intersect1d(edges.parent[plan.gateways[:12]], plan.gateways[:12])
    assert len(relays), "the street is longer than a hop"
    relay = int(relays[0])
    children = np.flatnonzero(edges.parent == relay)
    dead = np.zeros(plan.topology.places, dtype=bool)
    dead[relay] = True
    without = plan.topology.edges_without(dead, np.zeros_like(dead))
    assert not np.isin(without.parent[children], relay).any()
    plane = MessagePlane(plan.topology, 1)
    plane.fail(np.array([relay]), 10 * S, 1000 * S, notice_ns=60 * S)
    report(plane, plan, Kind.METER_READING, children, 200.0 + 5.0 * np.arange(len(children)))
    ids, _ = plane.advance(600 * S)
    assert len(ids) == len(children)
    accounted(plane)
    assert TreeRouter(without).find(children, np.full(len(children), plan.hubs[0])).hops.min() >= 2


def test_nothing_gets_through_in_a_jammed_cell_connected_or_not() -> None:
    degree_m = 111_195.0
    homes = np.column_stack([np.full(4, 10.0), 53.5 + 60.0 * np.arange(1, 5) / degree_m])
    station = np.array([[10.0, 53.5]])
    ends = homes, np.zeros(4, dtype=np.int64), station, np.array([0]), station
    links = [Access(technology="lte-m")], [Backhaul(technology="fibre")], Wan()
    plan = plan_network(*ends, {"operations": (10.0, 53.6)}, *links, queued=True)
    plane = MessagePlane(plan.topology, 1)
    plane.jam(plane.media_of(plan.gateways), 8 * S, 60 * S)
    to, hub = plan.gateways, np.full(4, plan.hubs[0])
    for at_s in (1.0, 9.0):
        report(plane, plan, Kind.METER_READING, np.arange(4), at_s)
        down = {"sender": Domain.PROVIDERS, "receiver": Domain.CUSTOMERS}
        plane.send(Kind.SETPOINT, hub, to, np.full(4, round(at_s * S)), **down)
    ids, times = plane.advance(300 * S)
    assert sorted(ids.tolist()) == list(range(16)), "what was lost is sent again"
    assert (times[ids < 8] < 8 * S).all() and (times[ids >= 8] > 60 * S).all()
    accounted(plane)


def test_an_alarm_overtakes_a_firmware_rollout() -> None:
    plan = streets(meters=4, backhaul=Backhaul(technology="fibre", rate_bps=10_000.0))
    plane = MessagePlane(plan.topology, 1)
    down = {"source": np.full(200, plan.hubs[0]), "destination": plan.gateways[np.arange(200) % 4]}
    plane.send(Kind.FIRMWARE, sent_ns=np.full(200, 5 * S), **down, sender=Domain.OPERATIONS, receiver=Domain.CUSTOMERS)
    ways = {"sender": Domain.OPERATIONS, "receiver": Domain.PROVIDERS}
    alarm = plane.send(Kind.ALARM, np.array([plan.hubs[0]]), plan.gateways[:1], np.array([20 * S]), **ways)
    ids, at = plane.advance(7200 * S)
    arrived = dict(zip(ids.tolist(), at.tolist(), strict=True))
    blocks = np.array([arrived[k] for k in range(200)])
    block_s = 8.0 * (1024 + 96 + 60) / 10_000.0
    assert arrived[alarm] < (20.0 + block_s + 0.5) * S, "it waits for the block on the line, and for none behind it"
    assert (blocks > arrived[alarm]).mean() > 0.9
    accounted(plane)


def test_two_troubles_of_one_place_end_with_the_last() -> None:
    plan = streets()
    plane = MessagePlane(plan.topology, 1)
    plane.fail(plan.gateways[:1], 10 * S, 300 * S)
    plane.fail(plan.gateways[:1], 100 * S, 600 * S)
    for at_s in (5.0, 50.0, 400.0, 700.0):
        report(plane, plan, Kind.ALARM, np.arange(1), at_s)
    ids, _ = plane.advance(5000 * S)
    assert list(ids) == [0, 3]
    accounted(plane)
