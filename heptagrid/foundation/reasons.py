"""Why money moves: every payment in the ledger names one of these."""

from __future__ import annotations

from enum import IntEnum
from typing import Self

from heptagrid.foundation.settlement_runs import SettlementRun


class Reason(IntEnum):
    """A reason for a payment, with one line that says who pays whom for what."""

    meaning: str

    def __new__(cls, number: int, meaning: str) -> Self:
        member = int.__new__(cls, number)
        member._value_ = number
        member.meaning = meaning
        return member

    ENERGY_BILL = 0, "customers pay providers for each kWh: energy, network, levies and taxes on them"
    STANDING_CHARGE = 1, "customers pay providers for each day: supply, network connection, metering and taxes on them"
    EXPORT_CREDIT = 2, "providers pay customers and producers the market value of what they fed in"
    FEED_IN_PREMIUM = 3, "outside pays customers and producers what the feed-in tariff lies above the market value"
    FLEXIBILITY = (
        4,
        "providers pay customers for each kWh that a device drew less in a quarter hour, on request, than it would have by itself",
    )
    NETWORK_FEE = 5, "providers pass the network fees in the bills on to distribution"
    METERING_FEE = 6, "providers and distribution pay operations for running the meters"
    TAXES = 7, "providers hand levies, electricity tax and value added tax on to outside"
    WHOLESALE_ENERGY = 8, "providers pay markets, and markets generation, for energy bought day ahead"
    IMBALANCE = 9, "providers pay markets, and markets generation, for what was used beyond the day-ahead position"
    LOSSES = 10, "distribution pays markets, and markets generation, for what its network used and no meter explains"
    REST_ENERGY = 11, "the loads beyond the scenario's own pay their generation"
    FUEL = 12, "generation pays outside what the fleet's fuel costs more with the town than without"
    USE_OF_SYSTEM = 13, "distribution pays transmission for each MWh taken at the infeed"
    PEAK_DEMAND = (
        14,
        "distribution pays transmission for the highest power taken at the infeed, the mean of a quarter hour",
    )
    RELIEF = 15, "distribution pays providers for power given up behind an overloaded transformer"
    TELECOM = 16, "operations pays outside for the upkeep of communication devices and links"
    INFORMATION_TECHNOLOGY = 17, "operations pays outside for running the head end and its data store"
    METER_READING = 18, "operations pays outside for reading meters by visit"
    DEVICE_UPKEEP = 19, "a domain pays outside for the upkeep of its meters, sensors and control boxes"
    ROUNDING = (
        20,
        "customers pay providers, or are paid, what the rounded taxes of a bill lack against the tax on all its lines",
    )
    SECOND_RUN = (
        21,
        "what late reads, and registers that settle a gap of reads, change of a day in its second settlement run: bills, fees, taxes and premiums, imbalance and losses",
    )
    LOCAL_MARKET = (
        22,
        "customers pay providers, or are paid, what the price of their local market lay above the grid's for what their devices bought and sold in it",
    )
    CONGESTION_SURPLUS = (
        23,
        "providers pay markets, and markets distribution, what customers paid for local prices above the grid's less what they were paid",
    )
    FINAL_RUN = 24, "the same in its final settlement run, after which nothing changes any more"
    CONGESTION_RENT = (
        25,
        "with nodal prices: providers and distribution pay markets, and markets transmission, what their buses' prices lie above what units got for a MWh, and are paid where they lie below",
    )
    MAKE_WHOLE = (
        26,
        "with nodal prices: providers and distribution pay markets, and markets generation, what the day's prices left of units' costs, by energy",
    )
    LOSS_SURPLUS = (
        27,
        "with nodal prices and marginal losses: providers and distribution pay markets, and markets transmission, what they pay for one MWh more that is lost beyond what units got for all that was lost",
    )
    RESERVE = (
        28,
        "with reserve that is bought: providers and distribution pay markets, and markets generation, for the capacity that units held for the day, by energy",
    )
    RESERVE_NOT_HELD = (
        29,
        "with reserve that is bought: generation pays markets, and markets providers and distribution, for what units sold of it a day ahead and did not hold, for they were out",
    )
    DEMAND_CHARGE = (
        30,
        "customers with a monthly rate pay providers for the month's highest power, and what the month lacks of its minimum",
    )

    @property
    def run(self) -> SettlementRun | None:
        """The settlement run that posts it; None for what is not settled by metered energy."""
        return _RUN_OF.get(self)


_FIRST = (
    *(Reason.ENERGY_BILL, Reason.STANDING_CHARGE, Reason.ROUNDING, Reason.EXPORT_CREDIT, Reason.FEED_IN_PREMIUM),
    *(Reason.NETWORK_FEE, Reason.METERING_FEE, Reason.TAXES),
    *(Reason.WHOLESALE_ENERGY, Reason.IMBALANCE, Reason.LOSSES, Reason.REST_ENERGY),
    *(Reason.CONGESTION_RENT, Reason.LOSS_SURPLUS, Reason.MAKE_WHOLE),
    *(Reason.RESERVE, Reason.RESERVE_NOT_HELD, Reason.DEMAND_CHARGE),
)
LATER = {SettlementRun.SECOND: Reason.SECOND_RUN, SettlementRun.FINAL: Reason.FINAL_RUN}
"""What a later settlement run changes of a day has one reason, which names the run; payer and payee say which part it is."""
_RUN_OF = dict.fromkeys(_FIRST, SettlementRun.FIRST) | {reason: run for run, reason in LATER.items()}

REASON_NAMES = tuple(reason.name.lower() for reason in Reason)
LATER_NAMES = tuple(reason.name.lower() for reason in LATER.values())
STATE_REASONS = (Reason.TAXES, Reason.FEED_IN_PREMIUM, *LATER.values())
"""Reasons by which the state, outside the seven domains, takes and gives; of a later settlement run the part that is paid to it or by it."""
