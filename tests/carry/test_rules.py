"""The rules of links, each in the smallest case that shows it; 125 bytes at 1 Mbit/s take a millisecond."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from heptagrid.studies.carry.api import Carried
from tests.carry.networks import MS, WORDS, carried, content
from tests.carry.reference import Link, Message

LINK = Link(0, 1, 1_000_000)


def sent(links: list[Link], *rows: tuple[int, ...], seed: int = 1) -> Carried:
    """(ms, source, destination[, bytes[, priority]]) over the links."""
    nodes = 1 + max(max(link.source, link.destination) for link in links)
    filled = [(*row, *(125, 0)[len(row) - 3 :]) for row in rows]
    return carried(content(nodes, links), [Message(k, row[0] * MS, *row[1:]) for k, row in enumerate(filled)], seed)


def ms(found: Carried) -> list[float]:
    return [float(each) / MS if each >= 0 else -1 for each in found.delivered_ns]


def words(found: Carried) -> list[str]:
    return [WORDS[status] for status in found.status]


def test_a_buffer_of_none_carries_what_finds_the_link_idle() -> None:
    found = sent([replace(LINK, queue_packets=0)], (0, 0, 1), (0, 0, 1), (1, 0, 1), (1, 0, 1))
    assert ms(found) == [1, -1, 2, -1]
    assert words(found) == ["delivered", "dropped", "delivered", "dropped"]


@pytest.mark.parametrize("priorities", [1, 3])
def test_the_packet_in_transmission_is_not_counted(priorities: int) -> None:
    link = replace(LINK, queue_packets=2, priorities=priorities)
    assert ms(sent([link], *[(0, 0, 1)] * 4)) == [1, 2, 3, -1]


@pytest.mark.parametrize("priorities", [1, 3])
def test_an_arrival_at_the_end_of_a_transmission_finds_the_place_that_it_frees(priorities: int) -> None:
    link = replace(LINK, queue_packets=1, priorities=priorities)
    assert ms(sent([link], (0, 0, 1), (0, 0, 1), (1, 0, 1), (1, 0, 1))) == [1, 2, 3, -1]


def test_one_buffer_serves_all_classes_and_the_urgent_are_dropped_too() -> None:
    link = replace(LINK, queue_packets=2, priorities=2)
    rows = [(0, 0, 1, 125, 1), (0, 0, 1, 125, 1), (0, 0, 1, 125, 1), (0, 0, 1, 125, 0)]
    assert words(sent([link], *rows)) == ["delivered", "delivered", "delivered", "dropped"]


def test_the_urgent_go_first_and_interrupt_nothing() -> None:
    rows = [(0, 0, 1, 125, 2), (0, 0, 1, 125, 2), (0, 0, 1, 125, 0), (0, 0, 1, 125, 1)]
    assert ms(sent([replace(LINK, priorities=3)], *rows)) == [1, 4, 2, 3]


def test_a_priority_beyond_the_last_class_is_the_last_class() -> None:
    rows = [(0, 0, 1, 125, 9), (0, 0, 1, 125, 7), (0, 0, 1, 125, 1), (0, 0, 1, 125, 0)]
    assert ms(sent([replace(LINK, priorities=2)], *rows)) == [1, 3, 4, 2]


def test_a_link_without_classes_ignores_priorities() -> None:
    assert ms(sent([LINK], (0, 0, 1, 125, 5), (0, 0, 1, 125, 0))) == [1, 2]


def test_an_arrival_at_the_end_of_a_transmission_comes_after_what_waits_however_urgent() -> None:
    rows = [(0, 0, 1, 125, 1), (0, 0, 1, 125, 1), (1, 0, 1, 125, 0)]
    assert ms(sent([replace(LINK, priorities=2)], *rows)) == [1, 2, 3]


def test_arrivals_of_one_nanosecond_from_several_links_are_taken_in_the_order_of_rows() -> None:
    links = [Link(0, 3, 1_000_000), Link(1, 3, 500_000), Link(2, 3, 2_000_000), Link(3, 4, 1_000_000)]
    # All three reach node 3 at 3 ms.
    found = sent(links, (2, 0, 4), (1, 1, 4), (2, 2, 4, 250))
    assert ms(found) == [4, 5, 7]
    assert ms(sent(links, (2, 2, 4, 250), (1, 1, 4), (2, 0, 4))) == [5, 6, 7]
    assert found.hops.tolist() == [2, 2, 2]


def test_rows_out_of_order_are_carried_in_the_order_of_time() -> None:
    assert ms(sent([LINK], (5, 0, 1), (0, 0, 1), (5, 0, 1), (0, 0, 1))) == [6, 1, 7, 2]


def test_a_retry_occupies_the_link() -> None:
    links = [replace(LINK, loss=1.0, retries=2), replace(LINK, source=1, destination=2)]
    found = sent([replace(LINK, loss=0.5, retries=200)], (0, 0, 1), (0, 0, 1))
    assert words(found) == ["delivered", "delivered"]
    assert ms(found)[1] > ms(found)[0] >= 1
    lost = sent(links, (0, 0, 1), (0, 0, 2))
    assert words(lost) == ["lost", "lost"]
    assert lost.hops.tolist() == [0, 0]
    # The next one, on a link that loses each message at first, waits for all attempts of the one before.
    for seed in range(20):
        both = sent([replace(LINK, loss=0.5, retries=1)], (0, 0, 1), (0, 0, 1), seed=seed)
        if words(both) == ["lost", "delivered"]:
            assert ms(both)[1] in (3, 4)
            return
    raise AssertionError("no seed loses the first message alone")


@pytest.mark.parametrize(("size", "rate", "each_ns"), [(1, 3_000_000_000, 3), (2, 3_000_000_000, 5), (1, 10**12, 0)])
def test_a_transmission_is_rounded_to_the_nearest_nanosecond_each_time(size: int, rate: int, each_ns: int) -> None:
    chain = [Link(k, k + 1, rate) for k in range(5)]
    found = sent(chain, (0, 0, 5, size), (0, 0, 5, size))
    assert found.delivered_ns.tolist() == [5 * each_ns, 6 * each_ns]


def test_the_path_is_that_of_least_delay_then_fewest_hops_then_first_in_the_file() -> None:
    slow = Link(0, 3, 1_000_000, delay_ns=3 * MS)
    round_about = [Link(0, 1, 1_000_000, MS), Link(1, 2, 1_000_000, MS), Link(2, 3, 1_000_000, 0)]
    assert sent([slow, *round_about], (0, 0, 3)).hops.tolist() == [3]
    tied = [*round_about[:2], replace(round_about[2], delay_ns=MS), slow]
    assert sent(tied, (0, 0, 3)).hops.tolist() == [1]
    fast, other = Link(0, 1, 2_000_000), Link(0, 1, 1_000_000)
    assert ms(sent([fast, other], (0, 0, 1), (0, 0, 1))) == [0.5, 1]
    assert ms(sent([other, fast], (0, 0, 1), (0, 0, 1))) == [0.5, 1], "the second is there at 1 ms by either"


def test_the_same_seed_loses_the_same_and_another_one_others() -> None:
    link = replace(LINK, loss=0.5)
    rows = [(k, 0, 1) for k in range(64)]
    ends = [words(sent([link], *rows, seed=seed)) for seed in (1, 1, 2)]
    assert ends[0] == ends[1] != ends[2]


def test_what_was_lost_on_the_second_link_has_done_one_hop() -> None:
    links = [LINK, Link(1, 2, 1_000_000, loss=1.0)]
    found = sent(links, (0, 0, 2))
    assert (words(found), found.hops.tolist()) == (["lost"], [1])


def test_a_chain_of_full_buffers_drops_where_the_buffer_is_full() -> None:
    links = [Link(0, 1, 2_000_000), Link(1, 2, 1_000_000, queue_packets=1)]
    found = sent(links, *[(0, 0, 2)] * 6)
    assert words(found).count("dropped") == 2
    assert found.hops[np.array(words(found)) == "dropped"].tolist() == [1, 1]
