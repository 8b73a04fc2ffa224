"""What the use of networks and meters costs, and who pays it: customers to distribution, distribution to
transmission and to operations, which runs the meters. All net of value added tax.
"""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.foundation.parameters import parameter
from heptagrid.planes.money.prices import eur_2024

_INFEED_TARIFF = (
    "Stadtwerke Passau, network fees from January 2022, transformation 110 kV to medium voltage, "
    "2,500 h a year and more: 74.43 EUR/kW and 0.61 ct/kWh; in prices of 2024"
)
_HOUSEHOLD_FEE = (
    "28 % of 41.02 ct/kWh (BDEW July 2024 and Federal Statistical Office, first half of 2024) is "
    "11.5 ct/kWh or 402 EUR a year for 3,500 kWh; less base fee and metering 9.3 ct/kWh remain"
)
_METERING_ACT = "German Metering Point Operation Act (MsbG) section 30 as of 2024"


@dataclass(frozen=True)
class Parameters:
    """Fees for networks and metering."""

    energy_ct_per_kwh: float = parameter(
        9.3, info="network fee for each kWh used", unit="ct/kWh", low=0.0, high=50.0, source=_HOUSEHOLD_FEE
    )
    base_eur_per_year: float = parameter(
        60.0,
        info="base fee of the network for each customer",
        unit="EUR/year",
        low=0.0,
        high=500.0,
        source="Stadtwerke Malchow, network fees of 2024, customers without power metering",
    )
    metering_eur_per_year: float = parameter(
        16.81,
        info="metering fee that a customer pays, for a plain or a smart meter",
        unit="EUR/year",
        low=0.0,
        high=500.0,
        source=f"{_METERING_ACT}: 20 EUR with tax, for plain meters and for smart ones up to 10,000 kWh a year",
    )
    smart_metering_eur_per_year: float = parameter(
        33.61,
        info="what distribution pays operations besides for each smart meter",
        unit="EUR/year",
        low=0.0,
        high=500.0,
        source=f"{_METERING_ACT}: 40 EUR with tax, the network operator's part at 3,000 to 6,000 kWh (source not read)",
    )
    use_of_system_eur_per_mwh: float = parameter(
        round(10.0 * eur_2024(0.61, "EUR", 2022), 2),
        info="what distribution pays transmission for each MWh taken at the infeed",
        unit="EUR/MWh",
        low=0.0,
        high=500.0,
        source=_INFEED_TARIFF,
    )
    peak_demand_eur_per_kw_year: float = parameter(
        round(eur_2024(74.43, "EUR", 2022), 2),
        info="what distribution pays transmission for a year's highest power taken at the infeed, the mean of a quarter hour",
        unit="EUR/kW/year",
        low=0.0,
        high=1000.0,
        source=_INFEED_TARIFF,
    )
    imbalance_spread_eur_per_mwh: float = parameter(
        15.0,
        info="how far the imbalance price lies beyond the day-ahead price, against who is out of balance",
        unit="EUR/MWh",
        low=0.0,
        high=1000.0,
        source="assumption: the German imbalance price keeps a least distance from the market's (its module 2)",
    )
    relief_ct_per_kwh: float = parameter(
        20.0,
        info="what distribution pays for each kW given up for an hour behind an overloaded transformer",
        unit="ct/kWh",
        low=0.0,
        high=500.0,
        source="assumption: the order of utilisation prices in British distribution flexibility tenders (source not read)",
    )
