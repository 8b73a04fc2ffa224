"""Choose twelve days that stand for a year, and how many days each stands for.

    python tools/choose_typical_days.py [heptagrid/scenario/data/town]

A day is its 96 quarter hours of net import (loads less local units, by the profiles) and its 24 hours of
outdoor temperature, each scaled to unit variance over the year. k-medoids (partitioning around medoids, Kaufman and
Rousseeuw 1990; greedy start, then swaps until nothing improves; no randomness) picks eleven of them. The
day of the largest net import stands apart with weight 1, so that the year's peak is in the sample
without counting for more than it is. 1 January cannot be picked, for its warm-up day lies outside the data;
the two days of clock change are left out of the choice and count to the day most like them. February 29 is a
day like others.
"""

from __future__ import annotations

import sys
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_QUARTER, midnight_ns
from heptagrid.importers.extract import read_grid, read_profiles
from heptagrid.importers.weather import read_weather

DAYS = 12
ZONE = ZoneInfo("Europe/Berlin")


def features(folder: Path) -> tuple[list[date], np.ndarray, np.ndarray]:
    """The year's days, their features (days, 120), and each day's peak net import in kW."""
    grid, profiles, weather = read_grid(folder), read_profiles(folder), read_weather(folder)
    columns = len(profiles.names)
    rating = np.bincount(grid.loads.p_profile, grid.loads.p_kw, minlength=columns)
    rating -= np.bincount(grid.units.profile, grid.units.p_kw, minlength=columns)
    net_kw = profiles.millionths @ rating * 1e-6
    days = [date(2016, 1, 1) + timedelta(days=k) for k in range(366)]
    rows, peaks = [], []
    for day in days:
        start, end = midnight_ns(day, ZONE), midnight_ns(day + timedelta(days=1), ZONE)
        quarters = (np.linspace(start, end, 96, endpoint=False) - profiles.start_ns) // NS_PER_QUARTER
        hours = [weather.outside_c_at(start + k * NS_PER_HOUR) for k in range(24)]
        rows.append(np.concatenate([net_kw[quarters.astype(int)], np.array(hours)]))
        first, last = ((at - profiles.start_ns) // NS_PER_QUARTER for at in (start, end))
        peaks.append(net_kw[first:last].max())
    table = np.array(rows)
    for block in (slice(0, 96), slice(96, 120)):
        table[:, block] = (
            (table[:, block] - table[:, block].mean()) / table[:, block].std() / np.sqrt(table[:, block].shape[1])
        )
    return days, table, np.array(peaks)


def medoids(distance: np.ndarray, candidates: np.ndarray, count: int) -> list[int]:
    """Partitioning around medoids: the `count` candidates with the least sum of distances to them."""
    chosen: list[int] = []
    nearest = np.full(len(distance), np.inf)
    for _ in range(count):
        gain = [np.minimum(nearest, distance[:, k]).sum() if k not in chosen else np.inf for k in candidates]
        chosen.append(int(candidates[int(np.argmin(gain))]))
        nearest = np.minimum(nearest, distance[:, chosen[-1]])
    best = nearest.sum()
    improved = True
    while improved:
        improved = False
        for position in range(count):
            others = [one for k, one in enumerate(chosen) if k != position]
            without = distance[:, others].min(axis=1)
            sums = np.array([np.minimum(without, distance[:, k]).sum() for k in candidates])
            if sums.min() < best - 1e-9:
                chosen[position], best, improved = int(candidates[int(sums.argmin())]), float(sums.min()), True
    return chosen


def main(folder: Path) -> None:
    days, table, peaks = features(folder)
    extreme = int(peaks.argmax())
    ordinary = np.array([k for k in range(len(days)) if k != extreme])
    sample = table[ordinary]
    distance = np.sqrt(((sample[:, np.newaxis] - sample[np.newaxis]) ** 2).sum(axis=2))
    changes = {date(2016, 3, 27), date(2016, 10, 30)}
    allowed = np.array(
        [k for k, day in enumerate(ordinary) if days[day] > date(2016, 1, 1) and days[day] not in changes]
    )
    chosen = medoids(distance, allowed, DAYS - 1)
    owner = distance[:, chosen].argmin(axis=1)
    weights = {days[ordinary[one]]: int((owner == k).sum()) for k, one in enumerate(chosen)}
    weights[days[extreme]] = 1
    assert sum(weights.values()) == len(days)
    lines = ["date,weight", *(f"{day},{weight}" for day, weight in sorted(weights.items()))]
    (folder / "typical_days.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "heptagrid/scenario/data/town"))
