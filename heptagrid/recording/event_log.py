"""Follows what events do in one arm: who was interrupted, what was lost, who reported, and when all had caught up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.arm import ArmGrid
from heptagrid.assembly.happenings import Happening
from heptagrid.assembly.span import Phase
from heptagrid.contracts import control, metering, telemetry
from heptagrid.foundation.contract import Contract, Delivery
from heptagrid.foundation.time import NS_PER_S, Step
from heptagrid.foundation.transport import Listener
from heptagrid.planes.messages.tables import BY_OUTAGE
from heptagrid.planes.money.benefits.observed import Outage
from heptagrid.recording.frequency_log import FrequencyLog
from heptagrid.recording.outage_table import outage_table

Ints = npt.NDArray[np.int64]
MOST = 0.9  # the share of messages whose arrival is timed


class EventLog(Listener):
    """One entry for each event; see `found`."""

    def __init__(self, grid: ArmGrid, frequency: FrequencyLog) -> None:
        self._grid, self._frequency = grid, frequency
        self._entries = [_Entry(grid, frequency, one, number) for number, one in enumerate(grid.world.events)]
        self._off_s = np.zeros(0)
        self._deliveries: Sequence[Delivery] = ()
        self._lost = np.empty((0, 4), dtype=np.int64)
        self._follows = False
        if self._entries:
            self.follow()

    def follow(self) -> None:
        """Follow supply and messages from now on."""
        if not self._follows:
            self._follows = True
            self._off_s = np.zeros(self._grid.world.customers_count)
            self._grid.transport.listen(self)

    def expect(self, event: Happening) -> None:
        """Another event is coming, numbered after those there are."""
        self.follow()
        self._entries.append(_Entry(self._grid, self._frequency, event, len(self._entries)))

    def travelled(self, deliveries: Sequence[Delivery], lost: Ints) -> None:
        """Keep what arrived and what was lost until the step is noted."""
        self._deliveries, self._lost = deliveries, lost

    def note(self, phase: Phase, step: Step) -> None:
        """Take in a step that has just been run."""
        if not self._follows:
            return
        if phase is Phase.COUNTED:
            self._off_s[self._grid.terminals.point_v_pu[: len(self._off_s)] == 0.0] += step.dt_s
        for entry in self._entries:
            entry.note(phase, step, self._lost)
            for delivery in self._deliveries:
                entry.take(delivery)

    def found(self) -> list[dict[str, Any]]:
        """What happened in each event, in the scenario's order."""
        return [entry.found() for entry in self._entries]

    def outages(self) -> tuple[Outage, ...]:
        """Interruptions by customers' class and by how long they had no supply."""
        grid = self._grid
        if not self._follows:
            return ()
        is_household = np.char.startswith(grid.world.grid.loads.profile_names, "H0")
        return outage_table(self._off_s, grid.customers.unserved_kwh, is_household)

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

    def __init__(self, grid: ArmGrid, frequency: FrequencyLog, event: Happening, number: int) -> None:
        self._grid, self._event, self._number = grid, event, number
        self._frequency = frequency
        self._customers = event.points[event.points < grid.world.customers_count]
        topology = grid.world.plan.topology
        self._suffers = np.zeros(topology.places, dtype=np.bool_)
        self._suffers[event.around] = True
        self._dark = np.zeros(grid.world.points, dtype=np.bool_)
        self._dark[event.points] = True
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
        event = self._event
        inside = (lost[:, 1] >= event.begin_ns) & (lost[:, 1] < event.end_ns)
        self._lost += int(inside.sum())
        self._lost_by_outage += int((inside & (lost[:, 2] == BY_OUTAGE)).sum())
        if event.kind != "blackout":
            return
        unserved = float(self._grid.customers.unserved_kwh[self._customers].sum())
        if step.end_ns <= event.begin_ns:
            self._unserved_before = unserved
        if phase is Phase.COUNTED and event.begin_ns <= step.start_ns < event.end_ns:
            self._unserved = unserved - self._unserved_before
            self._off_s += len(self._customers) * step.dt_s

    def take(self, delivery: Delivery) -> None:
        """Take in what arrived."""
        event, contract, sent_ns = self._event, delivery.contract, delivery.sent_ns
        waited = (delivery.delivered_ns >= event.end_ns) & (sent_ns >= event.begin_ns) & (sent_ns < event.end_ns)
        if waited.any():
            waited &= self._suffers[delivery.source] | self._suffers[delivery.destination]
            if waited.any():
                last = int(delivery.delivered_ns[waited].max()) - event.end_ns
                self._drain_ns = max(self._drain_ns or 0, last)
        if contract is control.FIRMWARE:
            self._take_block(delivery)
        elif contract is telemetry.SUBSTATION_ALARM and event.kind == "blackout":
            alarm = telemetry.SUBSTATION_ALARM.read(delivery)
            dead = np.isin(alarm.substation, event.substations) & (alarm.v_pu == 0.0)
            self._learn(delivery.delivered_ns[dead & (sent_ns >= event.begin_ns)])
        elif contract in (metering.LAST_GASP, metering.RESTORED):
            supply = (metering.LAST_GASP if contract is metering.LAST_GASP else metering.RESTORED).read(delivery)
            self._take_answer(delivery, supply.meter, supply.of_ns)
        elif contract is metering.MISSED:
            missed = metering.MISSED.read(delivery)
            self._take_answer(delivery, missed.meter, missed.of_ns)
        elif contract is metering.ON_DEMAND:
            registers = metering.ON_DEMAND.read(delivery)
            self._take_answer(delivery, registers.meter, registers.of_ns)

    def _take_answer(self, delivery: Delivery, meters: Ints, of_ns: int) -> None:
        """What meters say of the event itself: that supply is gone or back, or what was asked of them."""
        if of_ns != self._answered_ns(delivery.contract):
            return
        times_ns = delivery.delivered_ns[self._dark[meters]]
        self._arrived_ns.setdefault(delivery.contract.topic, []).append(times_ns)
        if delivery.contract is metering.LAST_GASP:
            self._learn(times_ns)

    def found(self) -> dict[str, Any]:
        """The figures; None where there is nothing to say."""
        event = self._event
        found: dict[str, Any] = {
            "messages_lost": self._lost,
            "messages_lost_by_outage": self._lost_by_outage,
            "backlog_drain_s": None if self._drain_ns is None else self._drain_ns / NS_PER_S,
        }
        if event.kind == "blackout":
            found |= {
                "customers": len(self._customers),
                "customer_minutes": self._off_s / 60.0,
                "energy_not_served_mwh": self._unserved / 1000.0,
                "known_after_s": None if self._known_ns is None else (self._known_ns - event.begin_ns) / NS_PER_S,
                **self._answers(metering.LAST_GASP, "last_gasps", event.begin_ns),
                **self._answers(metering.RESTORED, "restorations", event.end_ns),
                **self._answers(metering.MISSED, "missed_readings", event.end_ns),
            }
        if event.kind == "unit_trip":
            units = [(unit, mw) for _, unit, mw, number in self._grid.generation.losses if number == self._number]
            found = {"unit": units[0][0], "lost_mw": units[0][1]} if units else {"unit": None, "lost_mw": None}
            found |= self._frequency.after(event.begin_ns)
        if event.kind == "read_all":
            found = self._answers(metering.ON_DEMAND, "readings", event.begin_ns)
        if event.kind == "firmware" and self._grid.arm.smart:
            times = np.sort(np.concatenate(self._complete_ns)) if self._complete_ns else np.empty(0, dtype=np.int64)
            found |= {
                "meters": len(event.points),
                "meters_complete": len(times),
                "blocks_arrived": int(self._blocks.sum()),
            }
            found["complete_share"] = len(times) / len(event.points) if len(event.points) else None
            found["most_complete_after_s"] = _after_s(times, len(event.points), event.begin_ns)
        return found

    def _answered_ns(self, contract: Contract[Any]) -> int:
        after = contract in (metering.RESTORED, metering.MISSED)
        return self._event.end_ns if after else self._event.begin_ns

    def _answers(self, contract: Contract[Any], name: str, since_ns: int) -> dict[str, Any]:
        """How many of a topic were sent and arrived, and when most had; None without meters that speak."""
        if not self._grid.arm.smart:
            return {f"{name}_sent": None, f"{name}_arrived": None, f"most_{name}_after_s": None}
        waves = self._grid.customers.meters.sent
        topic = contract.topic
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

    def _take_block(self, delivery: Delivery) -> None:
        told = control.FIRMWARE.read(delivery)
        if told.rollout != self._number:
            return
        meter = told.meter
        self._blocks[meter] += 1
        entry: Any = self._event.event.entry
        complete = self._blocks[meter] == -(-entry.payload_bytes // entry.block_bytes)
        self._complete_ns.append(delivery.delivered_ns[complete])


def _after_s(times_ns: Ints, sent: int, since_ns: int) -> float | None:
    """How long until `MOST` of those sent had arrived; None if they never had."""
    needed = int(np.ceil(MOST * sent))
    return (int(times_ns[needed - 1]) - since_ns) / NS_PER_S if 0 < needed <= len(times_ns) else None
