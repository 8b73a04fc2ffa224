"""Prints a benchmark's figure and, with --record, keeps it in benchmarks/history.csv."""

from __future__ import annotations

import csv
import sys
from datetime import date
from pathlib import Path

HISTORY = Path(__file__).parent / "history.csv"


def report(benchmark: str, figure: float, unit: str, ratio: float, peer: str) -> None:
    """One line on the screen; with --record also one in the history."""
    print(f"{benchmark}: {figure:.3g} {unit}, {ratio:.2g} times as fast as {peer} in the same run")
    if "--record" in sys.argv:
        with HISTORY.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerow(
                [
                    date.today(),
                    benchmark,
                    f"{figure:.4g}",
                    unit,
                    f"{ratio:.3g}",
                    peer,
                ]
            )
