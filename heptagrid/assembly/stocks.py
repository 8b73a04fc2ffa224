"""Meters and communication devices of an arm, and their prices: what all towns share, and what each has by its own technologies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from heptagrid.assembly.world import World
from heptagrid.planes.messages.technology import Technology
from heptagrid.planes.money import telecom
from heptagrid.planes.money.telecom import Stock


def stocks_of(world: World, smart: bool, given: telecom.Parameters) -> list[Stock]:
    """All that an arm has; a price that is not given is the technology's own."""
    if not smart:
        return [Stock(telecom.conventional_counts(world.points), given)]
    owned, wan, companies = world.owned, world.plan.wan.costs, world.companies
    shared = telecom.smart_counts(
        meters=world.points,
        substations=len(world.substations.node),
        # From each town's hub to operations, and to each company; the market, plants and transmission have theirs in both arms.
        wan_links=len(world.towns) + len(companies.retailers) + len(companies.aggregators),
        control_boxes=sum(len(owned.enrolled_owners(name)) for name in owned.devices),
    )
    own = {"wan_capex_eur": wan.device_capex_eur, "wan_opex_eur_per_year": wan.device_opex_eur_per_year}
    return [Stock(shared, _priced(given, own)), *access_stocks(world, given)]


def access_stocks(world: World, given: telecom.Parameters) -> list[Stock]:
    """Of each town what reaches its meters: units, sites, backhaul and lines."""
    plan = world.plan
    meters = np.bincount(world.town_of, minlength=len(world.towns)).tolist()
    substations = np.bincount(plan.concentrator_town, minlength=len(world.towns)).tolist()
    found = []
    for k, (access, backhaul) in enumerate(zip(plan.access, plan.backhaul, strict=True)):
        counts = telecom.access_counts(
            meters=meters[k],
            access_sites=int(plan.access_sites[k]),
            backhaul_links=substations[k] + int(plan.site_links[k]),
            line_m=float(plan.line_m[k]),
        )
        found.append(Stock(counts, access_prices(given, access, backhaul)))
    return found


def access_prices(given: telecom.Parameters, access: Technology, backhaul: Technology) -> telecom.Parameters:
    """Prices of what reaches meters; one that is not given is the technology's own."""
    line_eur_per_km = max(access.costs.line_capex_eur_per_km, backhaul.costs.line_capex_eur_per_km)
    own = {
        "access_unit_capex_eur": access.costs.device_capex_eur,
        "access_unit_opex_eur_per_year": access.costs.device_opex_eur_per_year,
        "access_site_capex_eur": access.costs.site_capex_eur,
        "access_site_opex_eur_per_year": access.costs.site_opex_eur_per_year,
        "backhaul_capex_eur": backhaul.costs.device_capex_eur,
        "backhaul_opex_eur_per_year": backhaul.costs.device_opex_eur_per_year,
        "line_m_capex_eur": line_eur_per_km / 1000.0,
    }
    return _priced(given, own)


def _priced(given: telecom.Parameters, own: dict[str, float]) -> telecom.Parameters:
    return replace(given, **{key: value for key, value in own.items() if getattr(given, key) == telecom.OWN})
