"""A customer's bill and its causes, in sentences for the customer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from heptagrid.domains.customers.device import device_words
from heptagrid.report.findings import capital
from heptagrid.report.trace_text import when
from heptagrid.report.words import duration, kind_words, listing, number

_WHAT = {
    "prices": "the market's result",
    "position": "what the retailer bought",
    "demand": "the retailer's bid for its customers",
    "forecast": "operations' forecast of the load",
    "rest_forecast": "operations' forecast of the other loads",
    "substation": "a substation's measurement",
    "relief": "operations' call for relief of a transformer",
    "reading": "the last meter reading that had arrived",
    "day_reads": "the day's validated reads",
    "late_reads": "what came to be known of reads after their day had been told",
}
_LIMIT_PCT = 100.0


def bill_text(found: Mapping[str, Any]) -> str:
    """The whole explanation."""
    who = f"Customer {found['customer']} ({found['name']})"
    verb = "owes" if found["bill_eur"] >= 0 else "is owed"
    lines = [f"{who} {verb} {number(abs(found['bill_eur']), 2)} EUR for {found['day']}, in the {found['arm']} arm."]
    if found["retailer"] != "retailer":  # of several
        lines.append(f"The bill is made by {found['retailer']}.")
    if found["days_of_run"] > 1:
        lines.append(
            f"Over the run's {found['days_of_run']} days the bills come to {number(found['bill_of_run_eur'], 2)} EUR."
        )
    if found["conventional_bill_eur"] is not None:
        lines.append(
            f"Without the smart grid the run's bill would have been {number(found['conventional_bill_eur'], 2)} EUR, "
            f"against {number(found['bill_of_run_eur'], 2)} EUR with it."
        )
    lines += [f"note: {one}" for one in found["remarks"]]
    lines += ["", *_lines(found["lines"], found["bill_eur"])]
    lines += ["", "How much was used", f"  {_reads(found)}", *(f"  {one}" for one in _corrections(found))]
    for one in found["days"]:
        lines.append(f"  {one['says']}")
    lines += ["", "The price", *(f"  {one}" for one in _price(found))]
    lines += ["", "Flexibility", *(f"  {one}" for one in _flexibility(found))]
    if found["local_market"]:
        lines += ["", "The local market", *(f"  {one}" for one in _local_market(found))]
    lines += ["", "The network at the time", *(f"  {one}" for one in _network(found))]
    for one in found["desks"]:
        lines += ["", one["desk"], f"  {one['says']}"]
    lines += ["", f"Follow any message with: heptagrid trace {found['run']} MESSAGE"]
    return "\n".join(lines)


def _lines(lines: Sequence[Mapping[str, Any]], total_eur: float) -> list[str]:
    rows = []
    for one in lines:
        kwh = f"{number(one['kwh'], 3)} kWh" if one["kwh"] is not None else ""
        rests = f"message {one['message']}" if one["message"] is not None else ""
        if one["settlement_run"] == "first":
            rests = f"first run  {rests}"
        rows.append(f"  {one['line']:46} {kwh:>14} {number(one['amount_eur'], 2):>12} EUR  {rests}".rstrip())
    return [*rows, f"  {'together':46} {'':>14} {number(total_eur, 2):>12} EUR"]


def _reads(found: Mapping[str, Any]) -> str:
    reads = found["reads"]
    message = reads["message"]
    if message is None:
        told = (
            "The day's reads never reached the retailer, which made the bill from the reads that operations had stored."
        )
    else:
        told = f"Operations told the retailer the day's reads in message {message['id']}, sent {when(message['sent'], date=True)}."
    measured = reads["quarters"] - reads["estimated"] - reads["settled"]
    if measured == reads["quarters"]:
        return f"The meter reported all {reads['quarters']} quarter hours of the day. {told}"
    missing = []
    if reads["settled"]:
        ids = ", ".join(str(one["id"]) for one in reads["settled_by"][:5])
        missing.append(
            f"{reads['settled']} were lost, but the next reading's register told the energy of each gap (message {ids}), which was "
            "spread over it as estimated"
        )
    if reads["estimated"]:
        missing.append(f"{reads['estimated']} had not arrived in time and were estimated")
    return f"The meter reported {measured} of {reads['quarters']} quarter hours; {'; '.join(missing)}. {told}"


def _corrections(found: Mapping[str, Any]) -> list[str]:
    """What later settlement runs changed of this bill, one sentence for each, and what stays an estimate."""
    reads = found["reads"]
    standing = reads["estimated"] - sum(one["reads"] + one["settled"] for one in reads["corrections"])
    stands = f"No later reading of this run settled {standing} of them: the bill rests on their estimates."
    return [
        f"{_afterwards(one)}: {number(abs(one['changed_kwh']), 3)} kWh {'less' if one['changed_kwh'] < 0.0 else 'more'} than billed. "
        f"The {one['settlement_run']} settlement run, with the bill of {one['billed_with']}, changes this one by {number(one['amount_eur'], 2)} EUR (message "
        f"{one['message']['id']}, sent {when(one['message']['sent'], date=True)})."
        for one in reads["corrections"]
    ] + ([stands] if standing > 0 else [])


def _afterwards(one: Mapping[str, Any]) -> str:
    """What came after the bill, and with which reading."""
    by = f"message {one['brought_by']['id']}"
    if not one["settled"]:
        return f"{one['reads']} of them came late (the last in {by})"
    late = f"{one['reads']} of them came late and " if one["reads"] else ""
    return f"{late}{one['settled']} were settled by the meter's register (the last in {by})"


def _price(found: Mapping[str, Any]) -> list[str]:
    price, dearest = found["price"], found["dearest"]
    span = f"{number(price['min_eur_per_mwh'] / 10, 2)} to {number(price['max_eur_per_mwh'] / 10, 2)} ct/kWh"
    lines = []
    if found["tariff"] != "flat":
        that_day = f", {span} that day" if found["tariff"] == "dynamic" else ""
        lines.append(f"You are on the {found['tariff_title']} tariff: {found['tariff_says']}{that_day}.")
        lines.append(
            f"The dearest hour began at {dearest['from'][11:16]}: {number(dearest['used_kwh'], 3)} kWh at "
            f"{number(dearest['price_eur_per_kwh'] * 100, 2)} ct, {number(dearest['energy_eur'], 4)} EUR of energy."
        )
    else:
        lines.append(
            f"You are on the flat tariff: a kWh costs {number(price['flat_eur_per_mwh'] / 10, 2)} ct in procurement at all "
            f"times, whatever the market does ({span} that day); no message changes it."
        )
    message = price["message"]
    if message is not None:
        lines.append(_arrival(message, found))
    else:
        lines.append("The retailer sent no prices for that day: the market's result had not reached it in time.")
    return lines + _chain(price["chain"])


def _arrival(message: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    begin = f"The day's prices were sent to you in message {message['id']}, {when(message['sent'], date=True)}, "
    if message["status"] == "delivered":
        return f"{begin}and reached your gateway {duration(message['delay_s'])} later."
    if message["status"].startswith("lost"):
        then = "your devices used the earlier prices" if found["devices"] else "no device of yours uses them"
        return f"{begin}and never reached your gateway ({message['status']}): {then}; the bill uses the market's price in any case."
    return f"{begin}and were still under way at the end of the replay."


def _chain(chain: Sequence[Mapping[str, Any]]) -> list[str]:
    """What a message came from, link by link."""
    lines = []
    for one in chain:
        what = _WHAT.get(one["topic"], kind_words(one["kind"]))
        lines.append(
            f"Its cause was {what} (message {one['id']}, {one['sender']} to {one['receiver']}, {when(one['sent'], date=True)})."
        )
        if one["root"]:
            lines.append(f"The cause of that was {one['root']}.")
    return lines


def _flexibility(found: Mapping[str, Any]) -> list[str]:
    setpoints, devices = found["setpoints"], found["devices"]
    its = "the aggregator" if found["aggregator"] == "aggregator" else found["aggregator"]  # of several
    it = capital(its)
    if not devices:
        owned = listing([one.one for one in device_words().values()], "or")
        return [f"You own no {owned} that {its} could control."]
    names = " and ".join(one["device"] for one in devices)
    if not any(one["steered"] for one in devices):
        return [f"{it} does not control your {names}: you are not enrolled with {its}."]
    if setpoints["sent"] == 0 and found["local_market"]:
        return [f"{it} leaves your {names} to the local market, and pays nothing for moving them."]
    if setpoints["sent"] == 0:
        return [f"{it} may control your {names}, but sent no set-point that day."]
    lines = [
        f"{it} controls your {names}: it sent {setpoints['sent']} set-points that day, {setpoints['delivered']} of which "
        f"arrived{'' if setpoints['longest_delay_s'] is None else ', the slowest after ' + duration(setpoints['longest_delay_s'])}."
    ]
    if setpoints["lost"]:
        ids = ", ".join(str(one["id"]) for one in setpoints["lost"][:5])
        lines.append(
            f"{len(setpoints['lost'])} were lost (message {ids}): until the next one the device followed the earlier plan, or, "
            "when that had lapsed, its local control."
        )
    caps = setpoints["for_congestion"]
    if caps:
        lines.append(
            f"{len(caps)} of them were for congestion: a transformer was near its rating (first: message {caps[0]['id']})."
        )
    else:
        lines.append("None was for congestion: they move your consumption to hours of low demand.")
    pay = sum(one["amount_eur"] for one in found["lines"] if one["reason"] == "flexibility")
    lines.append(f"You were paid {number(-pay, 2)} EUR for what your devices moved.")
    if setpoints["last"]:
        last = setpoints["last"]
        lines.append(f"The last that arrived was message {last['id']}, sent {when(last['sent'], date=True)}.")
        lines += _chain(setpoints["chain"])
    return lines


def _local_market(found: Mapping[str, Any]) -> list[str]:
    one = found["local_market"]
    lost, unheard = one["bids_lost"], one["prices_lost"]
    lines = [
        f"Your {listing(one['devices'])} bid into the market below {one['market']}: {number(one['bids'])} bids for that day, to which {number(one['prices'])} prices came back."
    ]
    if lost:
        lines.append(f"{len(lost)} bids were lost (message {_first(lost)}): the device worked by its own control then.")
    if unheard:
        lines.append(
            f"{len(unheard)} prices were lost (message {_first(unheard)}): the device worked by its own control then."
        )
    owed_eur = sum(each["amount_eur"] for each in found["lines"] if each["reason"] == "local_market")
    if owed_eur:
        verb = "You paid" if owed_eur > 0.0 else "You were paid"
        lines.append(
            f"{verb} {number(abs(owed_eur), 2)} EUR for what its price lay above the grid's when your bids were taken."
        )
    else:
        lines.append("Its price was never above the grid's when your bids were taken: nothing is owed for it.")
    return lines


def _first(messages: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(str(one["id"]) for one in messages[:5])


def _network(found: Mapping[str, Any]) -> list[str]:
    hour, network = found["dearest"], found["network"]
    if hour["v_min_pu"] is None:
        return ["No voltage was recorded in that hour."]
    base_v = network["base_kv"] * 1000.0 / 3**0.5
    unit, scale = ("V", base_v) if base_v < 1000.0 else ("kV", base_v / 1000.0)
    low, high = hour["v_min_pu"], hour["v_max_pu"]
    digits = 1 if unit == "V" else 2
    lines = [
        f"In the hour from {hour['from'][11:16]} the voltage at your connection was {number(low, 4)} to {number(high, 4)} pu "
        f"({number(low * scale, digits)} to {number(high * scale, digits)} {unit}; EN 50160 allows 0.9 to 1.1 pu)."
    ]
    loads = []
    if network["feeder"]:
        loads.append((f"the first line of your feeder ({network['feeder']})", hour["feeder_pct"]))
    if network["transformer"] and hour["transformer_pct"] is not None:
        loads.append(
            (f"its transformer ({network['transformer']}, {number(network['rated_kva'])} kVA)", hour["transformer_pct"])
        )
    if loads:
        lines.append("Highest loading: " + ", ".join(f"{name} {number(pct, 1)} %" for name, pct in loads) + ".")
        over = [name for name, pct in loads if pct > _LIMIT_PCT]
        lines.append(f"Above its rating: {', '.join(over)}." if over else "None of these was above its rating.")
    return lines
