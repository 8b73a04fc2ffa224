"""What a message of a run caused: further messages, and lines of the ledger."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from heptagrid.assembly.place_names import Places
from heptagrid.contracts import metering
from heptagrid.domains.operations.customers_desk import DAY_READS_AFTER_NS
from heptagrid.foundation.contract import Wave
from heptagrid.foundation.domains import Kind
from heptagrid.foundation.reasons import LATER, Reason
from heptagrid.foundation.settlement_runs import RUN_NAMES
from heptagrid.foundation.time import NS_PER_QUARTER, NS_PER_S, from_ns, midnight_ns, next_midnight_ns
from heptagrid.inquiry.replay import Replay
from heptagrid.inquiry.waves import SentWave, Waves, cause_entry, local
from heptagrid.planes.messages.kernel.traces import MessageTrace
from heptagrid.planes.money.ledger import MILLICENT_PER_EUR

if TYPE_CHECKING:
    import polars


def consequences(message: int, wave: Wave, traced: MessageTrace, waves: Waves, replay: Replay) -> dict[str, Any]:
    """What a message caused: messages, and the lines of the ledger that depend on it."""
    zone = replay.scenario.zone
    follow = [
        {
            "first_id": one.first_id,
            "messages": one.messages if one.causes is None else sum(each == message for each in one.causes),
            **{name: getattr(one, name) for name in ("kind", "topic", "sender", "receiver")},
            "sent": local(one.first_sent_ns, zone),
        }
        for one in waves.caused_by(message)
    ]
    found: dict[str, Any] = {"messages": follow, "ledger": ledger_lines(replay, message)}
    point = Places(replay.world).point(traced.source)
    reading = metering.READING.of(wave) or metering.MISSED.of(wave)
    if reading is not None and point is not None and traced.delivered_ns is not None:
        quarter_ns = reading.quarter * NS_PER_QUARTER
        topic, told = "day_reads", waves.first("day_reads", next_midnight_ns(quarter_ns, zone))
        if told and traced.delivered_ns <= told[0].first_sent_ns:  # one to each retailer, in their order
            told = [told[int(replay.world.companies.retailer_of[point])]]
        elif told:  # the day's reads had been sent without it
            later = _late_reads(replay, waves, point, quarter_ns, traced.delivered_ns)
            topic, told, found["too_late"] = "late_reads", later or [], later is None
        if told:
            found[topic] = cause_entry(told[0].first_id, told[0], zone)
            found["ledger"] = ledger_lines(replay, told[0].first_id, point)
    if wave.kind is Kind.SETPOINT and traced.delivered_ns is not None and not found["ledger"]:
        found["flexibility"] = _flexibility_pay(replay, traced)
    return found


def _late_reads(replay: Replay, waves: Waves, point: int, quarter_ns: int, delivered_ns: int) -> list[SentWave] | None:
    """The message by which the first settlement run of a reading's day that had it was told of it; None if the reading came after the final one.

    At one time there may be a message for each of two days, to each retailer that has late reads: it is the one by which the point's bill was changed.
    """
    zone, ages = replay.scenario.zone, replay.scenario.sections["settlement"]
    day = from_ns(quarter_ns, zone).date()
    for run in LATER:
        begin_ns = midnight_ns(day + timedelta(days=ages.age_days(run)), zone)
        told_ns = begin_ns + DAY_READS_AFTER_NS
        if delivered_ns <= told_ns + replay.scenario.step_s * NS_PER_S:
            sent = [one for one in waves.first("late_reads", begin_ns) if one.first_sent_ns >= delivered_ns]
            return [one for one in sent if ledger_lines(replay, one.first_id, point, midnight_ns(day, zone))]
    return None


def settlement_run_of(reason: str) -> str | None:
    """The name of the settlement run that posts what has a reason; None for what is not settled by metered energy."""
    run = Reason[reason.upper()].run
    return None if run is None else RUN_NAMES[run]


def _flexibility_pay(replay: Replay, traced: MessageTrace) -> dict[str, Any] | None:
    """The receiver's next pay for flexibility; its line names the last set-point of the day."""
    import polars

    point = Places(replay.world).point(traced.destination)
    closed_ns = next_midnight_ns(int(traced.delivered_ns or traced.sent_ns), replay.scenario.zone)
    paid = run_rows(replay.run.ledger, replay).filter(
        (polars.col("reason") == "flexibility")
        & (polars.col("payee") == f"point {point}")
        & (polars.col("at_ns") >= closed_ns)
    )
    if len(paid) == 0:
        return None
    row = paid.row(0, named=True)
    return {"amount_eur": row["amount_millicent"] / MILLICENT_PER_EUR, "message": row["cause"]}


def ledger_lines(
    replay: Replay, message: int, point: int | None = None, of_ns: int | None = None
) -> list[dict[str, Any]]:
    """What the ledger's lines that rest on a message come to, by reason; of one metering point, and for one day, if they are given."""
    import polars

    mine = polars.col("cause") == message
    if point is not None:
        mine &= (polars.col("payer") == f"point {point}") | (polars.col("payee") == f"point {point}")
    if of_ns is not None:
        mine &= polars.col("of_ns") == of_ns
    rows = (
        run_rows(replay.run.ledger, replay)
        .filter(mine)
        .group_by("reason", maintain_order=True)
        .agg(polars.len().alias("lines"), polars.col("amount_millicent").sum())
    )
    return [
        {
            "reason": row["reason"],
            "settlement_run": settlement_run_of(row["reason"]),
            "lines": row["lines"],
            "amount_eur": row["amount_millicent"] / MILLICENT_PER_EUR,
        }
        for row in rows.iter_rows(named=True)
    ]


def run_rows(table: polars.DataFrame, replay: Replay) -> polars.DataFrame:
    """The rows of a run's table that belong to the replayed arm and span."""
    import polars

    return table.filter((polars.col("arm") == replay.arm.name) & (polars.col("run_day") == replay.run_day))
