"""Why money moves: every payment in the ledger names one of these."""

from __future__ import annotations

from enum import IntEnum
from typing import Self


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
    FUEL = 12, "generation pays outside what the fleet's fuel and starts cost more with the town than without"
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
    TRUE_UP = (
        21,
        "what late reads, and registers that settle a gap of reads, change of days already billed: bills, fees, taxes and premiums, imbalance and losses",
    )
    LOCAL_MARKET = (
        22,
        "customers pay providers, or are paid, what the price of their local market lay above the grid's for what their devices bought and sold in it",
    )
    CONGESTION_SURPLUS = (
        23,
        "providers pay markets, and markets distribution, what customers paid for local prices above the grid's less what they were paid",
    )


REASON_NAMES = tuple(reason.name.lower() for reason in Reason)
STATE_REASONS = (Reason.TAXES, Reason.FEED_IN_PREMIUM, Reason.TRUE_UP)
"""Reasons by which the state, outside the seven domains, takes and gives; of a true-up the part that is paid to it or by it."""
