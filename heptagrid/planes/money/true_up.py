"""True-ups: what a later settlement run changes of a day's bills and of its settlement in the market.

A day is billed on what was known when its bills were made. A true read that comes later replaces the estimate that stood in for
it; in the day's next run its bill is made anew, whole cents included, and what it differs from what has been billed is posted. So a day's bill and its
true-ups together are always the bill of what its last run knew, and losses, bought as what no meter explains, change by as many kWh the
other way. That meter operators send corrected values and suppliers settle the difference is market practice (EDIFACT MSCONS).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.calendar import Calendar
from heptagrid.foundation.quarter_rows import DayValues
from heptagrid.planes.money import settlement
from heptagrid.planes.money.settlement import Wholesale
from heptagrid.planes.money.tariffs import billing_rules, network_fees
from heptagrid.planes.money.tariffs.billing_rules import Bills
from heptagrid.planes.money.tariffs.tariff import Offers, Slots

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Terms:
    """By what points are billed: (points,) which of the tariffs on offer each has, by number, and who pays for the days; all prices.

    years: that a day stands for.
    """

    offers: Offers
    tariff_of: Ints
    is_customer: Bools
    years: float
    supply: billing_rules.Parameters
    fees: network_fees.Parameters

    def bills(self, import_kwh: np.ndarray, export_kwh: np.ndarray, slots: Slots) -> Bills:
        """A day's bills in whole cents, from energies by slot, (slots, points)."""
        exact = billing_rules.bills(
            import_kwh,
            export_kwh,
            slots.day_ahead_eur_per_kwh,
            self.offers.energy_eur(self.tariff_of, import_kwh, slots, self.supply),
            self.is_customer,
            self.years,
            self.supply,
            self.fees,
        )
        return billing_rules.in_cents(exact, self.supply)

    def of(self, points: Ints) -> Terms:
        """The terms of some points alone."""
        return replace(self, tariff_of=self.tariff_of[points], is_customer=self.is_customer[points])


@dataclass(frozen=True)
class BilledDay:
    """What a day's bills, true-ups included, rest on: prices (slots,) and their calendar, energies (slots, points)."""

    price_eur_per_mwh: Floats
    calendar: Calendar
    import_kwh: DayValues
    export_kwh: DayValues
    bills: Bills

    @property
    def slots(self) -> Slots:
        return Slots(self.price_eur_per_mwh / 1000.0, self.calendar)


@dataclass(frozen=True)
class TrueUp:
    """New less billed, in EUR: the bills of the points concerned, (k,) each."""

    points: Ints
    bills: Bills


def true_up(
    billed: BilledDay, slots: Ints, points: Ints, import_kwh: np.ndarray, export_kwh: np.ndarray, terms: Terms
) -> tuple[BilledDay, TrueUp]:
    """The day with true reads in place of what it was billed on, (k,) each, and what that changes of its bills."""
    imported, exported = billed.import_kwh.copy(), billed.export_kwh.copy()
    imported[slots, points], exported[slots, points] = import_kwh, export_kwh
    concerned = np.unique(points)
    new = terms.of(concerned).bills(imported[:, concerned], exported[:, concerned], billed.slots)
    names = [one.name for one in fields(Bills)]
    whole = {name: getattr(billed.bills, name).copy() for name in names}
    change = {name: getattr(new, name) - whole[name][concerned] for name in names}
    for name in names:
        whole[name][concerned] = getattr(new, name)
    day = replace(billed, import_kwh=imported, export_kwh=exported, bills=Bills(**whole))
    return day, TrueUp(concerned, Bills(**change))


@dataclass(frozen=True)
class SettledDay:
    """A day's settlement in the market, true-ups included; series as `settlement.wholesale` takes them, of all retailers."""

    price_eur_per_mwh: Floats
    position_mwh: Floats
    settled_mwh: Floats
    infeed_mwh: Floats
    beyond: settlement.Beyond

    def wholesale(self, fees: network_fees.Parameters) -> Wholesale:
        """What it comes to."""
        given = self.price_eur_per_mwh, self.position_mwh, self.settled_mwh, self.infeed_mwh
        return settlement.wholesale(*given, fees, self.beyond)

    def corrected(self, slots: Ints, settled_mwh: Floats) -> SettledDay:
        """The day with what is known by now of what was used in some slots, (k,), (k, retailers)."""
        settled = self.settled_mwh.copy()
        settled[slots] = settled_mwh
        return replace(self, settled_mwh=settled)
