"""Later settlement runs on a customer's bill: what it carries of earlier days, and what later bills change of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from heptagrid.domains.operations.meter_store import MeterStore, ReadStatus
from heptagrid.domains.providers.billing import Correction, Record
from heptagrid.foundation.reasons import LATER, LATER_NAMES
from heptagrid.foundation.settlement_runs import RUN_NAMES
from heptagrid.inquiry.bill_lines import Owed, bill_line, day_of
from heptagrid.inquiry.consequences import run_rows
from heptagrid.inquiry.replay import Replay
from heptagrid.inquiry.waves import Waves, cause_entry
from heptagrid.planes.money.ledger import millicent
from heptagrid.recording.results import Run


def later_run_lines(customer: int, corrections: list[Correction], owed: Owed) -> list[dict[str, Any]]:
    """A line for each earlier day that is settled again with this bill; each is the ledger's line of its run."""
    lines = []
    for run, one_reason in LATER.items():
        reason = one_reason.name.lower()
        left, cause = owed.get(reason, (0, -1))
        of_run = [one for one in corrections if one.run == run]
        for k, one in enumerate(of_run):
            row = _row(one, customer)
            amount = left if k == len(of_run) - 1 else int(millicent(one.owed_eur[row]))
            left -= amount
            came = what_came(int(one.reads[row]), int(one.settled[row]))
            name = f"{RUN_NAMES[run]} settlement run of {one.day}, {came}"
            lines.append(bill_line(reason, name, amount, float(one.changed_kwh[row]), one.message))
        if left:  # of a run that the replay does not repeat
            lines.append(bill_line(reason, f"{RUN_NAMES[run]} settlement run of an earlier day", left, None, cause))
    return lines


def what_came(reads: int, settled: int) -> str:
    """What brought a change: late reads, quarter hours that the next register settled, or both."""
    parts = [f"{reads} late reads"] if reads else []
    return " and ".join([*parts, f"{settled} settled by the register"] if settled else parts)


def settled_by(store: MeterStore, settled: Record, customer: int) -> list[int]:
    """The readings whose registers settled quarter hours of the day before it was billed."""
    quarters = settled.first_quarter + np.flatnonzero(settled.status[:, settled.column(customer)] == ReadStatus.SETTLED)
    return sorted({store.ended_by(int(quarter), customer) for quarter in quarters} - {-1})


def _row(correction: Correction, customer: int) -> int:
    return int(np.searchsorted(correction.points, customer))


def later_runs(customer: int, corrections: list[Correction], waves: Waves, zone: Any) -> list[dict[str, Any]]:
    """What later settlement runs changed of this bill."""
    return [
        {
            "settlement_run": RUN_NAMES[one.run],
            "billed_with": str(day_of(one.at_ns, zone)),
            "reads": int(one.reads[row]),
            "settled": int(one.settled[row]),
            "changed_kwh": float(one.changed_kwh[row]),
            "amount_eur": float(one.owed_eur[row]),
            "message": cause_entry(one.message, waves.of(one.message), zone),
            "brought_by": cause_entry(int(one.brought_by[row]), waves.of(int(one.brought_by[row])), zone),
        }
        for one in corrections
        for row in (_row(one, customer),)
    ]


def last_later_run_ns(run: Run, replay: Replay, customer: int) -> int:
    """When the last line of a later settlement run of the customer was posted in the replayed span; 0 without one."""
    import polars

    name = f"point {customer}"
    is_mine = (polars.col("payer") == name) | (polars.col("payee") == name)
    rows = run_rows(run.ledger, replay).filter(is_mine & polars.col("reason").is_in(LATER_NAMES))
    return max(rows["at_ns"].to_list(), default=0)
