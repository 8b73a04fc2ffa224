"""The first sentences and the key figures of a run's page: the worst news, the verdict, then what the smart grid changed.

What makes the headline is said in `heptagrid.report.findings`. A change of bills is told only where at most `ESTIMATED` of the meter
reads were estimated: else bills differ by what was guessed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from heptagrid.report.findings import ESTIMATED, estimated_share, worst
from heptagrid.report.verdict import verdict_list
from heptagrid.report.words import ARM_TITLES, energy_unit, number, signed, text


def headline(summary: dict[str, Any], place: str = "town") -> str:
    """The worst news, the verdict, and what the smart grid changed; place: what was run on, in a word."""
    parts = [f"<h1>{text(title(summary))}</h1>", verdict_list(summary)]
    said = changes(summary, place)
    if said:
        parts.append(f"<p class='lead'>{text(said)}</p>")
    if summary["break"]:
        parts.append(_break(summary))
    return "".join(parts)


def title(summary: dict[str, Any]) -> str:
    """The headline, as plain text; a run with broken links says so first."""
    broken = summary["break"]
    if not broken:
        return worst(summary)
    return f"With broken links ({_classes(broken['classes'])}): {worst(summary)}"


def changes(summary: dict[str, Any], place: str = "town") -> str:
    """What differs between the arms, or the peak of the only one; plain text, empty if nothing is known."""
    difference, arms = summary["difference"], summary["arms"]
    if difference is None:
        name = next(iter(arms))
        peak_kw = arms[name]["loading"]["primary_peak_kw"]
        return (
            "" if peak_kw is None else f"In the {ARM_TITLES[name]} arm the {place}'s import peaked at {_mw(peak_kw)}."
        )
    base_kw, change_kw = arms["conventional"]["loading"]["primary_peak_kw"], difference["primary_peak_kw"]
    base_mwh, change_mwh = arms["conventional"]["energy_mwh"]["lost"], difference["energy_lost_mwh"]
    unit, scale, digits = energy_unit(base_mwh)
    losses = f"{number(scale * abs(change_mwh), digits)} {unit}"
    peak = _moved(f"the {place}'s peak import", "it was", change_kw, base_kw, _mw(abs(change_kw)))
    said = f"The smart grid {peak} and {_moved('losses', 'they were', change_mwh, base_mwh, losses)}"
    return f"{said}; {number(arms['smart']['messages']['delivered'])} messages were delivered.{_bill(summary)}"


def _moved(what: str, was: str, change: float, base: float, amount: str) -> str:
    """A change and its share of what it was, as a verb with its object; `amount` is the change without its sign."""
    if not any(digit in amount for digit in "123456789"):
        return f"left {what} as {was}"
    share = f" ({number(100.0 * abs(change) / base, 1)}\u202f%)" if base else ""
    return f"{'cut' if change < 0 else 'raised'} {what} by {amount}{share}"


def _bill(summary: dict[str, Any]) -> str:
    change_eur = summary["difference"]["mean_bill_eur"]
    if change_eur is None or estimated_share(summary["arms"]["smart"]) > ESTIMATED:
        return ""
    amount, when = "EUR", " over these days" if summary["days"] > 1 else " that day"
    if summary["business"]:  # days that stand for a year: their bills, each counted once, are those of no customer
        [customers] = (one for one in summary["business"]["rows"] if one["domain"] == "customers")
        change_eur, amount, when = -customers["operating_eur_per_year"] / summary["customers"], "EUR a year", ""
    return (
        f" The mean customer paid {number(abs(change_eur), 2)} {amount} {'less' if change_eur < 0 else 'more'}{when}."
    )


def _classes(broken: dict[str, float]) -> str:
    return ", ".join(f"{name}, {number(100.0 * loss)}\u202f% lost" for name, loss in broken.items())


def _break(summary: dict[str, Any]) -> str:
    """What the broken links cost against the intact smart grid."""
    one = summary["break"]["against_intact"]
    unit, scale, digits = energy_unit(summary["arms"]["intact"]["energy_mwh"]["lost"])
    money = one["by_domain_eur"]
    state = summary["arms"]["smart"]["money_eur"]["state"] - summary["arms"]["intact"]["money_eur"]["state"]
    bills = (
        f"bills changed by {signed(one['mean_bill_eur'], 2)} EUR on average, but they are based on estimates that were off by "
        f"{number(one['estimation_error_mwh'], 1)} MWh in sum: a difference of bills is no gain or loss of the customers. "
        if estimated_share(summary["arms"]["smart"]) > ESTIMATED
        else f"the mean bill changed by {signed(one['mean_bill_eur'], 2)} EUR. "
    )
    return (
        f"<p class='banner'>Against the intact smart grid: peak import {_signed_mw(one['primary_peak_kw'])}, losses "
        f"{signed(scale * one['energy_lost_mwh'], digits)} {unit}, lowest voltage of any node {signed(one['min_pu'], 4)} pu, customer-minutes outside the "
        f"band {signed(one['violation_customer_minutes'])}. {number(one['estimated_reads'])} more meter reads had to be estimated; "
        f"{bills}By domain, EUR: customers {signed(money[3])}, distribution {signed(money[2])}, service providers {signed(money[6])}, "
        f"operations {signed(money[4])}, transmission {signed(money[1])}, bulk generation {signed(money[0])}, the state {signed(state)}.</p>"
    )


def key_figures(summary: dict[str, Any]) -> str:
    """Cards: a figure in every arm and its difference."""
    arms, difference = summary["arms"], summary["difference"] or {}
    lost_in, per_mwh, lost_digits = energy_unit(*(arm["energy_mwh"]["lost"] for arm in arms.values()))
    cards: list[tuple[str, str, int, Callable[[dict[str, Any]], float | None], str | None]] = [
        ("Lowest supply voltage", "pu", 3, lambda a: a["voltage"]["customers_min_pu"], None),
        ("Highest supply voltage", "pu", 3, lambda a: a["voltage"]["customers_max_pu"], None),
        (
            "Outside the voltage band",
            "customer-min",
            0,
            lambda a: a["voltage"]["violation_customer_minutes"],
            "violation_customer_minutes",
        ),
        ("Highest transformer loading", "%", 1, lambda a: a["loading"]["max_transformer_pct"], None),
        ("Highest line loading", "%", 1, lambda a: a["loading"]["max_line_pct"], None),
        ("Peak import", "kW", 0, lambda a: a["loading"]["primary_peak_kw"], "primary_peak_kw"),
        ("Lost in the network", lost_in, lost_digits, lambda a: per_mwh * a["energy_mwh"]["lost"], "energy_lost_mwh"),
        (
            f"Mean bill{', each day counted once' if summary['business'] else ''}",
            "EUR",
            2,
            lambda a: a["bills"]["mean_bill_eur"],
            "mean_bill_eur",
        ),
        ("Vehicles short of energy", "kWh", 1, lambda a: a["comfort"].get("vehicle_shortfall_kwh"), None),
        ("Houses too cold", "house-min", 0, lambda a: a["comfort"].get("cold_house_minutes"), None),
        ("Messages delivered", "", 0, lambda a: a["messages"]["delivered"], None),
    ]
    parts = []
    for name, unit, digits, value, key in cards:
        rows = "".join(
            f'<div class="arm {arm_name}"><span>{text(ARM_TITLES[arm_name])}</span><b>{number(value(arm), digits)}</b></div>'
            for arm_name, arm in arms.items()
        )
        change = difference.get(key) if key else None
        change = per_mwh * change if change is not None and key == "energy_lost_mwh" else change
        delta = f'<div class="delta">{signed(change, digits)}</div>' if change is not None else ""
        parts.append(
            f'<div class="card"><h3>{text(name)} <span class="unit">{text(unit)}</span></h3>{rows}{delta}</div>'
        )
    stored = difference.get("stored_value_eur")
    note = f"<p class='small'>{devices(summary)}.</p>"
    if stored is not None and any(abs(difference[key]) >= 0.0005 for key in ("stored_mwh", "stored_heat_mwh")):
        note += (
            f"<p class='small'>Over the run the smart arm's vehicles and batteries stored {_more(1000 * difference['stored_mwh'])}, and its houses "
            f"{_more(1000 * difference['stored_heat_mwh'])} as heat, than the conventional arm's; together worth {signed(stored, 2)} EUR at the "
            "mean day-ahead price.</p>"
        )
    return f'<div class="cards">{"".join(parts)}</div>{note}'


def devices(summary: dict[str, Any]) -> str:
    """How many devices there are, the same in every arm."""
    counts = next(iter(summary["arms"].values()))["devices"]
    return (
        f"{number(counts['vehicles'])} vehicles, {number(counts['heat_pumps'])} heat pumps, {number(counts['batteries'])} batteries and "
        f"{number(counts['local_units'])} units of local generation; {number(summary['enrolled_customers'])} of {number(summary['customers'])} "
        "customers let the aggregator control their devices"
    )


def _more(kwh: float) -> str:
    return f"{number(abs(kwh))} kWh {'less' if kwh < 0 else 'more'}"


def _mw(kw: float) -> str:
    return f"{number(kw / 1000.0, 2)} MW" if abs(kw) >= 1000 else f"{number(kw)} kW"


def _signed_mw(kw: float) -> str:
    return f"{signed(kw / 1000.0, 2)} MW" if abs(kw) >= 1000 else f"{signed(kw)} kW"
