"""Bids and prices of local markets in sentences, and a customer's day in one."""

from __future__ import annotations

from typing import Any

from heptagrid.assembly.place_names import Places
from heptagrid.contracts import local_market
from heptagrid.domains.customers.device import device_words
from heptagrid.foundation.contract import Wave
from heptagrid.foundation.time import from_ns
from heptagrid.inquiry.message_list import Tracker, listed_entry
from heptagrid.inquiry.replay import Replay
from heptagrid.planes.messages.kernel.traces import MessageTrace

_BID = "bid."


def effect_of_local(traced: MessageTrace, wave: Wave, row: int, replay: Replay) -> str | None:
    """What a bid or a price of a local market came to, in a sentence; None for any other message."""
    if wave.topic.startswith(_BID) and (bid := local_market.bid(wave.topic.removeprefix(_BID)).of(wave)) is not None:
        return _of_bid(traced, wave, bid, replay)
    price = local_market.PRICE.of(wave)
    return None if price is None else _of_price(traced, price, row, replay)


def _of_bid(traced: MessageTrace, wave: Wave, bid: local_market.Bid, replay: Replay) -> str:
    market, markets = replay.grid.local_market, replay.world.local_markets
    assert market is not None and markets is not None
    point = Places(replay.world).point(traced.source)
    device, span = device_words()[wave.topic.removeprefix(_BID)].one, _span(bid.interval_ns, replay)
    alone = f"the {device} of customer {point} is not in the market {span}, and works by its own control then"
    clears_ns = bid.interval_ns - markets.timetable.clear_lead_ns
    if traced.delivered_ns is None:
        return f"It did not reach the market: {alone}."
    if traced.delivered_ns > clears_ns:
        return f"It came after the market had cleared, at {from_ns(clears_ns, replay.scenario.zone):%H:%M:%S}: {alone}."
    where = int(markets.of_point[point]) if point is not None else -1
    cleared = next((one for one in market.cleared if one.begin_ns == bid.interval_ns), None)
    at = "" if cleared is None else f", which cleared at {100.0 * cleared.clearing.price[where]:.2f} ct/kWh"
    return f"It was in time for the market below {markets.names[where]} {span}{at}."


def _of_price(traced: MessageTrace, price: local_market.Price, row: int, replay: Replay) -> str:
    point = Places(replay.world).point(traced.destination)
    names = list(replay.world.local_markets.participants) if replay.world.local_markets else []
    which = " and ".join(device_words()[name].one for k, name in enumerate(names) if int(price.bidders[row]) >> k & 1)
    span = _span(price.interval_ns, replay)
    if traced.delivered_ns is None:
        return f"The gateway never received it: the {which} of customer {point} works by its own control {span}."
    late = "" if traced.delivered_ns <= price.interval_ns else "; it came late, and holds for what was left of that"
    at = 100.0 * float(price.price_eur_per_kwh[row])
    return f"The {which} of customer {point} follows {at:.2f} ct/kWh {span}{late}."


def _span(begin_ns: int, replay: Replay) -> str:
    markets, zone = replay.world.local_markets, replay.scenario.zone
    assert markets is not None
    end_ns = begin_ns + markets.timetable.period_ns
    return f"from {from_ns(begin_ns, zone):%H:%M} to {from_ns(end_ns, zone):%H:%M}"


def day_in_market(replay: Replay, tracker: Tracker, customer: int, first_ns: int, end_ns: int) -> dict[str, Any] | None:
    """What a customer's devices bid for a day's intervals, and what became of these bids and of the prices; None for one that does not take part."""
    markets = replay.world.local_markets
    if markets is None or not any(customer in points for points in markets.participants.values()):
        return None
    places, zone = Places(replay.world), replay.scenario.zone

    def of(is_mine: Any) -> list[dict[str, Any]]:
        found = [
            one
            for one in tracker.listed.values()
            if is_mine(one.wave) and first_ns <= int(one.wave.payload.interval_ns) < end_ns
        ]
        return [listed_entry(one.id, one.wave, one.row, one.fate, places, zone) for one in found]

    bids = of(lambda wave: wave.topic.startswith(_BID))
    prices = of(lambda wave: wave.contract is local_market.PRICE)
    return {
        "market": markets.names[int(markets.of_point[customer])],
        "devices": [device_words()[name].one for name, points in markets.participants.items() if customer in points],
        "bids": len(bids),
        "bids_lost": [one for one in bids if one["status"].startswith("lost")],
        "prices": sum(one["status"] == "delivered" for one in prices),
        "prices_lost": [one for one in prices if one["status"].startswith("lost")],
    }
