"""Other ways during an outage: whoever sends while something is down goes round it, if anything leads round."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from heptagrid.foundation.errors import FileError
from heptagrid.studies.carry.api import carry
from tests.carry.networks import WORDS, carried, content
from tests.carry.reference import Link, Message, shortest_path

S = 1_000_000_000
MS = 1_000_000
# From 0 to 3: over 1 in 2 ms, over 2 in 6 ms; nothing takes time but the delays.
DIAMOND = [
    Link(0, 1, 10**15, MS),
    Link(1, 3, 10**15, MS),
    Link(0, 2, 10**15, 3 * MS),
    Link(2, 3, 10**15, 3 * MS),
    Link(2, 1, 10**15, 9 * MS),
]


def diamond(*outages: dict[str, Any], **others: Any) -> dict[str, Any]:
    return {**content(4, DIAMOND), "outage": list(outages), **others}


def fates(tables: dict[str, Any], sent_s: list[float]) -> list[int | str]:
    """The delay of each message from 0 to 3 in milliseconds, or what became of it."""
    found = carried(tables, [Message(k, round(at * S), 0, 3, 10) for k, at in enumerate(sent_s)], 1)
    delays = [round(int(found.delivered_ns[k]) / MS - 1000 * at) for k, at in enumerate(sent_s)]
    return [
        delay if WORDS[found.status[k]] == "delivered" else WORDS[found.status[k]] for k, delay in enumerate(delays)
    ]


@pytest.mark.parametrize("what", [{"from": "n1", "to": "n3"}, {"from": "n0", "to": "n1"}, {"node": "n1"}])
def test_while_a_way_is_down_messages_take_the_next_best(what: dict[str, str]) -> None:
    tables = diamond({**what, "begin_s": 1.0, "end_s": 2.0})
    assert fates(tables, [0.5, 1.0, 1.5, 2.0]) == [2, 6, 6, 2]


def test_what_is_under_way_does_not_turn() -> None:
    tables = diamond({"from": "n1", "to": "n3", "begin_s": 1.0, "end_s": 2.0})
    assert fates(tables, [0.9995, 1.9995]) == ["outage", 6]


def test_until_the_fail_over_messages_run_into_what_is_down_and_later_still_round_it() -> None:
    tables = diamond({"node": "n1", "begin_s": 1.0, "end_s": 2.0}, failover_s=0.2)
    assert fates(tables, [0.9, 1.1, 1.2, 2.1, 2.2]) == [2, "outage", 6, 6, 2]
    with pytest.raises(FileError, match=r"failover_s is -1; it must be at least 0"):
        carried(diamond(failover_s=-1), [], 1)


def test_without_another_way_a_message_is_lost_where_its_own_is_broken() -> None:
    tables = diamond(
        {"node": "n1", "begin_s": 1.0, "end_s": 3.0}, {"from": "n2", "to": "n3", "begin_s": 2.0, "end_s": 4.0}
    )
    assert fates(tables, [1.5, 2.5, 3.5]) == [6, "outage", 2]
    for node in ("n0", "n3"):
        assert fates(diamond({"node": node, "begin_s": 1.0}), [0.5, 1.5]) == [2, "outage"]


def test_overlapping_outages_end_with_the_last() -> None:
    rows = [{"node": "n1", "begin_s": begin, "end_s": end} for begin, end in ((1.0, 3.0), (2.0, 4.0))]
    assert fates(diamond(*rows), [1.5, 3.5, 4.0]) == [6, 6, 2]


def test_a_static_route_over_what_is_down_does_not_count() -> None:
    route = {"at": "n0", "to": "n3", "next": "n2"}
    assert fates(diamond(route=[route]), [0.5]) == [6]
    tables = diamond({"node": "n2", "begin_s": 1.0, "end_s": 2.0}, route=[route])
    assert fates(tables, [0.5, 1.5, 2.5]) == [6, 2, 6]


def test_a_static_route_that_leads_nowhere_meanwhile_does_not_count_either() -> None:
    """At node 2 what is for 3 goes to 1; with the link from 1 to 3 down, nothing leads on from there."""
    route = {"at": "n2", "to": "n3", "next": "n1"}
    tables = diamond({"from": "n1", "to": "n3", "begin_s": 1.0, "end_s": 2.0}, route=[route])
    assert fates(tables, [0.5, 1.5]) == [2, 6]


def test_a_detour_has_its_own_limits() -> None:
    tables = diamond({"node": "n1", "begin_s": 1.0, "end_s": 2.0})
    tables["link"][3]["mtu_bytes"] = 5
    assert fates(tables, [0.5]) == [2]
    with pytest.raises(FileError, match="10 bytes are more than the 5 that a frame on its way carries"):
        fates(tables, [0.5, 1.5])


@pytest.mark.parametrize("seed", range(40))
def test_detours_are_the_shortest_paths_over_what_is_up(seed: int) -> None:
    rng = np.random.default_rng(seed)
    nodes = int(rng.integers(4, 9))
    ends = [(a, b) for a in range(nodes) for b in range(nodes) if a != b and rng.random() < 0.5]
    ends += [(k, (k + 1) % nodes) for k in range(nodes) if (k, (k + 1) % nodes) not in ends]
    links = [Link(a, b, 10**15, int(rng.integers(1, 6)) * MS) for a, b in ends]
    dead = [(int(rng.integers(0, nodes)), *sorted(rng.choice(20, 2, replace=False).tolist())) for _ in range(3)]
    cut = [(int(rng.integers(0, len(links))), *sorted(rng.choice(20, 2, replace=False).tolist())) for _ in range(6)]
    tables = content(nodes, links)
    tables["outage"] = [{"node": f"n{k}", "begin_s": begin, "end_s": end} for k, begin, end in dead]
    for k, begin, end in cut:
        near, far = f"n{links[k].source}", f"n{links[k].destination}"
        tables["outage"].append({"from": near, "to": far, "begin_s": begin, "end_s": end})
    messages = []
    for row in range(100):
        source = int(rng.integers(0, nodes))
        to = int((source + rng.integers(1, nodes)) % nodes)
        messages.append(Message(row, int(rng.integers(0, 21)) * S + S // 2, source, to, 1))
    found = carried(tables, messages, 1)
    detours = 0
    for message in messages:
        at = message.sent_ns // S
        down = {k for k, begin, end in dead if begin <= at < end}
        lost = {k for k, begin, end in cut if begin <= at < end}
        up = [k for k, one in enumerate(links) if k not in lost and not {one.source, one.destination} & down]
        try:
            way = [up[k] for k in shortest_path([links[k] for k in up], message.source, message.destination)]
        except KeyError:
            assert WORDS[found.status[message.row]] == "outage"
            continue
        assert found.delivered_ns[message.row] == message.sent_ns + sum(links[k].delay_ns for k in way)
        assert found.hops[message.row] == len(way)
        detours += way != shortest_path(links, message.source, message.destination)
    assert detours > 0


ROUND = "".join(f'[[node]]\nname = "{name}"\n' for name in "abmc") + "".join(
    f'[[link]]\nfrom = "{x}"\nto = "{y}"\nrate_bps = 1e9\ndelay_s = {delay_s}\n'
    for u, v, delay_s in (("a", "m", 0.001), ("m", "b", 0.001), ("a", "c", 0.01), ("c", "b", 0.01))
    for x, y in ((u, v), (v, u))
)
DOWN = '[[outage]]\nnode = "m"\nbegin_s = 0\nend_s = 10\n'


def loops(folder: Path, more: str, traffic: str) -> list[dict[str, str]]:
    (folder / "network.toml").write_text(ROUND + DOWN + more)
    (folder / "traffic.csv").write_text(traffic)
    carry(folder / "network.toml", folder / "traffic.csv", folder / "out.csv")
    return list(csv.DictReader((folder / "out.csv").read_text().splitlines()))


def test_answers_and_acknowledgements_go_round_only_while_something_is_down(tmp_path: Path) -> None:
    """2 ms by way of m, which is down until 10 s, and 20 ms round it, each way; 8 ns a byte and link."""
    header = "name,sent_s,source,destination,bytes,answers,ack_timeout_s,ack_bytes\n"
    rows = loops(tmp_path, "", header + "q,1,a,b,1,,1,1\nr,100,a,b,1,,1,1\ns,100,a,b,1,,,\nt,,b,a,1,s,,\n")
    assert [round(1e3 * (float(row["delivered_s"]) - float(row["left_s"])), 3) for row in rows] == [20.0, 2.0, 2.0, 2.0]
    acked_ms = [1e3 * (float(row["acknowledged_s"]) - float(row["left_s"])) for row in rows[:2]]
    assert [round(each, 3) for each in acked_ms] == [40.0, 4.0]


def test_a_copy_that_is_repeated_after_an_outage_goes_its_usual_way(tmp_path: Path) -> None:
    """The first copy, at 9.99 s, goes round, where all is lost; the second, at 10.99 s, takes 2 ms."""
    lost = ROUND.replace('from = "c"\nto = "b"\nrate_bps = 1e9\n', 'from = "c"\nto = "b"\nrate_bps = 1e9\nloss = 1.0\n')
    (tmp_path / "network.toml").write_text(lost + DOWN)
    (tmp_path / "traffic.csv").write_text(
        "sent_s,source,destination,bytes,ack_timeout_s,retries,ack_bytes\n9.99,a,b,1,1,3,1\n"
    )
    carry(tmp_path / "network.toml", tmp_path / "traffic.csv", tmp_path / "out.csv")
    (row,) = csv.DictReader((tmp_path / "out.csv").read_text().splitlines())
    assert row["copies"] == "2" and round(float(row["delivered_s"]), 5) == 10.992


def test_a_detour_of_a_row_that_answers_has_its_own_limits(tmp_path: Path) -> None:
    narrow = ROUND.replace(
        'from = "b"\nto = "c"\nrate_bps = 1e9\n', 'from = "b"\nto = "c"\nrate_bps = 1e9\nmtu_bytes = 5\n'
    )
    (tmp_path / "network.toml").write_text(narrow + DOWN + '[[group]]\nname = "all"\nmembers = ["b", "m"]\n')
    traffic = "name,sent_s,source,destination,bytes,answers\nx,50,a,all,1,\nq,{at_s},a,b,10,\nr,,b,a,10,q\n"
    for at_s in (1, 100):
        (tmp_path / "traffic.csv").write_text(traffic.format(at_s=at_s))
        if at_s == 100:
            carry(tmp_path / "network.toml", tmp_path / "traffic.csv")
            continue
        with pytest.raises(FileError, match=r"row 3 \(line 4\): 10 bytes are more than the 5 that a frame on its way"):
            carry(tmp_path / "network.toml", tmp_path / "traffic.csv")
