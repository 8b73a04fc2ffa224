"""Parallel links share their load and back each other up; 125 bytes at 1 kbit/s take one second."""

from __future__ import annotations

from typing import Any

import pytest

from heptagrid.foundation.errors import FileError
from tests.carry.networks import WORDS, carried
from tests.carry.reference import Message

S = 1_000_000_000


def two_links(first: dict[str, Any], second: dict[str, Any], **tables: Any) -> dict[str, Any]:
    links = [
        {"from": "a", "to": "b", "rate_bps": 1000, "name": name, **more}
        for name, more in (("first", first), ("second", second))
    ]
    return {"node": [{"name": "a"}, {"name": "b"}], "link": links, **tables}


def fates(tables: dict[str, Any], sent_s: list[float]) -> list[float | str]:
    """When each message of 125 bytes from a to b is there, in seconds, or what became of it."""
    found = carried(tables, [Message(k, round(at * S), 0, 1, 125) for k, at in enumerate(sent_s)], 1)
    return [
        float(when_ns) / S if when_ns >= 0 else WORDS[status]
        for when_ns, status in zip(found.delivered_ns, found.status, strict=True)
    ]


def test_two_equal_links_carry_twice_as_much() -> None:
    assert fates(two_links({}, {}), [0.0] * 6) == [1.0, 1.0, 2.0, 2.0, 3.0, 3.0]


def test_a_message_takes_the_link_over_which_it_is_there_first() -> None:
    """The second link has a delay of 1.5 s: it pays once two messages wait for the first."""
    assert fates(two_links({}, {"delay_s": 1.5}), [0.0] * 5) == [1.0, 2.0, 2.5, 3.0, 3.5]
    assert fates(two_links({}, {"delay_s": 1.5}), [0.0, 2.0, 4.0]) == [1.0, 3.0, 5.0]
    assert fates(two_links({"delay_s": 1.5}, {"rate_bps": 2000}), [0.0] * 5) == [0.5, 1.0, 1.5, 2.0, 2.5]


def test_a_full_buffer_sends_messages_to_the_other_link() -> None:
    assert fates(two_links({"queue_packets": 0}, {"queue_packets": 1}), [0.0] * 4) == [1.0, 1.0, 2.0, "dropped"]


def test_a_link_that_loses_everything_leaves_the_load_to_the_other() -> None:
    assert fates(two_links({"loss": 1.0}, {}), [0.0] * 4) == [1.0, 2.0, 3.0, 4.0]


def test_an_outage_of_one_link_leaves_the_other() -> None:
    """What is being sent on the first at 1.5 s is lost; what waits there goes behind what waits at the second."""
    tables = two_links({}, {}, outage=[{"link": "first", "begin_s": 1.5, "end_s": 6.0}])
    assert fates(tables, [0.0] * 6) == [1.0, 1.0, "outage", 2.0, 4.0, 3.0]
    assert fates(tables, [1.6, 1.6, 5.0, 5.5, 6.0, 6.0]) == [2.6, 3.6, 6.0, 7.0, 7.0, 8.0]
    assert fates(tables | {"failover_s": 60.0}, [1.6, 1.6]) == [2.6, 3.6]


def test_an_outage_between_two_nodes_takes_all_parallel_links() -> None:
    tables = two_links({}, {}, outage=[{"from": "a", "to": "b", "begin_s": 1.5, "end_s": 4.0}])
    assert fates(tables, [0.0, 0.0, 0.0, 2.0, 4.0]) == [1.0, 1.0, "outage", "outage", 5.0]


def test_parallel_links_take_messages_of_the_same_length_and_names_are_unique() -> None:
    with pytest.raises(FileError, match=r"\[\[link\]\] 1, 2: parallel links from 'a' to 'b' share their load"):
        fates(two_links({}, {"mtu_bytes": 100}), [0.0])
    with pytest.raises(FileError, match=r"\[\[link\]\] 2: name 'first' is taken by another link"):
        fates(two_links({}, {"name": "first"}), [0.0])
    with pytest.raises(FileError, match=r"no \[\[link\]\] has the name 'frist'; did you mean first\?"):
        fates(two_links({}, {}, outage=[{"link": "frist"}]), [0.0])
