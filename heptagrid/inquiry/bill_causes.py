"""What a day's bill rests on: meter reads, the price and its message, set-points."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from heptagrid.assembly.place_names import Places
from heptagrid.contracts import retail
from heptagrid.domains.operations.meter_store import ReadStatus
from heptagrid.domains.providers.billing import Record
from heptagrid.foundation.time import NS_PER_HOUR
from heptagrid.inquiry.message_list import Tracker, listed_entry
from heptagrid.inquiry.replay import Replay
from heptagrid.inquiry.waves import Waves, cause_entry


def reads(settled: Record, customer: int, brought: list[int], waves: Waves, zone: ZoneInfo) -> dict[str, Any]:
    """How many of the day's reads were measured, estimated or settled, and the messages that brought them."""
    status = settled.status[:, settled.column(customer)]
    message = settled.message
    return {
        "quarters": len(status),
        "estimated": int((status == ReadStatus.ESTIMATED).sum()),
        "settled": int((status == ReadStatus.SETTLED).sum()),
        "settled_by": [cause_entry(one, waves.of(one), zone) for one in brought],
        "replaced": int((status == ReadStatus.REPLACED).sum()),
        "message": None if message < 0 else cause_entry(message, waves.of(message), zone),
    }


def price(
    replay: Replay, settled: Record, customer: int, tracker: Tracker, waves: Waves, to_retailer: int
) -> dict[str, Any]:
    """The message with the day's prices to the customer, what became of it, and what caused it.

    to_retailer: the message with the prices to the retailer, -1 if it never arrived.
    """
    places, zone = Places(replay.world), replay.scenario.zone
    found: dict[str, Any] = {
        "min_eur_per_mwh": float(settled.billed.price_eur_per_mwh.min()),
        "mean_eur_per_mwh": float(settled.billed.price_eur_per_mwh.mean()),
        "max_eur_per_mwh": float(settled.billed.price_eur_per_mwh.max()),
        "flat_eur_per_mwh": float(replay.grid.bills.of(customer).terms.supply.flat_procurement_eur_per_mwh),
        "message": None,
        "chain": [],
    }
    start_hour = settled.dates.of_ns // NS_PER_HOUR
    mine = [
        one
        for one in tracker.listed.values()
        if (prices := retail.PRICES.of(one.wave)) is not None and prices.first_hour == start_hour
    ]
    if mine:
        one = mine[-1]
        found["message"] = listed_entry(one.id, one.wave, one.row, one.fate, places, zone)
        found["chain"] = [cause_entry(cause, wave, zone) for cause, wave in waves.chain(one.id)]
        return found
    # The retailer never passed them on: what the market sent to the retailer, if that arrived.
    if to_retailer >= 0:
        found["chain"] = [cause_entry(to_retailer, waves.of(to_retailer), zone)]
        found["chain"] += [cause_entry(cause, wave, zone) for cause, wave in waves.chain(to_retailer)]
    return found


def setpoints(replay: Replay, tracker: Tracker, waves: Waves, first_ns: int, end_ns: int) -> dict[str, Any]:
    """The day's set-points to the customer: how many, what became of them, how many were for congestion."""
    places, zone = Places(replay.world), replay.scenario.zone
    sent = [one for one in tracker.listed.values() if one.wave.topic == "cap" or one.wave.topic.startswith("signal.")]
    sent = [one for one in sent if first_ns <= int(one.wave.sent_ns[one.row]) < end_ns]
    entries = [listed_entry(one.id, one.wave, one.row, one.fate, places, zone) for one in sent]
    arrived = [one for one in entries if one["status"] == "delivered"]
    delays = [one["delay_s"] for one in arrived]
    last = arrived[-1]["id"] if arrived else None
    return {
        "sent": len(sent),
        "delivered": len(arrived),
        "lost": [one for one in entries if one["status"].startswith("lost")],
        "for_congestion": [one for one in entries if one["topic"] == "cap"],
        "longest_delay_s": max(delays, default=None),
        "last": arrived[-1] if arrived else None,
        "chain": [] if last is None else [cause_entry(cause, wave, zone) for cause, wave in waves.chain(last)],
    }
