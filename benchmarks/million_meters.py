"""Meters that report every 15 minutes, each reading acknowledged end to end, over meshes, cells and a core.

Five hundred meters share a collector's Wi-SUN mesh (150 kbit/s, mean depth about three), ten collectors an LTE cell; cells
reach the head end over an operator's core of 20 ms (`networks.suburb`). A hop-event is one copy of a message crossing one
server: one hop of a mesh is one, however many back-offs, looks at the channel and repetitions it takes.

Usage: million_meters.py [meters, default 100000] [quarter hours, default 4]. A day of a million is 1000000 96: otherwise it
says that the day is extrapolated. A tenth of the meters is carried as well, to show that the time is linear in messages.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.networks import suburb
from heptagrid.contracts.kinds import FACTS
from heptagrid.planes.messages import tables as t
from heptagrid.planes.messages.kernel.event_queue import EventQueue, fact_table

QUARTER_NS = 900_000_000_000


def carry(meters: int, quarters: int) -> tuple[float, int, int]:
    """Seconds, messages (acknowledgements not counted) and hop-events of some quarter hours, and of the silence after them."""
    network = suburb(meters, period_ns=QUARTER_NS)
    queue = EventQueue(network.net, network.paths, fact_table(FACTS), 1)
    queue.advance(network.rows[:0], 0)  # compiles
    print(f"{len(network.rows):,} meters, mean mesh depth {network.mean_depth:.2f}")
    seconds = 0.0
    for number in range(quarters + 1):
        rows = network.round(number, QUARTER_NS) if number < quarters else network.rows[:0]
        began = time.perf_counter()
        queue.advance(rows, (number + 1) * QUARTER_NS - 1)
        seconds += time.perf_counter() - began
    counts = queue.counts_now()
    sent = int(counts.counters[t.N_SENT].sum())
    print(
        f"  {sent:,} messages with acknowledgements, {queue.hop_events:,} hop-events, residual {counts.residual}: "
        f"{seconds:.2f} s, {queue.hop_events / seconds / 1e6:.2f} million hop-events/s, "
        f"{1e6 * seconds / sent:.2f} us a message"
    )
    return seconds, sent, queue.hop_events


def main() -> None:
    meters = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    quarters = int(sys.argv[2]) if len(sys.argv) > 2 else 4
    carry(meters // 10, min(4, quarters))
    seconds, _, _ = carry(meters, quarters)
    remark = "run whole, not extrapolated" if quarters >= 96 else f"extrapolated from {quarters} quarter hours"
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"a day of {meters:,} meters: {seconds * 96 / quarters:.0f} s ({remark}), {memory_mb:.0f} MB")


if __name__ == "__main__":
    main()
