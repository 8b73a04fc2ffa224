"""What a metering point pays for its energy, and is paid for what it feeds in.

A bill is the German household bill of 2024, net prices first and value added tax on all of them:

    energy (the tariff's price + the retailer's margin) + network fee + levies + electricity tax,
    standing charge of supply + base fee of the network + metering.

Tariffs differ in the energy price alone (`tariff`). Feed-in earns its market value from the provider; what the
feed-in tariff lies above it comes from outside, as the federal budget has paid it since July 2022.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.parameters import parameter
from heptagrid.foundation.sums import weighted_columns
from heptagrid.planes.money.cents import CENT_PER_EUR, cents, invoice
from heptagrid.planes.money.tariffs import network_fees

Floats = npt.NDArray[np.float64]
Energies = npt.NDArray[np.floating[Any]]
Bools = npt.NDArray[np.bool_]

EUR_PER_CT = 0.01


@dataclass(frozen=True)
class Parameters:
    """Prices of supply, net of value added tax, and what the state adds."""

    flat_procurement_eur_per_mwh: float = parameter(
        83.61,
        info="what a kWh costs in procurement under the flat tariff, all year",
        unit="EUR/MWh",
        low=0.0,
        high=1000.0,
        source="load-weighted mean of the built-in bulk system's zone price over its year at the basis eu-2024 (tools/year_of_prices.py; Germany's "
        "mean of 2024 was 78.51, SMARD), so that the tariffs differ in shape and not in level; with another basis it is to be set",
    )
    margin_ct_per_kwh: float = parameter(
        2.0,
        info="the retailer's margin and cost of sales in both tariffs",
        unit="ct/kWh",
        low=0.0,
        high=20.0,
        source="assumption: a small part of the 43 % of the household price that procurement and sales had in 2024",
    )
    standing_eur_per_year: float = parameter(
        44.0,
        info="the retailer's standing charge",
        unit="EUR/year",
        low=0.0,
        high=500.0,
        source="assumption: a standing charge of 12 EUR a month with tax, less base fee of the network and metering",
    )
    levies_ct_per_kwh: float = parameter(
        1.574,
        info="levies: combined heat and power 0.275, offshore 0.656, network ordinance section 19 0.643",
        unit="ct/kWh",
        low=0.0,
        high=20.0,
        source="German transmission operators, levies of 2024, as listed by Stadtwerke Blaustein",
    )
    concession_ct_per_kwh: float = parameter(
        1.66,
        info="concession fee to the municipality",
        unit="ct/kWh",
        low=0.0,
        high=10.0,
        source="BDEW Strompreisanalyse 2024, average of households (source not read)",
    )
    electricity_tax_ct_per_kwh: float = parameter(
        2.05,
        info="electricity tax",
        unit="ct/kWh",
        low=0.0,
        high=10.0,
        source="Stromsteuergesetz section 3",
    )
    vat_share: float = parameter(
        0.19,
        info="value added tax on the net bill; all customers are taken to be final consumers",
        unit="1",
        low=0.0,
        high=1.0,
        source="Umsatzsteuergesetz section 12",
    )
    feed_in_ct_per_kwh: float = parameter(
        8.11,
        info="what a kWh fed in earns at least; all local generation is taken to have this tariff",
        unit="ct/kWh",
        low=0.0,
        high=60.0,
        source="EEG 2023, rooftop units up to 10 kW with own use, in service from February to July 2024",
    )
    flexibility_ct_per_kwh: float = parameter(
        5.0,
        info="what the provider pays for each kWh that a device drew less in a quarter hour, on request, than it would have by itself",
        unit="ct/kWh",
        low=0.0,
        high=100.0,
        source="assumption: 125 EUR a year for a vehicle's 2,500 kWh, the size of the yearly reduction for steerable "
        "devices under EnWG section 14a, module 1 (110 to 190 EUR with tax: Bundesnetzagentur as quoted by SWL Verteilungsnetzgesellschaft)",
    )


@dataclass(frozen=True)
class Bills:
    """What each metering point owes for a span and is owed, (points,) in EUR each.

    energy, network, state and their tax are by the kWh; standing, base, metering and their tax by the day.
    state: levies, concession fee and electricity tax. rounding: what the two taxes lack against the tax on all lines together. demand, minimum and
    their tax: of a monthly rate, the month's highest power and what lacks to its minimum; line_rounding: what its lines lack against their sum rounded once.
    """

    energy: Floats
    network: Floats
    state: Floats
    energy_vat: Floats
    standing: Floats
    base: Floats
    metering: Floats
    standing_vat: Floats
    export_credit: Floats
    feed_in_premium: Floats
    rounding: Floats
    demand: Floats
    minimum: Floats
    demand_vat: Floats
    line_rounding: Floats

    @property
    def energy_bill(self) -> Floats:
        """What is owed for the kWh used, with all that is on them."""
        return self.energy + self.network + self.state + self.energy_vat

    @property
    def standing_charge(self) -> Floats:
        """What is owed for the days, with tax."""
        return self.standing + self.base + self.metering + self.standing_vat

    @property
    def demand_charge(self) -> Floats:
        """What is owed for the month's highest power and its minimum, with tax."""
        return self.demand + self.minimum + self.demand_vat

    @property
    def all_rounding(self) -> Floats:
        """What rounding left, of taxes and of a rate's lines."""
        return self.rounding + self.line_rounding

    @property
    def owed(self) -> Floats:
        """What is owed, before what is owed back for feed-in."""
        return self.energy_bill + self.standing_charge + self.demand_charge + self.all_rounding

    @property
    def net(self) -> Floats:
        """What is owed less what is owed back for feed-in."""
        return self.owed - self.export_credit - self.feed_in_premium


def bills(
    import_kwh: Energies,
    export_kwh: Energies,
    day_ahead_eur_per_kwh: Floats,
    energy_eur: Floats,
    is_customer: Bools,
    years: float,
    parameters: Parameters,
    fees: network_fees.Parameters,
) -> Bills:
    """The bills of all metering points for a span of `years` (a day of 2016: 1 / 366).

    Parameters
    ----------
    import_kwh, export_kwh : (slots, points), energies by quarter hour or hour
    day_ahead_eur_per_kwh : (slots,), the market's price in each slot
    energy_eur : (points,), what the energy costs under each point's tariff, without the margin
    is_customer : (points,), who pays for the days; a stand-alone producer pays for the kWh it uses alone
    """
    used_kwh = import_kwh.sum(axis=0, dtype=np.float64)
    energy = energy_eur + used_kwh * parameters.margin_ct_per_kwh * EUR_PER_CT
    network = used_kwh * fees.energy_ct_per_kwh * EUR_PER_CT
    state_ct_per_kwh = (
        parameters.levies_ct_per_kwh + parameters.concession_ct_per_kwh + parameters.electricity_tax_ct_per_kwh
    )
    state = used_kwh * state_ct_per_kwh * EUR_PER_CT

    charged_years = np.where(is_customer, years, 0.0)
    standing = charged_years * parameters.standing_eur_per_year
    base = charged_years * fees.base_eur_per_year
    metering = charged_years * fees.metering_eur_per_year

    feed_in_eur_per_kwh = parameters.feed_in_ct_per_kwh * EUR_PER_CT
    premium_eur_per_kwh = np.maximum(feed_in_eur_per_kwh - day_ahead_eur_per_kwh, 0.0)
    return Bills(
        energy=energy,
        network=network,
        state=state,
        energy_vat=(energy + network + state) * parameters.vat_share,
        standing=standing,
        base=base,
        metering=metering,
        standing_vat=(standing + base + metering) * parameters.vat_share,
        export_credit=weighted_columns(day_ahead_eur_per_kwh, export_kwh),
        feed_in_premium=weighted_columns(premium_eur_per_kwh, export_kwh),
        rounding=np.zeros_like(energy),
        demand=np.zeros_like(energy),
        minimum=np.zeros_like(energy),
        demand_vat=np.zeros_like(energy),
        line_rounding=np.zeros_like(energy),
    )


def in_cents(exact: Bills, parameters: Parameters) -> Bills:
    """The bills as they go out: every line in whole cents, and one line of what rounding the taxes left."""
    by_kwh, by_day = (exact.energy, exact.network, exact.state), (exact.standing, exact.base, exact.metering)
    used, days, whole = (invoice(np.array(lines), parameters.vat_share) for lines in (by_kwh, by_day, by_kwh + by_day))
    energy, network, state = used.lines / CENT_PER_EUR
    standing, base, metering = days.lines / CENT_PER_EUR
    return Bills(
        energy,
        network,
        state,
        used.tax / CENT_PER_EUR,
        standing,
        base,
        metering,
        days.tax / CENT_PER_EUR,
        cents(exact.export_credit) / CENT_PER_EUR,
        cents(exact.feed_in_premium) / CENT_PER_EUR,
        rounding=(whole.tax - used.tax - days.tax) / CENT_PER_EUR,
        demand=cents(exact.demand) / CENT_PER_EUR,
        minimum=cents(exact.minimum) / CENT_PER_EUR,
        demand_vat=cents(exact.demand_vat) / CENT_PER_EUR,
        line_rounding=cents(exact.line_rounding) / CENT_PER_EUR,
    )
