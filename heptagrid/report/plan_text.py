"""Plans of sites for a terminal: one column for each technology."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

Summary = Mapping[str, Any]

ITEM_WORDS = {
    "access_unit": "units in meters",
    "access_site": "sites",
    "backhaul": "their backhaul",
    "modem": "modems",
}


def plan_text(content: Mapping[str, Any]) -> Group:
    """A renderable: figures of all plans side by side."""
    plans = content["plans"]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("")
    for one in plans:
        table.add_column(one["technology"], justify="right", no_wrap=True)
    for title, figure in rows(plans):
        table.add_row(title, *(figure(one) for one in plans))
    head = f"{content['scenario']}: {plans[0]['meters']:,} meters, seed {content['seed']}"
    return Group(Text(head, style="bold"), Text(""), table, *(Text(one, style="yellow") for one in overloads(plans)))


def overloads(plans: Sequence[Summary]) -> list[str]:
    """What is said of plans whose channels cannot carry the readings."""
    return [
        f"{one['technology']}: its meters ask for up to {100.0 * one['channel_load']['most']:.0f} % of the time of a site's channels: "
        "most readings there are lost; --carry shows how many"
        for one in plans
        if (one["channel_load"]["most"] or 0.0) > 1.0
    ]


def rows(plans: list[Summary]) -> list[tuple[str, Callable[[Summary], str]]]:
    """What is told of each plan: a title and the figure in words."""
    found: list[tuple[str, Callable[[Summary], str]]] = [
        ("sites", lambda one: f"{one['sites']:,}"),
        ("meters covered", lambda one: f"{one['covered']:,} ({one['covered_pct']:.1f} %)"),
        ("meters with a modem instead", lambda one: f"{one['modems']:,}"),
        ("meters uncovered", lambda one: f"{one['uncovered']:,}"),
        ("meters of a site: least, mean, most", lambda one: _three(one["meters_per_site"], ",.0f")),
        ("a site is built for at least", lambda one: f"{one['fewest_meters']:,} meters"),
        ("hops to the site: mean, most", lambda one: f"{_number(one['hops']['mean'], '.2f')}, {one['hops']['most']}"),
        (
            "expected transmissions: of a hop, the worst, to the site",
            lambda one: ", ".join(
                _number(one["transmissions"][name], ".2f") for name in ("of_a_hop", "of_the_worst_hop", "to_the_site")
            ),
        ),
        ("sites that hear a meter, mean", lambda one: _number(one["sites_that_hear_a_meter"], ".2f")),
        ("load of a channel by own meters: least, mean, most, %", lambda one: _three(one["channel_load"], ".2f", 100)),
        ("load of the site's radio, %", lambda one: _three(one["radio_load"], ".2f", 100)),
        ("load of a channel by neighbours' meters, %", lambda one: _three(one["neighbour_load"], ".2f", 100)),
        (
            "margin above neighbours for 99 % of the time: least, mean, dB",
            lambda one: ", ".join(_number(one["interference_margin_db"][name], ".1f") for name in ("least", "mean")),
        ),
    ]
    items = [name for name in ITEM_WORDS if any(one["costs"]["investment_eur"].get(name) for one in plans)]
    items += [
        name for name in ITEM_WORDS if name not in items and any(one["costs"]["yearly_eur"].get(name) for one in plans)
    ]
    found += [(f"investment, EUR: {ITEM_WORDS[name]}", _item("investment_eur", name)) for name in items]
    found.append(("investment, EUR", lambda one: f"{one['investment_eur']:,.0f}"))
    found += [(f"a year, EUR: {ITEM_WORDS[name]}", _item("yearly_eur", name)) for name in items]
    found.append(("a year, EUR", lambda one: f"{one['yearly_eur']:,.0f}"))
    found.append(("present value, EUR", lambda one: f"{one['present_value_eur']:,.0f}"))
    found.append(("... for each meter, EUR", lambda one: f"{one['present_value_eur'] / max(1, one['meters']):,.1f}"))
    if any(one["carried"] for one in plans):
        found += [
            ("readings carried, hours", lambda one: _of(one, "hours", "g")),
            ("... delivered, %", lambda one: _of(one, "delivered_pct", ".2f")),
            ("... lost: noise, collisions, channel never free", lambda one: _lost(one)),
            ("... delay of 95 % at most, s", lambda one: _of(one, "p95_s", ".2f")),
        ]
    found.append(("planned in, s", lambda one: f"{one['seconds']:.2f}"))
    return found


def _of(one: Summary, name: str, style: str) -> str:
    return _number(one["carried"] and one["carried"][name], style)


def _lost(one: Summary) -> str:
    return ", ".join(_of(one, name, ",.0f") for name in ("lost", "collision", "access"))


def _item(column: str, name: str) -> Callable[[Summary], str]:
    return lambda one: f"{one['costs'][column].get(name, 0.0):,.0f}"


def _three(spread: Mapping[str, float | None], style: str, times: float = 1.0) -> str:
    return ", ".join(
        "-" if value is None else format(times * value, style)
        for value in (spread[name] for name in ("least", "mean", "most"))
    )


def _number(value: float | None, style: str) -> str:
    return "-" if value is None else format(value, style)
