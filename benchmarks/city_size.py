"""A day of the city at several sizes, whole, as `heptagrid run city --single` runs it: time, processor time and memory, and how they grow.

Usage: city_size.py [customers ..., default 25000 50000 100000] [--threads 1,2] [--step 60] [--record]

What is asked of a city: city_size.py 100000 300000 1000000 --threads 2 --record, on a machine that does nothing else.

Each run is a process of its own; memory is that of all its processes together. Printed are the powers of the size with which processor time and memory grow, of all and of what grows at all, that is
without what a run of no size takes, and the straight line through the sizes, with what it says of a million where none was run, and what of `ASKED` is met. --record adds each run, once it is there,
and the lines to city_size.csv. Wall time counts on an idle machine only. The first run of all compiles, and is not measured; the first of a size clears its markets, which are kept from then on.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

HISTORY = Path(__file__).parent / "city_size.csv"
HEAD = ("date", "what", "customers", "threads", "step_s", "wall_s", "processor_s", "memory_mb")
MILLION = 1_000_000
ASKED = {"exponent": 1.05, "wall_s": 480.0, "memory_mb": 8000.0}
"""At most: of time and memory from 100,000 to a million customers; of a million."""


class Run(NamedTuple):
    """What a run took."""

    customers: int
    threads: int
    wall_s: float
    processor_s: float
    memory_mb: float


def run(customers: int, threads: int, step_s: int) -> Run:
    """Run a city's day in a process of its own, in a child of this one, whose children it alone has had."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["run", "city", "--customers", str(customers), "--single", "--step", str(step_s)]
        command += ["--threads", str(threads), "--out", f"{folder}/run"]
        began = time.perf_counter()
        child = os.fork()
        if child == 0:
            done = subprocess.run([sys.executable, "-m", "heptagrid", *command], capture_output=True, check=False)
            os._exit(done.returncode)
        _, status, used = os.wait4(child, 0)
        wall_s = time.perf_counter() - began
        if status:
            raise SystemExit(f"heptagrid {' '.join(command)} failed with status {status}")
        told_mb = json.loads(Path(folder, "run", "summary.json").read_text(encoding="utf-8"))["peak_rss_mb"]
    memory_mb = max(told_mb, used.ru_maxrss * 1024 / 1e6)
    return Run(customers, threads, wall_s, used.ru_utime + used.ru_stime, memory_mb)


def line(sizes: np.ndarray, figures: np.ndarray) -> tuple[float, float, float]:
    """What a run of no size takes, what each customer adds, and the power with which the rest grows; not a number for fewer than two sizes."""
    if len(sizes) < 2:
        return float("nan"), float("nan"), float("nan")
    slope, start = np.polyfit(sizes, figures, 1)
    start = max(0.0, start)
    power = (
        np.polyfit(np.log(sizes), np.log(figures - min(start, 0.99 * figures.min())), 1)[0]
        if len(sizes) > 2
        else np.nan
    )
    return float(start), float(slope), float(power)


def exponent(sizes: np.ndarray, figures: np.ndarray) -> float:
    """The power of the size with which the whole grows; not a number for one size."""
    return float(np.polyfit(np.log(sizes), np.log(figures), 1)[0]) if len(sizes) > 1 else float("nan")


def keep(rows: list[tuple[Any, ...]]) -> None:
    """Add rows to the history."""
    is_new = not HISTORY.exists()
    with HISTORY.open("a", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([HEAD, *rows] if is_new else rows)


def verdict(found: float, asked: float) -> str:
    """Whether a figure is at most what is asked."""
    return f"{found:.4g}, asked at most {asked:g}: {'met' if found <= asked else 'missed'}"


def main() -> None:
    words = sys.argv[1:]
    option = {name: words[words.index(name) + 1] for name in ("--threads", "--step") if name in words}
    sizes = sorted(int(one) for one in words if one.isdigit() and one not in option.values()) or [
        25_000,
        50_000,
        100_000,
    ]
    threads = [int(one) for one in option.get("--threads", "1,2").split(",")]
    step_s = int(option.get("--step", "60"))
    run(15_000, max(threads), 900)  # two areas, whose kernels one area has no use for
    found = []
    for customers in sizes:
        for count in threads:
            found.append(run(customers, count, step_s))
            one = found[-1]
            if "--record" in words:
                keep([(date.today(), "run", customers, count, step_s, *(f"{figure:.4g}" for figure in one[2:]))])
            print(
                f"{customers:,} customers on {count} threads: {one.wall_s:.1f} s, {one.processor_s:.1f} s of processor time, {one.memory_mb:.0f} MB",
                flush=True,
            )
    rows: list[tuple[Any, ...]] = []
    for count in threads:
        mine = [one for one in found if one.threads == count]
        size = np.array([one.customers for one in mine], dtype=np.float64)
        lines = [line(size, np.array(figures)) for figures in zip(*(one[2:] for one in mine), strict=True)]
        _, processor, memory = lines
        print(
            f"on {count} threads: {processor[0]:.1f} s of processor time and {1e6 * processor[1]:.0f} us a customer, exponent {processor[2]:.3f}; "
            f"{memory[0]:.0f} MB and {1000 * memory[1]:.1f} kB a customer, exponent {memory[2]:.3f}"
        )
        whole = [exponent(size, np.array(figures)) for figures in zip(*(one[2:] for one in mine), strict=True)]
        for name, power in zip(("processor time", "memory"), whole[1:], strict=True):
            print(f"  exponent of {name}, all of it: {verdict(power, ASKED['exponent'])}")
        for one in mine:
            if one.customers == MILLION:
                print(f"  a million, wall time in s: {verdict(one.wall_s, ASKED['wall_s'])}")
                print(f"  a million, memory in MB: {verdict(one.memory_mb, ASKED['memory_mb'])}")
        if size.max() < MILLION:
            said = [start + slope * MILLION for start, slope, _ in lines]
            print(
                f"  the line says of a million: {said[0]:.0f} s, {said[1]:.0f} s of processor time, {said[2] / 1000:.1f} GB"
            )
        for what, part in (("at no size", 0), ("for each customer", 1), ("exponent", 2)):
            rows.append((date.today(), what, "", count, step_s, *(f"{one[part]:.4g}" for one in lines)))
        rows.append((date.today(), "exponent of all", "", count, step_s, *(f"{one:.4g}" for one in whole)))
    pairs = [(a, b) for a in found for b in found if a.customers == b.customers and a.threads < b.threads]
    for a, b in pairs:
        print(
            f"{a.customers:,} customers: {b.threads} threads are {a.wall_s / b.wall_s:.2f} times as fast as {a.threads}, "
            f"for {b.processor_s / a.processor_s:.2f} times the processor time"
        )
    if "--record" in words:
        keep(rows)


if __name__ == "__main__":
    main()
