"""Wi-Fi and broadband power line in `carry`: stations that count slots, and of which some do not hear each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from heptagrid.validate.messages_hidden import TwoGroups
from tests.carry.networks import WORDS, carried
from tests.carry.reference import Message

US = 1_000
FRAME, SIFS, ACK, DIFS, SLOT = 220 * US, 16 * US, 44 * US, 34 * US, 9 * US
"""802.11 OFDM; 100 bytes at 4 Mbit/s take 200 us, and the preamble 20 us."""
BEGIN = 1_000 * US  # the medium has been idle for long


def cell(**settings: Any) -> dict[str, Any]:
    """An access point, and a station 50 m from it on either side; each hears 60 m."""
    nodes = [{"name": "ap"}, {"name": "left", "x_m": -50.0}, {"name": "right", "x_m": 50.0}]
    row = {"access": "dcf", "members": ["ap", "left", "right"], "rate_bps": 4e6, "sense_m": 60.0, "interfere_m": 60.0}
    return {"node": nodes, "medium": [row | settings]}


def sent(*messages: tuple[int, int]) -> list[Message]:
    """Messages of 100 bytes to the access point: (when after `BEGIN`, from)."""
    return [Message(k, BEGIN + when, source, 0, 100) for k, (when, source) in enumerate(messages)]


@pytest.mark.parametrize(
    ("sense_m", "words"), [(60.0, ["collision", "collision"]), (101.0, ["delivered", "delivered"])]
)
def test_stations_that_do_not_hear_each_other_collide_at_the_access_point(sense_m: float, words: list[str]) -> None:
    tables = cell(sense_m=sense_m, interfere_m=sense_m, retries=0)
    found = carried(tables, sent((0, 1), (100 * US, 2)), 1)
    assert [WORDS[status] for status in found.status] == words


def test_who_hears_only_the_acknowledgement_waits_until_it_is_over() -> None:
    """It draws 0 to 15 slots, which begin DIFS after the acknowledgement."""
    came = BEGIN + FRAME + SIFS + ACK
    for seed in range(20):
        found = carried(cell(retries=0), sent((0, 1), (FRAME + SIFS + 10 * US, 2)), seed)
        slots, rest = divmod(int(found.delivered_ns[1]) - came - DIFS - FRAME - SIFS - ACK, SLOT)
        assert found.delivered_ns[0] == came
        assert (rest, slots in range(16)) == (0, True)


@pytest.mark.parametrize("begin_ns", [FRAME + 1, FRAME + SIFS - 1])
def test_a_frame_that_begins_right_before_an_acknowledgement_is_not_heard_by_who_sends_that(begin_ns: int) -> None:
    found = carried(cell(retries=0), sent((0, 1), (begin_ns, 2)), 1)
    assert [WORDS[status] for status in found.status] == ["delivered", "collision"]
    assert found.delivered_ns[0] == BEGIN + FRAME + SIFS + ACK


def test_a_station_counts_no_slots_while_it_hears_another() -> None:
    """Three that hear each other: the second and third come while the first sends, and differ by the slots that they drew."""
    nodes = [{"name": name, "x_m": x} for name, x in (("ap", 0.0), ("a", 10.0), ("b", 20.0), ("c", 30.0))]
    row = {"access": "dcf", "members": ["ap", "a", "b", "c"], "rate_bps": 4e6, "sense_m": 60.0, "interfere_m": 60.0}
    exchange = FRAME + SIFS + ACK
    alike = 0
    for seed in range(20):
        found = carried({"node": nodes, "medium": [row]}, sent((0, 1), (50 * US, 2), (60 * US, 3)), seed)
        if (found.delivered_ns < 0).any():
            alike += 1
            continue
        first, second, third = np.sort(found.delivered_ns).tolist()
        assert first == BEGIN + exchange
        earlier = second - first - DIFS - exchange
        assert (earlier % SLOT, earlier < 16 * SLOT) == (0, True)
        later = third - second - DIFS - exchange
        assert (later % SLOT, 0 < later <= 15 * SLOT) == (0, True)
    assert alike < 6  # one of sixteen pairs draws alike and collides


@pytest.mark.parametrize(("stations", "per_s"), [(2, 200.0), (10, 100.0), (20, 50.0)])
def test_what_gets_through_is_what_the_plain_simulation_lets_through(stations: int, per_s: float) -> None:
    """Loaded to half and more with two groups that do not hear each other."""
    cell = TwoGroups(stations)
    arrivals = cell.at_random(per_s, 10_000)
    plain_ns, ours_ns = cell.plain_ns(arrivals), cell.ours_ns(arrivals)
    assert np.mean(ours_ns >= 0) == pytest.approx(np.mean(plain_ns >= 0), abs=0.006)
    plain_s, ours_s = ((there - arrivals[:, 1])[there >= 0].mean() for there in (plain_ns, ours_ns))
    assert ours_s == pytest.approx(plain_s, rel=0.12)


@pytest.mark.parametrize(("name", "far_m"), [("bpl", 100.0), ("wi-fi", 30.0)])
def test_two_on_either_side_of_the_head_end_do_not_hear_each_other(name: str, far_m: float) -> None:
    """167 m of power line (19 dBm - 20 dB of coupling + 26 dBm, 150 dB a km), and 59 m of Wi-Fi at -82 dBm."""
    nodes = [{"name": "head"}, {"name": "left", "x_m": -far_m}, {"name": "right", "x_m": far_m}]
    row = {"technology": name, "members": ["head", "left", "right"], "retries": 0}
    messages = [Message(2 * k + j, 10_000_000 * k + j * 20 * US, 1 + j, 0, 1400) for k in range(100) for j in range(2)]
    share = {}
    for sense_m in (None, 1000.0):
        heard = {} if sense_m is None else {"sense_m": sense_m, "interfere_m": sense_m}
        found = carried({"node": nodes, "medium": [row | heard]}, messages, 1)
        share[sense_m] = float(np.mean([WORDS[status] == "collision" for status in found.status]))
    assert share[None] > 0.9
    assert share[1000.0] == 0.0
