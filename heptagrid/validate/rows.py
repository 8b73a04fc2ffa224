"""Runs cases and judges their findings: one row for each quantity.

Verdicts: `pass`; `fail`, of an exact comparison alone; `outside`, a published band missed; `not run`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from heptagrid.simulation.precompile import ensure_kernels
from heptagrid.validate.case import Case, Finding, Kind, NotRun, Plane

Verdict = Literal["pass", "fail", "outside", "not run"]


@dataclass(frozen=True)
class Row:
    """One line of the table; figures are None where there are none. reason: why it failed or was not run.

    same_reader: whether what is expected comes of the same reading of a file as ours.
    """

    case: Case
    kind: Kind
    quantity: str
    expected: float | None
    ours: float | None
    difference: float | None
    tolerance: float | None
    verdict: Verdict
    seconds: float
    source: str
    relative: bool = False
    unit: str = ""
    reason: str = ""
    alone: bool = False
    same_reader: bool = False

    @property
    def name(self) -> str:
        """The case's name, with the quantity where the case has several."""
        return self.case.name if self.alone else f"{self.case.name}: {self.quantity}"

    @property
    def plane(self) -> Plane:
        return self.case.plane


def run_cases(
    cases: Sequence[Case], live: bool = False, progress: Callable[[int, int], None] | None = None
) -> list[Row]:
    """Run the cases one after another; what a case raises is its own row and stops no other."""
    ensure_kernels()
    rows: list[Row] = []
    for done, one in enumerate(cases):
        if progress:
            progress(done, len(cases))
        of_case = list(_run(one, live))
        if len(of_case) == 1:
            of_case = [replace(of_case[0], alone=True)]
        rows += of_case
    return rows


def _run(one: Case, live: bool) -> Iterator[Row]:
    began = time.perf_counter()
    quantity = ""
    try:
        for finding in one.run(live):
            now = time.perf_counter()
            quantity = finding.quantity
            yield judge(one, finding, now - began)
            began = time.perf_counter()
        if not quantity:
            raise ValueError("the case compared nothing")
    except NotRun as problem:
        yield _without_figures(one, one.kind, problem.quantity, "not run", str(problem), time.perf_counter() - began)
    except Exception as problem:
        # That a case runs to its end is exact, whatever it compares.
        after = f"after {quantity}" if quantity else "run"
        reason = f"{type(problem).__name__}: {problem}"
        yield _without_figures(one, "exact", after, "fail", reason, time.perf_counter() - began)


def judge(one: Case, finding: Finding, seconds: float) -> Row:
    """The row of a finding."""
    difference = finding.difference
    agrees = abs(difference) <= finding.tolerance
    verdict: Verdict = "pass" if agrees else ("fail" if one.kind == "exact" else "outside")
    return Row(
        case=one,
        kind=one.kind,
        quantity=finding.quantity,
        expected=_known(finding.expected),
        ours=_known(finding.ours),
        difference=_known(difference),
        tolerance=_known(finding.tolerance),
        verdict=verdict,
        seconds=seconds,
        source=finding.source or one.source,
        relative=finding.relative,
        unit=finding.unit,
        same_reader=one.same_reader or finding.same_reader,
    )


def _without_figures(one: Case, kind: Kind, quantity: str, verdict: Verdict, reason: str, seconds: float) -> Row:
    return Row(one, kind, quantity, None, None, None, None, verdict, seconds, one.source, reason=reason)


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
