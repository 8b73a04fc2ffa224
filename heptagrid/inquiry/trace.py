"""`heptagrid trace`: the journey of one message of a run, its causes and its consequences, from a replay."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.modelled_transport import ModelledTransport
from heptagrid.assembly.place_names import Places
from heptagrid.contracts import flexibility, metering
from heptagrid.foundation.contract import Delivery, Wave
from heptagrid.foundation.domains import DOMAIN_NAMES, KIND_NAMES, Kind
from heptagrid.foundation.errors import OutputError, UsageError
from heptagrid.foundation.time import NS_PER_QUARTER, from_ns, next_midnight_ns, to_ns
from heptagrid.foundation.transport import Listener
from heptagrid.inquiry.replay import Progress, Replay
from heptagrid.planes.messages import tables as t
from heptagrid.planes.messages.kernel.message_tracer import Copy, Journey, Leg
from heptagrid.planes.messages.kinds import FACTS
from heptagrid.planes.messages.links import CLASS_NAMES
from heptagrid.planes.messages.media import METHODS
from heptagrid.planes.messages.requirements import PRIORITIES
from heptagrid.planes.money.ledger import MILLICENT_PER_EUR
from heptagrid.recording.results import Run, open_run

if TYPE_CHECKING:
    import polars

_METHOD_NAMES = {number: name for name, number in METHODS.items()} | {-1: "link"}


_GATHERED = 512  # waves between two looks at what is over


@dataclass(frozen=True)
class SentWave:
    """A wave of a run as its table `waves` has it; `cause_of` says what caused a message of it (-1: nothing)."""

    first_id: int
    messages: int
    first_sent_ns: int
    kind: str
    sender: str
    receiver: str
    topic: str
    cause: int
    causes: tuple[int, ...] | None

    def cause_of(self, message: int) -> int:
        return self.cause if self.causes is None else self.causes[message - self.first_id]


class Waves:
    """The waves of one arm over one span of days, by the indices of their messages."""

    def __init__(self, run: Run, arm: str, run_day: int) -> None:
        import polars

        table = run.waves
        self._frame = table.filter((polars.col("arm") == arm) & (polars.col("run_day") == run_day)).sort("first_id")
        self._first = self._frame["first_id"].to_numpy()

    @property
    def messages(self) -> int:
        """How many messages were sent in all; they are numbered from 0."""
        return int(self._first[-1] + self._frame["messages"][-1]) if len(self._first) else 0

    def of(self, message: int) -> SentWave:
        """The wave that a message belongs to."""
        return self._row(int(np.searchsorted(self._first, message, side="right")) - 1)

    def chain(self, message: int) -> Iterator[tuple[int, SentWave]]:
        """What caused a message, what caused that, and so on."""
        cause = self.of(message).cause_of(message)
        while cause >= 0:
            wave = self.of(cause)
            yield cause, wave
            cause = wave.cause_of(cause)

    def caused_by(self, message: int) -> list[SentWave]:
        """The waves with messages that a message caused."""
        import polars

        mine = (polars.col("cause") == message) | polars.col("causes").list.contains(message).fill_null(value=False)
        return [SentWave(**row) for row in self._chosen(self._frame.filter(mine))]

    def first(self, topic: str, from_ns: int) -> SentWave | None:
        """The first wave about `topic` that was sent at `from_ns` or later."""
        import polars

        found = self._frame.filter((polars.col("topic") == topic) & (polars.col("first_sent_ns") >= from_ns))
        return SentWave(**next(iter(self._chosen(found.head(1))))) if len(found) else None

    def _row(self, k: int) -> SentWave:
        return SentWave(**next(iter(self._chosen(self._frame[k : k + 1]))))

    @staticmethod
    def _chosen(frame: polars.DataFrame) -> Iterator[dict[str, Any]]:
        for row in frame.iter_rows(named=True):
            causes = row["causes"]
            kept = {name: row[name] for name in SentWave.__dataclass_fields__ if name != "causes"}
            yield kept | {"causes": None if causes is None else tuple(causes)}


def local(ns: int | None, zone: ZoneInfo) -> str | None:
    """A time as local ISO text to the microsecond."""
    return None if ns is None else from_ns(ns, zone).isoformat(timespec="microseconds")


def trace(
    folder: str | Path,
    message: int,
    arm: str | None = None,
    day: date | str | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """The journey of `message` in a run: what it is, every hop of every copy, its causes, its consequences.

    Raises
    ------
    UsageError
        If the run has no such arm, day or message.
    OutputError
        If the folder is that of no run, or of one that cannot be replayed.
    """
    run = open_run(folder)
    replay = Replay(run, arm, day)
    waves = Waves(run, replay.arm.name, replay.run_day)
    if not 0 <= message < waves.messages:
        raise UsageError(
            f"there is no message {message}; arm {replay.arm.name!r} sent messages 0 to {waves.messages - 1} "
            "(heptagrid trace RUN --list shows some)"
        )
    finder = _WaveOf(message)
    transport = replay.grid.transport
    assert isinstance(transport, ModelledTransport)
    transport.listen(finder)
    watched = transport.watch([message])
    replay.advance(lambda *_: watched.is_done, progress)
    if message not in watched.journeys:
        raise OutputError(f"the replay sent no message {message}; the run was stopped before it left")
    journey, wave = watched.journeys[message], finder.wave
    assert wave is not None
    sent = waves.of(message)
    remarks = list(replay.remarks)
    if (sent.kind, sent.topic) != (KIND_NAMES[wave.kind], wave.topic):
        remarks.append("the replay's message of that number is another one than the run's: the run cannot be traced")
    return {
        "run": str(run.folder),
        "arm": replay.arm.name,
        "remarks": remarks,
        "message": _message(journey, wave, replay),
        "outcome": _outcome(journey, replay.scenario.zone),
        "copies": [_copy(one, replay) for one in journey.copies],
        "root": root(wave.topic) if sent.cause_of(message) < 0 else None,
        "effect": _effect(journey, wave, message - sent.first_id, replay),
        "causes": [cause_entry(one, sent, replay.scenario.zone) for one, sent in waves.chain(message)],
        "consequences": consequences(message, wave, journey, waves, replay),
    }


class _WaveOf(Listener):
    """Finds the wave of a message."""

    def __init__(self, message: int) -> None:
        self.wave: Wave | None = None
        self._message = message

    def sent(self, first: int, wave: Wave) -> None:
        """Keep the wave if the message is one of its own."""
        if first <= self._message < first + len(wave.source):
            self.wave = wave


def _message(journey: Journey, wave: Wave, replay: Replay) -> dict[str, Any]:
    places, zone = Places(replay.world), replay.scenario.zone
    return {
        "id": journey.id,
        "kind": KIND_NAMES[wave.kind],
        "topic": wave.topic,
        "sender": DOMAIN_NAMES[wave.sender],
        "receiver": DOMAIN_NAMES[wave.receiver],
        "from": places.name(journey.source),
        "to": places.name(journey.destination),
        "bytes": journey.bytes,
        "priority": PRIORITIES[FACTS[wave.kind].priority],
        "number": journey.number,
        "sent": local(journey.sent_ns, zone),
        "sent_ns": journey.sent_ns,
        "deadline_s": journey.deadline_ns * 1e-9,
        "acknowledged": journey.is_acknowledged,
        "timeout_s": journey.timeout_ns * 1e-9 if journey.retries else None,
        "retries": journey.retries,
    }


def _outcome(journey: Journey, zone: ZoneInfo) -> dict[str, Any]:
    delivered, acknowledged = journey.delivered_ns, journey.acknowledged_ns
    status = "under way"
    if delivered is not None:
        status = "late" if delivered - journey.sent_ns > journey.deadline_ns else "delivered"
    elif journey.is_over:
        status = "lost"
    data = [one for one in journey.copies if not one.is_ack]
    return {
        "status": status,
        "delivered": local(delivered, zone),
        "delay_s": None if delivered is None else (delivered - journey.sent_ns) * 1e-9,
        "lost_to": None if journey.lost is None else t.CAUSES[journey.lost],
        "acknowledged": local(acknowledged, zone),
        "acknowledged_after_s": None if acknowledged is None else (acknowledged - journey.sent_ns) * 1e-9,
        "copies_sent": len(data),
        "duplicates": sum(one.is_duplicate for one in data),
    }


def _copy(copy: Copy, replay: Replay) -> dict[str, Any]:
    zone = replay.scenario.zone
    return {
        "what": "acknowledgement" if copy.is_ack else "message",
        "copy": copy.number,
        "sent": local(copy.sent_ns, zone),
        "arrived": local(copy.arrived_ns, zone),
        "took_s": None if copy.arrived_ns is None else (copy.arrived_ns - copy.sent_ns) * 1e-9,
        "is_duplicate": copy.is_duplicate,
        "lost": local(copy.lost_ns, zone),
        "lost_to": None if copy.lost is None else t.CAUSES[copy.lost],
        "hops": [_hop(one, replay) for one in copy.legs],
    }


def _hop(leg: Leg, replay: Replay) -> dict[str, Any]:
    places, zone = Places(replay.world), replay.scenario.zone
    classes = CLASS_NAMES
    return {
        "from": places.name(leg.node_from),
        "to": places.name(leg.node_to),
        "class": classes[leg.link_class] if leg.link_class < len(classes) else str(leg.link_class),
        "access": _METHOD_NAMES[leg.method],
        "rate_bps": leg.rate_bps,
        "arrived": local(leg.arrived_ns, zone),
        "queue_s": _seconds(leg.queue_ns),
        "contention_s": _seconds(leg.access_ns),
        "back_offs": leg.back_offs,
        "attempts": leg.sent,
        "air_s": leg.air_ns * 1e-9,
        "propagation_s": leg.travel_ns * 1e-9,
        "out": local(leg.out_ns, zone),
        "lost_to": None if leg.lost is None else t.CAUSES[leg.lost],
    }


def _seconds(ns: int | None) -> float | None:
    return None if ns is None else ns * 1e-9


def _effect(journey: Journey, wave: Wave, row: int, replay: Replay) -> str | None:
    """What the receiver did with the message, where that can be said in a sentence."""
    delivered = journey.delivered_ns
    zone = replay.scenario.zone
    point = Places(replay.world).point(journey.destination)
    if delivered is None:
        if wave.kind in (Kind.SETPOINT, Kind.PRICE) and point is not None:
            return "The gateway never received it: its devices follow what it received before, until that lapses."
        if wave.kind is Kind.METER_READING and journey.is_over:
            return "Operations estimated the quarter hour and marked it so."
        return None
    step_ns = replay.scenario.step_s * 10**9
    at = from_ns(-(-delivered // step_ns) * step_ns, zone)
    device = wave.topic.removeprefix("signal.")
    if device != wave.topic and (signal := flexibility.signal(device).of(wave)) is not None:
        end = from_ns((signal.first_quarter + signal.valid_quarters) * NS_PER_QUARTER, zone)
        name = device.replace("_", " ").removesuffix("s").replace("batterie", "battery")
        return f"The {name} of customer {point} follows it from {at:%H:%M:%S} on, until the next one or {end:%H:%M}."
    if (cap := flexibility.CAP.of(wave)) is not None:
        until, cap_kw = from_ns(int(cap.until_ns[row]), zone), float(cap.cap_kw[row])
        if until <= at:
            return (
                f"Congestion: a cap of {cap_kw:g} kW on the vehicle of customer {point} until {until:%H:%M:%S}; it had lapsed "
                f"when the gateway could act on it at {at:%H:%M:%S}, the end of the run's step of {step_ns // 10**9} s."
            )
        return f"Congestion: the vehicle of customer {point} draws at most {cap_kw:g} kW from {at:%H:%M:%S} to {until:%H:%M:%S}."
    if wave.kind is Kind.PRICE and point is not None:
        owned = replay.world.owned
        if point < len(owned.dynamic) and owned.dynamic[point]:
            return f"Customer {point} is on the dynamic tariff: these are its prices, and devices that the aggregator does not control follow them."
        return f"Customer {point} is on the flat tariff: the prices change nothing there."
    return None


_ROOTS = {
    "reading": "a measurement: the quarter hour had ended",
    "substation": "a measurement at the substation",
    "unit": "a measurement of the unit's output",
    "flows": "a measurement in the transmission network",
    "forecast": "the clock: operations forecasts every hour",
    "rest_forecast": "the clock: operations forecasts the other loads before the market's gate",
    "offer": "the market's gate: the units' offers for the next day",
    "demand": "the market's gate",
    "infeed": "the clock: once an hour",
}


def root(topic: str) -> str:
    """What stands behind a message that no other caused."""
    return _ROOTS.get(topic, "the clock, or a plan of the sender's own")


def cause_entry(message: int, wave: SentWave, zone: ZoneInfo) -> dict[str, Any]:
    """One link of a chain of causes."""
    return {
        "id": message,
        "kind": wave.kind,
        "topic": wave.topic,
        "sender": wave.sender,
        "receiver": wave.receiver,
        "sent": local(wave.first_sent_ns, zone),
        "root": root(wave.topic) if wave.cause_of(message) < 0 else None,
    }


def consequences(message: int, wave: Wave, journey: Journey, waves: Waves, replay: Replay) -> dict[str, Any]:
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
    point = Places(replay.world).point(journey.source)
    reading = metering.READING.of(wave) or metering.MISSED.of(wave)
    if reading is not None and point is not None and journey.delivered_ns is not None:
        quarter_ns = reading.quarter * NS_PER_QUARTER
        topic, reads = "day_reads", waves.first("day_reads", next_midnight_ns(quarter_ns, zone))
        if reads is not None and journey.delivered_ns > reads.first_sent_ns:  # the day had been told without it
            topic, reads = "late_reads", waves.first("late_reads", journey.delivered_ns)
        if reads is not None:
            found[topic] = cause_entry(reads.first_id, reads, zone)
            found["ledger"] = ledger_lines(replay, reads.first_id, point)
    if wave.kind is Kind.SETPOINT and journey.delivered_ns is not None and not found["ledger"]:
        found["flexibility"] = _flexibility_pay(replay, journey)
    return found


def _flexibility_pay(replay: Replay, journey: Journey) -> dict[str, Any] | None:
    """The receiver's next pay for flexibility; its line names the last set-point of the day."""
    import polars

    point = Places(replay.world).point(journey.destination)
    closed_ns = next_midnight_ns(int(journey.delivered_ns or journey.sent_ns), replay.scenario.zone)
    paid = run_rows(replay.run.ledger, replay).filter(
        (polars.col("reason") == "flexibility")
        & (polars.col("payee") == f"point {point}")
        & (polars.col("at_ns") >= closed_ns)
    )
    if len(paid) == 0:
        return None
    row = paid.row(0, named=True)
    return {"amount_eur": row["amount_millicent"] / MILLICENT_PER_EUR, "message": row["cause"]}


def ledger_lines(replay: Replay, message: int, point: int | None = None) -> list[dict[str, Any]]:
    """What the ledger's lines that rest on a message come to, by reason; of one metering point if it is given."""
    import polars

    mine = polars.col("cause") == message
    if point is not None:
        mine &= (polars.col("payer") == f"point {point}") | (polars.col("payee") == f"point {point}")
    rows = (
        run_rows(replay.run.ledger, replay)
        .filter(mine)
        .group_by("reason", maintain_order=True)
        .agg(polars.len().alias("lines"), polars.col("amount_millicent").sum())
    )
    return [
        {"reason": row["reason"], "lines": row["lines"], "amount_eur": row["amount_millicent"] / MILLICENT_PER_EUR}
        for row in rows.iter_rows(named=True)
    ]


def run_rows(table: polars.DataFrame, replay: Replay) -> polars.DataFrame:
    """The rows of a run's table that belong to the replayed arm and span."""
    import polars

    return table.filter((polars.col("arm") == replay.arm.name) & (polars.col("run_day") == replay.run_day))


@dataclass
class _Listed:
    id: int
    wave: Wave
    row: int
    fate: tuple[str, int] | None = None


def list_messages(
    folder: str | Path,
    kind: str | None = None,
    customer: int | None = None,
    lost: bool = False,
    limit: int = 20,
    since: str | None = None,
    arm: str | None = None,
    day: date | str | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Some messages of a run with their indices, in order of sending from the first counted day, or `since`, on.

    Raises
    ------
    UsageError, OutputError
        As `trace`; and for a kind or a customer that does not exist.
    """
    run = open_run(folder)
    replay = Replay(run, arm, day)
    if kind is not None and (kind not in KIND_NAMES or kind == "ack"):
        raise UsageError(
            f"there is no kind {kind!r} of messages; the kinds are {', '.join(name for name in KIND_NAMES if name != 'ack')}"
        )
    check_customer(replay.world.customers_count, customer)
    from_here_ns = _since(since, replay)
    tracker = Tracker(
        None if kind is None else {Kind[kind.upper()]},
        None if customer is None else int(replay.world.endpoints.gateways[customer]),
        from_here_ns,
        None if lost else limit,
    )
    tracker.attach(replay)

    def see(*_: Any) -> bool:
        if lost:
            return len(tracker.lost) >= limit
        return len(tracker.listed) >= limit and all(one.fate is not None for one in tracker.listed.values())

    replay.advance(see, progress)
    places, zone = Places(replay.world), replay.scenario.zone
    chosen = sorted((tracker.lost if lost else tracker.listed).values(), key=lambda one: one.id)[:limit]
    return {
        "run": str(run.folder),
        "arm": replay.arm.name,
        "remarks": replay.remarks,
        "messages": [listed_entry(one.id, one.wave, one.row, one.fate, places, zone) for one in chosen],
    }


def check_customer(customers: int, customer: int | None) -> None:
    """Raise UsageError for a customer that does not exist."""
    if customer is not None and not 0 <= customer < customers:
        raise UsageError(f"there is no customer {customer}; they are numbered from 0 to {customers - 1}")


def listed_entry(
    message: int, wave: Wave, row: int, fate: tuple[str, int] | None, places: Places, zone: ZoneInfo
) -> dict[str, Any]:
    """One line of a list of messages."""
    sent_ns = int(wave.sent_ns[row])
    status, at_ns = fate or ("under way", None)
    return {
        "id": message,
        "kind": KIND_NAMES[wave.kind],
        "topic": wave.topic,
        "from": places.name(int(wave.source[row])),
        "to": places.name(int(wave.destination[row])),
        "sent": local(sent_ns, zone),
        "status": status,
        "delay_s": None if at_ns is None or status != "delivered" else (at_ns - sent_ns) * 1e-9,
    }


class Tracker(Listener):
    """Keeps messages of a replay, of some kinds and of one place, and what becomes of them.

    listed: by index, those that are kept from their sending on, `limit` at most (None: none but the lost ones).
    """

    def __init__(self, kinds: set[Kind] | None, place: int | None, since_ns: int, limit: int | None) -> None:
        self.listed: dict[int, _Listed] = {}
        self.lost: dict[int, _Listed] = {}
        self._waves: list[Wave] = []
        self._first_ids: list[int] = []
        self._kinds, self._place, self._since_ns, self._limit = kinds, place, since_ns, limit

    def attach(self, replay: Replay) -> None:
        """Hear of every wave, and of what becomes of it."""
        self._transport = replay.grid.transport
        self._transport.listen(self)

    def sent(self, first: int, wave: Wave) -> None:
        """Keep what is to be listed."""
        limit = self._limit
        if limit is None:
            self._first_ids.append(first)
            self._waves.append(wave)
            return
        if len(self.listed) >= limit or (self._kinds is not None and wave.kind not in self._kinds):
            return
        mine = wave.sent_ns >= self._since_ns
        if self._place is not None:
            mine = mine & ((wave.source == self._place) | (wave.destination == self._place))
        for row in np.flatnonzero(mine)[: limit - len(self.listed)]:
            self.listed[first + int(row)] = _Listed(first + int(row), wave, int(row))

    def travelled(self, deliveries: Sequence[Delivery], lost: npt.NDArray[np.int64]) -> None:
        """Take in what became known in a step."""
        if self.listed:
            for delivery in deliveries:
                mine = np.isin(delivery.ids, list(self.listed))
                for message, at_ns in zip(
                    delivery.ids[mine].tolist(), delivery.delivered_ns[mine].tolist(), strict=True
                ):
                    self.listed[message].fate = "delivered", at_ns
        for message, at_ns, cause, _ in lost.tolist():
            fate = f"lost: {t.CAUSES[cause].replace('_', ' ')}", at_ns
            if message in self.listed:
                self.listed[message].fate = fate
            if self._limit is None:
                k = bisect_right(self._first_ids, message) - 1
                wave, row = self._waves[k], message - self._first_ids[k]
                ends = int(wave.source[row]), int(wave.destination[row])
                is_mine = (self._kinds is None or wave.kind in self._kinds) and (
                    self._place is None or self._place in ends
                )
                if is_mine and wave.sent_ns[row] >= self._since_ns:
                    self.lost[message] = _Listed(message, wave, row, fate)
        if len(self._waves) > _GATHERED:
            done = max(0, bisect_right(self._first_ids, self._transport.oldest_under_way()) - 1)
            del self._waves[:done], self._first_ids[:done]


def _since(since: str | None, replay: Replay) -> int:
    """The instant from which to list: a local time of the span's first day, or a local date and time."""
    if since is None:
        return replay.span.start_ns
    zone = replay.scenario.zone
    try:
        words = f"{replay.span.first}T{since}" if "-" not in since else since
        return to_ns(datetime.fromisoformat(words).replace(tzinfo=zone))
    except ValueError:
        raise UsageError(f"{since!r} is not a time; write 18:00, or 2016-01-26T12:00") from None
