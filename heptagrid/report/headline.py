"""The first sentences and the key figures of the page, in plain words and with honest signs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from heptagrid.report.words import ARM_TITLES, number, signed, text


def headline(summary: dict[str, Any], place: str = "town") -> str:
    """What the smart grid did to volts, messages and euros; place: what was run on, in a word."""
    difference, arms = summary["difference"], summary["arms"]
    if difference is None:
        name = next(iter(arms))
        peak = arms[name]["loading"]["primary_peak_kw"]
        return f"<h1>The {text(ARM_TITLES[name])} arm alone: the {place}'s import peaked at {_mw(peak)}.</h1>"
    base = arms["conventional"]["loading"]["primary_peak_kw"]
    peak = difference["primary_peak_kw"]
    verb = "cut" if peak < 0 else "raised"
    share = 100.0 * abs(peak) / base if base else 0.0
    first = f"The smart grid {verb} the {place}'s peak import by {_mw(abs(peak))} ({number(share, 1)}\u202f%)"
    if abs(peak) < 0.5:
        first = f"The smart grid left the {place}'s peak import as it was"
    bill = difference["mean_bill_eur"]
    money = ""
    if bill is not None:
        cheaper = "less" if bill < 0 else "more"
        money = f"; the mean customer paid {number(abs(bill), 2)} EUR {cheaper}"
        money += " over these days" if summary["days"] > 1 else " that day"
        reads = arms["smart"]["metering"]
        if reads and reads["estimated"] > 0.01 * reads["expected"]:
            money += f", on bills of which {number(100.0 * reads['estimated'] / reads['expected'])}\u202f% of the reads are estimates"
    sentences = [f"<h1>{first}{money}.</h1>"]
    violations = difference["violation_customer_minutes"]
    smart = arms["smart"]
    volts = smart["voltage"]
    outside = (
        "no customer's voltage left the allowed band in either arm"
        if smart["voltage"]["violation_customer_minutes"] == 0
        and arms["conventional"]["voltage"]["violation_customer_minutes"] == 0
        else f"voltage outside the band changed by {signed(violations)} customer-minutes"
    )
    sentences.append(
        f"<p class='lead'>{number(smart['messages']['delivered'])} messages carried it. Losses changed by "
        f"{signed(difference['energy_lost_mwh'], 2)} MWh; {outside} (lowest {number(volts['min_pu'], 3)}, highest "
        f"{number(volts['max_pu'], 3)} pu). {_worth(summary)}</p>"
    )
    if summary["break"]:
        sentences.append(_break(summary))
    return "".join(sentences)


def _worth(summary: dict[str, Any]) -> str:
    values = summary["difference"]["npv_eur_by_domain"]
    if values is None:
        return "Whether it pays over the years is not said here: this run is not annualised."
    total = sum(values)
    verdict = (
        "ahead of the conventional grid: it pays" if total > 0 else "behind the conventional grid: it does not pay"
    )
    return (
        f"Over {summary['business']['horizon_years']:g} years the seven domains together are "
        f"<b>{number(abs(total) / 1e6, 2)} million EUR</b> {verdict}, on these assumptions."
    )


def _break(summary: dict[str, Any]) -> str:
    """What the broken links cost against the intact smart grid."""
    one = summary["break"]["against_intact"]
    classes = ", ".join(
        f"{name} ({number(100 * loss)}\u202f% lost)" for name, loss in summary["break"]["classes"].items()
    )
    money = one["by_domain_eur"]
    return (
        f"<p class='banner'>Broken: {text(classes)}. Against the intact smart grid the peak is {_signed_mw(one['primary_peak_kw'])}, "
        f"losses {signed(one['energy_lost_mwh'], 2)} MWh, the lowest voltage {signed(one['min_pu'], 4)} pu, customer-minutes outside "
        f"the band {signed(one['violation_customer_minutes'])}, the mean bill {signed(one['mean_bill_eur'], 2)} EUR; "
        f"{number(one['estimated_reads'])} meter reads had to be estimated (sum of errors "
        f"{number(one['estimation_error_mwh'], 1)} MWh). By domain, EUR: customers {signed(money[3])}, distribution {signed(money[2])}, "
        f"providers {signed(money[6])}, operations {signed(money[4])}, transmission {signed(money[1])}, generation {signed(money[0])}.</p>"
    )


def key_figures(summary: dict[str, Any]) -> str:
    """Cards: a figure in every arm and its difference."""
    arms, difference = summary["arms"], summary["difference"] or {}
    cards: list[tuple[str, str, int, Callable[[dict[str, Any]], float | None], str | None]] = [
        ("Peak import", "kW", 0, lambda a: a["loading"]["primary_peak_kw"], "primary_peak_kw"),
        ("Lost in the network", "MWh", 2, lambda a: a["energy_mwh"]["lost"], "energy_lost_mwh"),
        (
            "Outside the voltage band",
            "customer-min",
            0,
            lambda a: a["voltage"]["violation_customer_minutes"],
            "violation_customer_minutes",
        ),
        ("Mean bill", "EUR", 2, lambda a: a["bills"]["mean_bill_eur"], "mean_bill_eur"),
        ("Highest transformer loading", "%", 1, lambda a: a["loading"]["max_transformer_pct"], None),
        ("Vehicles short of energy", "kWh", 1, lambda a: a["comfort"].get("vehicle_shortfall_kwh"), None),
        ("Houses too cold", "house-min", 0, lambda a: a["comfort"].get("cold_house_minutes"), None),
        ("Messages delivered", "", 0, lambda a: a["messages"]["delivered"], None),
    ]
    parts = []
    for title, unit, digits, value, key in cards:
        rows = "".join(
            f'<div class="arm {name}"><span>{text(ARM_TITLES[name])}</span><b>{number(value(arm), digits)}</b></div>'
            for name, arm in arms.items()
        )
        change = difference.get(key) if key else None
        delta = f'<div class="delta">{signed(change, digits)}</div>' if change is not None else ""
        parts.append(
            f'<div class="card"><h3>{text(title)} <span class="unit">{text(unit)}</span></h3>{rows}{delta}</div>'
        )
    stored = difference.get("stored_value_eur")
    note = ""
    if stored is not None:
        note = (
            f"<p class='small'>Over the run the smart arm's batteries, vehicles and houses took up {signed(1000 * difference['stored_mwh'])} kWh "
            f"and {signed(1000 * difference['stored_heat_mwh'])} kWh (as heat) more than the conventional arm's: worth "
            f"{signed(stored, 2)} EUR at the mean day-ahead price.</p>"
        )
    return f'<div class="cards">{"".join(parts)}</div>{note}'


def _mw(kw: float | None) -> str:
    return "–" if kw is None else f"{number(kw / 1000.0, 2)} MW" if kw >= 1000 else f"{number(kw)} kW"


def _signed_mw(kw: float) -> str:
    return f"{signed(kw / 1000.0, 2)} MW"
