"""What each message is about: every topic, who tells whom, when, and the columns of its payload.

`docs/messages.md` is made from this table, and a wave about anything else is refused when it is sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from heptagrid.foundation.domains import Domain, Kind
from heptagrid.foundation.errors import PolicyError

G, T, D, C, O, M, P = Domain  # noqa: E741  the seven domains by their initials, for the table below


@dataclass(frozen=True)
class Topic:
    """A topic of a kind between two domains.

    columns: payload, a value for each message. shared: one value for all messages of a wave. Either may be left out of a
    wave that has nothing to say of it.
    """

    kind: Kind
    name: str
    sender: Domain
    receiver: Domain
    when: str
    columns: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()


_ENERGY = ("meter", "import_kwh", "export_kwh")
_READ = (*_ENERGY, "import_register_kwh", "export_register_kwh")
_PLAN = ("signals", "first_quarter", "valid_quarters")
_EACH_HOUR = "each hour"

TOPICS = (
    Topic(Kind.METER_READING, "reading", C, O, "each quarter hour, at the meter's own offset within 840 s", _READ, ("quarter",)),
    Topic(
        Kind.METER_READING, "missed", C, O, "when supply is back, over 840 s: what could not be sent", _READ, ("quarter", "of_ns")
    ),
    Topic(Kind.METER_READING, "on_demand", C, O, "at an event `read_all`: the registers", _ENERGY, ("of_ns",)),
    Topic(Kind.TELEMETRY, "unit", G, O, "each minute", ("unit", "output_mw", "is_on", "has_failed")),
    Topic(Kind.TELEMETRY, "flows", T, O, "each minute", ("bus", "load_mw", "highest_loading"), ("infeed_mw", "at_ns")),
    Topic(Kind.TELEMETRY, "frequency", T, O, "each `agc.period_s`, where the frequency is followed", ("deviation_hz",)),
    Topic(Kind.TELEMETRY, "substation", D, O, "each minute", ("substation", "v_pu", "loading_pct", "p_kw")),
    Topic(Kind.TELEMETRY, "forecast", O, P, "each hour (conventional: 10:45), without what the aggregator controls", (), ("first_quarter", "town_kw")),
    Topic(Kind.TELEMETRY, "day_reads", O, P, "00:45", (), ("first_quarter", "import_kwh", "export_kwh", "status")),
    Topic(
        *(Kind.TELEMETRY, "late_reads", O, P, "00:45, if reads of earlier days came late or registers told of them", ()),
        ("quarter", "meter", "import_kwh", "export_kwh", "was_read", "brought_by"),
    ),
    Topic(Kind.TELEMETRY, "rest_forecast", O, M, "10:45", (), ("first_hour", "rest_mw")),
    Topic(Kind.TELEMETRY, "metered", O, M, "00:48", (), ("first_hour", "infeed_mwh")),
    Topic(Kind.BID, "offer", G, M, "11:00", ("unit", "p_min_mw", "p_max_mw", "cost_2", "cost_1", "cost_0", "start_usd")),
    Topic(Kind.BID, "demand", P, M, "11:30", (), ("first_hour", "demand_mw")),
    Topic(Kind.PRICE, "prices", M, P, "12:15", (), ("first_hour", "price_eur_per_mwh")),
    Topic(Kind.PRICE, "prices", P, C, "on arrival, over 900 s", (), ("first_hour", "price_eur_per_kwh")),
    Topic(Kind.SCHEDULE, "units", M, G, "12:15", ("unit",), ("first_hour", "on", "p_mw")),
    Topic(Kind.SCHEDULE, "units", M, O, "12:15", (), ("first_hour", "on", "p_mw")),
    Topic(Kind.SCHEDULE, "position", M, P, "12:15", (), ("first_hour", "demand_mw")),
    Topic(Kind.SCHEDULE, "flexibility", P, O, _EACH_HOUR, (), ("first_quarter", "expected_kw")),
    Topic(Kind.DISPATCH, "set-point", O, G, "every five minutes", ("unit", "target_mw")),
    Topic(Kind.DISPATCH, "agc", O, G, "each `agc.period_s`, where the frequency is followed", ("unit", "target_mw")),
    Topic(Kind.DISPATCH, "infeed", O, T, _EACH_HOUR, ("infeed_v_pu",)),
    Topic(Kind.DISPATCH, "busbar", O, D, "each quarter hour", ("target_pu",)),
    *(
        Topic(Kind.SETPOINT, f"signal.{device}", P, C, _EACH_HOUR, ("group",), _PLAN)
        for device in ("vehicles", "heat_pumps", "batteries")
    ),
    Topic(Kind.SETPOINT, "cap", P, C, "on a request for relief", ("cap_kw", "until_ns")),
    Topic(Kind.ALARM, "substation", D, O, "on a new crossing", ("substation", "v_pu", "loading_pct")),
    Topic(Kind.ALARM, "last_gasp", C, O, "30 s after supply was lost, if it is not back", ("meter",), ("of_ns",)),
    Topic(
        Kind.ALARM, "restored", C, O, "when supply is back after a last gasp or a silence, over 60 s", ("meter",), ("of_ns",)
    ),
    Topic(Kind.ALARM, "relief", O, P, "while a transformer is loaded too highly", ("substation", "excess_kw"), ("for_s",)),
    Topic(Kind.BILL, "bill", P, C, "01:00, over 1800 s"),
    Topic(Kind.BILL, "settlement", M, G, "00:54"),
    Topic(Kind.BILL, "settlement", M, P, "00:54", (), ("infeed_mwh",)),
    Topic(Kind.FIRMWARE, "firmware", O, C, "in an event `firmware`: a block at an even rate", ("meter",), ("block", "rollout")),
)  # fmt: skip

_DECLARED = {(one.kind, one.name, one.sender, one.receiver): {*one.columns, *one.shared} for one in TOPICS}


def check_topic(kind: Kind, name: str, sender: Domain, receiver: Domain, columns: Iterable[str]) -> None:
    """Raise PolicyError for a wave about nothing that is declared, or with columns beyond what is."""
    declared = _DECLARED.get((kind, name, sender, receiver))
    who = f"{kind.name.lower()} about {name!r} from {sender.name.lower()} to {receiver.name.lower()}"
    if declared is None:
        raise PolicyError(f"there is no {who}; declare it in planes/messages/topics.py")
    if beyond := set(columns) - declared:
        raise PolicyError(f"{who} has no {', '.join(sorted(beyond))}; declare it in planes/messages/topics.py")


def table() -> list[str]:
    """The topics as lines of a Markdown table; alike ones of several topics or receivers in one line."""
    rows: dict[tuple[str, ...], tuple[list[str], list[str]]] = {}
    for one in TOPICS:
        columns = ", ".join([*one.columns, *(f"*{name}*" for name in one.shared)])
        key = (one.kind.name.lower(), one.sender.name.lower(), one.when, columns)
        names, receivers = rows.setdefault(key, ([], []))
        for value, values in ((one.name, names), (one.receiver.name.lower(), receivers)):
            if value not in values:
                values.append(value)
    lines = ["| kind | topic | from, to | when | columns |", "|---|---|---|---|---|"]
    for (kind, sender, when, columns), (names, receivers) in rows.items():
        lines.append(f"| {kind} | {', '.join(names)} | {sender}, {' and '.join(receivers)} | {when} | {columns} |")
    return lines
