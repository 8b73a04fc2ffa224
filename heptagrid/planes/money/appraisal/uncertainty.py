"""Uncertainty: each parameter over its likely range (tornado), all at once (Monte Carlo), and where the sign turns (break-even)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.parameters import Declaration, declarations
from heptagrid.foundation.random import Stream, uniforms
from heptagrid.planes.money.appraisal.appraise import Appraisal, Plan, appraise
from heptagrid.planes.money.benefits.observed import Observed

Floats = npt.NDArray[np.float64]
DISCOUNT_RATE = "business.discount_rate"


@dataclass(frozen=True)
class Uncertain:
    """A parameter with a likely range: its key in a scenario, its value, and the range, which holds the value."""

    key: str
    value: float
    low: float
    high: float
    declaration: Declaration


@dataclass(frozen=True)
class Swing:
    """Society's net present value with a parameter at either end of its range, in EUR."""

    of: Uncertain
    at_low_eur: float
    at_high_eur: float


def uncertain_parameters(observed: Observed, plan: Plan) -> list[Uncertain]:
    """Every parameter with a likely range of what counts, and the discount rate."""
    sections: dict[str, Any] = {"business": observed.rules}
    sections |= {
        f"benefits.{name}": plan.values[name] for name, one in plan.benefits.items() if one.counts(plan.values[name])
    }
    return [
        Uncertain(f"{section}.{name}", value, min(declared.likely[0], value), max(declared.likely[1], value), declared)
        for section, values in sections.items()
        for name, _, _, declared in declarations(type(values))
        if declared.likely is not None
        for value in (float(getattr(values, name)),)
    ]


def with_values(observed: Observed, plan: Plan, values: dict[str, float]) -> tuple[Observed, Plan]:
    """Both with some parameters set to other values, by key."""
    changed = dict(plan.values)
    for key, value in values.items():
        section, _, name = key.rpartition(".")
        if section == "business":
            observed = replace(observed, rules=replace(observed.rules, **{name: value}))
        else:
            benefit = section.removeprefix("benefits.")
            changed[benefit] = replace(changed[benefit], **{name: value})
    return observed, replace(plan, values=changed)


def society_npv_eur(observed: Observed, plan: Plan, values: dict[str, float]) -> float:
    """Society's net present value with some parameters at other values."""
    return _appraised(observed, plan, values).society_npv_eur


def tornado(observed: Observed, plan: Plan) -> list[Swing]:
    """Each uncertain parameter at both ends of its range, the widest swing first."""
    swings = [
        Swing(one, *(society_npv_eur(observed, plan, {one.key: at}) for at in (one.low, one.high)))
        for one in uncertain_parameters(observed, plan)
    ]
    return sorted(swings, key=lambda one: (-abs(one.at_high_eur - one.at_low_eur), one.of.key))


def break_even(observed: Observed, plan: Plan, one: Uncertain) -> tuple[float, bool] | None:
    """The value of a parameter at which society gains nothing, and whether it gains above it; None if no value that is accepted does.

    The value is sought in what the parameter's declaration accepts.
    """
    least, most = one.declaration.low, one.declaration.high
    if least is None or most is None:
        return None
    ends = [society_npv_eur(observed, plan, {one.key: at}) for at in (least, most)]
    if ends[0] * ends[1] >= 0.0:
        return None
    low, high = float(least), float(most)
    for _ in range(100):
        middle = 0.5 * (low + high)
        if society_npv_eur(observed, plan, {one.key: middle}) * ends[0] > 0.0:
            low = middle
        else:
            high = middle
        if high - low <= 1e-9 * max(abs(high), 1e-9):
            break
    return 0.5 * (low + high), ends[1] > 0.0


def drawn(seed: int, uncertain: list[Uncertain], draws: int) -> dict[str, Floats]:
    """Values of each parameter but the discount rate, (draws,) by key: triangular over the range with the value as its peak.

    A parameter's numbers depend on the seed and its key alone: with another benefit, or another value of one parameter, all others are
    drawn as before (common random numbers).
    """
    which = np.arange(draws, dtype=np.int64)
    return {
        one.key: _triangular(uniforms(seed, int(Stream.APPRAISAL), which, zlib.crc32(one.key.encode())), one)
        for one in uncertain
        if one.key != DISCOUNT_RATE
    }


def _triangular(share: Floats, one: Uncertain) -> Floats:
    """The inverse of the triangular distribution's cumulative function."""
    width = one.high - one.low
    if width <= 0.0:
        return np.full(len(share), one.value)
    rise, fall = one.value - one.low, one.high - one.value
    below = one.low + np.sqrt(share * width * rise)
    above = one.high - np.sqrt((1.0 - share) * width * fall)
    return np.where(share < rise / width, below, above)


def monte_carlo(observed: Observed, plan: Plan, seed: int) -> Floats:
    """Net present value in each draw over all ranges, (draws, 1 + parties): society first, then the parties; the discount rate stays."""
    values = drawn(seed, uncertain_parameters(observed, plan), plan.rules.draws)
    rows = list(_draws(observed, plan, values))
    return np.array(rows).reshape(plan.rules.draws, -1)


def _draws(observed: Observed, plan: Plan, values: dict[str, Floats]) -> Iterator[Floats]:
    for k in range(plan.rules.draws):
        found = _appraised(observed, plan, {key: float(each[k]) for key, each in values.items()})
        yield np.concatenate([[found.society_npv_eur], found.npv_eur])


def _appraised(observed: Observed, plan: Plan, values: dict[str, float]) -> Appraisal:
    changed, its_plan = with_values(observed, plan, values)
    return appraise(changed, its_plan)
