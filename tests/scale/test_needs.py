"""What a run will take is said before it begins, as its benchmark measured it, and what is not there is refused."""

from __future__ import annotations

import csv
import logging
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from heptagrid.assembly.arms import arms_of
from heptagrid.assembly.job import Job
from heptagrid.assembly.span import Span
from heptagrid.foundation.errors import UsageError
from heptagrid.scale import needs

MEASURED = Path(__file__).parents[2] / "benchmarks/run_sizes.csv"


def jobs(arm: str | None, days: int = 1, step_s: int = 60) -> list[Job]:
    span = Span(date(2016, 1, 27), days, step_s, 300, ZoneInfo("Europe/Berlin"))
    return [Job(one, 0, span, Path()) for one in arms_of(arm, {})]


def test_measured_runs_lie_as_near_the_lines_as_is_said() -> None:
    with MEASURED.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["customers"] for row in rows}) >= 3
    for row in rows:
        found = needs.needs(int(row["customers"]), jobs(row["arm"], int(row["days"]), int(row["step_s"])), 1)
        for name in ("memory_mb", "disk_mb", "cpu_s"):
            assert getattr(found, name) == pytest.approx(float(row[name]), rel=needs.ERROR), (name, row)


def test_two_arms_at_once_take_the_memory_of_both() -> None:
    both, smart, conventional = (jobs(None), jobs("smart"), jobs("conventional"))
    alone = [needs.needs(50_000, one, 1) for one in (smart, conventional)]
    assert needs.needs(50_000, both, 2).memory_mb == pytest.approx(sum(one.memory_mb for one in alone))
    assert needs.needs(50_000, both, 1).memory_mb == max(one.memory_mb for one in alone)
    assert needs.needs(50_000, both, 1).cpu_s == pytest.approx(sum(one.cpu_s for one in alone))


def test_a_run_without_memory_for_it_is_refused_with_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "heptagrid")
    monkeypatch.setattr(needs, "free_memory_mb", lambda: 2000.0)
    with pytest.raises(
        UsageError, match=r"2\.0 GB are free: run one arm after the other .*--single.*--customers \d+000\).*--anyway"
    ):
        needs.look_ahead(1_000_000, jobs(None), 2, tmp_path, anyway=False)
    assert "1,000,000 customers: about" in caplog.text
    needs.look_ahead(1_000_000, jobs(None), 2, tmp_path, anyway=True)
    assert "all the same" in caplog.text
    needs.look_ahead(9_999, jobs(None), 2, tmp_path, anyway=False)


def test_free_memory_is_told_on_this_system() -> None:
    free = needs.free_memory_mb()
    assert free is None or 10.0 < free < 1e8
