"""Records ns-3's figures of channels of IEEE 802.15.4 into lr_wpan.csv: `python record_lr_wpan.py`."""

from __future__ import annotations

import csv

import numpy as np

from heptagrid.validate.messages_lr_wpan import RECORDED, Channel, figures
from heptagrid.validate.peers import ns3

STATIONS = (10, 50, 100, 150)
RUNS = (1, 2, 3, 4, 5)  # of ns-3's random numbers


def main() -> None:
    """Run each channel five times and write the averages and their standard errors; 150 stations take a minute each time."""
    rows = []
    for stations in STATIONS:
        channel = Channel(stations)
        runs = [ns3.delays_ns("lr_wpan", channel.arrivals(), n=stations, run=run)[0] for run in RUNS]
        found = figures(runs)
        error = found.std(axis=0, ddof=1) / np.sqrt(len(RUNS))
        rows.append(
            [stations, *(f"{each:.9f}" for pair in zip(found.mean(axis=0), error, strict=True) for each in pair)]
        )
        print(*rows[-1], flush=True)
    with RECORDED.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["stations", "delivery", "delivery_error", "mean_s", "mean_error_s", "p99_s", "p99_error_s"])
        out.writerows(rows)


if __name__ == "__main__":
    main()
