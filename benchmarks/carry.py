"""`heptagrid carry`: a million rows from file to file, and hop-events per second of a tree of queues and of contended media.

A hop-event is one message at one link or medium. The tree: 1,000 senders over 20 concentrators and a core to one sink, three
hops. The media: 200 radio networks of 10 members each, IEEE 802.15.4 with collisions. The peers are the tests' plain
reference with simpy, on a hundredth of the tree's traffic, and ns-3 3.44: the most that its best-scaling tree carried,
24,000 packets a second, as once recorded. ns-3 is not run here: that ratio is between two runs, and only a rough one.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.history import report
from heptagrid.engine.carry import api
from tests.carry.networks import carried, content
from tests.carry.reference import Link, Message, Reference

SENDERS, CONCENTRATORS, ROWS = 1000, 20, 1_000_000
NS3_PACKETS_PER_S = 24_000.0
rng = np.random.default_rng(1)


def tree_links() -> list[Link]:
    """Nodes: senders, concentrators, core, sink."""
    core = SENDERS + CONCENTRATORS
    up = [Link(k, SENDERS + k % CONCENTRATORS, 1_000_000, 1_000_000) for k in range(SENDERS)]
    middle = [Link(SENDERS + k, core, 10_000_000, 1_000_000) for k in range(CONCENTRATORS)]
    return [*up, *middle, Link(core, core + 1, 100_000_000, 1_000_000)]


def tree_messages(rows: int, senders: int = SENDERS) -> list[Message]:
    """At 16,000 messages a second, which load the last link to a quarter."""
    sent_ns = np.sort(rng.integers(0, int(rows / 16_000 * 1e9), rows))
    sources = rng.integers(0, senders, rows)
    return [
        Message(k, int(at), int(source), SENDERS + CONCENTRATORS + 1, 200)
        for k, (at, source) in enumerate(zip(sent_ns, sources, strict=True))
    ]


def seconds_from_file_to_file(messages: list[Message]) -> float:
    """Read, carry and write, the best of three."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (folder / "network.toml").open("w", encoding="utf-8") as file:
            for table, rows in content(SENDERS + CONCENTRATORS + 2, tree_links()).items():
                for row in rows:
                    keys = (f"{key} = {value!r}".replace("'", '"') for key, value in row.items())
                    file.write(f"[[{table}]]\n" + "\n".join(keys) + "\n")
        with (folder / "traffic.csv").open("w", encoding="utf-8") as file:
            file.write("sent_s,source,destination,bytes\n")
            file.writelines(f"{m.sent_ns / 1e9:.9f},n{m.source},n{m.destination},{m.size_bytes}\n" for m in messages)
        times = []
        for _ in range(3):
            began = time.perf_counter()
            api.carry(folder / "network.toml", folder / "traffic.csv", folder / "delivered.csv")
            times.append(time.perf_counter() - began)
    return min(times)


def contended() -> tuple[dict[str, Any], list[Message]]:
    """Every member talks to its network's first one, seven times a second."""
    nodes = [{"name": f"n{k}", "x_m": float(k % 10), "y_m": 0.0} for k in range(2000)]
    media = [
        {"members": [f"n{10 * k + j}" for j in range(10)], "access": "csma-ca", "rate_bps": 250_000, "retries": 3}
        for k in range(200)
    ]
    rows = 200_000
    sent_ns, networks = np.sort(rng.integers(0, 12 * 10**9, rows)), rng.integers(0, 200, rows)
    members = rng.integers(1, 10, rows)
    messages = [
        Message(k, int(sent_ns[k]), int(10 * networks[k] + members[k]), int(10 * networks[k]), 100) for k in range(rows)
    ]
    return {"node": nodes, "medium": media}, messages


links, messages = tree_links(), tree_messages(ROWS)
tables = content(SENDERS + CONCENTRATORS + 2, links)
carried(tables, messages[:1000], 1)
some = tree_messages(ROWS // 100)
began = time.perf_counter()
Reference(links, some, 1)
simpy_packets_per_s = len(some) / (time.perf_counter() - began)

tree = min((carried(tables, messages, 1) for _ in range(3)), key=lambda each: each.seconds)
packets_per_s = ROWS / tree.seconds
whole_s = seconds_from_file_to_file(messages)
report(
    "carry, a million rows from file to file",
    whole_s,
    "s",
    ROWS / whole_s / simpy_packets_per_s,
    "simpy in memory",
)
report(
    "carry, tree of queues",
    tree.hop_events / tree.seconds / 1e6,
    "million hop-events/s",
    packets_per_s / simpy_packets_per_s,
    "a plain reference with simpy",
)
report(
    "carry, tree of queues",
    packets_per_s,
    "packets/s",
    packets_per_s / NS3_PACKETS_PER_S,
    "ns-3's best-scaling tree",
    when="as recorded",
)
air = min((carried(*contended(), 1) for _ in range(3)), key=lambda each: each.seconds)
report(
    "carry, contended media",
    air.hop_events / air.seconds / 1e6,
    "million hop-events/s",
    air.hop_events / air.seconds / simpy_packets_per_s,
    "simpy's tree of queues, which has no contention,",
)
print(f"contended media: {air.summary()}")
