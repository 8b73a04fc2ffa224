"""An arm of a run over all its spans: the sums and extremes of its results, and its entry in the summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.job import Job
from heptagrid.assembly.world import World
from heptagrid.planes.messages import reliability
from heptagrid.planes.messages.statistics import Counts
from heptagrid.planes.money.ledger import Totals
from heptagrid.recording.access_by_town import access_by_town
from heptagrid.recording.access_networks import AccessNetworks, access_networks
from heptagrid.recording.arm_result import ArmResult
from heptagrid.recording.bill_parts import BILL_PARTS
from heptagrid.recording.company_books import CompanyBooks, company_summaries
from heptagrid.recording.extremes import BAND_PU
from heptagrid.recording.loading import loading_summary
from heptagrid.recording.local_market_log import LocalMarketSums, local_market_summary
from heptagrid.recording.market_log import MarketFigures
from heptagrid.recording.settlement_books import SettlementBooks
from heptagrid.recording.totals import Energy, Extremes, TownFigures
from heptagrid.recording.town_summary import finite, town_summaries
from heptagrid.scenario.schema import Scenario

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


def _add(sums: dict[str, float], more: Mapping[str, float]) -> None:
    for name, value in more.items():
        sums[name] = sums.get(name, 0) + value
