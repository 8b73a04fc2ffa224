"""The first sentences and the key figures of a run's page: the worst news, the verdict, then what the smart grid changed.

What makes the headline is said in `heptagrid.report.findings`. A change of bills is told only where at most `ESTIMATED` of the meter
reads were estimated: else bills differ by what was guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from heptagrid.domains.customers.device import Complaint, device_classes, device_words
from heptagrid.report.companies import companies_of
from heptagrid.report.findings import ESTIMATED, estimated_share, worst
from heptagrid.report.rendering import render
from heptagrid.report.towns import towns_of
from heptagrid.report.verdict import answers
from heptagrid.report.words import ARM_TITLES, energy_unit, kind_of_places, listing, number, possessive, signed


def headline(summary: dict[str, Any], place: str = "town") -> str:
    """The worst news, the verdict, and what the smart grid changed; place: what was run on, in a word."""
    return render(
        "run/headline.html",
        {
            "title": title(summary),
            "answers": answers(summary),
            "changes": changes(summary, place),
            "broken": _against_intact(summary) if summary["break"] else None,
        },
    )


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
            ""
            if peak_kw is None
            else f"In the {ARM_TITLES[name]} arm the {possessive(place)} import peaked at {_mw(peak_kw)}."
        )
    base_kw, change_kw = arms["conventional"]["loading"]["primary_peak_kw"], difference["primary_peak_kw"]
    base_mwh, change_mwh = arms["conventional"]["energy_mwh"]["lost"], difference["energy_lost_mwh"]
    unit, scale, digits = energy_unit(base_mwh)
    losses = f"{number(scale * abs(change_mwh), digits)} {unit}"
    peak = _moved(f"the {possessive(place)} peak import", "it was", change_kw, base_kw, _mw(abs(change_kw)))
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


def _against_intact(summary: dict[str, Any]) -> dict[str, Any]:
    """What the broken links cost against the intact smart grid."""
    one, arms = summary["break"]["against_intact"], summary["arms"]
    unit, scale, digits = energy_unit(arms["intact"]["energy_mwh"]["lost"])
    return {
        "less_intact": one,
        "peak": _signed_mw(one["primary_peak_kw"]),
        "lost": f"{signed(scale * one['energy_lost_mwh'], digits)} {unit}",
        "on_estimates": estimated_share(arms["smart"]) > ESTIMATED,
        "by_domain_eur": one["by_domain_eur"],
        "state_eur": arms["smart"]["money_eur"]["state"] - arms["intact"]["money_eur"]["state"],
    }


_Card = tuple[str, str, int, Callable[[dict[str, Any]], float | None], str | None]
"""Title, unit, digits, the figure of an arm, and the key of its difference."""


def _complaints(arms: dict[str, Any], days: int) -> list[_Card]:
    """What owners of devices would complain of, or tell of how they live with them, where an arm has it."""

    def value_of(name: str, key: str, one: Complaint) -> Callable[[dict[str, Any]], float | None]:
        return lambda arm: one.shown(key, arm["comfort"], arm["devices"].get(name, 0), days)

    return [
        (one.title, one.unit, one.digits, value_of(name, key, one), None)
        for name, each in device_classes().items()
        for key, one in each.complaints.items()
        if any(key in arm["comfort"] for arm in arms.values())
    ]


def key_figures(summary: dict[str, Any]) -> str:
    """Cards: a figure in every arm and its difference."""
    arms, difference = summary["arms"], summary["difference"] or {}
    lost_in, per_mwh, lost_digits = energy_unit(*(arm["energy_mwh"]["lost"] for arm in arms.values()))
    names = towns_of(summary)
    of_all = f" of all {kind_of_places(names)}s" if len(names) > 1 else ""
    cards: list[_Card] = [
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
        (f"Peak import{of_all}", "kW", 0, lambda a: a["loading"]["primary_peak_kw"], "primary_peak_kw"),
        ("Lost in the network", lost_in, lost_digits, lambda a: per_mwh * a["energy_mwh"]["lost"], "energy_lost_mwh"),
        (
            f"Mean bill{', each day counted once' if summary['business'] else ''}",
            "EUR",
            2,
            lambda a: a["bills"]["mean_bill_eur"],
            "mean_bill_eur",
        ),
        *_complaints(arms, summary["days"]),
        ("Messages delivered", "", 0, lambda a: a["messages"]["delivered"], None),
    ]
    shown = []
    for name, unit, digits, value, key in cards:
        change = difference.get(key) if key else None
        shown.append(
            {
                "name": name,
                "unit": unit,
                "digits": digits,
                "by_arm": {arm_name: value(arm) for arm_name, arm in arms.items()},
                "change": per_mwh * change if change is not None and key == "energy_lost_mwh" else change,
            }
        )
    stored_eur = difference.get("stored_value_eur")
    stored = None
    if stored_eur is not None and any(abs(difference[key]) >= 0.0005 for key in ("stored_mwh", "stored_heat_mwh")):
        stored = {
            "energy": _more(1000 * difference["stored_mwh"]),
            "heat": _more(1000 * difference["stored_heat_mwh"]),
            "value_eur": stored_eur,
        }
    by_others = [
        {"arm": arm, "name": name, "figures": figures}
        for arm, entry in summary["arms"].items()
        for name, figures in entry["desks"].items()
    ]
    given = {"cards": shown, "devices": devices(summary), "stored": stored, "desks": by_others}
    return render("run/figures.html", given | {"tariffs": _tariffs(summary)})


def devices(summary: dict[str, Any]) -> str:
    """How many devices there are, the same in every arm."""
    counts = next(iter(summary["arms"].values()))["devices"]
    named = [f"{number(counts[name])} {one.many}" for name, one in device_words().items() if name in counts]
    whose = "their" if len(companies_of(summary, "aggregator")) > 1 else "the"
    listed = listing([*named, f"{number(counts['local_units'])} units of local generation"])
    return (
        f"{listed}; {number(summary['enrolled_customers'])} of {number(summary['customers'])} customers let {whose} aggregator "
        "control their devices"
    )


def _more(kwh: float) -> str:
    return f"{number(abs(kwh))} kWh {'less' if kwh < 0 else 'more'}"


def _mw(kw: float) -> str:
    return f"{number(kw / 1000.0, 2)} MW" if abs(kw) >= 1000 else f"{number(kw)} kW"


def _signed_mw(kw: float) -> str:
    return f"{signed(kw / 1000.0, 2)} MW" if abs(kw) >= 1000 else f"{signed(kw)} kW"


def _tariffs(summary: Mapping[str, Any]) -> dict[str, Any]:
    """The tariffs that customers of the last arm have, and the two that are always on offer."""
    last = next(reversed(summary["arms"].values()))["tariffs"]
    return {name: one for k, (name, one) in enumerate(last.items()) if one["customers"] or k < 2}
