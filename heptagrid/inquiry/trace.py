"""`heptagrid trace`: one message of a run hop by hop, its causes and its consequences, from a replay."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from heptagrid.assembly.modelled_transport import ModelledTransport
from heptagrid.assembly.place_names import Places
from heptagrid.contracts.kinds import FACTS
from heptagrid.contracts.requirements import PRIORITIES
from heptagrid.foundation.contract import Wave
from heptagrid.foundation.domains import DOMAIN_NAMES, KIND_NAMES
from heptagrid.foundation.errors import OutputError, UsageError
from heptagrid.foundation.transport import Listener
from heptagrid.inquiry.consequences import consequences
from heptagrid.inquiry.effects import effect
from heptagrid.inquiry.replay import Progress, Replay
from heptagrid.inquiry.waves import Waves, cause_entry, local, root
from heptagrid.planes.messages import tables as t
from heptagrid.planes.messages.kernel.message_tracer import Copy, Journey, Leg
from heptagrid.planes.messages.links import CLASS_NAMES
from heptagrid.planes.messages.media import METHODS
from heptagrid.recording.results import open_run

_METHOD_NAMES = {number: name for name, number in METHODS.items()} | {-1: "link"}


def trace(
    folder: str | Path,
    message: int,
    arm: str | None = None,
    day: date | str | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """What a run's `message` is, every hop of every copy, its causes, its consequences.

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
        "effect": effect(journey, wave, message - sent.first_id, replay),
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
