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
from heptagrid.planes.messages.kernel.traces import CopyTrace, HopTrace, MessageTrace
from heptagrid.planes.messages.links import CLASS_NAMES
from heptagrid.planes.messages.media import METHODS
from heptagrid.recording.results import open_run
from heptagrid.simulation.simulation import SPARED

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
    if message not in watched.traces:
        raise OutputError(f"the replay sent no message {message}; the run was stopped before it left")
    traced, wave = watched.traces[message], finder.wave
    assert wave is not None
    sent = waves.of(message)
    remarks = list(replay.remarks)
    if (sent.kind, sent.topic) != (KIND_NAMES[wave.kind], wave.topic):
        remarks.append("the replay's message of that number is another one than the run's: the run cannot be traced")
    if wave.kind in SPARED and traced.sent_ns < replay.span.start_ns and not any(one.hops for one in traced.copies):
        remarks.append(
            "it arrived at once: the warm-up day spares such messages the network while that carries them all"
        )
    return {
        "run": str(run.folder),
        "arm": replay.arm.name,
        "remarks": remarks,
        "message": _message(traced, wave, replay),
        "outcome": _outcome(traced, replay.scenario.zone),
        "copies": [_copy(one, replay) for one in traced.copies],
        "root": root(wave.topic) if sent.cause_of(message) < 0 else None,
        "effect": effect(traced, wave, message - sent.first_id, replay),
        "causes": [cause_entry(one, sent, replay.scenario.zone) for one, sent in waves.chain(message)],
        "consequences": consequences(message, wave, traced, waves, replay),
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


def _message(traced: MessageTrace, wave: Wave, replay: Replay) -> dict[str, Any]:
    places, zone = Places(replay.world), replay.scenario.zone
    return {
        "id": traced.id,
        "kind": KIND_NAMES[wave.kind],
        "topic": wave.topic,
        "sender": DOMAIN_NAMES[wave.sender],
        "receiver": DOMAIN_NAMES[wave.receiver],
        "from": places.name(traced.source),
        "to": places.name(traced.destination),
        "bytes": traced.bytes,
        "priority": PRIORITIES[FACTS[wave.kind].priority],
        "number": traced.number,
        "sent": local(traced.sent_ns, zone),
        "sent_ns": traced.sent_ns,
        "deadline_s": traced.deadline_ns * 1e-9,
        "acknowledged": traced.is_acknowledged,
        "timeout_s": traced.timeout_ns * 1e-9 if traced.retries else None,
        "retries": traced.retries,
    }


def _outcome(traced: MessageTrace, zone: ZoneInfo) -> dict[str, Any]:
    delivered, acknowledged = traced.delivered_ns, traced.acknowledged_ns
    status = "under way"
    if delivered is not None:
        status = "late" if delivered - traced.sent_ns > traced.deadline_ns else "delivered"
    elif traced.is_over:
        status = "lost"
    data = [one for one in traced.copies if not one.is_ack]
    return {
        "status": status,
        "delivered": local(delivered, zone),
        "delay_s": None if delivered is None else (delivered - traced.sent_ns) * 1e-9,
        "lost_to": None if traced.lost is None else t.CAUSES[traced.lost],
        "acknowledged": local(acknowledged, zone),
        "acknowledged_after_s": None if acknowledged is None else (acknowledged - traced.sent_ns) * 1e-9,
        "copies_sent": len(data),
        "duplicates": sum(one.is_duplicate for one in data),
    }


def _copy(copy: CopyTrace, replay: Replay) -> dict[str, Any]:
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
        "hops": [_hop(one, replay) for one in copy.hops],
    }


def _hop(hop: HopTrace, replay: Replay) -> dict[str, Any]:
    places, zone = Places(replay.world), replay.scenario.zone
    classes = CLASS_NAMES
    return {
        "from": places.name(hop.node_from),
        "to": places.name(hop.node_to),
        "class": classes[hop.link_class] if hop.link_class < len(classes) else str(hop.link_class),
        "access": _METHOD_NAMES[hop.method],
        "rate_bps": hop.rate_bps,
        "arrived": local(hop.arrived_ns, zone),
        "queue_s": _seconds(hop.queue_ns),
        "contention_s": _seconds(hop.access_ns),
        "back_offs": hop.back_offs,
        "attempts": hop.sent,
        "air_s": hop.air_ns * 1e-9,
        "propagation_s": hop.travel_ns * 1e-9,
        "out": local(hop.out_ns, zone),
        "lost_to": None if hop.lost is None else t.CAUSES[hop.lost],
    }


def _seconds(ns: int | None) -> float | None:
    return None if ns is None else ns * 1e-9
