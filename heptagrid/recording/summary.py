"""The summary of a run: the figures of the page, from what the arms came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.happenings import Happening
from heptagrid.assembly.job import Job
from heptagrid.assembly.live_span import LiveSpan
from heptagrid.assembly.stocks import stocks_of
from heptagrid.assembly.world import World
from heptagrid.foundation.time import from_ns
from heptagrid.planes.messages.links import CLASS_NAMES
from heptagrid.planes.money import business, settlement
from heptagrid.planes.money.ledger import MILLICENT_PER_EUR
from heptagrid.recording.appraisal_summary import appraised
from heptagrid.recording.bill_groups import bill_changes
from heptagrid.recording.joined import Joined
from heptagrid.recording.observed_year import stand_for_a_year
from heptagrid.recording.recorder import PARTS
from heptagrid.recording.totals import DayBooks
from heptagrid.scenario.schema import Scenario

if TYPE_CHECKING:
    from heptagrid.planes.power.unbalanced.conductors import Conductors

Floats = npt.NDArray[np.float64]


def summarise(
    scenario: Scenario,
    world: World,
    jobs: Sequence[Job],
    arms: Mapping[str, Joined],
    broken: Mapping[str, float],
    typical: bool,
) -> dict[str, Any]:
    """The content of `summary.json`, but for wall time."""
    results = [result for arm in arms.values() for result in arm.results]
    stopped = [result.stopped_ns for result in results if result.stopped_ns is not None]
    ends_anywhere = all(isinstance(job.span, LiveSpan) for job in jobs)
    partial = (bool(stopped) and not ends_anywhere) or len(results) < len(jobs)
    pair = "smart" in arms and "conventional" in arms and not partial
    case = None
    if pair:
        peaks_pct = {name: arm.extremes.transformer_peak_pct for name, arm in arms.items()}
        case = annualised(scenario, world, typical, {name: arm.days for name, arm in arms.items()}, peaks_pct)
    seconds = {part: sum(result.seconds.get(part, 0.0) for result in results) for part in PARTS}
    customers = world.customers_count
    return {
        "scenario": scenario.name,
        "seed": scenario.seed,
        "days": sum(job.span.days for job in jobs if job.arm == jobs[0].arm),
        "step_s": scenario.step_s,
        "customers": customers,
        "enrolled_customers": int(world.owned.enrolled.sum()),
        "customers_without_power": int((world.dead_points < world.customers_count).sum()),
        "nodes": world.network.nodes,
        "conductors": _conductors(world.conductors),
        "wall_s": None,
        "peak_rss_mb": None,
        "customer_steps_per_s": None,
        "customer_steps": customers * sum(result.steps for result in results),
        "phase_s": seconds,
        "partial": partial,
        "stopped_at": from_ns(min(stopped), scenario.zone).isoformat() if stopped else None,
        "unconverged": [
            {
                "arm": r.arm,
                "feeder": f,
                "head": world.feeder_head(f),
                "steps": n,
                "first": from_ns(at, scenario.zone).isoformat(),
            }
            for r in results
            for f, (n, at) in r.held.items()
        ],
        "hunting": [
            {"arm": r.arm, "control": name, "steps": n, "first": from_ns(at, scenario.zone).isoformat()}
            for r in results
            for name, (n, at) in r.hunting.items()
        ],
        "technologies": _technologies(world),
        "events": [_event(scenario, one, arms, k) for k, one in enumerate(world.events)],
        "arms": {name: arm.summary(scenario, world) for name, arm in arms.items()},
        "difference": _difference(scenario, world, typical, arms, case) if pair else None,
        "business": None
        if case is None
        else case[0].summary(case[1])
        | {"state_eur_per_year": _state(scenario, typical, arms)}
        | appraised(scenario, world, typical, {name: arm.results for name, arm in arms.items()}),
        "break": _against_intact(arms, broken) if broken and "intact" in arms and not partial else None,
    }


def _technologies(world: World) -> dict[str, dict[str, str]]:
    """By link class, and by class and name where towns have different ones."""
    return {
        name if len(used) == 1 else f"{name} {one.name}": {
            "name": one.name,
            "title": one.title,
            "not_modelled": one.not_modelled,
        }
        for name, used in zip(CLASS_NAMES, world.plan.technologies, strict=True)
        for one in used
    }


def _event(scenario: Scenario, event: Happening, arms: Mapping[str, Joined], number: int) -> dict[str, Any]:
    """What an event was, and what happened in each arm."""
    begin, end = (from_ns(ns, scenario.zone).isoformat() for ns in (event.begin_ns, event.end_ns))
    about = {"kind": event.kind, "where": event.where, "begin": begin, "end": end}
    return about | {"arms": {name: arm.events[number] for name, arm in arms.items()}}


def _difference(
    scenario: Scenario,
    world: World,
    typical: bool,
    arms: Mapping[str, Joined],
    case: tuple[business.Case, float] | None,
) -> dict[str, Any]:
    """Smart minus conventional."""
    results = {name: arm.results for name, arm in arms.items()}
    smart, conventional = arms["smart"], arms["conventional"]
    prices = conventional.prices
    stored_kwh = smart.energy.stored - conventional.energy.stored
    heat_kwh = smart.energy.stored_heat - conventional.energy.stored_heat
    return {
        **_changes(smart, conventional),
        "npv_eur_by_domain": None if case is None else case[0].npv_eur.tolist(),
        "stored_mwh": stored_kwh / 1000.0,
        "stored_heat_mwh": heat_kwh / 1000.0,
        "stored_value_eur": settlement.stored_value_eur(stored_kwh + heat_kwh, float(np.mean(prices)))
        if prices
        else 0.0,
        "bills": bill_changes(scenario, world, typical, results),
    }


def _changes(one: Joined, other: Joined) -> dict[str, Any]:
    bills = one.mean_bill_eur, other.mean_bill_eur
    return {
        "primary_peak_kw": one.extremes.peak_kw - other.extremes.peak_kw,
        "energy_lost_mwh": (one.energy.lost - other.energy.lost) / 1000.0,
        "violation_customer_minutes": (one.extremes.outside_s - other.extremes.outside_s) / 60.0,
        "mean_bill_eur": None if bills[0] is None or bills[1] is None else bills[0] - bills[1],
    }


def _against_intact(arms: Mapping[str, Joined], broken: Mapping[str, float]) -> dict[str, Any]:
    """What the break cost: the broken smart arm minus the intact one."""
    smart, intact = arms["smart"], arms["intact"]
    return {
        "classes": dict(broken),
        "against_intact": {
            **_changes(smart, intact),
            "by_domain_eur": ((smart.money.by_domain - intact.money.by_domain) / 1e5).tolist(),
            "estimated_reads": smart.metering.get("estimated", 0) - intact.metering.get("estimated", 0),
            "estimation_error_mwh": smart.metering.get("estimation_error_mwh", 0.0),
            "min_pu": smart.extremes.v_min_pu - intact.extremes.v_min_pu,
            "max_pu": smart.extremes.v_max_pu - intact.extremes.v_max_pu,
        },
    }


def annualised(
    scenario: Scenario,
    world: World,
    typical: bool,
    books: Mapping[str, Sequence[DayBooks]],
    transformer_peak_pct: Mapping[str, Floats],
) -> tuple[business.Case, float] | None:
    """The business case and the sum of the days' weights, if the days stand for a year.

    books, transformer_peak_pct : of the arms "smart" and "conventional".
    """
    weight_of = dict(scenario.typical_days)
    weights = np.array([float(weight_of[one.day]) if typical else 1.0 for one in books["smart"]])
    if not stand_for_a_year(float(weights.sum())):
        return None
    fees = scenario.sections["network_fees"]
    parameters = scenario.sections["business"]
    yearly, spending = {}, {}
    grid = world.grid
    for name in ("smart", "conventional"):
        yearly[name] = business.operating_eur_per_year(
            np.array([one.by_domain_eur for one in books[name]]),
            weights,
            np.array([one.peaks_kw for one in books[name]]),
            fees,
        )
        stocks = stocks_of(world, name == "smart", scenario.sections["telecom"])
        spending[name] = [
            *business.device_investments(stocks, parameters),
            *business.transformer_investments(
                transformer_peak_pct[name], grid.transformers.sn_mva, grid.transformers.vn_hv_kv, parameters
            ),
        ]
    case = business.business_case(
        yearly["smart"], yearly["conventional"], spending["smart"], spending["conventional"], parameters
    )
    return case, float(weights.sum())


def _state(scenario: Scenario, typical: bool, arms: Mapping[str, Joined]) -> float:
    """EUR that the state receives more in a year with the smart grid, each typical day as often as it stands for."""
    weight_of = dict(scenario.typical_days) if typical else {}
    eur = {
        name: sum(
            weight_of.get(result.days[0].day, 1.0) * result.money.state / MILLICENT_PER_EUR
            for result in arms[name].results
        )
        for name in ("smart", "conventional")
    }
    return eur["smart"] - eur["conventional"]


def _conductors(conductors: Conductors | None) -> dict[str, int] | None:
    """How many of a circuit's nodes are what; only energised phases count in figures of voltage. None of a balanced network."""
    if conductors is None:
        return None
    from heptagrid.world.circuit.circuit import GROUND

    return {
        "phases": int(conductors.is_phase.sum()),
        "neutrals": int(conductors.is_neutral.sum()),
        "de_energised": int(conductors.is_dead.sum()),
        "between_phases": int((conductors.next_phase != GROUND).sum()),
    }
