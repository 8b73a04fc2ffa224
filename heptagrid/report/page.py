"""The report: one HTML page that says what the smart grid did to volts, messages and euros."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from heptagrid.report import requirements, tables
from heptagrid.report.charts import Line, bars, line_chart
from heptagrid.report.domain_picture import domain_pictures
from heptagrid.report.frequency import frequency_section
from heptagrid.report.headline import headline, key_figures
from heptagrid.report.storms import storm_table
from heptagrid.report.town_map import town_maps
from heptagrid.report.words import ARM_TITLES, DOMAIN_TITLES, number, text

if TYPE_CHECKING:
    import polars

POINTS = 288  # of a line in a chart: a day by five minutes


def write_page(folder: Path) -> Path:
    """Write `report.html` into a run's folder from what the folder holds."""
    import polars

    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    frames = {
        name: polars.read_parquet(folder / f"{name}.parquet") if (folder / f"{name}.parquet").exists() else None
        for name in ("totals", "node_list", "transformer_list", "frequency")
    }
    path = folder / "report.html"
    path.write_text(page(summary, manifest, frames), encoding="utf-8")
    return path


def page(summary: dict[str, Any], manifest: dict[str, Any], frames: dict[str, polars.DataFrame | None]) -> str:
    """The whole page as text."""
    arms = summary["arms"]
    shown = _shown(arms)
    place = _place(manifest)
    sections = [
        _top(summary, manifest),
        section("figures", "What changed", key_figures(summary)),
        section("day", "Load and voltage", _curves(frames["totals"], arms, manifest)),
        *([section("storms", "Storms", storm_table(summary))] if summary.get("storms") else []),
        *_frequency(summary, manifest, frames.get("frequency")),
        section("town", f"The {place}", _town(frames, list(arms), place)),
        section("requirements", "Which applications got what they ask for", _requirements(summary)),
        section("messages", "Messages", _messages(arms, place)),
        section("domains", "Seven domains", _domains(arms[shown], shown, summary["days"], place)),
        section("money", "Who pays whom", _money(summary)),
        section("checks", "What must add up", _checks(summary)),
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
        f"<title>{text(title)}</title><style>{style}</style></head><body><main>{''.join(sections)}</main></body></html>\n"
    )


def _shown(arms: dict[str, Any]) -> str:
    """The arm whose messages and money the page explains."""
    return "smart" if "smart" in arms else next(iter(arms))


def section(name: str, title: str, body: str) -> str:
    """One part of a page, with its heading."""
    return f'<section id="{name}"><h2>{text(title)}</h2>{body}</section>'


def _top(summary: dict[str, Any], manifest: dict[str, Any]) -> str:
    dates = manifest["dates"]
    when = dates[0] if len(dates) == 1 else f"{len(dates)} days, {dates[0]} to {dates[-1]}"
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
    return (
        f'<header><p class="eyebrow">heptagrid · {text(summary["scenario"])} · {text(when)} · seed {summary["seed"]}</p>'
        f"{headline(summary, _place(manifest))}{banners}"
        f'<p class="small">{number(summary["customers"])} customers, {number(summary["nodes"])} nodes, steps of '
        f"{summary['step_s']} s, run in {number(summary['wall_s'], 1)} s.</p></header>"
    )


def _curves(totals: polars.DataFrame | None, arms: dict[str, Any], manifest: dict[str, Any]) -> str:
    if totals is None:
        return "<p>No series were recorded.</p>"
    import polars

    zone = ZoneInfo(manifest["zone"])
    parts = []
    days = totals["run_day"].unique().sort().to_list()
    peaks = totals.group_by("run_day").agg(polars.col("import_kw").max()).sort("import_kw")["run_day"].to_list()
    chosen = peaks[-1]
    if len(days) > 1:
        parts.append(f"<p>The day with the highest import of the {len(days)}, {text(manifest['dates'][chosen])}:</p>")
    mine = totals.filter(polars.col("run_day") == chosen)
    found = {arm: mine.filter(polars.col("arm") == arm) for arm in arms}
    series = {arm: one for arm, one in found.items() if len(one)}  # an arm stopped in its warm-up has none
    x = {arm: _thinned(one["time_ns"].to_numpy().astype(float), len(one)) for arm, one in series.items()}
    ticks = _ticks(mine["time_ns"].to_numpy(), zone)

    def lines(column: str, how: str = "mean", scale: float = 1.0, name: str = "") -> list[Line]:
        return [
            Line(name or ARM_TITLES[arm], arm, x[arm], scale * _thinned(one[column].to_numpy(), len(one), how))
            for arm, one in series.items()
        ]

    unit, per_kw = _unit(mine, "import_kw")
    marks = []
    for arm, one in series.items():
        load = one["import_kw"].to_numpy()
        if len(load):
            marks.append((float(one["time_ns"].to_numpy()[load.argmax()]), float(load.max()) * per_kw, arm))
    net = line_chart("Import at the infeed", unit, lines("import_kw", scale=per_kw), ticks, marks=marks, from_zero=True)
    low, high = lines("v_min_pu", "min"), lines("v_max_pu", "max")
    volts = line_chart(
        *("Lowest and highest voltage of any node", "pu", [*low, *high], ticks),
        limits=((0.9, "EN 50160: 0.9"), (1.1, "EN 50160: 1.1")),
    )
    devices, idle = [], []
    for title, what, column in (
        ("Vehicles charging", "vehicle charges", "vehicles_kw"),
        ("Heat pumps", "heat pump runs", "heat_pumps_kw"),
        ("Batteries (positive: charging)", "battery works", "batteries_kw"),
    ):
        if not (mine[column] != 0.0).any():
            idle.append(f"no {what}")
            continue
        its_unit, its_scale = _unit(mine, column)
        devices.append(line_chart(title, its_unit, lines(column, scale=its_scale), ticks, from_zero=True))
    first = next(iter(series))
    local = [
        Line(
            "base demand", "base", x[first], per_kw * _thinned(series[first]["base_kw"].to_numpy(), len(series[first]))
        ),
        Line(
            "local units",
            "units",
            x[first],
            per_kw * _thinned(series[first]["generated_kw"].to_numpy(), len(series[first])),
        ),
    ]
    price = Line(
        "all arms", "base", x[first], _thinned(series[first]["price_eur_per_mwh"].to_numpy(), len(series[first]))
    )
    parts.append(
        f'<div class="charts">{net}{volts}{"".join(devices)}'
        + line_chart("Alike in all arms: demand and local units", unit, local, ticks, from_zero=True)
        + line_chart("Day-ahead price", "EUR/MWh", [price], ticks, from_zero=True)
        + line_chart(
            "Highest transformer loading",
            "%",
            lines("transformer_max_pct", "max"),
            ticks,
            ((100.0, "rated"),),
            from_zero=True,
        )
        + "</div>"
    )
    if idle:
        words = ", ".join(idle)
        parts.append(f"<p class='small'>{words[0].upper()}{words[1:]} on this day.</p>")
    if len(days) > 1:
        parts.append(_every_day(totals, arms, manifest))
    return "".join(parts)


def _unit(day: polars.DataFrame, column: str) -> tuple[str, float]:
    """The unit in which a column of kW is drawn, and what a kW is in it."""
    return ("MW", 1e-3) if float(day[column].abs().max() or 0.0) >= 1000.0 else ("kW", 1.0)  # type: ignore[arg-type]


def _every_day(totals: polars.DataFrame, arms: dict[str, Any], manifest: dict[str, Any]) -> str:
    """A table of the days: weight, peak of each arm, outdoor temperature."""
    import polars

    grouped = totals.group_by("run_day", "arm").agg(polars.col("import_kw").max(), polars.col("outside_c").mean())
    weights = {one["date"]: one["weight"] for one in manifest["typical_days"]}
    found = {(row["run_day"], row["arm"]): row for row in grouped.iter_rows(named=True)}
    rows = []
    for day, when in enumerate(manifest["dates"][: totals["run_day"].n_unique()]):
        first = found.get((day, next(iter(arms))))
        cells = [text(when), number(weights.get(when)), number(first["outside_c"] if first else None, 1)]
        cells += [number(found[day, arm]["import_kw"]) if (day, arm) in found else "–" for arm in arms]
        rows.append(cells)
    head = ("day", "stands for days", "outdoor mean, °C", *(f"peak import, kW, {ARM_TITLES[arm]}" for arm in arms))
    return tables.table(head, rows, style="numbers")


def _thinned(values: np.ndarray, count: int, how: str = "mean") -> np.ndarray:
    """Values in at most POINTS groups of equal size."""
    size = max(1, count // POINTS)
    whole = len(values) // size * size
    groups = np.asarray(values[:whole], dtype=float).reshape(-1, size)
    return np.asarray(getattr(groups, how)(axis=1))


def _ticks(times_ns: np.ndarray, zone: ZoneInfo) -> list[tuple[float, str]]:
    """Marks of local time: every few hours of one day, or each midnight of more."""
    first, last = int(times_ns.min()), int(times_ns.max())
    long = last - first > 30 * 3600 * 10**9
    marks = []
    for hour_ns in range(first - first % (3600 * 10**9), last + 1, 3600 * 10**9):
        local = datetime.fromtimestamp(hour_ns / 1e9, tz=UTC).astimezone(zone)
        if hour_ns >= first and (local.hour == 0 if long else local.hour % 4 == 0):
            marks.append((float(hour_ns), f"{local.day}.{local.month}." if long else f"{local.hour:02d}h"))
    return marks[:: max(1, len(marks) // 8)]


def _town(frames: dict[str, polars.DataFrame | None], arms: list[str], place: str) -> str:
    nodes, transformers = frames["node_list"], frames["transformer_list"]
    if nodes is None or transformers is None:
        return "<p>No map was recorded.</p>"
    ranked = transformers.sort(f"peak_pct_{arms[0]}", descending=True).head(10)
    rows = [
        [text(row["name"]), number(row["sn_kva"]), *(number(row[f"peak_pct_{arm}"], 1) for arm in arms)]
        for row in ranked.iter_rows(named=True)
    ]
    head = ("ten most loaded transformers", "kVA", *(f"highest loading, %, {ARM_TITLES[arm]}" for arm in arms))
    return town_maps(nodes, transformers, arms, place) + tables.table(head, rows, style="numbers")


def _requirements(summary: dict[str, Any]) -> str:
    """A table for each arm with a town that speaks, and what the verdicts leave out."""
    arms = summary["arms"]
    parts = []
    for name, arm in arms.items():
        if name == "conventional" and len(arms) > 1:
            continue
        parts.append(f"<h3>{ARM_TITLES[name]}</h3><p>{text(requirements.sentence(arm['requirements']))}.</p>")
        parts.append(requirements.requirement_table(arm["requirements"]))
    parts.append(
        "<p class='small'>A message is in time if it arrives within the latency; lost and later ones are missed, those under way at "
        "the end count neither way. An access network is one substation's.</p>"
    )
    return "".join(parts) + requirements.not_modelled(summary["technologies"])


def _messages(arms: dict[str, Any], place: str) -> str:
    parts = []
    for name, arm in arms.items():
        if name == "conventional" and len(arms) > 1:
            continue
        messages = arm["messages"]
        causes = messages["lost_by_cause"]
        parts.append(
            f"<h3>{ARM_TITLES[name]}</h3><p>{number(messages['sent'])} messages sent, {number(messages['delivered'])} "
            f"delivered, {number(messages['lost'])} lost ({number(causes['link_loss'])} on lossy links, "
            f"{number(causes['break'])} to the break), {number(messages['in_flight'])} under way at the end. "
            "A message sent again counts once. Acknowledgements are messages too.</p>"
        )
        parts.append(tables.message_table(messages["by_kind"]))
        if arm["metering"]:
            reads = arm["metering"]
            parts.append(
                f"<p>Meter data: {number(reads['expected'])} reads expected, {number(reads['received'])} received, "
                f"<b>{number(reads['estimated'])} estimated and marked so</b> ({number(reads['estimated_energy_mwh'], 1)} MWh, off by "
                f"{number(reads['estimation_error_mwh'], 1)} MWh in sum of errors), {number(reads['replaced'])} estimates "
                "replaced by a late read.</p>"
            )
    if "conventional" in arms and len(arms) > 1:
        sent = arms["conventional"]["messages"]["sent"]
        parts.append(
            f"<p>In the conventional arm only the bulk system speaks: {number(sent)} messages of bids, schedules, "
            f"dispatch and telemetry. The {place} sends and receives nothing.</p>"
        )
    return "".join(parts)


def _domains(arm: dict[str, Any], name: str, days: int, place: str) -> str:
    return (
        f"<p>The {ARM_TITLES[name]} arm. Energy runs along the bottom; information and money run between all seven. "
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
        rows = list(zip(DOMAIN_TITLES, change, strict=True))
        parts.append('<div class="charts">')
        span = (
            "over the run" if summary["business"] is None else f"over these {summary['days']} days, each counted once"
        )
        parts.append(bars(f"Smart less conventional, operation {span}", "EUR", rows))
        if summary["business"]:
            business = summary["business"]
            npv = [(DOMAIN_TITLES[k], one["npv_eur"]) for k, one in enumerate(business["rows"])]
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
        parts.append(f"<details><summary>What for</summary>{tables.reason_table(arm)}</details>")
    return "".join(parts)


def _checks(summary: dict[str, Any]) -> str:
    return (
        "<p>Every run asserts these laws; one that broke them would have stopped with an error.</p>"
        + tables.checks_table(summary["arms"])
    )


def _assumptions(manifest: dict[str, Any]) -> str:
    notes = "".join(f"<li>{text(one)}</li>" for one in manifest["notes"])
    return f"<ul>{notes}</ul>{tables.assumption_tables(manifest['scenario'])}"


def _reading(manifest: dict[str, Any]) -> str:
    sources = "".join(f"<li>{text(one)}</li>" for one in manifest["attribution"])
    versions = ", ".join(f"{name} {version}" for name, version in manifest["versions"].items())
    place = _place(manifest)
    above = "its source" if manifest.get("feeder") else "the 110 kV network"
    return (
        f"<p>The same {place} is run twice, with the same people, weather and devices. In the <b>conventional</b> arm meters are "
        "read once a year, the tariff is flat and vehicles charge when they are plugged in. In the <b>smart</b> arm meters report "
        "every quarter hour, prices and set-points go out, and an aggregator steers the devices of those who enrolled. "
        "Nothing acts on a message that has not arrived. The difference between the arms is what the smart grid did.</p>"
        f"<p><b>pu</b> is voltage as a share of nominal; EN 50160 asks for 0.9 to 1.1. <b>Import</b> is what the {place} "
        f"takes from {above}. A <b>balance</b> is what a domain received less what it paid; fuel, devices, telecoms and "
        "taxes go to an account outside. <b>Lost</b> energy is heat in lines and transformers.</p>"
        f"<h3>Data</h3><ul>{sources}</ul><p class='small'>{text(versions)}. Made by: <code>{text(manifest['command'])}</code></p>"
    )
