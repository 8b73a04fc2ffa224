"""The summary of a run: the figures of the page, from what the arms came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.happenings import Happening
from heptagrid.assembly.job import Job
from heptagrid.assembly.stocks import stocks_of
from heptagrid.assembly.world import World
from heptagrid.foundation.time import from_ns
from heptagrid.planes.messages import reliability
from heptagrid.planes.messages.links import CLASS_NAMES
from heptagrid.planes.messages.statistics import Counts
from heptagrid.planes.money import business, settlement
from heptagrid.planes.money.ledger import MILLICENT_PER_EUR, Totals
from heptagrid.planes.power.unbalanced.conductors import Conductors
from heptagrid.recording.access_by_town import access_by_town
from heptagrid.recording.access_networks import AccessNetworks, access_networks
from heptagrid.recording.appraisal_summary import appraised
from heptagrid.recording.arm_result import ArmResult
from heptagrid.recording.bill_groups import bill_changes
from heptagrid.recording.bill_parts import BILL_PARTS
from heptagrid.recording.company_books import CompanyBooks, company_summaries
from heptagrid.recording.extremes import BAND_PU
from heptagrid.recording.loading import loading_summary
from heptagrid.recording.local_market_log import LocalMarketSums, local_market_summary
from heptagrid.recording.market_log import MarketFigures
from heptagrid.recording.observed_year import stand_for_a_year
from heptagrid.recording.recorder import PARTS
from heptagrid.recording.settlement_books import SettlementBooks
from heptagrid.recording.totals import DayBooks, Energy, Extremes, TownFigures
from heptagrid.recording.town_summary import finite, town_summaries
from heptagrid.scenario.schema import Scenario
from heptagrid.world.circuit.circuit import GROUND

Floats = npt.NDArray[np.float64]


class Joined:
    """The results of one arm over all its spans, joined."""

    def __init__(self, results: Sequence[ArmResult]) -> None:
        first = results[0]
        self.arm = first.arm
        self.results = results
        self.energy = Energy()
        self.extremes = Extremes.none(
            len(first.extremes.node_v_min),
            len(first.extremes.transformer_peak_pct),
            len(first.extremes.customer_v_min),
        )
        self.towns = TownFigures.none(len(first.towns.peak_kw))
        self.companies = CompanyBooks.nothing(len(first.companies.paid))
        self.settlement = SettlementBooks.nothing()
        self.messages = Counts.none()
        self.places = np.zeros_like(first.places)
        self.crossed = np.zeros_like(first.crossed)
        self.busy_s, self.counted_s = np.zeros_like(first.busy_s), 0.0
        self.money = Totals.nothing()
        self.market = MarketFigures.nothing()
        self.metering: dict[str, float] = {}
        self.traded_mwh: dict[str, float] = {}
        self.refused: dict[str, float] = {}
        self.interruptions: dict[str, float] = {}
        self.events, self.frequency = first.events, first.frequency
        self.local_market = None if first.local_market is None else LocalMarketSums()
        self.comfort: dict[str, float] = {}
        for result in results:
            self.energy.add(result.energy)
            self.extremes.join(result.extremes)
            self.towns.join(result.towns)
            self.companies = self.companies + result.companies
            self.settlement = self.settlement + result.settlement
            assert result.messages is not None
            self.messages = self.messages + result.messages
            self.places = self.places + result.places
            self.crossed = self.crossed | result.crossed
            self.busy_s, self.counted_s = self.busy_s + result.busy_s, self.counted_s + result.counted_s
            self.money = self.money + result.money
            if self.local_market and result.local_market:
                self.local_market.add(result.local_market)
            self.market = self.market + result.market
            _add(self.metering, result.metering)
            _add(self.traded_mwh, result.traded_mwh)
            _add(self.comfort, result.comfort)
            _add(self.refused, {name: float(count) for name, count in result.refused.items()})
            _add(self.interruptions, result.interruptions)
        self.desks = first.desks
        self.tariffs: dict[str, tuple[int, float]] = {
            name: (count, sum(result.tariffs[name][1] for result in results))
            for name, (count, _) in first.tariffs.items()
        }
        self.bills_eur, self.delivered_kwh, self.billed_kwh = (
            np.sum([getattr(result, name) for result in results], axis=0)
            for name in ("bills_eur", "delivered_kwh", "billed_kwh")
        )
        self.bill_parts_eur = np.sum([result.bill_parts_eur for result in results], axis=0)
        self.prices = [price for result in results for price in result.price_eur_per_mwh]
        self.days = [day for result in results for day in result.days]

    @property
    def mean_bill_eur(self) -> float | None:
        """The customers' mean bill over the run; None before the first was written."""
        return float(self.bills_eur.mean()) if self.days else None

    def access_networks(self, world: World) -> AccessNetworks:
        """How the access networks fared."""
        return access_networks(world.plan, self.places, self.busy_s, self.counted_s)

    def summary(self, scenario: Scenario, world: World) -> dict[str, Any]:
        """The arm's entry."""
        technologies = [", ".join(one.name for one in used) for used in world.plan.technologies]
        energy, extremes = self.energy, self.extremes
        mwh = {name: getattr(energy, name) / 1000.0 for name in vars(energy)}
        town = ("generated", "imported", "exported", "consumed", "lost", "stored")
        bills = self.bills_eur if self.days else None
        return {
            "energy_mwh": {name: mwh[name] for name in town} | {"residual": energy.residual / 1000.0},
            "domain_energy_mwh": {
                "generation_to_transmission": mwh["fleet"],
                "transmission_lost": mwh["transmission_lost"],
                "transmission_to_rest": mwh["rest"] + mwh["damped"],
                "transmission_to_distribution": mwh["imported"],
                "distribution_to_transmission": mwh["exported"],
                "distribution_lost": mwh["lost"],
                "distribution_to_customers": mwh["points_drawn"],
                "customers_to_distribution": mwh["points_fed_in"],
            },
            "voltage": {
                "min_pu": finite(extremes.v_min_pu),
                "max_pu": finite(extremes.v_max_pu),
                "violation_customer_minutes": extremes.outside_s / 60.0,
                "customers_min_pu": finite(extremes.customer_v_min.min(initial=np.inf)),
                "customers_max_pu": finite(extremes.customer_v_max.max(initial=-np.inf)),
                "customers_outside": int((extremes.customer_outside_s > 0.0).sum()),
                "band_pu": list(BAND_PU),
            },
            "devices": _devices(world),
            "interruptions": self.interruptions,
            "frequency": self.frequency,
            **local_market_summary(world.local_markets, self.local_market),
            "loading": loading_summary(world, extremes, scenario.zone),
            "towns": town_summaries(world, self.towns, extremes, scenario.zone),
            "messages": self.messages.summary() | {"refused": {name: int(n) for name, n in self.refused.items()}},
            "requirements": reliability.summary(self.messages, self.places, self.crossed, technologies),
            "access_networks": self.access_networks(world).summary(),
            **self._by_town(scenario, world),
            "metering": self.metering,
            "comfort": self.comfort,
            "traded_mwh": self.traded_mwh,
            "money_eur": self.money.summary(),
            "settlement": self.settlement.summary(scenario.sections["settlement"]),
            "companies": company_summaries(world, self.companies, self.arm != "conventional"),
            "bills": {
                "mean_bill_eur": self.mean_bill_eur,
                **{
                    name: None if bills is None else float(np.quantile(bills, share))
                    for name, share in (("p10_eur", 0.1), ("median_eur", 0.5), ("p90_eur", 0.9))
                },
                "mean_parts_eur": None
                if bills is None
                else dict(zip(BILL_PARTS, self.bill_parts_eur.mean(axis=1).tolist(), strict=True)),
            },
            "tariffs": {
                name: {"customers": count, "mean_bill_eur": eur / count if count and self.days else None}
                for name, (count, eur) in self.tariffs.items()
            },
            "desks": self.desks,
            "market": self.market.summary(),
            "price_eur_per_mwh": {
                "mean": float(np.mean(self.prices)) if self.prices else None,
                "min": min(self.prices, default=None),
                "max": max(self.prices, default=None),
            },
        }

    def _by_town(self, scenario: Scenario, world: World) -> dict[str, Any]:
        """How each of several towns' access networks fared, where messages used them."""
        used = len(world.towns) > 1 and bool(self.places[:, 1:].any())
        return {"access_by_town": access_by_town(scenario, world, self.places)} if used else {}


def _devices(world: World) -> dict[str, int]:
    """How many customers own each class of device, and how many local units feed in."""
    owned = world.owned
    return {name: len(owner) for name, owner in owned.devices.items()} | {"local_units": len(owned.unit_point)}


def join_arms(jobs: Sequence[Job], results: Sequence[ArmResult]) -> dict[str, Joined]:
    """The arms in the order in which they were asked for, each over all its spans."""
    by_arm: dict[str, list[ArmResult]] = {job.arm.name: [] for job in jobs}
    for result in results:
        by_arm[result.arm].append(result)
    return {name: Joined(of_arm) for name, of_arm in by_arm.items() if of_arm}


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
    partial = bool(stopped) or len(results) < len(jobs)
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


def _add(sums: dict[str, float], more: Mapping[str, float]) -> None:
    for name, value in more.items():
        sums[name] = sums.get(name, 0) + value


def _conductors(conductors: Conductors | None) -> dict[str, int] | None:
    """How many of a circuit's nodes are what; only energised phases count in figures of voltage. None of a balanced network."""
    if conductors is None:
        return None
    return {
        "phases": int(conductors.is_phase.sum()),
        "neutrals": int(conductors.is_neutral.sum()),
        "de_energised": int(conductors.is_dead.sum()),
        "between_phases": int((conductors.next_phase != GROUND).sum()),
    }
