"""What a plan costs, by the prices of the business case: sections `telecom`, `business` and the technologies' own."""

from __future__ import annotations

import math
from dataclasses import dataclass

from heptagrid.assembly.stocks import access_prices
from heptagrid.planes.messages.planning.path_loss import has_mast
from heptagrid.planes.messages.planning.section import Parameters
from heptagrid.planes.messages.technology import Technology, technology
from heptagrid.planes.money import telecom
from heptagrid.planes.money.business import annuity_factor, lifecycle_factor
from heptagrid.planes.money.telecom import ITEMS, Stock
from heptagrid.scenario.schema import Scenario


@dataclass(frozen=True)
class Costs:
    """EUR, by item: at the start, and each year. present_value_eur: of all, bought anew when worn out, over the horizon of the business case."""

    investment_eur: dict[str, float]
    yearly_eur: dict[str, float]
    present_value_eur: float


class Prices:
    """Prices of a scenario for a technology, its backhaul, and the modems of meters that it does not reach."""

    def __init__(self, scenario: Scenario, facts: Technology) -> None:
        self._business = scenario.sections["business"]
        self._plan: Parameters = scenario.sections["plan"]
        backhaul = technology(scenario.sections["messages.backhaul"].technology)
        modem = technology(self._plan.modem)
        given = scenario.sections["telecom"]
        self._own = access_prices(given, facts, backhaul)
        self._modem = access_prices(given, modem, backhaul)
        # An operator's base station stands on the operator's own network.
        self._has_backhaul = not has_mast(facts) or facts.costs.site_capex_eur > 0.0

    def costs(self, meters: int, sites: int, modems: int) -> Costs:
        """Of meters that sites serve, of these sites with a link of the backhaul each, and of modems."""
        found = telecom.access_counts(
            meters=meters, access_sites=sites, backhaul_links=sites if self._has_backhaul else 0, line_m=0.0
        )
        stocks = [Stock(found, self._own)]
        with_modem = [Stock({"access_unit": modems}, self._modem)]
        capex, opex = telecom.capex_eur(stocks), telecom.opex_eur(stocks, 1.0)
        by_modem = telecom.capex_eur(with_modem)["access_unit"], telecom.opex_eur(with_modem, 1.0)["access_unit"]
        rate, years = self._business.discount_rate, self._business.horizon_years
        bought = [(ITEMS[name], amount) for name, amount in capex.items()] + [(ITEMS["access_unit"], by_modem[0])]
        present = sum(amount * lifecycle_factor(item.lifetime_years, years, rate) for item, amount in bought)
        present += (sum(opex.values()) + by_modem[1]) * annuity_factor(rate, years)
        return Costs(
            {name: amount for name, amount in (*capex.items(), ("modem", by_modem[0])) if name != "line_m"},
            {name: amount for name, amount in (*opex.items(), ("modem", by_modem[1])) if name != "line_m"},
            present,
        )

    def fewest_meters(self) -> int:
        """Meters for which a site costs no more than a modem for each; 1 where a meter's unit costs more than its modem."""
        if self._plan.fewest_meters:
            return self._plan.fewest_meters
        if self._plan.poor == "uncovered":
            return 1
        site = self.costs(0, 1, 0).present_value_eur
        saved = self.costs(0, 0, 1).present_value_eur - self.costs(1, 0, 0).present_value_eur
        return max(1, math.ceil(site / saved)) if saved > 0.0 else 1
