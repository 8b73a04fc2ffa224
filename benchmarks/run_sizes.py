"""What whole runs of cities take, by size, and the lines through it that `heptagrid/scale/needs.py` tells before a run.

python benchmarks/run_sizes.py [ARM:CUSTOMERS:DAYS:STEP_S ...]    measures these runs, each a command of its own on two threads, and keeps them in run_sizes.csv
python benchmarks/run_sizes.py                                    fits the lines to what is kept

Processor time counts, so that it does not matter much what else the machine does; memory is that of all processes of a run together. The first run of a kind compiles its kernels: measure it twice.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

KEPT = Path(__file__).with_name("run_sizes.csv")
NAMES = ("arm", "customers", "days", "step_s", "memory_mb", "disk_mb", "cpu_s")


def main() -> None:
    rows = list(csv.DictReader(KEPT.open(encoding="utf-8", newline=""))) if KEPT.exists() else []
    for word in sys.argv[1:]:
        arm, customers, days, step_s = word.split(":")
        new = dict(zip(NAMES, (arm, customers, days, step_s, *measured(arm, customers, days, step_s)), strict=True))
        print(new)
        rows = [one for one in rows if [one[name] for name in NAMES[:4]] != [arm, customers, days, step_s]] + [new]
        with KEPT.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, NAMES, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    for arm in dict.fromkeys(row["arm"] for row in rows):
        fit(arm, [row for row in rows if row["arm"] == arm])


def measured(arm: str, customers: str, days: str, step_s: str) -> tuple[str, str, str]:
    """Peak of memory and size on disk in 10^6 bytes, and processor seconds, of one run."""
    with tempfile.TemporaryDirectory() as place:
        words = [
            "run",
            "city",
            "--customers",
            customers,
            "--days",
            days,
            "--step",
            step_s,
            "--single",
            arm,
            "--threads",
            "2",
        ]
        command = [sys.executable, "-m", "heptagrid", *words, "--out", f"{place}/run"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        assert status == 0, f"{words} ended with {status}"
        disk = sum(path.stat().st_size for path in Path(place).rglob("*") if path.is_file())
        cpu_s = used.ru_utime + used.ru_stime
        told = json.loads(Path(place, "run", "summary.json").read_text(encoding="utf-8"))
        return f"{max(told['peak_rss_mb'], used.ru_maxrss * 1024 / 1e6):.0f}", f"{disk / 1e6:.1f}", f"{cpu_s:.1f}"


def fit(arm: str, rows: list[dict[str, str]]) -> None:
    """Print the lines: least squares of relative deviations, no part below 0."""
    from scipy.optimize import nnls

    customers, days, step_s = (np.array([float(row[name]) for row in rows]) for name in NAMES[1:4])
    steps = 288.0 + days * 86_400.0 / step_s
    shapes = {
        "memory_mb": (np.ones(len(rows)), customers, customers * days),
        "disk_mb": (np.ones(len(rows)), customers, customers * days),
        "cpu_s": (np.ones(len(rows)), customers, customers * days, customers * steps / 1000.0),
    }
    for name, shape in shapes.items():
        found = np.array([float(row[name]) for row in rows])
        line, _ = nnls(np.column_stack(shape) / found[:, None], np.ones(len(rows)))
        off = np.column_stack(shape) @ line / found - 1.0
        said = ", ".join(f"{one:.3g}" for one in line)
        print(f"{arm} {name}: Line({said}); off by {off.min():+.0%} to {off.max():+.0%}")


if __name__ == "__main__":
    main()
