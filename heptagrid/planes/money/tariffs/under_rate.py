"""A rate's bill as a bill of the run: what the retailer keeps of it, and what of it is network fee, levies and tax.

A rate of OpenEI's database holds everything that a customer pays by kWh, month and kW. What the retailer owes others of it is what it owes of any customer's energy
and days; the rest is its own, and may be less than nothing.
"""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import numpy.typing as npt

from heptagrid.planes.money.cents import CENT_PER_EUR, cents
from heptagrid.planes.money.rates.bill import RateBill
from heptagrid.planes.money.tariffs import network_fees
from heptagrid.planes.money.tariffs.billing_rules import EUR_PER_CT, Bills, Parameters

Floats = npt.NDArray[np.float64]

CREDITS = ("net metering", "net billing", "feed-in", "true-up")
"""Kinds of charge that owe a customer for what it fed in."""
OF_POWER = ("demand", "coincident peak")
"""Kinds of charge for a month's highest power."""


def bills_under(
    bill: RateBill, used_kwh: Floats, years: float, supply: Parameters, fees: network_fees.Parameters
) -> Bills:
    """The bills of points, (points,) in whole cents, of a month's days that are `years` of a year; `used_kwh` (points,)."""
    whole, rules = bill.in_cents, [one.rule for one in bill.lines]

    def of(*wanted: str) -> Floats:
        chosen = [k for k, rule in enumerate(rules) if rule in wanted]
        return np.asarray(whole.lines[chosen, 0].sum(axis=0) / CENT_PER_EUR)

    def rounded(eur: npt.ArrayLike) -> Floats:
        return np.asarray(cents(eur) / CENT_PER_EUR)

    known = ("fixed", *OF_POWER, "minimum", *CREDITS)
    by_kwh, by_day, demand, minimum = (
        of(*(rule for rule in rules if rule not in known)),
        of("fixed"),
        of(*OF_POWER),
        of("minimum"),
    )
    tax = (whole.total[0] - whole.net[0]) / CENT_PER_EUR
    share = sum(one.share for one in bill.rate.taxes)
    standing_vat, demand_vat = rounded(by_day * share), rounded((demand + minimum) * share)
    state_ct = supply.levies_ct_per_kwh + supply.concession_ct_per_kwh + supply.electricity_tax_ct_per_kwh
    network = rounded(used_kwh * fees.energy_ct_per_kwh * EUR_PER_CT)
    state = rounded(used_kwh * state_ct * EUR_PER_CT)
    ones = np.ones_like(used_kwh)
    base, metering = rounded(ones * years * fees.base_eur_per_year), rounded(ones * years * fees.metering_eur_per_year)
    return Bills(
        energy=by_kwh - network - state,
        network=network,
        state=state,
        energy_vat=tax - standing_vat - demand_vat,
        standing=by_day - base - metering,
        base=base,
        metering=metering,
        standing_vat=standing_vat,
        export_credit=-of(*CREDITS),
        feed_in_premium=np.zeros_like(used_kwh),
        rounding=np.zeros_like(used_kwh),
        demand=demand,
        minimum=minimum,
        demand_vat=demand_vat,
        line_rounding=np.asarray(whole.rounding[0] / CENT_PER_EUR),
    )


def nothing(points: int) -> Bills:
    """Bills of nothing."""
    return Bills(**{one.name: np.zeros(points) for one in fields(Bills)})


def plus(one: Bills, other: Bills) -> Bills:
    """Line by line."""
    return Bills(**{each.name: getattr(one, each.name) + getattr(other, each.name) for each in fields(Bills)})


def minus(one: Bills, other: Bills) -> Bills:
    """Line by line, in whole cents."""
    lines = {each.name: getattr(one, each.name) - getattr(other, each.name) for each in fields(Bills)}
    return Bills(**{name: cents(eur) / CENT_PER_EUR for name, eur in lines.items()})


def put(whole: Bills, columns: npt.NDArray[np.int64], part: Bills) -> Bills:
    """The bills with those of some points, (columns,), in place of theirs."""
    lines = {}
    for each in fields(Bills):
        line = getattr(whole, each.name).copy()
        line[columns] = getattr(part, each.name)
        lines[each.name] = line
    return Bills(**lines)


def pick(whole: Bills, columns: npt.NDArray[np.int64]) -> Bills:
    """The bills of some points."""
    return Bills(**{each.name: getattr(whole, each.name)[columns] for each in fields(Bills)})
