"""Bills of a day for many customers: a time-of-use rate with export, 96 intervals each, in blocks.

Processor time is of the bill alone: from energies in memory to lines, cents and totals. Two threads take blocks in turn.

Usage: bills.py [customers, default 1000000] [customers a block, default 8192] [--record]
"""

from __future__ import annotations

import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.history import report
from heptagrid.foundation.calendar import Calendar
from heptagrid.planes.money.rates.bill import bill
from heptagrid.planes.money.rates.energy import Energy
from heptagrid.planes.money.rates.fixed import Fixed
from heptagrid.planes.money.rates.net_billing import NetBilling
from heptagrid.planes.money.rates.rate import Rate
from heptagrid.planes.money.rates.schedule import Window, of_windows
from heptagrid.planes.money.rates.taxes import Tax
from heptagrid.planes.money.rates.tiers import Tier
from heptagrid.planes.money.rates.use import Use

SLOTS = 96
WINDOWS = [Window(0, 22, 6), Window(1, 6, 17), Window(2, 17, 22)]
RATE = Rate(
    Energy(((Tier(0.10, sell=0.05),), (Tier(0.20, sell=0.05),), (Tier(0.35, sell=0.12),)), of_windows(WINDOWS)),
    NetBilling(),
    (Fixed(10.0),),
    taxes=(Tax("tax", 0.19),),
)


def by_hand(use: Use) -> np.ndarray:
    """Totals in cents as numpy's own sums give them, without lines: what the bill is compared with."""
    period = RATE.energy.schedule.of(use.calendar)
    price = np.array([0.10, 0.20, 0.35])[period]
    sell = np.array([0.05, 0.05, 0.12])[period]
    charge = (use.import_kwh * price[:, np.newaxis]).sum(axis=0) - (use.export_kwh * sell[:, np.newaxis]).sum(axis=0)
    return np.asarray((charge + 10.0 * use.calendar.shares[0]) * 119.0)


def main() -> None:
    numbers = [int(one) for one in sys.argv[1:] if one.isdigit()]
    customers = numbers[0] if numbers else 1_000_000
    block = numbers[1] if len(numbers) > 1 else 8192
    zone = ZoneInfo("Europe/Berlin")
    calendar = Calendar.of(1467324000_000_000_000, SLOTS, 900, zone)  # 1 July 2016
    random = np.random.default_rng(1)
    taken = np.empty((SLOTS, customers), dtype=np.float32)
    fed = np.empty_like(taken)
    for k in range(SLOTS):
        net = random.random(customers, dtype=np.float32) - np.float32(0.3)
        np.maximum(net, 0.0, out=taken[k])
        np.maximum(-net, 0.0, out=fed[k])
    bill(RATE, Use(calendar, taken[:, :10], fed[:, :10]))  # compiles
    before_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    total = np.empty(customers, dtype=np.int64)

    def of_block(first: int) -> None:
        some = slice(first, min(first + block, customers))
        total[some] = bill(RATE, Use(calendar, taken[:, some], fed[:, some])).in_cents.total[0]

    began, began_cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(of_block, range(0, customers, block)))
    seconds, cpu_s = time.perf_counter() - began, time.process_time() - began_cpu
    more_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before_mb
    began_cpu = time.process_time()
    plain = by_hand(Use(calendar, taken, fed))
    plain_s = time.process_time() - began_cpu
    assert np.abs(total - plain).max() < 2.0, "whole cents and their tax are within two cents of the exact bill"
    print(
        f"{customers:,} customers x {SLOTS} intervals: {cpu_s:.2f} s of processor time, {seconds:.2f} s; "
        f"energies {2 * taken.nbytes / 2**20:.0f} MiB, bills {more_mb:.0f} MiB more"
    )
    report("bills", cpu_s * 1e6 / customers, "us of processor time per customer", plain_s / cpu_s, "numpy's sums alone")


if __name__ == "__main__":
    main()
