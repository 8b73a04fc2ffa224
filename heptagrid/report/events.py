"""The effects of events, as lines of a terminal and as tables of the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from heptagrid.report.rendering import render
from heptagrid.report.words import ARM_TITLES, duration, number

TITLES = {
    "blackout": "Blackout",
    "read_all": "All meters read",
    "firmware": "Firmware roll-out",
    "jam": "Jam",
    "cut": "Cut line",
    "unit_trip": "Loss",
}


def _count(value: float | None) -> str:
    return number(value)


def _thousandths(value: float | None) -> str:
    return number(value, 3)


def _percent(value: float | None) -> str:
    return number(None if value is None else 100.0 * value, 1)


_FIGURES: tuple[tuple[str, str, Callable[[float | None], str]], ...] = (
    ("customers", "customers interrupted", _count),
    ("customer_minutes", "customer-minutes of interruption", _count),
    ("energy_not_served_mwh", "demand not served, MWh", _thousandths),
    ("known_after_s", "operations knows of it after", duration),
    ("last_gasps_sent", "last gasps sent", _count),
    ("last_gasps_arrived", "last gasps arrived", _count),
    ("most_last_gasps_after_s", "90 % of those sent had arrived after", duration),
    ("restorations_arrived", "restorations reported", _count),
    ("missed_readings_sent", "missed readings sent again", _count),
    ("missed_readings_arrived", "missed readings recovered", _count),
    (
        "most_missed_readings_after_s",
        "90 % of those sent had arrived, counted from the return of supply, after",
        duration,
    ),
    ("readings_sent", "meters that sent an answer", _count),
    ("readings_arrived", "answers arrived", _count),
    ("most_readings_after_s", "90 % of all answers had arrived after", duration),
    ("meters", "meters to be updated", _count),
    ("complete_share", "meters complete, %", _percent),
    ("most_complete_after_s", "90 % of all meters complete after", duration),
    ("unit", "number of the unit", _count),
    ("lost_mw", "power lost, MW", lambda value: number(value, 1)),
    ("rocof_hz_per_s", "rate of change of frequency over the first 0.5 s, Hz/s", _thousandths),
    ("nadir_hz", "lowest frequency, Hz", _thousandths),
    ("nadir_after_s", "reached after", duration),
    ("settled_hz", "frequency when last followed, mean of 30 s, Hz", _thousandths),
    ("outside_s", "time beyond 0.2 Hz from nominal", duration),
    ("shed_mw", "load shed, MW", lambda value: number(value, 1)),
    ("messages_lost", "messages lost while it lasted", _count),
    ("messages_lost_by_outage", "of these at places without supply and on cut lines", _count),
    ("backlog_drain_s", "from its end to the arrival of the last waiting message", duration),
)


def event_tables(summary: Mapping[str, Any]) -> str:
    """A table for each event, arms side by side."""
    return render(
        "run/events.html",
        {
            "has_blackout": any(event["kind"] == "blackout" for event in summary["events"]),
            "events": [_figures(event) for event in summary["events"]],
        },
    )


def _figures(event: Mapping[str, Any]) -> dict[str, Any]:
    arms = event["arms"]
    rows = [
        [label, *(show(arm.get(key)) for arm in arms.values())]
        for key, label, show in _FIGURES
        if any(arm.get(key) is not None for arm in arms.values())
    ]
    return {"head": [_title(event), *(ARM_TITLES[name] for name in arms)], "rows": rows}


def event_lines(summary: Mapping[str, Any]) -> list[str]:
    """A line for each event, of the smart arm where there is one."""
    lines = []
    for event in summary.get("events", ()):
        arms = event["arms"]
        one = arms["smart"] if "smart" in arms else next(iter(arms.values()))
        lines.append(f"{_title(event)}: {_WORDS[event['kind']](one)}")
    return lines


def _title(event: Mapping[str, Any]) -> str:
    where = f" of {event['where']}" if event["where"] else ""
    begin, end = (event[one][:16].replace("T", " ") for one in ("begin", "end"))
    if end == begin:
        return f"{TITLES[event['kind']]}{where}, {begin}"
    return f"{TITLES[event['kind']]}{where}, {begin} to {end.removeprefix(begin[:11])}"


def _blackout(one: Mapping[str, Any]) -> str:
    words = (
        f"{number(one['customers'])} customers, {number(one['customer_minutes'])} customer-minutes, "
        f"{number(one['energy_not_served_mwh'], 3)} MWh not served"
    )
    if one["last_gasps_sent"] is None:
        return words
    known = "never" if one["known_after_s"] is None else f"after {duration(one['known_after_s'])}"
    return (
        f"{words}; operations knew {known}; {number(one['last_gasps_arrived'])} of {number(one['last_gasps_sent'])} last gasps "
        f"arrived; {number(one['missed_readings_arrived'])} of {number(one['missed_readings_sent'])} missed readings recovered"
    )


def _read_all(one: Mapping[str, Any]) -> str:
    if one["readings_sent"] is None:
        return "no meter answers in this arm"
    return (
        f"{number(one['readings_arrived'])} of {number(one['readings_sent'])} answers arrived, 90 % of all answers after "
        f"{duration(one['most_readings_after_s'])}"
    )


def _firmware(one: Mapping[str, Any]) -> str:
    if one.get("meters") is None:
        return "no meter is updated in this arm"
    return f"{number(one['meters_complete'])} of {number(one['meters'])} meters complete"


def _unit_trip(one: Mapping[str, Any]) -> str:
    words = f"unit {one['unit']} gave {number(one['lost_mw'], 1)} MW"
    if one["nadir_hz"] is None:
        return words
    return (
        f"{words}; {number(one['rocof_hz_per_s'], 2)} Hz/s, lowest {number(one['nadir_hz'], 3)} Hz after "
        f"{duration(one['nadir_after_s'])}, {number(one['settled_hz'], 3)} Hz when last followed, {number(one['shed_mw'], 1)} MW shed"
    )


def _lost(one: Mapping[str, Any]) -> str:
    drain = (
        ""
        if one["backlog_drain_s"] is None
        else f"; the last waiting message arrived {duration(one['backlog_drain_s'])} after its end"
    )
    return f"{number(one['messages_lost'])} messages lost while it lasted{drain}"


_WORDS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "blackout": _blackout,
    "read_all": _read_all,
    "firmware": _firmware,
    "jam": _lost,
    "cut": _lost,
    "unit_trip": _unit_trip,
}
