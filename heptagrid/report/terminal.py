"""The summary of a run for one screen of a terminal: the worst news and the verdict first, as on its page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from heptagrid.report.events import event_lines
from heptagrid.report.findings import ESTIMATED, estimated_share
from heptagrid.report.frequency import frequency_lines
from heptagrid.report.headline import devices, title
from heptagrid.report.local_market import local_market_lines
from heptagrid.report.several_terminal import tables_of_several
from heptagrid.report.society import society_lines
from heptagrid.report.towns import towns_of
from heptagrid.report.verdict import answers
from heptagrid.report.words import ARM_TITLES, duration, energy_unit, kind_of_places, kind_words, number, signed


def summary(summary: dict[str, Any], manifest: dict[str, Any]) -> Group:
    """A renderable: the verdict, arms side by side, the differences, and the three checks."""
    arms, difference = summary["arms"], summary["difference"] or {}
    dates = manifest["dates"]
    typical = "typical " if manifest["typical_days"] else ""
    when = dates[0] if len(dates) == 1 else f"{len(dates)} {typical}days from {dates[0]}"
    towns, part = len(towns_of(summary)), kind_of_places(towns_of(summary))
    where = f" in {towns} {part}s" if towns > 1 else ""
    head = Text(
        f"{summary['scenario']}, {when}: {summary['customers']:,} customers{where}, seed {summary['seed']}",
        style="bold",
    )
    grid = Table(box=None, pad_edge=False)
    grid.add_column("")
    for name in arms:
        grid.add_column(ARM_TITLES[name], justify="right")
    if difference:
        grid.add_column("difference", justify="right", style="bold")
    lost_in, per_mwh, lost_digits = energy_unit(*(arm["energy_mwh"]["lost"] for arm in arms.values()))
    lost = (
        f"lost in the network, {lost_in}",
        lost_digits,
        lambda a: per_mwh * a["energy_mwh"]["lost"],
        "energy_lost_mwh",
    )
    of_all = f" of all {part}s" if towns > 1 else ""
    peak = (f"peak import{of_all}, kW", *_ROWS[0][1:])
    for label, digits, value, key in (peak, lost, *_ROWS[1:]):
        cells = [number(value(arm), digits) for arm in arms.values()]
        if difference:
            change = difference.get(key) if key else None
            change = per_mwh * change if key == "energy_lost_mwh" and change is not None else change
            cells.append(signed(change, digits) if key else "")
        grid.add_row(label, *cells)
    parts: list[Any] = [
        head,
        Text(title(summary), style="bold"),
        *_verdict(summary),
        grid,
        *tables_of_several(summary),
        Text(devices(summary), style="dim"),
    ]
    shown = arms[next(reversed(arms)) if "smart" not in arms else "smart"]
    kinds = shown["messages"]["by_kind"]
    slow = ", ".join(
        f"{kind_words(name)} {duration(kinds[name]['p99_s'])}"
        for name in ("meter_reading", "setpoint", "alarm", "dispatch")
        if kinds[name]["p99_s"] is not None
    )
    if slow:
        parts.append(Text(f"99 % of the messages of a kind took at most: {slow}", style="dim"))
    parts += [Text(line, style="yellow") for line in (*event_lines(summary), *frequency_lines(summary))]
    parts += [Text(line) for line in (*local_market_lines(summary), *society_lines(summary))]
    if summary["break"]:
        parts.append(Text(_break(summary), style="bold"))
    for name, arm in arms.items():
        energy = arm["energy_mwh"]
        parts.append(
            Text(
                f"{ARM_TITLES[name]}: energy residual {energy['residual']:.1e} MWh, messages {arm['messages']['residual']}, "
                f"money {arm['money_eur']['sum']:.5f} EUR",
                style="green",
            )
        )
    if summary["unconverged"]:
        parts.append(
            Text(f"{len(summary['unconverged'])} feeders did not converge in some steps; see the report", style="red")
        )
    if summary["hunting"]:
        count = len({one["control"] for one in summary["hunting"]})
        words = "control of taps or capacitors" if count == 1 else "controls of taps or capacitors"
        parts.append(
            Text(f"{count} {words} did not settle in some steps and stayed there; see the report", style="red")
        )
    if summary["partial"]:
        parts.append(Text("partial: the run was stopped before its end", style="red"))
    return Group(*parts)


def _break(summary: dict[str, Any]) -> str:
    """What broken links changed; a bill that fell with the reads is no gain."""
    one = summary["break"]["against_intact"]
    is_estimate = estimated_share(summary["arms"]["smart"]) > ESTIMATED
    return (
        f"broken links against intact ones: peak import {signed(one['primary_peak_kw'])} kW, "
        f"{number(one['estimated_reads'])} more meter reads estimated, mean bill {signed(one['mean_bill_eur'], 2)} EUR"
        + (": as bills rest on estimates, no gain or loss of the customers" if is_estimate else "")
    )


def _verdict(summary: dict[str, Any]) -> list[Text | Padding]:
    """The three answers, each with its reasons below it."""
    lines: list[Text | Padding] = []
    for one in answers(summary):
        style = "" if one.is_good is None else "green" if one.is_good else "red"
        lines.append(Text.assemble(f"{one.question} ", (one.word, f"bold {style}".strip())))
        lines += [Padding(reason, (0, 0, 0, 2)) for reason in one.reasons]
    return lines


_ROWS: tuple[tuple[str, int, Callable[[dict[str, Any]], float | None], str | None], ...] = (
    ("peak import, kW", 0, lambda a: a["loading"]["primary_peak_kw"], "primary_peak_kw"),
    ("lowest supply voltage, pu", 3, lambda a: a["voltage"]["customers_min_pu"], None),
    ("highest supply voltage, pu", 3, lambda a: a["voltage"]["customers_max_pu"], None),
    (
        "outside the band, customer-minutes",
        0,
        lambda a: a["voltage"]["violation_customer_minutes"],
        "violation_customer_minutes",
    ),
    ("highest transformer loading, %", 1, lambda a: a["loading"]["max_transformer_pct"], None),
    ("highest line loading, %", 1, lambda a: a["loading"]["max_line_pct"], None),
    ("messages delivered", 0, lambda a: a["messages"]["delivered"], None),
    ("messages lost", 0, lambda a: a["messages"]["lost"], None),
    ("mean bill, EUR", 2, lambda a: a["bills"]["mean_bill_eur"], "mean_bill_eur"),
)
