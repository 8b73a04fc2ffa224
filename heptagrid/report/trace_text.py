"""One message hop by hop, and lists of messages, as text for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from heptagrid.report.words import duration, kind_words, number

LOST_TO = {
    "link_loss": "every attempt on a lossy link failed",
    "break": "the link class is broken",
    "buffer": "a full buffer",
    "collision": "collisions",
    "access": "a medium that was never free",
    "outage": "a place without supply",
    "stale": "its receiver's windows had passed",
}


def when(iso: str | None, date: bool = False) -> str:
    """The local time of an ISO text, with its date if asked for, to the microsecond."""
    if iso is None:
        return "–"
    day, _, rest = iso.partition("T")
    return f"{day} {rest[:15]}" if date else rest[:15]


def message_text(found: Mapping[str, Any]) -> str:
    """All that is known of the message."""
    message, outcome = found["message"], found["outcome"]
    topic = message["topic"].replace(".", " for ").replace("_", " ")
    lines = [
        f"Message {message['id']}: {kind_words(message['kind'])} ({topic}) from {message['from']} to {message['to']}",
        f"  {message['sender']} to {message['receiver']}, {message['bytes']} bytes, priority {message['priority']}, "
        f"arm {found['arm']}",
        f"  sent {when(message['sent'], date=True)} local time; {_ending(message, outcome)}",
    ]
    lines += [f"  note: {one}" for one in found["remarks"]]
    for copy in found["copies"]:
        lines += ["", *_copy_lines(copy, message)]
    if found["effect"]:
        lines += ["", f"Effect: {found['effect']}"]
    lines += ["", "Why it was sent", *_cause_lines(found["causes"], found["root"])]
    lines += ["", "Consequences", *_consequence_lines(found["consequences"])]
    return "\n".join(lines)


def _ending(message: Mapping[str, Any], outcome: Mapping[str, Any]) -> str:
    status = outcome["status"]
    if status == "lost":
        times = "once" if outcome["copies_sent"] == 1 else f"{outcome['copies_sent']} times"
        return f"LOST after being sent {times}: {LOST_TO[outcome['lost_to']]}"
    if status == "under way":
        return "still under way at the end of the run"
    late = f", LATE: the deadline is {duration(message['deadline_s'])}" if status == "late" else ""
    ends = f"delivered {when(outcome['delivered'])}, after {duration(outcome['delay_s'])}{late}"
    if outcome["acknowledged"]:
        ends += f"; the sender knew after {duration(outcome['acknowledged_after_s'])}"
    elif message["acknowledged"]:
        ends += "; the sender does not know: no acknowledgement arrived"
    if outcome["duplicates"]:
        ends += f"; {outcome['duplicates']} duplicate{'s' if outcome['duplicates'] > 1 else ''} suppressed"
    return ends


def _copy_lines(copy: Mapping[str, Any], message: Mapping[str, Any]) -> list[str]:
    if copy["what"] == "acknowledgement":
        title = f"Acknowledgement of copy {copy['copy'] + 1}"
    elif copy["copy"] == 0:
        title = "First copy"
    else:
        title = f"Copy {copy['copy'] + 1}, after a time-out (the first is {duration(message['timeout_s'])})"
    end = "under way at the end"
    if copy["arrived"]:
        duplicate = ", a duplicate" if copy["is_duplicate"] else ""
        end = f"arrived {when(copy['arrived'])}, after {duration(copy['took_s'])}{duplicate}"
    elif copy["lost"]:
        end = f"lost {when(copy['lost'])}: {LOST_TO[copy['lost_to']]}"
    lines = [f"{title}: sent {when(copy['sent'])}, {end}"]
    for hop in copy["hops"]:
        lines += [f"  {when(hop['arrived'])}  {hop['from']} → {hop['to']}", f"{'':19}{_hop_words(hop)}"]
    return lines


def _hop_words(hop: Mapping[str, Any]) -> str:
    how = hop["class"] if hop["access"] == "link" else f"{hop['class']}, {hop['access']}"
    parts = [f"{how} at {_rate(hop['rate_bps'])}"]
    if hop["queue_s"]:
        parts.append(f"{duration(hop['queue_s'])} in the queue")
    if hop["contention_s"]:
        looks = f" ({hop['back_offs']} back-offs)" if hop["back_offs"] else ""
        parts.append(f"{duration(hop['contention_s'])} for access{looks}")
    times = f", sent {hop['attempts']} times" if hop["attempts"] > 1 else ""
    parts.append(f"{duration(hop['air_s'])} on the air{times}")
    if hop["out"]:
        parts.append(f"{duration(hop['propagation_s'])} delay and propagation")
        parts.append(f"out {when(hop['out'])}")
    if hop["lost_to"]:
        parts.append(f"LOST: {LOST_TO[hop['lost_to']]}")
    return "; ".join(parts)


def _rate(bps: float) -> str:
    for factor, unit in ((1e9, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s")):
        if bps >= factor:
            return f"{bps / factor:g} {unit}"
    return f"{bps:g} bit/s"


def _cause_lines(causes: Sequence[Mapping[str, Any]], root: str | None) -> list[str]:
    if root:
        return [f"  ← {root}"]
    lines = []
    for one in causes:
        lines.append(
            f"  ← message {one['id']}: {kind_words(one['kind'])} ({one['topic'].replace('_', ' ')}), {one['sender']} to "
            f"{one['receiver']}, sent {when(one['sent'], date=True)}"
        )
        if one["root"]:
            lines.append(f"  ← {one['root']}")
    return lines


def _consequence_lines(found: Mapping[str, Any]) -> list[str]:
    lines = []
    for one in found["messages"]:
        last = one["first_id"] + one["messages"] - 1
        which = f"message {one['first_id']}" if one["messages"] == 1 else f"messages {one['first_id']} to {last}"
        lines.append(
            f"  → {which}: {kind_words(one['kind'])} ({one['topic'].replace('.', ' for ').replace('_', ' ')}), "
            f"{one['sender']} to {one['receiver']}, from {when(one['sent'], date=True)}"
        )
    reads = found.get("day_reads")
    if reads:
        lines.append(
            f"  → the day's validated reads, message {reads['id']}, sent {when(reads['sent'], date=True)}; these depend on them:"
        )
    late = found.get("late_reads")
    if late:
        lines.append(
            f"  → too late for its day's bill, which took an estimate; told with other late reads in message {late['id']}, "
            f"sent {when(late['sent'], date=True)}; these depend on them:"
        )
    if found.get("too_late"):
        lines.append(
            "  → too late: the final settlement run of its day was over, which rests on an estimate or on a register"
        )
    for one in found["ledger"]:
        count = "one line" if one["lines"] == 1 else f"{number(one['lines'])} lines"
        lines.append(f"  → {count} of the ledger: {_entry(one)}, {number(one['amount_eur'], 5)} EUR")
    pay = found.get("flexibility")
    if pay:
        lines.append(
            f"  → together with the day's other set-points: {number(pay['amount_eur'], 5)} EUR for flexibility (that line of the "
            f"ledger names the last of them, message {pay['message']})"
        )
    return lines or ["  no message names it as its cause, and no line of the ledger depends on it alone"]


def _entry(one: Mapping[str, Any]) -> str:
    """The reason of a line of the ledger, with the settlement run that posted it."""
    reason, run = str(one["reason"]).replace("_", " "), one["settlement_run"]
    if run is None:
        return reason
    return f"{run} settlement run" if reason == f"{run} run" else f"{reason} ({run} settlement run)"


def list_text(found: Mapping[str, Any]) -> str:
    """A list of messages, one a line."""
    lines = [f"note: {one}" for one in found["remarks"]]
    if not found["messages"]:
        return "\n".join([*lines, "no such message"])
    rows = [("id", "sent, local time", "kind", "from", "to", "outcome")]
    for one in found["messages"]:
        fate = f"after {duration(one['delay_s'])}" if one["delay_s"] is not None else one["status"]
        rows.append(
            (str(one["id"]), when(one["sent"], date=True), kind_words(one["kind"]), one["from"], one["to"], fate)
        )
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    lines += ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines)
