"""Makes the recordings of stars and trees from ns-3's own: `python extract.py STARS`, the folder that holds the output of star.cc."""

from __future__ import annotations

import csv
import gzip
import sys
from pathlib import Path

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


stars = Path(sys.argv[1])
tree = rows_of(stars / "tree_1000_every_15s_1Mbps.csv.gz")
star = rows_of(stars / "star_500_poisson_1s_1Mbps.csv.gz")
write("tree.csv.gz", tree, tree)
write("star.csv.gz", star, star)
write(
    "star_queue.csv.gz",
    rows_of(stars / f"{STAR_560}_unbounded.csv.gz"),
    rows_of(stars / f"{STAR_560}_queue10_received.csv.gz"),
)
