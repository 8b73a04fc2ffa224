"""The built-in town's default day, both arms: its conservation laws, and bands that real systems came to."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from heptagrid.scale import run as api
from heptagrid.validate.case import Finding, case, within

STEP_S = 300  # coarser than the default, for time's sake; messages keep exact times all the same

DSO_T = "PNNL, Distribution System Operator with Transactive (DSO+T) study"


@dataclass(frozen=True)
class Day:
    """What the cases read of the run; swing_kw: of the import over the day, by arm."""

    summary: dict[str, Any]
    swing_kw: dict[str, float]


@cache
def day() -> Day:
    """Run the day once, for all the cases that look at it."""
    with tempfile.TemporaryDirectory() as folder:
        run = api.run("town", step_s=STEP_S, out=Path(folder) / "run")
        if run.partial:
            raise KeyboardInterrupt
        totals = run.totals
        net_kw = (totals["import_kw"] - totals["export_kw"]).to_numpy()
        arm = totals["arm"].to_numpy()
        return Day(run.summary, {name: float(np.ptp(net_kw[arm == name])) for name in run.summary["arms"]})


@case(
    "conservation",
    plane="grid",
    kind="exact",
    source="conservation of energy, of messages and of money, on the built-in town's default day",
)
def conservation(live: bool) -> Iterator[Finding]:
    """Energy to a millionth of what was generated and imported; messages and money to the last one."""
    for name, arm in day().summary["arms"].items():
        energy = arm["energy_mwh"]
        residual = energy["residual"] / (energy["generated"] + energy["imported"])
        yield Finding(f"energy residual, {name}", 0.0, residual, 1e-6, unit="of supply")
        yield Finding(f"messages unaccounted for, {name}", 0, arm["messages"]["residual"], 0)
        yield Finding(f"sum of all accounts, {name}", 0.0, arm["money_eur"]["sum"], 0.0, unit="EUR")


@case(
    "losses-europe",
    plane="grid",
    kind="band",
    source="3rd CEER Report on Power Losses, 2025: distribution losses of European countries in 2022, theft included",
)
def losses_europe(live: bool) -> Iterator[Finding]:
    """Losses of the conventional arm as a share of what came in."""
    energy = day().summary["arms"]["conventional"]["energy_mwh"]
    share = 100.0 * energy["lost"] / (energy["generated"] + energy["imported"])
    yield within("distribution losses", 1.95, 22.63, share, unit="%")


@case("peak-reduction", plane="grid", kind="band", source=f"{DSO_T}, PNNL-32170, 2022, executive summary")
def peak_reduction(live: bool) -> Iterator[Finding]:
    """The winter peak of the smart arm against the conventional one."""
    arms = day().summary["arms"]
    peaks = (arms[name]["loading"]["primary_peak_kw"] for name in ("conventional", "smart"))
    yield within("peak load reduction", 9.0, 15.0, _reduction_percent(*peaks), unit="%")


@case("swing-reduction", plane="grid", kind="band", source=f"{DSO_T}, release of 2022")
def swing_reduction(live: bool) -> Iterator[Finding]:
    """The day's greatest less its least import."""
    swings = (day().swing_kw[name] for name in ("conventional", "smart"))
    yield within("reduction of the daily load swing", 20.0, 44.0, _reduction_percent(*swings), unit="%")


@case(
    "bill-saving",
    plane="grid",
    kind="band",
    source=f"{DSO_T}, Reeve et al. 2023, abstract: mean customer with moderate to high renewables, over a year",
)
def bill_saving(live: bool) -> Iterator[Finding]:
    """The mean bill of one winter day, all customers, with and without flexible devices."""
    arms = day().summary["arms"]
    bills = (arms[name]["bills"]["mean_bill_eur"] for name in ("conventional", "smart"))
    yield within("saving on the mean bill", 10.0, 16.0, _reduction_percent(*bills), unit="%")


def _reduction_percent(conventional: float, smart: float) -> float:
    return 100.0 * (1.0 - smart / conventional)
