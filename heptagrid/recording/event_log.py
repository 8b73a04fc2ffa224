"""Follows what events do in one arm: who was interrupted, what was lost, who reported, and when all had caught up."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.build import ArmGrid
from heptagrid.assembly.happenings import Happening
from heptagrid.assembly.span import Phase
from heptagrid.foundation.actors import Delivery
from heptagrid.foundation.domains import Domain, Kind
from heptagrid.foundation.time import NS_PER_S, Step
from heptagrid.planes.messages.tables import BY_OUTAGE
from heptagrid.recording.frequency_log import FrequencyLog

Ints = npt.NDArray[np.int64]
MOST = 0.9  # the share of messages whose arrival is timed


class StormLog:
    """One entry for each event; see `found`."""

    def __init__(self, grid: ArmGrid, frequency: FrequencyLog) -> None:
        self._grid = grid
        self._entries = [_Entry(grid, frequency, one, number) for number, one in enumerate(grid.world.storms)]
        self._off_s = np.zeros(grid.world.customers_count if self._entries else 0)

    def note(self, phase: Phase, step: Step) -> None:
        """Take in a step that has just been run."""
        if not self._entries:
            return
        if phase is Phase.COUNTED:
            self._off_s[self._grid.wires.point_v_pu[: len(self._off_s)] == 0.0] += step.dt_s
        mailbox = self._grid.mailbox
        deliveries = [delivery for domain in Domain for delivery in mailbox.inbox(domain)]
        lost = mailbox.lost
        for entry in self._entries:
            entry.note(phase, step, lost)
            for delivery in deliveries:
                entry.take(delivery)

    def found(self) -> list[dict[str, Any]]:
        """What happened in each event, in the scenario's order."""
        return [entry.found() for entry in self._entries]

    def interruptions(self) -> dict[str, float]:
        """Of all events together, nobody counted twice."""
        unserved_kwh = float(self._grid.customers.unserved_kwh.sum())
        return {
            "customers": float((self._off_s > 0.0).sum()),
            "customer_minutes": float(self._off_s.sum()) / 60.0,
            "energy_not_served_mwh": unserved_kwh / 1000.0,
        }


class _Entry:
    """One event in one arm; times are since the event began, but for the drain."""

    def __init__(self, grid: ArmGrid, frequency: FrequencyLog, storm: Happening, number: int) -> None:
        self._grid, self._storm, self._number = grid, storm, number
        self._frequency = frequency
        self._customers = storm.points[storm.points < grid.world.customers_count]
        topology = grid.world.plan.topology
        self._suffers = np.zeros(topology.places, dtype=np.bool_)
        self._suffers[storm.around] = True
        self._dark = np.zeros(grid.world.points, dtype=np.bool_)
        self._dark[storm.points] = True
        self._off_s = 0.0
        self._unserved_before = self._unserved = 0.0
        self._lost = self._lost_by_outage = 0
        self._arrived_ns: dict[str, list[Ints]] = {}
        self._known_ns: int | None = None
        self._drain_ns: int | None = None
        self._blocks = np.zeros(grid.world.points, dtype=np.int64)
        self._complete_ns: list[Ints] = []

    def note(self, phase: Phase, step: Step, lost: Ints) -> None:
        """Take in a step's supply, and the messages that were lost in it."""
        storm = self._storm
        inside = (lost[:, 1] >= storm.begin_ns) & (lost[:, 1] < storm.end_ns)
        self._lost += int(inside.sum())
        self._lost_by_outage += int((inside & (lost[:, 2] == BY_OUTAGE)).sum())
        if storm.kind != "blackout":
            return
        unserved = float(self._grid.customers.unserved_kwh[self._customers].sum())
        if step.end_ns <= storm.begin_ns:
            self._unserved_before = unserved
        if phase is Phase.COUNTED and storm.begin_ns <= step.start_ns < storm.end_ns:
            self._unserved = unserved - self._unserved_before
            self._off_s += len(self._customers) * step.dt_s

    def take(self, delivery: Delivery) -> None:
        """Take in what arrived."""
        storm, wave = self._storm, delivery.wave
        sent_ns = wave.sent_ns[delivery.rows]
        waited = (delivery.delivered_ns >= storm.end_ns) & (sent_ns >= storm.begin_ns) & (sent_ns < storm.end_ns)
        if waited.any():
            waited &= self._suffers[delivery.source] | self._suffers[delivery.destination]
            if waited.any():
                last = int(delivery.delivered_ns[waited].max()) - storm.end_ns
                self._drain_ns = max(self._drain_ns or 0, last)
        if wave.topic == "firmware" and wave.shared["rollout"] == self._number:
            self._take_blocks(delivery)
        elif wave.topic == "substation" and wave.kind is Kind.ALARM and storm.kind == "blackout":
            dead = np.isin(delivery.column("substation"), storm.substations) & (delivery.column("v_pu") == 0.0)
            self._learn(delivery.delivered_ns[dead & (sent_ns >= storm.begin_ns)])
        elif wave.topic in _ANSWERS and wave.shared["of_ns"] == self._answered_ns(wave.topic):
            mine = self._dark[delivery.column("meter")]
            self._arrived_ns.setdefault(wave.topic, []).append(delivery.delivered_ns[mine])
            if wave.topic == "last_gasp":
                self._learn(delivery.delivered_ns[mine])

    def found(self) -> dict[str, Any]:
        """The figures; None where there is nothing to say."""
        storm = self._storm
        found: dict[str, Any] = {
            "messages_lost": self._lost,
            "messages_lost_by_outage": self._lost_by_outage,
            "backlog_drain_s": None if self._drain_ns is None else self._drain_ns / NS_PER_S,
        }
        if storm.kind == "blackout":
            found |= {
                "customers": len(self._customers),
                "customer_minutes": self._off_s / 60.0,
                "energy_not_served_mwh": self._unserved / 1000.0,
                "known_after_s": None if self._known_ns is None else (self._known_ns - storm.begin_ns) / NS_PER_S,
                **self._answers("last_gasp", "last_gasps", storm.begin_ns),
                **self._answers("restored", "restorations", storm.end_ns),
                **self._answers("missed", "missed_readings", storm.end_ns),
            }
        if storm.kind == "unit_trip":
            units = [(unit, mw) for ns, unit, mw in self._grid.fleet.losses if ns == storm.begin_ns]
            found = {"unit": units[0][0], "lost_mw": units[0][1]} if units else {"unit": None, "lost_mw": None}
            found |= self._frequency.after(storm.begin_ns)
        if storm.kind == "read_all":
            found = self._answers("on_demand", "readings", storm.begin_ns)
        if storm.kind == "firmware" and self._grid.arm.smart:
            times = np.sort(np.concatenate(self._complete_ns)) if self._complete_ns else np.empty(0, dtype=np.int64)
            found |= {
                "meters": len(storm.points),
                "meters_complete": len(times),
                "blocks_arrived": int(self._blocks.sum()),
            }
            found["complete_share"] = len(times) / len(storm.points) if len(storm.points) else None
            found["most_complete_after_s"] = _after_s(times, len(storm.points), storm.begin_ns)
        return found

    def _answered_ns(self, topic: str) -> int:
        return self._storm.end_ns if topic in ("restored", "missed") else self._storm.begin_ns

    def _answers(self, topic: str, name: str, since_ns: int) -> dict[str, Any]:
        """How many of a topic were sent and arrived, and when most had; None without meters that speak."""
        if not self._grid.arm.smart:
            return {f"{name}_sent": None, f"{name}_arrived": None, f"most_{name}_after_s": None}
        waves = self._grid.customers.meters.sent
        sent = sum(int(self._dark[who].sum()) for what, of_ns, who in waves if what == topic and of_ns == since_ns)
        times = np.sort(np.concatenate(self._arrived_ns.get(topic, [np.empty(0, dtype=np.int64)])))
        return {
            f"{name}_sent": sent,
            f"{name}_arrived": len(times),
            f"most_{name}_after_s": _after_s(times, sent, since_ns),
        }

    def _learn(self, times_ns: Ints) -> None:
        """Operations heard of the outage at these times."""
        if len(times_ns):
            first = int(times_ns.min())
            self._known_ns = first if self._known_ns is None else min(self._known_ns, first)

    def _take_blocks(self, delivery: Delivery) -> None:
        meter = delivery.column("meter")
        self._blocks[meter] += 1
        entry: Any = self._storm.storm.entry
        complete = self._blocks[meter] == -(-entry.payload_bytes // entry.block_bytes)
        self._complete_ns.append(delivery.delivered_ns[complete])


_ANSWERS = ("last_gasp", "restored", "missed", "on_demand")


def _after_s(times_ns: Ints, sent: int, since_ns: int) -> float | None:
    """How long until `MOST` of those sent had arrived; None if they never had."""
    needed = int(np.ceil(MOST * sent))
    return (int(times_ns[needed - 1]) - since_ns) / NS_PER_S if 0 < needed <= len(times_ns) else None
