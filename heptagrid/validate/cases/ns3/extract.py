"""Makes the recordings here from ns-3's own: `python extract.py STARS BUSES`, the folders that hold the output of star.cc and csma.cc."""

from __future__ import annotations

import csv
import gzip
import sys
from pathlib import Path

import numpy as np

FIRST = 8000  # arrivals kept: what comes later does not change what came before
STAR_560 = "star_560_poisson_1s_1Mbps"


def rows_of(path: Path) -> dict[tuple[int, int], int]:
    """The delay of each arrival, by time and sender, all in nanoseconds."""
    with gzip.open(path, "rt") as file:
        return {
            (round(1e9 * float(row["t_sent"])), int(row["sender"])): round(1e9 * float(row["delay"]))
            for row in csv.DictReader(file)
        }


def write(name: str, sent: dict[tuple[int, int], int], received: dict[tuple[int, int], int]) -> None:
    """The first arrivals by time; without a delay if not received."""
    lines = [f"{sent_ns},{sender},{received.get((sent_ns, sender), '')}" for sent_ns, sender in sorted(sent)[:FIRST]]
    text = "\n".join(["sent_ns,sender,delay_ns", *lines, ""])
    Path(name).write_bytes(gzip.compress(text.encode(), mtime=0))


stars, buses = Path(sys.argv[1]), Path(sys.argv[2])
tree = rows_of(stars / "tree_1000_every_15s_1Mbps.csv.gz")
star = rows_of(stars / "star_500_poisson_1s_1Mbps.csv.gz")
write("tree.csv.gz", tree, tree)
write("star.csv.gz", star, star)
write(
    "star_queue.csv.gz",
    rows_of(stars / f"{STAR_560}_unbounded.csv.gz"),
    rows_of(stars / f"{STAR_560}_queue10_received.csv.gz"),
)
with Path("bus.csv").open("w", newline="") as file:
    out = csv.writer(file, lineterminator="\n")
    out.writerow(
        ["case", "senders", "period_s", "duration_s", "queue_packets", "delivered", "mean_s", "p95_s", "p99_s"]
    )
    for case, senders, period_s, duration_s, queue in (
        ("100 senders", 100, 0.4, 60, ""),
        ("100 senders, near saturation", 100, 0.22, 60, ""),
        ("100 senders, overload", 100, 0.18, 40, 5),
        ("1,000 senders", 1000, 2.5, 20, ""),
        ("1,000 senders, near saturation", 1000, 2.1, 20, ""),
    ):
        name = f"c{senders}" + ("o" if queue else "h" if "near" in case else "")
        delay_s = 1e-9 * np.loadtxt(buses / f"{name}.ns3.csv", delimiter=",", skiprows=1)[:, 1]
        figures = [f"{each:.9f}" for each in (delay_s.mean(), *np.quantile(delay_s, [0.95, 0.99]))]
        out.writerow([case, senders, period_s, duration_s, queue, len(delay_s), *figures])
