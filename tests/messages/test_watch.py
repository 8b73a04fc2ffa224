"""A watched message is seen hop by hop, on every method of access, and watching changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from heptagrid.engine.carry import api
from heptagrid.planes.messages.event_queue import EventQueue
from heptagrid.planes.messages.watch import WatchedQueue

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

    def watched(*arguments: Any) -> Any:
        watches.append(WatchedQueue(EventQueue(*arguments), ids))
        return watches[-1]

    monkeypatch.setattr(api, "EventQueue", watched)
    again = api.carry(*paths)
    assert np.array_equal(plain.delivered_ns, again.delivered_ns), "watching changes nothing"
    assert np.array_equal(plain.status, again.status)
    for message in ids:
        journey = watches[0].journeys[message]
        delivered = int(plain.delivered_ns[message])
        assert (journey.delivered_ns or -1) == delivered
        (copy,) = journey.copies
        if delivered < 0:
            assert journey.lost == copy.legs[-1].lost == plain.status[message] - 1 or not journey.is_over
            continue
        assert len(copy.legs) == plain.hops[message]
        assert copy.legs[0].arrived_ns == journey.sent_ns
        assert copy.legs[-1].out_ns == delivered
        for leg, following in zip(copy.legs, copy.legs[1:], strict=False):
            assert leg.out_ns == following.arrived_ns
        for leg in copy.legs:
            assert leg.sent >= 1, (message, leg)
            assert leg.air_ns > 0
            assert leg.queue_ns is not None and leg.queue_ns >= 0
            assert leg.access_ns is not None and leg.access_ns >= 0, (message, leg)
            assert leg.arrived_ns + leg.queue_ns + leg.access_ns + leg.air_ns + leg.travel_ns == leg.out_ns
    legs = [leg for one in watches[0].journeys.values() for copy in one.copies for leg in copy.legs]
    assert any(leg.sent > 1 for leg in legs) or "aloha" in access or access == "class-a", "lost frames are sent again"
    assert any(leg.queue_ns for leg in legs) or "aloha" in access, "some had to wait behind others"
