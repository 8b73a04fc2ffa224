"""Records what saturated stations of IEEE 802.11 get through in ns-3 into wifi.csv: `python record_wifi.py`."""

from __future__ import annotations

import csv

import numpy as np

from heptagrid.validate.messages_hidden import RECORDED, theirs_bps
from heptagrid.validate.peers import ns3

STATIONS = (2, 4, 10, 20)
RUNS = (1, 2, 3)  # of ns-3's random numbers


def main() -> None:
    """Run each cell three times and write the averages and their standard errors."""
    with RECORDED.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["stations", "through_bps", "error_bps"])
        for stations in STATIONS:
            found = [theirs_bps(ns3, stations, run) for run in RUNS]
            row = [stations, f"{np.mean(found):.0f}", f"{np.std(found, ddof=1) / np.sqrt(len(RUNS)):.0f}"]
            print(*row, flush=True)
            out.writerow(row)


if __name__ == "__main__":
    main()
