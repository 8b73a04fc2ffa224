"""What the receiver of a message did with it, in a sentence."""

from __future__ import annotations

from heptagrid.assembly.place_names import Places
from heptagrid.contracts import flexibility
from heptagrid.domains.customers.device import device_words
from heptagrid.foundation.contract import Wave
from heptagrid.foundation.domains import Kind
from heptagrid.foundation.time import NS_PER_QUARTER, from_ns
from heptagrid.inquiry.local_bids import effect_of_local
from heptagrid.inquiry.replay import Replay
from heptagrid.planes.messages.kernel.traces import MessageTrace


def effect(traced: MessageTrace, wave: Wave, row: int, replay: Replay) -> str | None:
    """What the receiver did with the message, where that can be said in a sentence."""
    delivered = traced.delivered_ns
    zone = replay.scenario.zone
    point = Places(replay.world).point(traced.destination)
    if (said := effect_of_local(traced, wave, row, replay)) is not None:
        return said
    if delivered is None:
        if wave.kind in (Kind.SETPOINT, Kind.PRICE) and point is not None:
            return "The gateway never received it: its devices follow what it received before, until that lapses."
        if wave.kind is Kind.METER_READING and traced.is_over:
            return "Operations estimated the quarter hour and marked it so."
        return None
    step_ns = replay.scenario.step_s * 10**9
    at = from_ns(-(-delivered // step_ns) * step_ns, zone)
    device = wave.topic.removeprefix("signal.")
    if device != wave.topic and (signal := flexibility.signal(device).of(wave)) is not None:
        end = from_ns((signal.first_quarter + signal.valid_quarters) * NS_PER_QUARTER, zone)
        return f"The {device_words()[device].one} of customer {point} follows it from {at:%H:%M:%S} on, until the next one or {end:%H:%M}."
    if (cap := flexibility.CAP.of(wave)) is not None:
        until, cap_kw = from_ns(int(cap.until_ns[row]), zone), float(cap.cap_kw[row])
        capped = _capped(replay, int(wave.destination[row]))
        if until <= at:
            return (
                f"Congestion: a cap of {cap_kw:g} kW on the {capped} of customer {point} until {until:%H:%M:%S}; it had lapsed "
                f"when the gateway could act on it at {at:%H:%M:%S}, the end of the run's step of {step_ns // 10**9} s."
            )
        return f"Congestion: a cap of {cap_kw:g} kW on the {capped} of customer {point} from {at:%H:%M:%S} to {until:%H:%M:%S}."
    if wave.kind is Kind.PRICE and point is not None:
        if point >= len(replay.world.owned.tariff_of):
            return "A producer has no tariff: the prices change nothing there."
        tariff = replay.grid.bills.offers.tariffs[int(replay.world.owned.tariff_of[point])]
        if tariff.follows_prices:
            return f"Customer {point} is on the {tariff.title} tariff: these are its prices, and devices that the aggregator does not control follow them."
        return f"Customer {point} is on the {tariff.title} tariff: the prices change nothing there."
    return None


def _capped(replay: Replay, customer: int) -> str:
    """The customer's devices that a cap limits, in words."""
    owned = replay.world.owned.devices
    return " and ".join(
        one.words.one for name, one in replay.world.owned.classes.items() if one.is_capped and customer in owned[name]
    )
