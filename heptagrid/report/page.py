"""The report: one HTML page with the effect of the smart grid on voltages, messages and money."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from heptagrid.foundation.frames import read_table
from heptagrid.foundation.output_file import write_text
from heptagrid.report import market, requirements, tables
from heptagrid.report.access_networks import access_table, technology_table
from heptagrid.report.bills import bills_section
from heptagrid.report.charts import bars
from heptagrid.report.companies import companies_of, companies_section, has_several
from heptagrid.report.day import day_charts, shown_day
from heptagrid.report.domain_picture import domain_pictures, money_digits
from heptagrid.report.events import event_tables
from heptagrid.report.frequency import frequency_section
from heptagrid.report.headline import headline, key_figures
from heptagrid.report.local_market import local_market_section
from heptagrid.report.rendering import document
from heptagrid.report.settlement import settlement_table
from heptagrid.report.society import society_section
from heptagrid.report.town import town_section
from heptagrid.report.towns import towns_of, towns_section
from heptagrid.report.words import DOMAIN_TITLES, LOST_BY, energy_unit, kind_of_places, number

if TYPE_CHECKING:
    import polars

TEMPLATE = "run.html"
Frames = Mapping[str, "polars.DataFrame | None"]

MOST_PARTS = 24
"""Tables of towns and companies that the assumptions show."""


def write_page(folder: Path) -> Path:
    """Write `report.html` into a run's folder from what the folder holds."""
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    frames = {
        name: read_table(folder / f"{name}.parquet") if (folder / f"{name}.parquet").exists() else None
        for name in (
            *(
                "totals",
                "node_list",
                "transformer_list",
                "customer_list",
                "bills",
                "frequency",
                "infeeds",
                "local_market",
            ),
            *market.TABLES,
        )
    }
    path = folder / "report.html"
    write_text(path, page(summary, manifest, frames))
    return path


def page(summary: dict[str, Any], manifest: dict[str, Any], frames: Frames) -> str:
    """The whole page as text."""
    arms, towns = summary["arms"], towns_of(summary)
    part = kind_of_places(towns)
    place = "feeder" if manifest.get("feeder") else _WHOLE[part, len(towns) > 1]
    shown = "smart" if "smart" in arms else next(iter(arms))  # whose messages and money the page explains
    series = frames.get("frequency")
    return document(
        TEMPLATE,
        f"heptagrid: {summary['scenario']}",
        {
            "summary": summary,
            "manifest": manifest,
            "place": place,
            "towns": towns if len(towns) > 1 else [],
            "part": part,
            "parts": dict(islice(manifest["parts"].items(), MOST_PARTS)),
            "parts_count": len(manifest["parts"]),
            "retailers": len(companies_of(summary, "retailer")),
            "aggregators": len(companies_of(summary, "aggregator")),
            "companies": companies_section(summary) if has_several(summary) else "",
            "when": _when(manifest),
            "headline": headline(summary, place),
            "conductors": summary.get("conductors"),
            "left_out": _left_out(summary.get("conductors")),
            "figures": key_figures(summary),
            "day": day_charts(frames["totals"], arms, manifest, len(towns)),
            "market": _market(frames, manifest, shown),
            "events": event_tables(summary) if summary.get("events") else "",
            "frequency": "" if series is None else frequency_section(summary, series, ZoneInfo(manifest["zone"])),
            "local_market": local_market_section(summary, frames.get("local_market"), ZoneInfo(manifest["zone"])),
            "network": town_section(frames, list(arms), "feeder" if manifest.get("feeder") else part, towns),
            "side_by_side": towns_section(summary, manifest, frames["infeeds"]) if len(towns) > 1 else "",
            "requirements": _requirements(arms),
            "interference": requirements.INTERFERENCE,
            "technologies": {one["name"]: one for one in summary["technologies"].values()}.values(),
            "messages": [_messages(arms[name], name, frames["transformer_list"]) for name in _sending(arms)],
            "of_the_bulk_system": arms["conventional"]["messages"]["sent"] if len(_sending(arms)) < len(arms) else None,
            "shown": shown,
            "pictures": domain_pictures(arms[shown], summary["days"]),
            "charts": _money_charts(summary),
            "business": tables.business_table(summary["business"]) if summary["business"] else "",
            "investments": tables.investment_table(summary) if summary["business"] else "",
            "bills": bills_section(summary, frames["bills"]),
            "society": society_section(summary),
            "money": [_money(name, arm) for name, arm in arms.items()],
            "checks": tables.checks_table(arms),
        },
    )


_WHOLE = {("town", False): "town", ("town", True): "towns", ("area", False): "city", ("area", True): "city"}
"""What a run was made on, by what its networks are and whether there are several."""


def _market(frames: Frames, manifest: Mapping[str, Any], arm: str) -> str:
    """The day-ahead market of the day that the page shows."""
    totals = frames["totals"]
    return "" if totals is None else market.market_section(frames, manifest, arm, shown_day(totals))


def _when(manifest: Mapping[str, Any]) -> str:
    dates = manifest["dates"]
    typical = "typical " if manifest["typical_days"] else ""
    return str(dates[0]) if len(dates) == 1 else f"{len(dates)} {typical}days, {dates[0]} to {dates[-1]}"


def _left_out(counts: Mapping[str, int] | None) -> str:
    """Which nodes of a feeder the figures of voltage leave out."""
    kinds = (("neutrals", "neutral"), ("de_energised", "de-energised")) if counts else ()
    return " and ".join(f"{number(counts[kind])} {words}" for kind, words in kinds if counts and counts[kind])


def _sending(arms: Mapping[str, Any]) -> list[str]:
    """The arms in which the town sends messages; a conventional arm alone stands for itself."""
    return [name for name in arms if name != "conventional" or len(arms) == 1]


def _requirements(arms: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Of each arm in which the town sends messages its table, and what it comes to."""
    return [
        (name, requirements.requirement_table(rows), requirements.sentence(rows))
        for name, rows in ((name, arms[name]["requirements"]) for name in _sending(arms))
    ]


def _messages(arm: Mapping[str, Any], name: str, transformers: polars.DataFrame | None) -> dict[str, Any]:
    counts, reads = arm["messages"], arm["metering"]
    ranked = sorted((one for one in counts["lost_by_cause"].items() if one[1]), key=lambda one: -one[1])
    return {
        "arm": name,
        "counts": counts,
        "causes": [(count, LOST_BY[cause]) for cause, count in ranked],
        "by_kind": tables.message_table(counts["by_kind"]),
        "technologies": technology_table(arm.get("access_by_town", ())),
        "access": "" if transformers is None else access_table(transformers, name),
        "reads": reads,
        "unread": _unread(reads) if reads and reads["estimated"] else None,
    }


def _unread(reads: Mapping[str, Any]) -> dict[str, Any]:
    """What no reading has settled: energy and money."""
    unit, scale, digits = energy_unit(max(reads["estimated_energy_mwh"], reads["unread_energy_mwh"]))
    energies = {
        "billed": "estimated_energy_mwh",
        "delivered": "unread_energy_mwh",
        "errors": "estimation_error_mwh",
    }
    said = {name: f"{number(scale * reads[key], digits)} {unit}" for name, key in energies.items()}
    return {**said, "more_eur": reads["unbilled_eur"]}


def _money_charts(summary: Mapping[str, Any]) -> list[str]:
    """Bars of what each domain and the state gain by the smart grid; none where there is one arm alone."""
    arms, business = summary["arms"], summary["business"]
    if not {"smart", "conventional"} <= arms.keys():
        return []
    smart, conventional = (arms[name]["money_eur"] for name in ("smart", "conventional"))
    change = [s - c for s, c in zip(smart["by_domain"], conventional["by_domain"], strict=True)]
    rows = [*zip(DOMAIN_TITLES, change, strict=True), ("The state", smart["state"] - conventional["state"])]
    span = "over the run" if business is None else f"over these {summary['days']} days, each counted once"
    title = f"Difference (smart minus conventional), operation {span}"
    charts = [bars(title, "EUR", rows, money_digits(arms["smart"]))]
    if business:
        npv = [(DOMAIN_TITLES[k], one["npv_eur"]) for k, one in enumerate(business["rows"])]
        npv.append(("The state", business["state_eur_per_year"] * business["rows"][0]["annuity_factor"]))
        rate_pct = 100 * business["discount_rate"]
        title = f"Net present value over {business['horizon_years']:g} years at {rate_pct:g} %"
        charts.append(bars(title, "EUR", npv))
    return charts


def _money(name: str, arm: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "arm": name,
        "matrix": tables.money_table(arm),
        "traded": arm["traded_mwh"],
        "reasons": tables.reason_table(arm),
        "settlement": settlement_table(arm),
    }
