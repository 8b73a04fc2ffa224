"""A watched message is seen hop by hop, on every method of access, and watching changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from heptagrid.foundation.domains import Domain, Kind
from heptagrid.planes.messages import plane as plane_module
from heptagrid.planes.messages import tables as t
from heptagrid.planes.messages.kernel.event_queue import EventQueue
from heptagrid.planes.messages.kernel.message_tracer import WatchedQueue
from heptagrid.planes.messages.plane import MessagePlane
from heptagrid.planes.messages.tables import Ints, Outcome
from heptagrid.studies.carry import api
from tests.messages.test_outages import report, streets
from tests.messages.test_timeouts import METERS, star

pytestmark = pytest.mark.long

S = 1_000_000_000

NODES = "".join(f'[[node]]\nname = "n{k}"\nx_m = {40.0 * k}\ny_m = 0.0\n' for k in range(8))
MEMBERS = 'members = ["n0", "n1", "n2", "n3", "n4", "n5"]\n'
LINK = '[[link]]\nfrom = "n5"\nto = "n6"\nrate_bps = 20e3\ndelay_s = 0.001\nloss = 0.2\nretries = 2\n'
MEDIA = {
    "csma": "rate_bps = 1e6\nloss = 0.1\nretries = 1",
    "csma-ca": "rate_bps = 50e3\nloss = 0.1\nretries = 3",
    "slotted-csma-ca": "rate_bps = 50e3\nloss = 0.1\nretries = 3",
    "dcf": "rate_bps = 1e6\nloss = 0.1\nretries = 4",
    "aloha": "rate_bps = 50e3\nloss = 0.1\nretries = 3",
    "slotted-aloha": "rate_bps = 50e3\nslot_s = 0.05\nloss = 0.1\nretries = 3",
    "tdma": "rate_bps = 50e3\nslot_s = 0.01\nloss = 0.1\nretries = 2",
    "cellular": 'technology = "lte-m"\nbase = "n5"\nloss = 0.1\nretries = 2',
    "class-a": 'technology = "lorawan"\nbase = "n5"\nloss = 0.0',
}


class EveryEvent(WatchedQueue):
    """The plain way to watch: look at a message after each event of all messages while it lives."""

    def advance(self, due: Ints, until_ns: int) -> Outcome:
        parts, cursor = [], 0
        while True:
            following = int(due[cursor, t.SENT]) if cursor < len(due) else int(t.NEVER)
            when = min(self._queue.next_ns, following) if self._queue.hop_events else following
            if when > until_ns:
                break
            last = int(np.searchsorted(due[:, t.SENT], when, side="right"))
            busy_ns = self.net.port[:, t.P_BUSY].copy()
            parts.append(self._queue.advance(due[cursor:last], when))
            for one in due[cursor:last][np.isin(due[cursor:last, t.ID], self._wanted)]:
                self._begin(one)
            cursor = last
            for message in list(self._rows):
                self._look(self.traces[message], when, busy_ns, parts[-1])
        parts.append(self._queue.advance(due[cursor:], until_ns))
        return Outcome(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def files(tmp_path: Path, access: str, link: str = "") -> tuple[Path, Path]:
    network, traffic = tmp_path / "network.toml", tmp_path / "traffic.csv"
    named = "" if "technology" in MEDIA[access] else f'access = "{access}"\n'
    medium = f"[[medium]]\n{named}{MEMBERS}{MEDIA[access]}\n"
    network.write_text(NODES + medium + LINK + link + '[[link]]\nfrom = "n6"\nto = "n5"\nrate_bps = 1e5\n')
    rows = ["sent_s,source,destination,bytes,priority"]
    for k in range(60):
        there = k % 4 != 3 and access != "class-a"
        rows.append(f"{0.03 * (k // 3)},n{k % 5},n6,{60 + k % 7},{k % 2}" if there else f"{0.03 * k},n6,n{k % 5},80,0")
    if access == "class-a":
        rows += [f"{2.0 * k},n{k % 5},n6,20,0" for k in range(30)]
        rows[1:] = sorted(rows[1:], key=lambda row: float(row.split(",")[0]))
    traffic.write_text("\n".join(rows) + "\n")
    return network, traffic


@pytest.mark.parametrize(
    ("access", "link"),
    [(access, "") for access in MEDIA] + [("csma-ca", "priorities = 2\n"), ("csma-ca", "queue_packets = 3\n")],
)
def test_a_watched_message_is_seen_on_every_hop(
    access: str, link: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = files(tmp_path, access, link)
    plain = api.carry(*paths)
    ids = range(0, len(plain.delivered_ns), 3)
    watches: list[Any] = []
    for watch in (WatchedQueue, EveryEvent):

        def watched(*given: Any, watch: type[WatchedQueue] = watch) -> Any:
            watches.append(watch(EventQueue(*given), ids))
            return watches[-1]

        monkeypatch.setattr(api, "EventQueue", watched)
        again = api.carry(*paths)
        assert np.array_equal(plain.delivered_ns, again.delivered_ns), "watching changes nothing"
        assert np.array_equal(plain.status, again.status)
    assert watches[0].traces == watches[1].traces, "stops at a message's own events and ports are enough"
    for message in ids:
        traced = watches[0].traces[message]
        delivered = int(plain.delivered_ns[message])
        assert (traced.delivered_ns or -1) == delivered
        (copy,) = traced.copies
        if delivered < 0:
            assert traced.lost == copy.hops[-1].lost == plain.status[message] - 1 or not traced.is_over
            continue
        assert len(copy.hops) == plain.hops[message]
        assert copy.hops[0].arrived_ns == traced.sent_ns
        assert copy.hops[-1].out_ns == delivered
        for hop, following in zip(copy.hops, copy.hops[1:], strict=False):
            assert hop.out_ns == following.arrived_ns
        for hop in copy.hops:
            assert hop.sent >= 1, (message, hop)
            assert hop.air_ns > 0
            assert hop.queue_ns is not None and hop.queue_ns >= 0
            assert hop.access_ns is not None and hop.access_ns >= 0, (message, hop)
            assert hop.arrived_ns + hop.queue_ns + hop.access_ns + hop.air_ns + hop.travel_ns == hop.out_ns
    hops = [hop for one in watches[0].traces.values() for copy in one.copies for hop in copy.hops]
    assert any(hop.sent > 1 for hop in hops) or "aloha" in access or access == "class-a", "lost frames are sent again"
    assert any(hop.queue_ns for hop in hops) or "aloha" in access, "some had to wait behind others"


@pytest.mark.parametrize("what", ["fail", "cut"])
def test_repeats_answers_and_outages_are_seen_as_from_every_event(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, traces = streets(), []
    for watch in (WatchedQueue, EveryEvent):
        monkeypatch.setattr(plane_module, "WatchedQueue", watch)
        plane = MessagePlane(plan.topology, 1)
        watched = plane.watch(range(0, 24, 2))
        places = plan.gateways[:3] if what == "fail" else plan.concentrators[:1]
        getattr(plane, what)(places, 10 * S, 500 * S, notice_ns=60 * S)
        for at_s in (9.8, 400.0):
            report(plane, plan, Kind.METER_READING, np.arange(12), at_s + 0.05 * np.arange(12))
        for until_s in range(60, 1200, 60):
            plane.advance(until_s * S)
        assert watched.is_done
        traces.append(watched.traces)
    assert traces[0] == traces[1]
    seen = traces[0].values()
    assert any(sum(not copy.is_ack for copy in one.copies) > 1 for one in seen), "some were sent again"
    hops = [hop for one in seen for copy in one.copies for hop in copy.hops]
    waited = any(hop.arrived_ns < 480 * S and hop.out_ns is not None and hop.out_ns > 500 * S for hop in hops)
    assert waited == (what == "cut"), "only a line that is cut keeps what it has"


def test_a_message_of_two_hours_is_looked_at_as_often_as_something_happens_to_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One line takes 7,300 s. Its alarm goes out four times, is answered each time, and 20,000 others pass by meanwhile."""
    topology = star()
    topology.delay_ns[[0, METERS]] = 7300 * S
    plane = MessagePlane(topology, 1)
    kept: list[Outcome] = []
    plain = EventQueue.advance

    def advance(*given: Any) -> Outcome:
        kept.append(plain(*given))
        return kept[-1]

    monkeypatch.setattr(EventQueue, "advance", advance)
    watched = plane.watch([0])
    every = {"sender": Domain.CUSTOMERS, "receiver": Domain.OPERATIONS}
    plane.send(Kind.ALARM, np.array([1]), np.array([0]), np.array([S]), **every)
    meters, to = np.arange(2, METERS + 1), np.zeros(METERS - 1, dtype=np.int64)
    for minute in range(100):
        plane.send(Kind.ALARM, meters, to, np.full(METERS - 1, 60 * minute * S), **every)
    spans = 5
    arrived = sum(len(plane.advance(k * 3600 * S)[0]) for k in range(1, spans + 1))
    assert arrived == 1 + 100 * (METERS - 1) and watched.is_done
    [traced] = watched.traces.values()
    assert traced.delivered_ns == S + 1_568_000 + 7300 * S, "196 bytes at 1 Mbit/s"
    assert sum(not one.is_ack for one in traced.copies) == 4
    happens = 1 + 3 + 4 + 4  # it leaves, three time-outs, four arrivals, four answers are back
    assert len(kept) <= 2 * (happens + spans)
    owned = sum((column if column.base is None else column.base).nbytes for one in kept for column in one)
    assert owned == 16 * 2 * arrived, "times of arrivals and answers, and no room for what might have happened"
