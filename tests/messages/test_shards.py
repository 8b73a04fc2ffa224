"""Areas of a city, whose networks do not touch: each is a shard, and what becomes of the messages is what one queue for all says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from heptagrid.foundation.domains import Domain, Kind
from heptagrid.foundation.errors import ContractError
from heptagrid.planes.messages import plane as plane_module
from heptagrid.planes.messages.kernel.event_queue import EventQueue
from heptagrid.planes.messages.links import Access, Backhaul, Wan
from heptagrid.planes.messages.plane import MessagePlane
from heptagrid.planes.messages.planning.network_planner import plan_network
from heptagrid.planes.messages.planning.planned_network import Plan
from heptagrid.simulation.checkpoint import read_checkpoint, write_checkpoint

S = 1_000_000_000
STEP_NS, STEPS = 60 * S, 8
METERS = 9  # of each substation
SITES = {"operations": (10.0, 53.6), "retailer": (10.1, 53.6), "plant 0": (10.2, 53.4)}


@pytest.fixture(scope="module", params=[("wi-sun-50k", "nb-iot", "fibre"), ("lorawan", "wi-sun-50k", "g3-plc")])
def plan(request: pytest.FixtureRequest) -> Plan:
    """Three areas of two substations each, whose access technologies differ."""
    access = request.param
    town, station = np.divmod(np.arange(6), 2)
    stations = np.column_stack([10.0 + 0.4 * town + 0.02 * station, np.full(6, 53.5)])
    which = np.tile(np.arange(6), METERS)
    gateways = stations[which] + np.column_stack([np.zeros(len(which)), 5e-4 * np.repeat(1 + np.arange(METERS), 6)])
    links = [Access(technology=name) for name in access], [Backhaul(technology="lte")] * 3, Wan()
    ends = gateways, which, stations, town, stations[::2]
    return plan_network(*ends, SITES, *links, queued=True, centres=["operations", "retailer"])


def plane_of(plan: Plan, threads: int = 1) -> MessagePlane:
    """A plane on which a gateway, an area's line to its router and some media fail for a while."""
    plane = MessagePlane(plan.topology, 7, (0.02, 0.0, 0.0), threads=threads)
    plane.fail(plan.gateways[3:5], 70 * S, 200 * S, 5 * S)
    plane.cut(plan.hubs[1:2], 100 * S, 130 * S, 2 * S)
    plane.jam(plane.media_of(plan.gateways[:1]), 150 * S, 170 * S)
    return plane


def walked(plane: MessagePlane, plan: Plan, steps: range = range(STEPS)) -> list[np.ndarray]:
    """What became known step by step; readings leave within each step, prices at its end, and operations hears of a plant."""
    known: list[np.ndarray] = []
    operations, retailer, plant = (np.full(len(plan.gateways), plan.sites[name]) for name in SITES)
    for step in steps:
        at_ns = step * STEP_NS + np.arange(len(plan.gateways)) * 977_000_123 % STEP_NS
        way = {"sender": Domain.CUSTOMERS, "receiver": Domain.OPERATIONS}
        plane.send(Kind.METER_READING, plan.gateways, operations, at_ns, **way)
        end_ns = (step + 1) * STEP_NS
        plane.begin(end_ns - 1)
        way = {"sender": Domain.PROVIDERS, "receiver": Domain.CUSTOMERS}
        plane.send(Kind.PRICE, retailer, plan.gateways, np.full(len(plan.gateways), end_ns), **way)
        plane.send(
            Kind.TELEMETRY,
            plant[:1],
            operations[:1],
            np.array([end_ns]),
            sender=Domain.GENERATION,
            receiver=Domain.OPERATIONS,
        )
        plane.advance(end_ns)
        known += [plane.arrived, *(rows[np.lexsort(rows.T[::-1])] for rows in (plane.answered, plane.lost))]
    counts = plane.counts()
    assert counts.residual == 0
    return [*known, *vars(counts).values(), plane.counts_by_place(), plane.busy_s()]


def assert_same(ours: list[np.ndarray], theirs: list[np.ndarray]) -> None:
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one, other)


def test_shards_on_any_number_of_threads_say_what_one_queue_says(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    alone, together = (walked(plane_of(plan, threads), plan) for threads in (1, 3))
    assert_same(together, alone)
    monkeypatch.setattr(plane_module, "Shards", lambda *given: EventQueue(*given[:5]))
    whole = walked(plane_of(plan), plan)
    assert sum(len(rows) for rows in whole[: 3 * STEPS : 3]) > 400, "messages arrive"
    assert sum(len(rows) for rows in whole[2 : 3 * STEPS : 3]) > 0, "and some are lost"
    assert_same(alone, whole)


def test_a_watch_sees_a_message_within_its_area_and_changes_nothing(plan: Plan) -> None:
    plane, plain = plane_of(plan), plane_of(plan)
    watched = plane.watch([2, 3])
    assert_same(walked(plane, plan), walked(plain, plan))
    assert watched.is_done
    area = plan.topology.areas
    assert area is not None
    for message, trace in watched.traces.items():
        own = area.shard_of[plan.gateways[message]]
        assert trace.destination == area.front_end[own, 0], "operations' front end in the gateway's area"
        assert {int(area.shard_of[hop.node_to]) for copy in trace.copies for hop in copy.hops} <= {int(own)}


def test_a_checkpoint_goes_on_as_if_there_had_been_none(plan: Plan, tmp_path: Path) -> None:
    whole, first = plane_of(plan), plane_of(plan)
    expected = walked(whole, plan)
    begun = walked(first, plan, range(3))[:9]
    write_checkpoint(tmp_path / "plane", {}, first)
    restored: MessagePlane = read_checkpoint(tmp_path / "plane", lambda about: None)
    restored.threads = 2
    assert_same([*begun, *walked(restored, plan, range(3, STEPS))], expected)


def test_a_site_is_cut_off_at_all_its_front_ends(plan: Plan) -> None:
    plane = MessagePlane(plan.topology, 7)
    plane.cut(plan.met_at("operations"), 0, 600 * S, notice_ns=700 * S)  # too late for the second routers
    count = len(plan.gateways)
    to = np.full(count, plan.sites["operations"])
    plane.send(
        Kind.METER_READING, plan.gateways, to, np.full(count, S), sender=Domain.CUSTOMERS, receiver=Domain.OPERATIONS
    )
    assert len(plan.met_at("operations")) == 4
    assert len(plane.advance(60 * S)[0]) == 0


def test_nothing_goes_from_one_area_to_another(plan: Plan) -> None:
    plane = MessagePlane(plan.topology, 7)
    for to in (plan.hubs[1:2], np.array([plan.sites["plant 0"]])):
        with pytest.raises(ContractError, match="areas meet in control centres only"):
            plane.send(
                Kind.TELEMETRY, plan.hubs[:1], to, np.array([S]), sender=Domain.DISTRIBUTION, receiver=Domain.OPERATIONS
            )
