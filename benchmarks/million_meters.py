"""Meters that report every 15 minutes, each reading acknowledged end to end, over meshes, cells and a core.

Five hundred meters share a collector's Wi-SUN mesh (150 kbit/s, mean depth about three), ten collectors an LTE cell; two cells, 10,000 meters, are an area
with a head end and a core of 20 ms of its own (`networks.suburb`), as a city has them, and so a shard of the message plane. A hop-event is one
copy of a message crossing one server: one hop of a mesh is one, however many back-offs, looks at the channel and repetitions it takes.

Usage: million_meters.py [meters, default 100000] [quarter hours, default 4] [threads, default 1] [--whole]. A day of a million is 1000000 96: otherwise it
says that the day is extrapolated. A tenth of the meters is carried as well, to show that the time is linear in messages. --whole: one core and one queue for all.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.networks import suburb
from heptagrid.contracts.kinds import FACTS
from heptagrid.planes.messages import tables as t
from heptagrid.planes.messages.kernel.event_queue import EventQueue, fact_table
from heptagrid.planes.messages.kernel.shards import Shards

QUARTER_NS = 900_000_000_000


def carry(meters: int, quarters: int, threads: int, is_whole: bool) -> tuple[float, float]:
    """Processor time and time (s) of some quarter hours, and of the silence after them."""
    network = suburb(meters, period_ns=QUARTER_NS, cells_of_area=0 if is_whole else 2)
    given = network.net, network.paths, fact_table(FACTS), 1
    queue: EventQueue | Shards = EventQueue(*given) if is_whole else Shards(*given, 0, network.shard_of)
    gathered: Any = queue.gathered([network.rows[:0]])
    queue.begin(gathered, 0, threads).outcome()  # compiles
    print(f"{len(network.rows):,} meters, mean mesh depth {network.mean_depth:.2f}")
    processor_s = wall_s = 0.0
    for number in range(quarters + 1):
        rows = network.round(number, QUARTER_NS) if number < quarters else network.rows[:0]
        began = time.process_time(), time.perf_counter()
        gathered = queue.gathered([rows])
        queue.begin(gathered, (number + 1) * QUARTER_NS - 1, threads).outcome()
        processor_s += time.process_time() - began[0]
        wall_s += time.perf_counter() - began[1]
    counts = queue.counts_now()
    sent = int(counts.counters[t.N_SENT].sum())
    print(
        f"  {sent:,} messages with acknowledgements, {queue.hop_events:,} hop-events, residual {counts.residual}: "
        f"{processor_s:.2f} s of processor time, {queue.hop_events / processor_s / 1e6:.2f} million hop-events/s, "
        f"{1e6 * processor_s / sent:.2f} us a message; {wall_s:.2f} s on {threads} threads"
    )
    return processor_s, wall_s


def main() -> None:
    numbers = [int(one) for one in sys.argv[1:] if one.isdigit()]
    meters, quarters, threads = (*numbers, *(100_000, 4, 1)[len(numbers) :])
    carry(meters // 10, min(4, quarters), threads, "--whole" in sys.argv)
    processor_s, wall_s = carry(meters, quarters, threads, "--whole" in sys.argv)
    remark = "run whole, not extrapolated" if quarters >= 96 else f"extrapolated from {quarters} quarter hours"
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"a day of {meters:,} meters: {wall_s * 96 / quarters:.0f} s on {threads} threads, {processor_s * 96 / quarters:.0f} s of "
        f"processor time ({remark}), {memory_mb:.0f} MB"
    )


if __name__ == "__main__":
    main()
