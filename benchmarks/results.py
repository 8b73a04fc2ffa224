"""What a city's results take on the disk for each customer and day, what recording takes of a run's time, and how long three questions take.

The questions: one customer's day, the curve of one substation's customers, percentiles over all nodes' voltages. Each is asked of a run opened anew, which also
compares the hash of each table it reads; the peer is a look at the whole table.

Usage: results.py [customers, default 20000 | a run's folder] [--record]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import heptagrid
from benchmarks.history import report
from heptagrid.recording.results import Run

MOST = 12  # files that are named


def disk(run: Run) -> None:
    """Bytes for each customer and day, file by file."""
    days = int(run.summary["customers"]) * len(run.manifest["dates"]) * len(run.manifest["arms"])
    sizes = sorted(((one.stat().st_size, one.name) for one in run.folder.iterdir() if one.is_file()), reverse=True)
    for size, name in sizes[:MOST]:
        print(f"  {size / days:8.1f} bytes {name}")
    print(f"{sum(size for size, _ in sizes) / days / 1000:.3f} kB for each customer, day and arm in {run.folder}")


def recording(run: Run) -> None:
    """What recording took of the time of all steps."""
    of_part = run.summary["phase_s"]
    print(f"recording: {100 * of_part['recorder'] / sum(of_part.values()):.1f} % of the steps' time")


def seconds(folder: Path, ask: Callable[[Run], object]) -> float:
    """The shortest of three times of a question to a run that has just been opened."""
    found = []
    for _ in range(3):
        run = heptagrid.open_run(folder)
        began = time.perf_counter()
        ask(run)
        found.append(time.perf_counter() - began)
    return min(found)


def main() -> None:
    given = next((one for one in sys.argv[1:] if not one.startswith("--")), "20000")
    with tempfile.TemporaryDirectory() as scratch:
        if given.isdigit():
            out = Path(scratch) / "run"
            heptagrid.run("city", settings=[f"city.customers={given}"], step_s=300, single="smart", threads=1, out=out)
        else:
            out = Path(given)
        run = heptagrid.open_run(out)
        disk(run)
        recording(run)
        customers = int(run.summary["customers"])
        number = customers // 2
        member_of = run.table("customer_list")["transformer"][number]
        name = run.table("transformer_list")["name"][int(member_of)]
        whole_s = seconds(out, lambda one: (one.table("meters"), one.table("nodes")))
        for what, ask in (
            ("a customer's day", lambda one: one.customer(number)),
            ("a substation's curve", lambda one: one.substation(name)),
            ("percentiles over all nodes", lambda one: one.percentiles("v_min_pu")),
        ):
            took_s = seconds(out, ask)
            report(f"{what} of {customers:,}", took_s, "s", whole_s / took_s, "reading both tables")


if __name__ == "__main__":
    main()
