"""Observed years of a town that never was, to be changed by a test."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from heptagrid.foundation.domains import Domain
from heptagrid.foundation.reasons import Reason
from heptagrid.foundation.registry import benefits
from heptagrid.planes.money import business, telecom
from heptagrid.planes.money.appraisal.appraise import Plan
from heptagrid.planes.money.appraisal.rules import Rules
from heptagrid.planes.money.benefits.observed import ArmYear, Observed

METERS = 1000


def paid(**amounts_eur: tuple[int, int, float]) -> np.ndarray:
    """Who paid whom, by reason's name: (payer, payee, EUR)."""
    found = np.zeros((len(Reason), 9, 9))
    for name, (payer, payee, amount_eur) in amounts_eur.items():
        found[Reason[name.upper()], payer, payee] = amount_eur
    return found


def observed(**rules: Any) -> Observed:
    """Smart meters save fuel, peak and visits, and change what parties pay one another."""
    prices = telecom.Parameters(
        access_unit_capex_eur=15.0,
        access_unit_opex_eur_per_year=1.0,
        access_site_capex_eur=2000.0,
        access_site_opex_eur_per_year=100.0,
        backhaul_capex_eur=300.0,
        backhaul_opex_eur_per_year=60.0,
        wan_capex_eur=1000.0,
        wan_opex_eur_per_year=500.0,
        line_m_capex_eur=0.0,
    )
    conventional = ArmYear(
        consumed_mwh=4000.0,
        lost_mwh=200.0,
        rest_mwh=20_000.0,
        fuel_eur=120_000.0,
        system_peak_mw=50.0,
        transformer_peak_pct=np.array([120.0, 130.0, 80.0]),
        price_eur_per_mwh=60.0,
        emissions_t=2000.0,
        paid_eur=paid(
            energy_bill=(Domain.CUSTOMERS, Domain.PROVIDERS, 900_000.0),
            taxes=(Domain.PROVIDERS, 7, 200_000.0),
            peak_demand=(Domain.DISTRIBUTION, Domain.TRANSMISSION, 80_000.0),
            network_fee=(Domain.PROVIDERS, Domain.DISTRIBUTION, 300_000.0),
            fuel=(Domain.GENERATION, 7, 120_000.0),
        ),
        stocks=(telecom.Stock(telecom.conventional_counts(METERS), prices),),
    )
    smart = replace(
        conventional,
        lost_mwh=190.0,
        fuel_eur=100_000.0,
        system_peak_mw=49.7,
        transformer_peak_pct=np.array([110.0, 90.0, 80.0]),
        price_eur_per_mwh=59.0,
        emissions_t=1900.0,
        paid_eur=paid(
            energy_bill=(Domain.CUSTOMERS, Domain.PROVIDERS, 870_000.0),
            taxes=(Domain.PROVIDERS, 7, 195_000.0),
            peak_demand=(Domain.DISTRIBUTION, Domain.TRANSMISSION, 70_000.0),
            network_fee=(Domain.PROVIDERS, Domain.DISTRIBUTION, 301_000.0),
            fuel=(Domain.GENERATION, 7, 100_000.0),
        ),
        stocks=(
            telecom.Stock(
                telecom.smart_counts(meters=METERS, substations=5, wan_links=3, control_boxes=20)
                | telecom.access_counts(meters=METERS, access_sites=5, backhaul_links=5, line_m=0.0),
                prices,
            ),
        ),
    )
    return Observed(
        conventional,
        smart,
        customers=METERS,
        meters=METERS,
        transformer_mva=np.array([0.63, 0.4, 0.4]),
        transformer_kv=np.array([20.0, 20.0, 20.0]),
        rules=business.Parameters(**rules),
    )


def plan(rules: Rules | None = None, **changed: dict[str, Any]) -> Plan:
    """All benefits and costs, with some sections' keys at other values."""
    found = benefits()
    values = {name: one.parameters(**changed.get(name, {})) for name, one in found.items()}
    return Plan(found, values, rules or Rules(draws=20))
