"""Processor time of real-time dispatch: five-minute periods of a day of RTS-GMLC after its commitment, every branch may fail.

python benchmarks/real_time.py
"""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import numpy as np

from heptagrid.importers.rts_gmlc import read_rts_gmlc
from heptagrid.planes.money.markets.real_time import RealTimeMarket
from heptagrid.planes.money.markets.unit_commitment import Settings, commit
from heptagrid.validate.money_rts_gmlc import ARCHIVE

PERIODS = 12  # of an hour
GOAL_MS = 50.0


def main() -> None:
    with TemporaryDirectory() as place:
        with ZipFile(ARCHIVE) as archive:
            archive.extractall(place)
        case = read_rts_gmlc(Path(place), date(2020, 7, 10))
    done = commit(case, Settings(gap=1e-3, with_outages=True, with_reserves=False))
    market = RealTimeMarket(case, done.unit_mw[0])
    rng = np.random.default_rng(1)
    took, unserved_mwh, rounds = [], 0.0, []
    for hour in range(case.periods - 1):
        for step in range(PERIODS):
            share = step / PERIODS
            load, high, low = (
                (1.0 - share) * one[hour] + share * one[hour + 1]
                for one in (case.load_mw, case.sources.high_mw, case.sources.low_mw)
            )
            load = load * rng.normal(1.0, 0.005)
            began = time.process_time()
            found = market.dispatch(load, low, np.maximum(low, high), done.on[hour], done.stored_mw[hour])
            took.append(1e3 * (time.process_time() - began))
            rounds.append(found.rounds)
            unserved_mwh += float(found.unserved_mw.sum()) / PERIODS
    print(
        f"{len(took)} periods: median {np.median(took):.1f} ms, 99 % {np.quantile(took, 0.99):.1f} ms, worst {max(took):.1f} ms (goal {GOAL_MS:g} ms)"
    )
    print(
        f"{market.limits} limits of branches kept; {np.mean(rounds):.2f} programs a period; {unserved_mwh:.2f} MWh unserved"
    )


if __name__ == "__main__":
    main()
