"""The message plane against an independent reference, queueing theory, and its own laws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heptagrid.contracts.kinds import ENVELOPE_BYTES, FACTS, KindFacts
from heptagrid.foundation.domains import Domain, Kind
from heptagrid.planes.messages.links import Access, Backhaul, Wan
from heptagrid.planes.messages.plane import MessagePlane
from heptagrid.planes.messages.planning.network_planner import plan_network
from heptagrid.planes.messages.planning.planned_network import Plan
from heptagrid.planes.messages.tables import N_DELIVERED, P_DELAY
from heptagrid.planes.messages.technology import technologies, technology
from heptagrid.planes.messages.topology import Topology
from tests.messages.reference import Message, Reference, first_timeout_ns

pytestmark = pytest.mark.long

S = 1_000_000_000
WAYS = {
    Kind.METER_READING: (Domain.CUSTOMERS, Domain.OPERATIONS),
    Kind.SETPOINT: (Domain.PROVIDERS, Domain.CUSTOMERS),
    Kind.TELEMETRY: (Domain.DISTRIBUTION, Domain.OPERATIONS),
}


def random_tree(rng: np.random.Generator, gateways: int, concentrators: int, lossy: bool = True) -> Topology:
    """Gateways on concentrators on a hub on a core with two sites, all servers different."""
    hub, core = gateways + concentrators, gateways + concentrators + 3
    parent = np.concatenate(
        [gateways + rng.integers(0, concentrators, gateways), np.full(concentrators, hub), [core, core, core, -1]]
    )
    places, first = core + 1, concentrators
    up, down = np.full(places, -1), np.full(places, -1)
    up[:gateways] = down[:gateways] = parent[:gateways] - gateways
    for k, place in enumerate(range(gateways, core)):
        up[place], down[place] = first + 2 * k, first + 2 * k + 1
    servers = concentrators + 2 * (core - gateways)
    link_class = np.concatenate([np.zeros(concentrators), np.full(2 * concentrators, 1), np.full(6, 2)]).astype(int)
    depth = np.concatenate([np.full(gateways, 3), np.full(concentrators, 2), [1, 1, 1, 0]])
    group = np.concatenate([parent[:gateways] - gateways, np.arange(concentrators), np.full(4, -1)])
    return Topology(
        parent=parent,
        up=up,
        down=down,
        depth=depth,
        rate_bps=rng.uniform(1e4, 2e5, servers),
        delay_ns=rng.integers(0, S // 10, servers),
        loss=rng.uniform(0.0, 0.5, servers) if lossy else np.zeros(servers),
        retries=rng.integers(0, 3, servers),
        link_class=link_class,
        group=group,
        groups=concentrators,
    )


def traffic(
    rng: np.random.Generator, gateways: int, concentrators: int, count: int
) -> list[tuple[Kind, np.ndarray, np.ndarray, np.ndarray]]:
    """Three waves: readings, set-points, telemetry."""
    operations, provider = gateways + concentrators + 1, gateways + concentrators + 2
    customers = rng.integers(0, gateways, count)
    return [
        (Kind.METER_READING, customers, np.full(count, operations), rng.integers(0, 20 * S, count)),
        (Kind.SETPOINT, np.full(count, provider), customers, rng.integers(0, 20 * S, count)),
        (
            Kind.TELEMETRY,
            gateways + rng.integers(0, concentrators, count),
            np.full(count, operations),
            rng.integers(0, 20 * S, count),
        ),
    ]


def send_all(plane: MessagePlane, waves: list[tuple[Kind, np.ndarray, np.ndarray, np.ndarray]]) -> None:
    for kind, source, destination, sent_ns in waves:
        sender, receiver = WAYS[kind]
        plane.send(kind, source, destination, sent_ns, sender=sender, receiver=receiver)


def facts_with(timeout_s: float, retries: int) -> dict[Kind, KindFacts]:
    changed = dict(FACTS)
    for kind in (Kind.METER_READING, Kind.SETPOINT):
        one = FACTS[kind]
        changed[kind] = replace(one, acknowledged=True, timeout_s=timeout_s, retries=retries)
    return changed


def crossing(case: int) -> tuple[Reference, MessagePlane]:
    """A random tree of access networks and backbone with its traffic: the reference, run, and the plane, still to be advanced."""
    rng = np.random.default_rng(case)
    gateways, concentrators = int(rng.integers(2, 12)), int(rng.integers(1, 4))
    topology = random_tree(rng, gateways, concentrators)
    facts = facts_with(timeout_s=float(rng.choice([0.05, 0.7, 5.0, 90.0])), retries=int(rng.integers(0, 4)))
    break_loss = (0.0, 0.0, 0.0) if case % 3 else (0.3, 0.0, 0.1)
    waves = traffic(rng, gateways, concentrators, 40)
    reference = Reference(topology, facts, seed=case, break_loss=break_loss)
    for kind, source, destination, sent_ns in waves:
        order = np.argsort(sent_ns, kind="stable")
        numbers = np.empty(len(source), dtype=int)
        seen: dict[int, int] = {}
        for k in order:
            numbers[k] = seen.get(int(source[k]), 0)
            seen[int(source[k])] = numbers[k] + 1
        size = facts[kind].payload_bytes + ENVELOPE_BYTES
        for k in range(len(source)):
            reference.messages.append(
                Message(int(numbers[k]), kind, int(source[k]), int(destination[k]), int(sent_ns[k]), size)
            )
    reference.run()
    plane = MessagePlane(topology, case, break_loss, facts)
    send_all(plane, waves)
    return reference, plane


STEP_NS = 60 * S  # a time-out may be far shorter than a step, or longer


@given(st.integers(0, 2**40))
@settings(max_examples=50, deadline=None)
def test_times_equal_an_independent_reference_to_the_nanosecond(first: int) -> None:
    check_networks(first, 3)


@pytest.mark.slow
@given(st.integers(0, 2**40))
@settings(max_examples=200, deadline=None)
def test_times_of_two_thousand_networks_equal_the_reference(first: int) -> None:
    check_networks(first, 10)


def check_networks(first: int, count: int) -> None:
    for case in range(first, first + count):
        reference, plane = crossing(case)
        delivered: dict[int, int] = {}
        acknowledged: dict[int, int] = {}
        for until in range(STEP_NS, 3600 * S, STEP_NS):
            ids, times = plane.advance(until)
            delivered |= dict(zip(ids.tolist(), times.tolist(), strict=True))
            acknowledged |= {int(i): int(t) for i, t in plane.answered}
        ours = [delivered.get(k) for k in range(len(reference.messages))]
        assert ours == [message.delivered_ns for message in reference.messages], case
        assert [acknowledged.get(k) for k in range(len(ours))] == [m.acknowledged_ns for m in reference.messages], case
        counts = plane.counts()
        assert counts.residual == 0
        assert counts.in_flight.sum() == 0
        assert counts.counters[1].sum() == len(delivered) + len(acknowledged)


def test_what_is_compared_is_answered_and_repeated_within_a_step_over_access_and_backbone() -> None:
    """Of a hundred of the random cases: most acknowledgements and many repetitions fall into the step of their message."""
    answered = repeated = lost = within = again_within = 0
    for case in range(100):
        reference, _ = crossing(case)
        for message in reference.messages:
            facts = reference.facts[message.kind]
            classes = {
                int(reference.topology.link_class[k]) for k in reference.path(message.source, message.destination)
            }
            assert 2 in classes and len(classes) >= 2, "over the backbone, from or to an access network"
            if not facts.acknowledged:
                continue
            step = message.sent_ns // STEP_NS
            answered += message.acknowledged_ns is not None
            lost += message.delivered_ns is None
            within += message.acknowledged_ns is not None and message.acknowledged_ns // STEP_NS == step
            repeated += message.copies > 1
            first_ns = first_timeout_ns(reference.seed, message.kind, message.source, message.number, facts.timeout_s)
            again_within += message.copies > 1 and (message.sent_ns + first_ns) // STEP_NS == step
    words = (
        f"{answered} answered, {within} within their step; {repeated} repeated, {again_within} within it; {lost} lost"
    )
    print(words)
    assert within > 3000 and again_within > 1500 and lost > 300, words


@given(st.integers(0, 10_000), st.lists(st.integers(1, 40 * S), min_size=1, max_size=12))
@settings(max_examples=25, deadline=None)
def test_windows_change_nothing_and_nothing_is_lost_from_the_books(seed: int, cuts: list[int]) -> None:
    rng = np.random.default_rng(seed)
    topology = random_tree(rng, 8, 2)
    waves = traffic(rng, 8, 2, 30)
    whole, cut = MessagePlane(topology, seed), MessagePlane(topology, seed)
    send_all(whole, waves)
    send_all(cut, waves)
    ids, times = whole.advance(40 * S)
    got: list[tuple[int, int]] = []
    for until in [*sorted(cuts), 40 * S]:
        part_ids, part_times = cut.advance(until)
        got += list(zip(part_ids.tolist(), part_times.tolist(), strict=True))
        counts = cut.counts()
        assert counts.residual == 0
        sent_by_now = sum(int((sent_ns <= until).sum()) for _, _, _, sent_ns in waves)
        assert counts.counters[0, :9].sum() == sent_by_now
    assert got == list(zip(ids.tolist(), times.tolist(), strict=True))
    assert np.array_equal(whole.counts().counters, cut.counts().counters)


def single_server(rate_bps: float) -> Topology:
    two = np.array([1, -1])
    return Topology(
        parent=two,
        up=np.array([0, -1]),
        down=np.array([0, -1]),
        depth=np.array([1, 0]),
        rate_bps=np.array([rate_bps]),
        delay_ns=np.array([0]),
        loss=np.array([0.0]),
        retries=np.array([0]),
        link_class=np.array([0]),
        group=np.array([0, -1]),
        groups=1,
    )


@pytest.mark.parametrize("load", [0.3, 0.7])
def test_the_mean_wait_is_that_of_an_m_d_1_queue(load: float) -> None:
    rng = np.random.default_rng(1)
    count, size = 1_500_000, FACTS[Kind.TELEMETRY].wire_bytes
    service_s = 0.01
    plane = MessagePlane(single_server(size * 8 / service_s), 1)
    sent_ns = np.cumsum(rng.exponential(service_s / load, count) * S).astype(np.int64)
    plane.send(
        Kind.TELEMETRY,
        np.zeros(count, dtype=int),
        np.ones(count, dtype=int),
        sent_ns,
        sender=Domain.GENERATION,
        receiver=Domain.OPERATIONS,
    )
    ids, times = plane.advance(int(sent_ns[-1]) + 1000 * S)
    waits_s = (times - sent_ns[ids]) / S - service_s
    assert waits_s.mean() == pytest.approx(load * service_s / (2.0 * (1.0 - load)), rel=0.02)


def test_more_loss_never_delivers_what_less_loss_lost() -> None:
    rng = np.random.default_rng(5)
    tree = random_tree(rng, 10, 2, lossy=False)
    waves = [wave for wave in traffic(rng, 10, 2, 200) if wave[0] is Kind.TELEMETRY]
    before: set[int] | None = None
    for loss in (0.0, 0.1, 0.3, 0.6, 0.9, 1.0):
        plane = MessagePlane(Topology(**{**vars(tree), "loss": np.full(len(tree.loss), loss)}), 1)
        send_all(plane, waves)
        delivered = set(plane.advance(10_000 * S)[0].tolist())
        if before is not None:
            assert delivered <= before
        before = delivered
    assert before == set()


def test_a_broken_class_delivers_nothing_across_it() -> None:
    rng = np.random.default_rng(6)
    tree = random_tree(rng, 10, 2, lossy=False)
    plane = MessagePlane(tree, 1, (1.0, 0.0, 0.0))
    send_all(plane, traffic(rng, 10, 2, 50))
    plane.advance(10_000 * S)
    counts = plane.counts().summary()
    kinds = counts["by_kind"]
    assert kinds["meter_reading"]["delivered"] == kinds["setpoint"]["delivered"] == 0
    assert kinds["telemetry"]["delivered"] == 50, "telemetry does not use the access network"
    lost = counts["lost_by_cause"]
    assert lost["break"] == sum(lost.values()) == 100


def test_percentiles_are_right_to_a_tenth_of_a_per_cent() -> None:
    rng = np.random.default_rng(7)
    tree = random_tree(rng, 12, 3, lossy=False)
    plane = MessagePlane(tree, 1)
    waves = [wave for wave in traffic(rng, 12, 3, 2000) if wave[0] is Kind.TELEMETRY]
    send_all(plane, waves)
    ids, times = plane.advance(10_000 * S)
    delays = (times - waves[0][3][ids]) / S
    for share in (0.5, 0.95, 0.99):
        exact = np.quantile(delays, share, method="inverted_cdf")
        assert plane.counts().percentile_s(Kind.TELEMETRY, share) == pytest.approx(exact, rel=1.01e-3)


def test_lateness_is_counted_against_the_deadline() -> None:
    plane = MessagePlane(single_server(FACTS[Kind.TELEMETRY].wire_bytes * 8), 1)  # one message a second
    nine = np.zeros(9, dtype=int)
    plane.send(Kind.TELEMETRY, nine, nine + 1, nine, sender=Domain.GENERATION, receiver=Domain.OPERATIONS)
    plane.advance(100 * S)
    assert plane.counts().summary()["by_kind"]["telemetry"]["late"] == 4, "5 s is in time, 6 to 9 s are late"


def test_counting_begins_where_it_is_asked_to() -> None:
    rng = np.random.default_rng(8)
    plane = MessagePlane(random_tree(rng, 10, 2), 1)
    waves = traffic(rng, 10, 2, 100)
    send_all(plane, waves)
    plane.advance(10 * S)
    plane.begin_counting()
    plane.advance(10_000 * S)
    counts = plane.counts()
    assert counts.residual == 0
    later = [int((sent_ns > 10 * S).sum()) for _, _, _, sent_ns in waves]
    assert [int(counts.counters[0, kind]) for kind, _, _, _ in waves] == later


def planned(access: str, backhaul: str = "fibre") -> Plan:
    """Three customers of two substations, about a kilometre apart."""
    at = np.array([[10.0, 53.5], [10.0, 53.501], [10.02, 53.5]])
    ends = at, np.array([0, 0, 1]), at[[0, 2]], np.array([0, 0]), at[:1]
    links = [Access(technology=access)], [Backhaul(technology=backhaul)], Wan()
    return plan_network(*ends, {"operations": (10.0, 53.6)}, *links)


def test_a_planned_network_is_a_tree_with_distances() -> None:
    plan = planned("shared-queue")
    edges, net = plan.topology.edges, plan.topology.wiring.net()
    operations = plan.sites["operations"]
    mpls, km = technology("mpls"), 0.1 * 2.0 * np.pi * 6371.0 / 360.0
    delay_s = 1e-9 * net.port[edges.up_port[operations], P_DELAY]
    assert delay_s == pytest.approx(mpls.delay_s + km * mpls.ns_per_km * 1e-9, rel=1e-3)
    assert edges.up_port[0] == edges.down_port[0] == edges.up_port[1], "one half-duplex queue for all members"
    assert edges.up_port[plan.concentrators[0]] != edges.down_port[plan.concentrators[0]]
    assert list(edges.depth[plan.gateways]) == [3, 3, 3]


@pytest.mark.parametrize("access", [name for name, one in technologies().items() if "access" in one.networks])
@pytest.mark.parametrize("backhaul", ["lte", "fibre"])
def test_every_access_technology_carries_a_reading_and_its_acknowledgement(access: str, backhaul: str) -> None:
    plan = planned(access, backhaul)
    plane = MessagePlane(plan.topology, 1)
    ways = {"sender": Domain.CUSTOMERS, "receiver": Domain.OPERATIONS}
    for hour in range(24):
        to = np.full(3, plan.sites["operations"])
        plane.send(Kind.METER_READING, plan.gateways, to, hour * 3600 * S + S * np.arange(3), **ways)
    plane.advance(100 * 3600 * S)
    counts = plane.counts()
    assert counts.residual == 0
    assert counts.counters[N_DELIVERED, Kind.METER_READING] >= 0.9 * 72
    assert counts.counters[N_DELIVERED, Kind.ACK] >= (0.5 if access == "lorawan" else 0.9) * 72


@pytest.mark.parametrize("access", [name for name, one in technologies().items() if "access" in one.networks])
def test_every_link_of_the_backhaul_is_counted_and_so_paid(access: str) -> None:
    """Of each technology's substations and of gateways of one's own; base stations are an operator's, on the wide-area network."""
    plan = planned(access)
    links = plan.places_over("backhaul")
    assert len(links) == len(plan.concentrators) + int(plan.site_links[0])
    assert (int(plan.site_links[0]) > 0) == (access == "lorawan")
