"""Networks for which textbooks, specifications and plain simulations give an answer; each test names its source."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from heptagrid.studies.carry.api import Carried, carry_messages
from heptagrid.studies.carry.network_file import build_network
from heptagrid.studies.carry.traffic_file import WORDS, Traffic

S = 1_000_000_000
SERVICE_S = 0.1  # of 100,000 bytes at 8 Mbit/s


def carried(tables: dict[str, Any], sent_ns: Any, source: Any, destination: Any, size_bytes: Any) -> Carried:
    count = len(sent_ns)
    columns = [
        np.ascontiguousarray(np.broadcast_to(np.asarray(each, dtype=np.int64), (count,)))
        for each in (sent_ns, source, destination, size_bytes, 0)
    ]
    return carry_messages(build_network(tables, "network"), Traffic(*columns, table=None), "traffic", 1)


def shared(members: int, **medium: Any) -> dict[str, Any]:
    names = [f"n{k}" for k in range(members)]
    return {"node": [{"name": name} for name in names], "medium": [{"members": names, **medium}]}


def trunk(lines: int, **link: Any) -> dict[str, Any]:
    """So many parallel links from one node to another."""
    one = {"from": "a", "to": "b", "rate_bps": 8e6, **link}
    return {"node": [{"name": "a"}, {"name": "b"}], "link": [one] * lines}


def poisson(load: float, count: int, seed: int = 3) -> tuple[Any, Any]:
    """Times of a Poisson process of that load in Erlang, and exponential sizes with the mean of one service time, to the byte."""
    rng = np.random.default_rng(seed)
    size = rng.exponential(1.0, count)
    size = np.maximum(1.0, np.rint(1e5 * size / size.mean()))
    return np.rint(np.sort(rng.random(count)) * count * SERVICE_S / load * S).astype(np.int64), size


@pytest.mark.parametrize(("lines", "load"), [(3, 3.0), (5, 2.0), (10, 5.0)])
def test_lines_without_buffers_lose_what_erlang_says(lines: int, load: float) -> None:
    """Erlang B (Kleinrock, Queueing Systems I, section 3.6): 0.3462, 0.0367 and 0.0184."""
    terms = [load**k / math.factorial(k) for k in range(lines + 1)]
    sent_ns, size = poisson(load, 500_000)
    found = carried(trunk(lines, queue_packets=0), sent_ns, 0, 1, size)
    assert (found.status != 0).mean() == pytest.approx(terms[-1] / sum(terms), rel=0.04)


def test_two_lines_of_one_trunk_wait_as_erlang_says() -> None:
    """Erlang C (section 3.5): 1.6 Erlang on two lines take 1 / (1 - 0.8 x 0.8) = 2.778 service times."""
    sent_ns, size = poisson(1.6, 400_000)
    found = carried(trunk(2), sent_ns, 0, 1, size)
    assert 1e-9 * (found.delivered_ns - sent_ns).mean() / SERVICE_S == pytest.approx(1.0 / 0.36, rel=0.03)


@pytest.mark.parametrize(("load", "places"), [(0.8, 5), (1.2, 4)])
def test_a_finite_buffer_drops_what_m_m_1_k_says(load: float, places: int) -> None:
    """Kleinrock, section 3.6: (1 - r) r^K / (1 - r^(K + 1)), of which one place is that of the packet being sent."""
    sent_ns, size = poisson(load, 200_000)
    found = carried(trunk(1, queue_packets=places - 1), sent_ns, 0, 1, size)
    blocked = (1.0 - load) * load**places / (1.0 - load ** (places + 1))
    assert (found.status != 0).mean() == pytest.approx(blocked, rel=0.03)


@pytest.mark.parametrize(("members", "load"), [(10, 0.5), (10, 0.8), (4, 0.6)])
def test_time_division_waits_as_a_queue_with_vacations(members: int, load: float) -> None:
    """Bertsekas and Gallager, Data Networks, section 3.5.2: m / (2 (1 - load)) slots of waiting, and one of sending."""
    slot_s, count = 0.01, 200_000
    rng = np.random.default_rng(3)
    sent_ns = np.rint(np.sort(rng.random(count)) * count * slot_s / load * S).astype(np.int64)
    source = rng.integers(0, members, count)
    tables = shared(members, access="tdma", slot_s=slot_s, rate_bps=1e5)
    found = carried(tables, sent_ns, source, (source + 1) % members, 125)
    assert 1e-9 * (found.delivered_ns - sent_ns).mean() / slot_s == pytest.approx(
        1.0 + members / (2.0 * (1.0 - load)), rel=0.02
    )


def test_a_message_of_more_than_one_slot_goes_on_in_the_next_frame() -> None:
    """126 bytes at 100 kbit/s take 10.08 ms: a slot of 10 ms, and 0.08 ms of the one that comes 30 ms later."""
    found = carried(shared(3, access="tdma", slot_s=0.01, rate_bps=1e5), [0, 0], [0, 1], [1, 2], 126)
    assert found.delivered_ns.tolist() == [30_080_000, 40_080_000]


def test_half_a_second_at_one_percent_is_followed_by_49_5_s_of_silence() -> None:
    """The example of the LoRaWAN specification 1.0 on duty cycles (quoted in The Things Network's forum, topic 122)."""
    tables = shared(2, access="aloha", rate_bps=2000.0, duty_cycle=0.01)
    assert carried(tables, [0, 0], 1, 0, 125).delivered_ns.tolist() == [S // 2, S // 2 + 49_500_000_000 + S // 2]


def random_access(sent_s: Sequence[float], seed: int) -> float:
    """The share of devices that get through the random access of 3GPP TR 37.868, opportunity by opportunity, in its words.

    54 preambles, an opportunity each 5 ms, a preamble is detected with the probability 1 - exp(-i) at the i-th attempt, the response
    comes after 5 ms, back-off of up to 20 ms, ten attempts.
    """
    rng = random.Random(seed)
    at: dict[int, list[int]] = {}
    for attempt_s in sent_s:
        at.setdefault(math.ceil(attempt_s / 0.005), []).append(1)
    through = 0
    while at:
        now = min(at)
        chosen: dict[int, list[int]] = {}
        for attempt in at.pop(now):
            chosen.setdefault(rng.randrange(54), []).append(attempt)
        for attempts in chosen.values():
            for attempt in attempts:
                if len(attempts) == 1 and rng.random() < 1.0 - math.exp(-attempt):
                    through += 1
                elif attempt < 10:
                    again = math.ceil(now + 1 + rng.random() * 0.02 / 0.005)
                    at.setdefault(again, []).append(attempt + 1)
    return through / len(sent_s)


@pytest.mark.parametrize(("devices", "published"), [(10_000, 1.0), (30_000, 0.295)])
def test_a_burst_of_devices_overloads_the_random_access_of_lte(devices: int, published: float) -> None:
    """Traffic model 2 of TR 37.868: all within 10 s, by a beta distribution (3, 4).

    The report's 100 % and 29.5 % are from memory (its text could not be read), and it limits the grants of a response besides; the plain
    simulation above has no such limit, and stands beside them.
    """
    rng = np.random.default_rng(1)
    sent_s = np.sort(rng.beta(3.0, 4.0, devices) * 10.0)
    free = {"loss": 0.0, "delay_s": 0.0, "rate_bps": 1e15, "setup_s": 0.0, "grant_s": 0.0}
    tables = shared(devices + 1, technology="lte", **free)
    found = carried(tables, np.rint(sent_s * S), np.arange(1, devices + 1), 0, 20)
    share = (found.status == 0).mean()
    assert share == pytest.approx(random_access(sent_s.tolist(), 1), abs=0.02)
    assert share == pytest.approx(published, abs=0.04)


def slotted_csma_ca(sent_slots: Sequence[float], source: Sequence[int], frame_slots: int, seed: int) -> list[str]:
    """Slotted CSMA/CA of IEEE 802.15.4-2006 (7.5.1.4) without acknowledgements, slot by slot: two looks, then the frame.

    BE 3 to 5, four back-offs, and two slots of silence after a frame.
    """
    rng = random.Random(seed)
    waiting: dict[int, list[int]] = {station: [] for station in set(source)}
    looks: dict[int, tuple[int, int, int, int]] = {}  # station: slot, exponent, back-offs, looks that it needs
    sends: dict[int, int] = {}  # station: slot in which its frame begins
    air: dict[int, list[Any]] = {}  # station: begin, end, whether it is hit
    free = dict.fromkeys(waiting, 0)
    status = [""] * len(sent_slots)

    def back_off(station: int, slot: int) -> None:
        looks[station] = (max(slot, free[station]) + rng.randrange(8), 3, 0, 2)

    def over(station: int, slot: int, said: str) -> None:
        status[waiting[station].pop(0)] = said
        if waiting[station]:
            back_off(station, slot)

    coming = sorted(range(len(sent_slots)), key=lambda k: sent_slots[k])
    slot = 0
    while coming or looks or sends or air:
        slots = [each[0] for each in looks.values()] + list(sends.values()) + [one[1] for one in air.values()]
        slot = min([*slots, *([math.ceil(sent_slots[coming[0]])] if coming else [])])
        while coming and sent_slots[coming[0]] <= slot:
            message = coming.pop(0)
            waiting[source[message]].append(message)
            if len(waiting[source[message]]) == 1:
                back_off(source[message], math.ceil(sent_slots[message]))
        for station in [each for each, one in air.items() if one[1] == slot]:
            _, _, is_hit = air.pop(station)
            free[station] = slot + 2
            over(station, slot, "collision" if is_hit else "delivered")
        for station in [each for each, begin in sends.items() if begin == slot]:
            del sends[station]
            air[station] = [slot, slot + frame_slots, False]
        if sum(one[0] == slot for one in air.values()) > 0 and len(air) > 1:
            for one in air.values():
                one[2] = True
        for station in [each for each, one in looks.items() if one[0] == slot]:
            _, exponent, back_offs, needed = looks.pop(station)
            if air and back_offs == 4:
                over(station, slot + 1, "access")
            elif air:
                exponent = min(exponent + 1, 5)
                looks[station] = (slot + 1 + rng.randrange(1 << exponent), exponent, back_offs + 1, 2)
            elif needed == 2:
                looks[station] = (slot + 1, exponent, back_offs, 1)
            else:
                sends[station] = slot + 1
    return status


@pytest.mark.parametrize(("stations", "per_s"), [(10, 8.0), (60, 4.0)])
def test_slotted_csma_ca_delivers_what_the_plain_simulation_does(stations: int, per_s: float) -> None:
    """60 bytes at 250 kbit/s are six slots of 320 us."""
    count = 10_000
    rng = np.random.default_rng(5)
    sent_ns = np.rint(np.sort(rng.random(count)) * count / (stations * per_s) * S).astype(np.int64)
    source = rng.integers(0, stations, count)
    tables = shared(stations + 1, access="slotted-csma-ca", rate_bps=250e3, ack_s=0.0)
    found = carried(tables, sent_ns, 1 + source, 0, 60)
    ours = np.array([WORDS[each] for each in found.status])
    theirs = np.array(slotted_csma_ca((sent_ns / 320_000).tolist(), source.tolist(), 6, 1))
    for said in ("delivered", "collision", "access"):
        assert (ours == said).mean() == pytest.approx((theirs == said).mean(), abs=0.01), said
