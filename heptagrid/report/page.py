"""The report: one HTML page with the effect of the smart grid on voltages, messages and money."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from heptagrid.foundation.frames import read_table
from heptagrid.foundation.output_file import write_text
from heptagrid.report import requirements, tables
from heptagrid.report.access_networks import access_table
from heptagrid.report.charts import bars
from heptagrid.report.day import day_charts
from heptagrid.report.domain_picture import domain_pictures, money_digits
from heptagrid.report.events import event_table
from heptagrid.report.frequency import frequency_section
from heptagrid.report.headline import headline, key_figures
from heptagrid.report.terms import explained
from heptagrid.report.town import town_section
from heptagrid.report.words import ARM_TITLES, DOMAIN_TITLES, LOST_BY, energy_unit, number, text

if TYPE_CHECKING:
    import polars


def write_page(folder: Path) -> Path:
    """Write `report.html` into a run's folder from what the folder holds."""
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    frames = {
        name: read_table(folder / f"{name}.parquet") if (folder / f"{name}.parquet").exists() else None
        for name in ("totals", "node_list", "transformer_list", "customer_list", "frequency")
    }
    path = folder / "report.html"
    write_text(path, page(summary, manifest, frames))
    return path


def page(summary: dict[str, Any], manifest: dict[str, Any], frames: dict[str, polars.DataFrame | None]) -> str:
    """The whole page as text."""
    arms = summary["arms"]
    shown = _shown(arms)
    place = _place(manifest)
    sections = [
        _top(summary, manifest),
        section("figures", "What changed", key_figures(summary)),
        section("day", "Load and voltage", day_charts(frames["totals"], arms, manifest)),
        *([section("events", "Events", event_table(summary))] if summary.get("events") else []),
        *_frequency(summary, manifest, frames.get("frequency")),
        section("town", f"The {place}", town_section(frames, list(arms), place)),
        section("requirements", "Which applications met their requirement", _requirements(summary)),
        section("messages", "Messages", _messages(arms, place, frames["transformer_list"])),
        section("domains", "Seven domains", _domains(arms[shown], shown, summary["days"], place)),
        section("money", "Who pays whom", _money(summary)),
        section("checks", "Conservation checks", _checks(summary)),
        section("assumptions", "Assumptions", _assumptions(manifest)),
        section("reading", "How to read this page", _reading(manifest)),
    ]
    return document(f"heptagrid: {summary['scenario']}", sections)


def _place(manifest: dict[str, Any]) -> str:
    """What was run on, in a word."""
    return "feeder" if manifest.get("feeder") else "town"


def _frequency(summary: dict[str, Any], manifest: dict[str, Any], series: polars.DataFrame | None) -> list[str]:
    if series is None:
        return []
    return [section("frequency", "Frequency", frequency_section(summary, series, ZoneInfo(manifest["zone"])))]


def document(title: str, sections: Sequence[str]) -> str:
    """An HTML document with the style inside, from its sections."""
    style = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{text(title)}</title><style>{style}</style></head><body><main>{explained(''.join(sections))}</main></body></html>\n"
    )


def _shown(arms: dict[str, Any]) -> str:
    """The arm whose messages and money the page explains."""
    return "smart" if "smart" in arms else next(iter(arms))


def section(name: str, title: str, body: str) -> str:
    """One part of a page, with its heading."""
    return f'<section id="{name}"><h2>{text(title)}</h2>{body}</section>'


def _top(summary: dict[str, Any], manifest: dict[str, Any]) -> str:
    dates = manifest["dates"]
    typical = "typical " if manifest["typical_days"] else ""
    when = dates[0] if len(dates) == 1 else f"{len(dates)} {typical}days, {dates[0]} to {dates[-1]}"
    banners = ""
    if summary["partial"]:
        banners += (
            f'<p class="banner">Partial: the run was stopped at {text(summary["stopped_at"] or "an early step")}.</p>'
        )
    for one in summary["unconverged"]:
        banners += (
            f'<p class="banner">Feeder {one["feeder"]} (behind {text(one["head"])}) did not converge in {one["steps"]} steps of the {text(one["arm"])} arm, '
            f"first at {text(one['first'])}; its nodes were held at their last solution.</p>"
        )
    for one in summary["hunting"]:
        banners += (
            f'<p class="banner">{text(one["control"])} did not settle in {one["steps"]} steps of the {text(one["arm"])} arm, first at '
            f"{text(one['first'])}; there the taps and capacitors of the circuit kept their positions. Its band may be narrower than a step.</p>"
        )
    return (
        f'<header><p class="eyebrow">heptagrid · {text(summary["scenario"])} · {text(when)} · seed {summary["seed"]}</p>'
        f"{headline(summary, _place(manifest))}{banners}"
        f'<p class="small">{number(summary["customers"])} customers, {number(summary["nodes"])} nodes, steps of '
        f"{summary['step_s']} s, run in {number(summary['wall_s'], 1)} s.{_conductors(summary.get('conductors'))}</p></header>"
    )


def _conductors(counts: dict[str, int] | None) -> str:
    """Which nodes of a feeder the figures of voltage leave out, and which they measure between phases."""
    if not counts:
        return ""
    others = [
        f"{number(counts[kind])} {words}"
        for kind, words in (("neutrals", "neutral"), ("de_energised", "de-energised"))
        if counts[kind]
    ]
    said = f" Voltages are those of {number(counts['phases'])} energised phase conductors"
    said += f"; {' and '.join(others)} nodes are left out." if others else "."
    if counts["between_phases"]:
        said += f" Nothing earths {number(counts['between_phases'])} of them: their voltages are between phases."
    return said


def _requirements(summary: dict[str, Any]) -> str:
    """A table for each arm in which the town sends messages, and what the verdicts leave out."""
    arms = summary["arms"]
    parts = []
    for name, arm in arms.items():
        if name == "conventional" and len(arms) > 1:
            continue
        parts.append(f"<h3>{ARM_TITLES[name]}</h3><p>{text(requirements.sentence(arm['requirements']))}.</p>")
        parts.append(requirements.requirement_table(arm["requirements"]))
    parts.append(
        "<p class='small'>A message is in time if it arrives within the latency; lost and later ones are missed, those under way at "
        "the end are not counted. An access network is one substation's. <b>Met</b>: so few misses would occur in at most 5\u202f% of "
        "runs if messages were missed as often as the requirement just allows (exact binomial test). <b>Not refuted</b>: enough came in "
        "time, but so few messages cannot show the requirement; without a miss, 99.9\u202f% takes 2\u202f995 messages. "
        "<b>Not used</b>: no message's fate is known.</p>"
    )
    return "".join(parts) + requirements.not_modelled(summary["technologies"])


def _messages(arms: dict[str, Any], place: str, transformers: polars.DataFrame | None) -> str:
    parts = []
    for name, arm in arms.items():
        if name == "conventional" and len(arms) > 1:
            continue
        messages = arm["messages"]
        causes = messages["lost_by_cause"]
        parts.append(
            f"<h3>{ARM_TITLES[name]}</h3><p>{number(messages['sent'])} messages sent, {number(messages['delivered'])} "
            f"delivered, {number(messages['lost'])} lost{_by_cause(causes)}, {number(messages['in_flight'])} under way at the end. "
            "A message sent again counts once. Acknowledgements are messages too.</p>"
        )
        parts.append(tables.message_table(messages["by_kind"]))
        if transformers is not None:
            parts.append(access_table(transformers, name))
        if arm["metering"]:
            reads = arm["metering"]
            parts.append(
                f"<p>Meter data: {number(reads['expected'])} reads expected, {number(reads['received'])} received, "
                f"{number(reads['settled'])} lost whose energy the meter's next register told, <b>{number(reads['estimated'])} estimated and "
                f"marked as estimates</b>, {number(reads['replaced'])} estimates replaced by a late read.{_unread(reads)}</p>"
            )
    if "conventional" in arms and len(arms) > 1:
        sent = arms["conventional"]["messages"]["sent"]
        parts.append(
            f"<p>In the conventional arm only the bulk system sends messages: {number(sent)} messages of bids, schedules, "
            f"dispatch and telemetry. The {place} sends and receives nothing.</p>"
        )
    return "".join(parts)


def _by_cause(causes: dict[str, int]) -> str:
    """What messages were lost to, the commonest first, in brackets."""
    ranked = sorted((one for one in causes.items() if one[1]), key=lambda one: -one[1])
    said = ", ".join(f"{number(count)} {LOST_BY[cause]}" for cause, count in ranked)
    return f" ({said})" if said else ""


def _traded(traded: dict[str, float]) -> str:
    """How much of its customers' energy the retailer had bought day ahead."""
    if not traded:
        return ""
    return (
        f"<p>Customers used {number(traded['used'], 1)} MWh more than they fed in, as first billed. The retailer had bought "
        f"{number(traded['day_ahead'], 1)} MWh day ahead; quarter hour by quarter hour it was short of {number(traded['short'], 1)} MWh and "
        f"had {number(traded['over'], 1)} MWh too much (imbalance).</p>"
    )


def _unread(reads: dict[str, Any]) -> str:
    """What no reading has settled: energy and money."""
    if not reads["estimated"]:
        return ""
    more_eur = reads["unbilled_eur"]
    unit, scale, digits = energy_unit(max(reads["estimated_energy_mwh"], reads["unread_energy_mwh"]))
    billed, delivered, errors = (
        f"{number(scale * reads[name], digits)} {unit}"
        for name in ("estimated_energy_mwh", "unread_energy_mwh", "estimation_error_mwh")
    )
    return (
        f" {number(reads['unread_points'])} metering points are billed on estimates that no later reading settles, "
        f"{number(reads['never_heard_points'])} of them were never heard: {billed} are billed for {delivered} delivered (the errors of all "
        f"estimates, each without its sign, sum to {errors}), and they would owe {number(abs(more_eur), 2)} EUR "
        f"{'less' if more_eur < 0.0 else 'more'} by their meters."
    )


def _domains(arm: dict[str, Any], name: str, days: int, place: str) -> str:
    return (
        f"<p>The {ARM_TITLES[name]} arm. Energy flows along the bottom; information and money flow between all seven. "
        f"The transmission network also serves loads beyond the {place}, which are left out of money and messages.</p>"
        + domain_pictures(arm, days)
    )


def _money(summary: dict[str, Any]) -> str:
    parts = []
    arms = summary["arms"]
    both = "smart" in arms and "conventional" in arms
    if both:
        change = [
            s - c
            for s, c in zip(
                arms["smart"]["money_eur"]["by_domain"], arms["conventional"]["money_eur"]["by_domain"], strict=True
            )
        ]
        states = [arms[name]["money_eur"]["state"] for name in ("smart", "conventional")]
        rows = [*zip(DOMAIN_TITLES, change, strict=True), ("The state", states[0] - states[1])]
        parts.append('<div class="charts">')
        span = (
            "over the run" if summary["business"] is None else f"over these {summary['days']} days, each counted once"
        )
        title = f"Difference (smart minus conventional), operation {span}"
        parts.append(bars(title, "EUR", rows, money_digits(arms["smart"])))
        if summary["business"]:
            business = summary["business"]
            npv = [(DOMAIN_TITLES[k], one["npv_eur"]) for k, one in enumerate(business["rows"])]
            npv.append(("The state", business["state_eur_per_year"] * business["rows"][0]["annuity_factor"]))
            parts.append(
                bars(
                    f"Net present value over {business['horizon_years']:g} years at {100 * business['discount_rate']:g} %",
                    "EUR",
                    npv,
                )
            )
        parts.append("</div>")
        if summary["business"]:
            parts.append(tables.business_table(summary["business"]))
            parts.append(tables.investment_table(summary))
        else:
            parts.append(
                "<p><b>Not annualised</b>: a net present value needs a year; run with <code>--typical</code>. "
                "The bars show operation only, without the cost of buying meters and links.</p>"
            )
    for name, arm in arms.items():
        parts.append(f"<h3>{ARM_TITLES[name]}: rows pay, columns are paid, EUR</h3>{tables.money_table(arm)}")
        parts.append(_traded(arm["traded_mwh"]))
        parts.append(f"<details><summary>By reason</summary>{tables.reason_table(arm)}</details>")
    return "".join(parts)


def _checks(summary: dict[str, Any]) -> str:
    return "<p>Every run asserts these laws; a violation stops the run with an error.</p>" + tables.checks_table(
        summary["arms"]
    )


def _assumptions(manifest: dict[str, Any]) -> str:
    notes = "".join(f"<li>{_with_code(one)}</li>" for one in manifest["notes"])
    return f"<ul>{notes}</ul>{tables.assumption_tables(manifest['scenario'])}"


def _with_code(note: str) -> str:
    """A note as HTML; what stands between back-quotes is code."""
    return "".join(f"<code>{text(one)}</code>" if k % 2 else text(one) for k, one in enumerate(note.split("`")))


def _reading(manifest: dict[str, Any]) -> str:
    sources = "".join(f"<li>{text(one)}</li>" for one in manifest["attribution"])
    versions = ", ".join(f"{name} {version}" for name, version in manifest["versions"].items())
    place = _place(manifest)
    above = "its source" if manifest.get("feeder") else "the 110 kV network"
    return (
        f"<p>The same {place} is run twice, with the same people, weather and devices. In the <b>conventional</b> arm meters are "
        "read once a year, the tariff is flat and vehicles charge when they are plugged in. In the <b>smart</b> arm meters report "
        "every quarter hour, customers receive prices and set-points, and an aggregator controls the devices of those who enrolled. "
        "Nothing acts on a message that has not arrived. The difference between the arms is the effect of the smart grid.</p>"
        f"<p><b>pu</b> is voltage as a share of nominal; EN 50160 asks for 0.9 to 1.1. <b>Import</b> is what the {place} "
        f"takes from {above}. A <b>balance</b> is what a domain received less what it paid; fuel, devices, telecoms and "
        "taxes go to an account outside. <b>Lost</b> energy is heat in lines and transformers.</p>"
        f"<h3>Data</h3><ul>{sources}</ul><p class='small'>{text(versions)}. Made by: <code>{text(manifest['command'])}</code></p>"
    )
