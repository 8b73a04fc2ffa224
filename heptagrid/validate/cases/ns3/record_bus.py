"""Records ns-3's figures of the buses in bus.csv, whose first columns say what they are: `python record_bus.py`."""

from __future__ import annotations

import csv

from heptagrid.validate.messages_bus import RECORDED, figures, recorded
from heptagrid.validate.peers import ns3

RUNS = (1, 2, 3)  # of ns-3's random numbers


def main() -> None:
    """Run each bus thrice and write the averages in place of what was there; 10,000 senders take minutes each."""
    rows = []
    for bus, _ in recorded():
        runs = [ns3.delays_ns("csma", bus.arrivals(), **bus.of_ns3(run))[0] for run in RUNS]
        delivered, *delays_s = figures(runs)
        queue = bus.queue_packets if bus.queue_packets > 0 else ""
        start = [bus.name, bus.senders, f"{bus.period_s:g}", f"{bus.duration_s:g}", queue]
        rows.append([*start, f"{delivered:.1f}", *(f"{each:.9f}" for each in delays_s)])
        print(*rows[-1], flush=True)
    with RECORDED.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(
            ["case", "senders", "period_s", "duration_s", "queue_packets", "delivered", "mean_s", "p95_s", "p99_s"]
        )
        out.writerows(rows)


if __name__ == "__main__":
    main()
