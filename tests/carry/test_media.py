"""Laws that every method of access keeps: nothing is lost without a cause, counted twice, or faster than the air."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heptagrid.planes.messages.technology import technologies
from heptagrid.studies.carry.api import Carried
from tests.carry.networks import WORDS, carried, content
from tests.carry.reference import Link, Message

pytestmark = pytest.mark.long

S = 1_000_000_000
METHODS: dict[str, dict[str, Any]] = {
    "csma": {"rate_bps": 10_000},
    "csma-ca": {"rate_bps": 50_000, "retries": 3},
    "slotted-csma-ca": {"rate_bps": 50_000, "retries": 3},
    "dcf": {"rate_bps": 6_000_000, "retries": 7},
    "aloha": {"rate_bps": 10_000},
    "slotted-aloha": {"rate_bps": 10_000, "slot_s": 0.2},
    "queue": {"rate_bps": 10_000},
    "tdma": {"rate_bps": 10_000, "slot_s": 0.05},
}
SHARED = [name for name, facts in technologies().items() if facts.medium is not None]
ALONE = [name for name, facts in technologies().items() if facts.medium is None]
MEDIA = [*({"access": name, **row} for name, row in METHODS.items()), *({"technology": name} for name in SHARED)]


def name_of(medium: dict[str, Any]) -> str:
    return str(medium.get("access") or medium["technology"])


def network(rng: np.random.Generator, medium: dict[str, Any]) -> dict[str, Any]:
    """Some members around a base, which a link joins to one node more, each way."""
    members = int(rng.integers(2, 7))
    far_m = float(rng.choice([1.0, 5.0, 15.0]))
    nodes = [{"name": "base"}, *({"name": f"n{k}", "x_m": rng.random() * far_m} for k in range(1, members))]
    row = {"members": [node["name"] for node in nodes], **medium}
    if rng.random() < 0.3:
        row["queue_packets"] = int(rng.integers(0, 3))
    if rng.random() < 0.3:
        row["priorities"] = 2
    if rng.random() < 0.3:
        row["loss"] = 0.3
    ends = [("base", "far"), ("far", "base")]
    links = [{"from": a, "to": b, "rate_bps": 1e6, "delay_s": 0.001} for a, b in ends]
    return {"node": [*nodes, {"name": "far"}], "medium": [row], "link": links}


def outages(rng: np.random.Generator, nodes: int, spread_s: float) -> list[dict[str, Any]]:
    names = ["base", *(f"n{k}" for k in range(1, nodes - 1)), "far"]
    begins = np.round(rng.random(int(rng.integers(1, 6))) * spread_s, 3)
    rows = [{"begin_s": float(b), "end_s": float(b + np.round(0.001 + rng.random() * spread_s, 3))} for b in begins]
    return [{"node": names[int(rng.integers(0, nodes))], **row} for row in rows]


def messages_of(rng: np.random.Generator, nodes: int, spread_s: float) -> list[Message]:
    """Some leave together; on the whole too much for a slow medium."""
    rows = []
    for row in range(int(rng.integers(1, 60))):
        sent_ns = int(np.round(rng.random() * spread_s, 2 if rng.random() < 0.5 else 9) * S)
        source = int(rng.integers(0, nodes))
        to = int((source + rng.integers(1, nodes)) % nodes)
        rows.append(Message(row, sent_ns, source, to, int(rng.integers(1, 45)), priority=int(rng.integers(0, 3))))
    return rows


def outcome(found: Carried) -> tuple[list[int], list[int], list[int]]:
    return found.delivered_ns.tolist(), found.status.tolist(), found.hops.tolist()


def obey(found: Carried, tables: dict[str, Any], messages: list[Message], can_wait: bool) -> None:
    """Every message has one end, and none is faster than its bits on the fastest of the hops."""
    counts = found.summary()
    assert counts["sent"] == len(messages) == sum(counts[word] for word in WORDS)  # type: ignore[misc]
    assert can_wait or counts["waiting"] == 0, "nothing is forgotten"
    for k, message in enumerate(messages):
        is_there = WORDS[found.status[k]] == "delivered"
        assert (found.delivered_ns[k] >= 0) == is_there
        if is_there:
            rate = max(row.get("rate_bps", 0) or rate_of(row) for row in [*tables["medium"], *tables["link"]])
            assert found.delivered_ns[k] - message.sent_ns >= int(message.size_bytes * 8e9 / rate)
            assert found.hops[k] >= 1


def rate_of(row: dict[str, Any]) -> float:
    facts = technologies()[row["technology"]]
    # A spreading factor of 7 is twenty times as fast as the slowest, which is what the facts name.
    return 6000.0 if row["technology"] == "lorawan" else max(facts.uplink_bps, facts.downlink_bps)


@pytest.mark.parametrize("networks", [1, pytest.param(4, marks=pytest.mark.slow)])
@pytest.mark.parametrize("medium", MEDIA, ids=name_of)
@settings(max_examples=12, deadline=20_000)
@given(seed=st.integers(0, 2**40))
def test_what_is_sent_is_delivered_or_lost_for_a_cause(networks: int, medium: dict[str, Any], seed: int) -> None:
    for number in range(networks):
        rng = np.random.default_rng(seed + number)
        tables = network(rng, medium)
        nodes = len(tables["node"])
        spread_s = float(rng.choice([0.05, 1.0, 100.0]))
        messages = messages_of(rng, nodes, spread_s)
        can_wait = medium == {"technology": "lorawan"}
        for _ in range(2):
            found = carried(tables, messages, seed)
            obey(found, tables, messages, can_wait)
            assert outcome(carried(tables, messages, seed)) == outcome(found), "the same seed, the same end"
            tables["outage"] = outages(rng, nodes, spread_s)


@pytest.mark.parametrize("medium", MEDIA, ids=name_of)
def test_another_seed_has_other_luck(medium: dict[str, Any]) -> None:
    nodes = [{"name": f"n{k}", "x_m": float(k)} for k in range(5)]
    tables = {"node": nodes, "medium": [{"members": [node["name"] for node in nodes], **medium, "loss": 0.5}]}
    messages = [Message(k, k * S // 4, 1 + k % 4, 0, 40) for k in range(80)]
    ends = [outcome(carried(tables, messages, seed)) for seed in range(3)]
    assert ends[0] != ends[1] != ends[2] != ends[0]


@pytest.mark.parametrize("medium", MEDIA, ids=name_of)
@pytest.mark.parametrize("end", ["sender", "receiver"])
def test_a_node_that_is_down_delivers_and_receives_nothing(medium: dict[str, Any], end: str) -> None:
    nodes = [{"name": f"n{k}", "x_m": float(k)} for k in range(3)]
    for sender, receiver in ((1, 0), (0, 1)):
        name = f"n{sender if end == 'sender' else receiver}"
        tables = {
            "node": nodes,
            "medium": [{"members": ["n0", "n1", "n2"], **medium}],
            "outage": [{"node": name, "begin_s": 20.0, "end_s": 40.0}],
        }
        # The others speak, so that a gateway could answer them.
        messages = [Message(k, k * S // 4, sender, receiver, 20) for k in range(240)]
        messages += [Message(240 + k, k * S, 2 - k % 2, 0, 10) for k in range(60) if 2 - k % 2 != receiver]
        found = carried(tables, messages, 1)
        for k, message in enumerate(messages):
            if name == f"n{message.destination}":
                assert not 20 * S < found.delivered_ns[k] < 40 * S
            if name == f"n{message.source}" and 20 * S <= message.sent_ns < 40 * S:
                assert WORDS[found.status[k]] == "outage"
            if name == f"n{message.source}" and found.delivered_ns[k] >= 0:  # what is under way by then arrives
                assert message.sent_ns < 20 * S or found.delivered_ns[k] > 40 * S


def test_a_link_that_is_down_loses_what_it_has() -> None:
    tables = content(2, [Link(0, 1, 1000)])
    tables["outage"] = [{"from": "n0", "to": "n1", "begin_s": 1.5, "end_s": 4.0}]
    messages = [Message(k, at * S, 0, 1, 125) for k, at in enumerate([0, 0, 0, 2, 4, 5])]
    found = carried(tables, messages, 1)
    words = [WORDS[status] for status in found.status]
    assert words == ["delivered", "outage", "outage", "outage", "delivered", "delivered"]
    assert found.delivered_ns.tolist() == [S, -1, -1, -1, 5 * S, 6 * S]


def test_an_outage_within_the_gap_after_a_frame_loses_only_what_waits() -> None:
    nodes = [{"name": f"n{k}"} for k in range(3)]
    medium = {"members": ["n0", "n1", "n2"], "access": "csma", "rate_bps": 1000, "gap_s": 0.5, "delay_s": 0.001}
    for end_s in (1.2, 9.0):
        tables = {"node": nodes, "medium": [medium], "outage": [{"node": "n0", "begin_s": 1.1, "end_s": end_s}]}
        found = carried(tables, [Message(0, 0, 0, 1, 125), Message(1, 0, 0, 1, 125)], 1)
        assert found.delivered_ns.tolist() == [1_001_000_000, -1]
        assert [WORDS[status] for status in found.status] == ["delivered", "outage"]


@pytest.mark.parametrize("access", ["aloha", "slotted-aloha"])
def test_frames_that_do_not_meet_do_not_collide_however_many_there_are(access: str) -> None:
    nodes = [{"name": f"n{k}"} for k in range(3)]
    medium = {"members": ["n0", "n1", "n2"], "access": access, "rate_bps": 1e5, "slot_s": 0.1}
    messages = [Message(k, k * S, k % 2, 2, 20) for k in range(400)]
    assert carried({"node": nodes, "medium": [medium]}, messages, 1).summary()["delivered"] == 400


def test_a_lorawan_downlink_of_one_frame_takes_the_first_window_after_one_uplink() -> None:
    nodes = [{"name": "gateway"}, {"name": "device", "x_m": 100.0}]
    medium = {"members": ["gateway", "device"], "technology": "lorawan", "loss": 0.0}
    found = carried({"node": nodes, "medium": [medium]}, [Message(0, 0, 0, 1, 20), Message(1, S, 1, 0, 10)], 1)
    assert [WORDS[status] for status in found.status] == ["delivered", "delivered"]
    assert S < found.delivered_ns[0] - found.delivered_ns[1] < 2 * S


@pytest.mark.parametrize(("size_bytes", "least", "most"), [(20, 0.97, 0.985), (50, 0.95, 0.98), (196, 0.88, 0.95)])
def test_lorawan_reads_meters_as_operators_use_it_and_not_with_signatures(
    size_bytes: int, least: float, most: float
) -> None:
    """500 meters at 800 per km² around one gateway, a reading each quarter hour, unacknowledged.

    All are near enough for factor 7, whose frames hold 222 bytes. 196 and 13 of headers take 333 ms, a load of 0.062 in each
    of three channels; pure ALOHA with capture of 6 dB lets 91 % of them through, and 1 % is lost otherwise.
    """
    random = np.random.default_rng(1)
    meters, readings = 500, 24
    far_m = 1000.0 * np.sqrt(meters / 800.0 / np.pi * random.random(meters))
    angle = 2.0 * np.pi * random.random(meters)
    nodes = [{"name": "gateway"}]
    nodes += [{"name": f"n{k + 1}", "x_m": x, "y_m": y} for k, (x, y) in enumerate(places(far_m, angle))]
    tables = {"node": nodes, "medium": [{"members": [node["name"] for node in nodes], "technology": "lorawan"}]}
    began_ns = random.integers(0, 900 * 10**9, meters)
    messages = [
        Message(j * meters + k, int(began_ns[k]) + j * 900 * 10**9, k + 1, 0, size_bytes)
        for j in range(readings)
        for k in range(meters)
    ]
    found = carried(tables, messages, 1)
    assert least < np.mean(found.delivered_ns >= 0) < most


def places(far_m: np.ndarray, angle: np.ndarray) -> list[tuple[float, float]]:
    return list(zip((far_m * np.cos(angle)).tolist(), (far_m * np.sin(angle)).tolist(), strict=True))


def test_what_waits_for_a_device_that_never_speaks_is_waiting() -> None:
    nodes = [{"name": "gateway"}, {"name": "device", "x_m": 100.0}]
    medium = {"members": ["gateway", "device"], "technology": "lorawan"}
    found = carried({"node": nodes, "medium": [medium]}, [Message(0, 0, 0, 1, 20)], 1)
    assert [WORDS[status] for status in found.status] == ["waiting"]


def test_three_hundred_stations_that_begin_together_keep_the_slots() -> None:
    """Every delivery of 802.11 ends a whole number of slots after the medium became idle."""
    nodes = [{"name": f"n{k}"} for k in range(601)]
    medium = {"members": [node["name"] for node in nodes], "access": "dcf", "rate_bps": 8_000_000, "retries": 50}
    messages = [Message(k, k // 300 * 5_000 * 1000, 1 + k, 0, 1000) for k in range(600)]
    found = carried({"node": nodes, "medium": [medium]}, messages, 1)
    times = np.sort(found.delivered_ns[found.delivered_ns >= 0])
    assert len(times) > 300
    frame_ns, tail_ns = 20_000 + 1_000_000, 60_000
    assert np.diff(times).min() >= frame_ns + tail_ns + 34_000


def test_one_queue_of_all_members_serves_both_directions() -> None:
    nodes = [{"name": f"n{k}"} for k in range(3)]
    medium = {"members": ["n0", "n1", "n2"], "access": "queue", "rate_bps": 1000, "queue_packets": 1}
    found = carried({"node": nodes, "medium": [medium]}, [Message(k, 0, k, (k + 1) % 3, 125) for k in range(3)], 1)
    assert found.delivered_ns.tolist() == [S, 2 * S, -1]


def test_a_frame_of_no_duration_keeps_its_slot() -> None:
    tables = {"node": [{"name": "a"}, {"name": "b"}]}
    tables["medium"] = [{"members": ["a", "b"], "access": "tdma", "rate_bps": 1e12, "slot_s": 0.01}]  # type: ignore[list-item]
    found = carried(tables, [Message(0, 5_000_000, 1, 0, 1)], 1)
    assert found.delivered_ns.tolist() == [10_000_000]


@pytest.mark.parametrize("name", ALONE)
def test_a_technology_of_its_own_line_carries_what_is_sent(name: str) -> None:
    tables = {"node": [{"name": "a"}, {"name": "b", "x_m": 1000.0}]}
    tables["link"] = [{"from": "a", "to": "b", "technology": name, "loss": 0.0}]  # type: ignore[list-item]
    facts = technologies()[name]
    found = carried(tables, [Message(0, 0, 0, 1, 100)], 1)
    assert found.delivered_ns[0] == pytest.approx(1e9 * (facts.airtime_s(100) + facts.delay_s) + facts.ns_per_km, abs=2)
