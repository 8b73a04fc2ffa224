"""The way down in a cell: paging, classes, a finite buffer, and what a failure of the base station takes with it."""

from __future__ import annotations

from typing import Any

from heptagrid.studies.carry.api import Carried
from tests.carry.networks import WORDS, carried
from tests.carry.reference import Message

S = 1_000_000_000
NAMES = ["base", "d1", "d2", "d3"]


def cell(messages: list[Message], outage: tuple[float, float] | None = None, **settings: Any) -> Carried:
    """Messages of 125 bytes at 1 kbit/s: a second each and what a block adds; no wait for paging or connections."""
    plain = {"rate_bps": 1000, "loss": 0.0, "delay_s": 0.0, "header_bytes": 0, "frame_s": 0.0, "fragmentation": False}
    plain |= {"mtu_bytes": 10_000, "setup_s": 0.0, "paging_s": 0.0, "inactivity_s": 100.0}
    medium = {"members": NAMES, "base": "base", "technology": "lte-m", **plain, **settings}
    tables: dict[str, Any] = {"node": [{"name": name} for name in NAMES], "medium": [medium]}
    if outage:
        tables["outage"] = [{"node": "base", "begin_s": outage[0], "end_s": outage[1]}]
    return carried(tables, messages, 1)


def down(*rows: tuple[float, int, int]) -> list[Message]:
    """Messages of the base station: sent (s), to which device, priority."""
    return [Message(k, round(at * S), 0, to, 125, priority) for k, (at, to, priority) in enumerate(rows)]


def seconds(found: Carried) -> list[float]:
    return [round(at / S, 6) for at in found.delivered_ns.tolist()]


def words(found: Carried) -> list[str]:
    return [WORDS[status] for status in found.status]


def test_messages_down_follow_one_another() -> None:
    assert seconds(cell(down((0, 1, 0), (0, 2, 0), (0.5, 3, 0)))) == [1.0, 2.0, 3.0]


def test_the_urgent_overtake_what_waits_and_not_what_is_being_sent() -> None:
    bulk = [(0.0, 1, 2)] * 4
    found = cell(down(*bulk, (1.5, 2, 0), (1.6, 3, 1)), priorities=3)
    assert seconds(found) == [1.0, 2.0, 5.0, 6.0, 3.0, 4.0]
    assert seconds(cell(down(*bulk, (1.5, 2, 0)))) == [1.0, 2.0, 3.0, 4.0, 5.0], "one class: first come, first served"


def test_what_finds_the_buffer_full_is_dropped() -> None:
    rows = [(0.0, 1, 0)] * 5 + [(1.5, 1, 0)] * 2
    found = cell(down(*rows), queue_packets=2)
    assert words(found) == ["delivered"] * 3 + ["dropped"] * 2 + ["delivered", "dropped"]
    assert seconds(found)[5] == 4.0


def test_what_waits_for_paging_stands_in_the_buffer() -> None:
    rows = [(0.0, 1, 0), (0.0, 2, 0), (0.0, 3, 0)]
    found = cell(down(*rows), queue_packets=2, paging_s=10.24)
    assert words(found) == ["delivered", "delivered", "dropped"]
    assert all(1.0 <= at <= 10.24 + 2.0 for at in seconds(found)[:2])


def test_a_failure_takes_what_waits_whether_for_its_turn_or_for_paging() -> None:
    found = cell(down((0.0, 1, 0), (0.0, 1, 0), (5.0, 1, 0)), outage=(0.5, 0.6))
    assert words(found) == ["outage", "outage", "delivered"]
    for moment in (0.0, 3.0):  # the paging occasion comes long after the station is back
        found = cell(down((moment, 1, 0), (30.0, 1, 0)), outage=(moment + 0.001, moment + 0.002), paging_s=20.48)
        assert words(found) == ["outage", "delivered"]
        assert cell(down((moment, 1, 0)), paging_s=20.48).delivered_ns[0] > (moment + 1.002) * S


def test_a_connected_device_is_not_paged_again() -> None:
    found = cell(down((0.0, 1, 0), (15.0, 1, 0)), paging_s=10.24)
    first, second = seconds(found)
    assert first >= 1.0 and second == 16.0
    later = seconds(cell(down((0.0, 1, 0), (15.0, 1, 0)), paging_s=10.24, inactivity_s=1.0))[1]
    assert later > 16.0


def test_a_device_that_sleeps_is_reached_when_it_has_sent() -> None:
    sleeping = {"paging_s": 2.56, "inactivity_s": 4.0, "active_s": 6.0, "update_s": 3600.0}
    up = Message(0, 600 * S, 1, 0, 125)
    for begin_s in (50.0, 300.0):
        price = Message(1, round(begin_s * S), 0, 1, 125)
        reached = seconds(cell([up, price], **sleeping))[1]
        assert 600.0 < reached < 600.0 + 4.0 + 2.56 + 1.5, (
            "up at 600 s: connected for 4 s, and an occasion within 2.56 s"
        )
    awake = seconds(cell([up, Message(1, 608 * S, 0, 1, 125)], **sleeping))[1]
    assert awake < 608.0 + 2.56 + 1.1, "still listening: paged"
    alone = seconds(cell(down((50.0, 1, 0)), **sleeping))[0]
    assert 3600.0 - 1.0 < alone < 3600.0 + 2.56 + 1.1, "it says nothing: reached when it wakes to tell where it is"
    assert seconds(cell(down((50.0, 1, 0)), **(sleeping | {"active_s": 0.0})))[0] < 50.0 + 2.56 + 1.1


def test_what_waits_for_a_sleeping_device_stands_in_the_buffer_and_fails_with_it() -> None:
    sleeping = {"paging_s": 2.56, "inactivity_s": 4.0, "active_s": 6.0, "update_s": 3600.0}
    assert words(cell(down((50.0, 1, 0), (51.0, 1, 0), (52.0, 2, 0)), queue_packets=2, **sleeping)) == [
        *("delivered", "delivered", "dropped")
    ]
    assert words(cell(down((50.0, 1, 0)), outage=(60.0, 61.0), **sleeping)) == ["outage"]
