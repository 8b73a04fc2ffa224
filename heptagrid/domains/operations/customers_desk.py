"""The customers' desk of operations: head end and meter-data store, and what it tells the providers.

Before it tells a day's reads, it settles by the registers what was estimated. What it learns of days already told follows
as late reads with the day's second and final settlement run: true reads, and shares of a gap whose energy is known by now, all that came since the day was
first told, so that a message that is lost is made good by the next one. After the final run the day is closed. Each retailer is told of its own customers,
and each aggregator what the devices of its own moved on request.
"""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import numpy.typing as npt

from heptagrid.contracts import flexibility, metering, retail
from heptagrid.contracts.paper import KnownDay
from heptagrid.domains.operations.forecast import Forecast
from heptagrid.domains.operations.meter_store import Changes, MeterStore, Parameters, Reads, ReadStatus
from heptagrid.domains.operations.metered import Settled, used_of_each
from heptagrid.foundation.actors import Outbox
from heptagrid.foundation.contract import Delivery
from heptagrid.foundation.payments import PaidDays, SettledAgain
from heptagrid.foundation.point_columns import of_points
from heptagrid.foundation.settlement_runs import SettlementRun
from heptagrid.foundation.time import NS_PER_QUARTER, NS_PER_S, Step
from heptagrid.world.companies import Companies
from heptagrid.world.endpoints import Endpoints

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

DAY_READS_AFTER_NS = 3 * NS_PER_QUARTER  # after midnight: when the last quarter hour has been validated


class CustomersDesk:
    """Receives reads, estimates the missing ones, and sends each day's validated reads to the retailers, then those that came after it was first told.

    What arrived is taken into the store when somebody asks for what is in it, or when the next step has begun: by then its messages travel, beside this work.

    open_from: the first quarter hour that has not had its final settlement run.
    """

    def __init__(
        self,
        parameters: Parameters,
        store: MeterStore,
        forecast: Forecast,
        endpoints: Endpoints,
        companies: Companies,
        days: PaidDays,
    ) -> None:
        self._store = store
        self._arrived: list[Delivery] = []  # and not taken in yet
        self._wave_of_all: object = None  # the last of which it is known
        self._from_the_future = 0
        self.open_from = -1
        self._days = days
        self._supplied, self._steered = companies.all_supplied, companies.all_steered
        self._retailer_of = companies.retailer_of
        self._delay_quarters = -(-int(parameters.validation_delay_s * NS_PER_S) // NS_PER_QUARTER)
        self._forecast = forecast
        self._endpoints = endpoints
        self._first_quarter: int | None = None
        self._validated = -1
        self._last_read = -1  # the message of the last read that came in
        self._told_until = -1  # the first quarter hour that the retailers have not been told of
        self._late: dict[int, list[tuple[Changes, bool]]] = {}  # by quarter hour already told; whether they were read
        self._late_reads: dict[int, retail.LateReads] = {}  # by first quarter hour of the days settled again today
        self._settled_mwh: dict[int, Floats] = {}  # what each retailer's points used less what they fed in, as told
        self._corrected_mwh: dict[int, Floats] = {}  # of these, what is known better for today's later settlement runs
        self._corrected_by: dict[int, int] = {}

    def receive(self, delivery: Delivery) -> None:
        """Keep the reads of one delivery for the store."""
        self._last_read = delivery.last_id
        self._arrived.append(delivery)

    @property
    def store(self) -> MeterStore:
        """The reads, with all that have arrived."""
        self.take_in()
        return self._store

    @property
    def from_the_future(self) -> int:
        """Reads that were stamped with a quarter hour that had not ended."""
        self.take_in()
        return self._from_the_future

    def take_in(self) -> None:
        """Store what has arrived, in the order of its arrival."""
        arrived, self._arrived = self._arrived, []
        for delivery in arrived:
            self._take_in(delivery)

    def _take_in(self, delivery: Delivery) -> None:
        contract = metering.MISSED if delivery.contract is metering.MISSED else metering.READING
        told = contract.read(delivery)
        quarter = told.quarter
        if (quarter + 1) * NS_PER_QUARTER > int(delivery.delivered_ns[0]):
            self._from_the_future += len(told.meter)  # a meter's clock is wrong; what it read of when nobody knows
            return
        reads = Reads(
            meter=told.meter,
            import_kwh=told.import_kwh,
            export_kwh=told.export_kwh,
            import_register_kwh=told.import_register_kwh,
            export_register_kwh=told.export_register_kwh,
            moved_kwh=told.moved_kwh,
            asked_by=told.asked_by,
            message=delivery.ids,
        )
        is_late = self._store.receive(quarter, reads, self._whole_of(delivery))
        if is_late.any():
            late = reads.of(is_late)
            self._note(Changes(np.full(len(late.meter), quarter), late.meter, late.message), was_read=True)

    def _whole_of(self, delivery: Delivery) -> npt.NDArray[np.float32] | None:
        """The energies of all meters, where a delivery is a part of a wave that holds them in their order."""
        told = delivery.wave.payload
        if len(told.meter) != self._store.meters:
            return None
        is_whole = told is self._wave_of_all or bool((told.meter == np.arange(self._store.meters)).all())
        self._wave_of_all = told if is_whole else None
        return told.import_kwh if is_whole else None

    def _note(self, changes: Changes, was_read: bool) -> None:
        """Keep for the retailers what is known better of days that it has been told."""
        told = np.flatnonzero(changes.quarter < self._told_until)
        told = told[np.argsort(changes.quarter[told], kind="stable")]
        quarters, begins = np.unique(changes.quarter[told], return_index=True)
        for quarter, rows in zip(quarters.tolist(), np.split(told, begins[1:]), strict=False):
            mine = Changes(*(getattr(changes, one.name)[rows] for one in fields(changes)))
            self._late.setdefault(quarter, []).append((mine, was_read))

    def work(self, step: Step, outbox: Outbox) -> None:
        """Validate what is due by the step's end, and send the day's reads once all of it is."""
        if self._first_quarter is None:
            self._first_quarter = step.start_ns // NS_PER_QUARTER
            self._validated = self._first_quarter - 1
        last_due = step.end_ns // NS_PER_QUARTER - self._delay_quarters - 1
        while self._validated < last_due:
            self._validated += 1
            self.store.validate(self._validated, *self._forecast.standard_kwh(self._validated))
            self._learn(self._validated)
        at_ns = step.day_start_ns + DAY_READS_AFTER_NS
        if step.start_ns < at_ns <= step.end_ns:
            self._note(self.store.settle(), was_read=False)
            self._send_day(step, outbox)
            self._late_reads, self._corrected_mwh, self._corrected_by = {}, {}, {}
            for due in self._days.settled_again(step):
                self._send_late(due, step, outbox)
                if due.run is SettlementRun.FINAL:
                    self._close(due.last_quarter)
            self._send_moved(step, outbox)

    def _learn(self, quarter: int) -> None:
        """Let the forecast learn from the quarter hour's reads; estimates tell it nothing new."""
        import_kwh, export_kwh, status = (column[0] for column in self.store.day(quarter, 1))
        self._forecast.learn_reads(quarter, import_kwh, export_kwh, status == ReadStatus.MEASURED)

    def _send_day(self, step: Step, outbox: Outbox) -> None:
        """The day before, from its first quarter hour to midnight."""
        assert self._first_quarter is not None
        last = step.day_start_ns // NS_PER_QUARTER
        first = max(last - 100, self._first_quarter)
        if last <= first:
            return
        told = self.reads(first, last - first)
        for k, mwh in enumerate(used_of_each(told.import_kwh, told.export_kwh, self._supplied)):
            self._settled_mwh[first + k] = mwh
        here = self._endpoints
        for place, points in zip(here.retailers, self._supplied, strict=True):
            own = told.of_points(points)
            reads = retail.DayReads(first, points, own.import_kwh, own.export_kwh, own.status)
            outbox.send(retail.DAY_READS.wave(reads, here.operations, place, step.end_ns, self._last_read))
        self._told_until = last

    def _send_moved(self, step: Step, outbox: Outbox) -> None:
        """The registers of what devices moved on request until midnight."""
        last, here = step.day_start_ns // NS_PER_QUARTER, self._endpoints
        if self._told_until != last:
            return
        moved_kwh, asked_by = self.moved(last)
        for place, points in zip(here.aggregators, self._steered, strict=True):
            told = flexibility.Moved(last, points, of_points(moved_kwh, points), of_points(asked_by, points))
            outbox.send(flexibility.MOVED.wave(told, here.operations, place, step.end_ns, self._last_read))

    def _send_late(self, due: SettledAgain, step: Step, outbox: Outbox) -> None:
        """What is known better of a day than when it was first told, by quarter hour and meter, with the reading that brought it."""
        late = self._late_of(due)
        if late is None:
            return
        self._late_reads[due.first_quarter] = late
        for one in np.unique(late.quarter).tolist():
            imported, exported, _ = self.store.day(one, 1)
            self._corrected_mwh[one] = used_of_each(imported, exported, self._supplied)[0]
            self._corrected_by[one] = int(late.brought_by[late.quarter == one].max())
        here = self._endpoints
        for retailer, place in enumerate(here.retailers):
            mine = self._retailer_of[late.meter] == retailer
            if mine.any():
                reads = late.of(mine)
                cause = int(reads.brought_by.max())
                outbox.send(retail.LATE_READS.wave(reads, here.operations, place, step.end_ns, cause))

    def _late_of(self, due: SettledAgain) -> retail.LateReads | None:
        """All that came of a day since it was first told, each read once."""
        late = [one for quarter in range(due.first_quarter, due.last_quarter) for one in self._late.get(quarter, ())]
        if not late:
            return None
        quarter, meter, message = (
            np.concatenate([getattr(changes, name) for changes, _ in late]) for name in ("quarter", "meter", "message")
        )
        was_read = np.concatenate([np.full(len(changes.meter), was_read) for changes, was_read in late])
        # The last that came of a quarter hour and meter tells what is known of it.
        _, backwards = np.unique((quarter * self.store.meters + meter)[::-1], return_index=True)
        last = len(quarter) - 1 - backwards
        quarter, meter = quarter[last], meter[last]
        import_kwh, export_kwh = self.store.at(quarter, meter)
        return retail.LateReads(
            run=int(due.run),
            first_quarter=due.first_quarter,
            quarter=quarter,
            meter=meter,
            import_kwh=import_kwh,
            export_kwh=export_kwh,
            was_read=was_read[last],
            brought_by=message[last],
        )

    def _close(self, until_quarter: int) -> None:
        """A day has had its final settlement run: what comes of it now is too late."""
        self.store.close(until_quarter)
        self.open_from = until_quarter
        for known in (self._late, self._settled_mwh):
            for quarter in [one for one in known if one < until_quarter]:
                del known[quarter]

    def late_reads(self, first_quarter: int) -> retail.LateReads | None:
        """What today's settlement run of the day that begins with a quarter hour rests on; None if no more is known than at first."""
        return self._late_reads.get(first_quarter)

    def known_later(self) -> dict[int, int]:
        """By quarter hour of the days that are still open: of how many meters a read came, or was settled, after the day was first told."""
        self.take_in()
        return {
            quarter: len(np.unique(np.concatenate([changes.meter for changes, _ in late])))
            for quarter, late in self._late.items()
        }

    def reads(self, first_quarter: int, quarters: int) -> KnownDay:
        """The reads of some quarter hours, as they stand."""
        import_kwh, export_kwh, status = self.store.day(first_quarter, quarters)
        return KnownDay(first_quarter, np.arange(self.store.meters), import_kwh, export_kwh, status)

    def moved(self, until_quarter: int) -> tuple[Floats, Ints]:
        """The registers of what devices moved on request, as known before a quarter hour begins, and who asked, (points,) each."""
        return self.store.moved.until(until_quarter)

    def settled(self, first_quarter: int, quarters: int) -> Settled:
        """What the points of each retailer used by the quarter hours of a day that has been told, and what is known better of days settled again today."""
        nothing = np.zeros(len(self._supplied))
        known = [self._settled_mwh.get(first_quarter + k, nothing) for k in range(quarters)]
        corrected = self._corrected_mwh
        return Settled(
            np.array(known),
            np.fromiter(corrected.keys(), dtype=np.int64, count=len(corrected)),
            np.array([*corrected.values()]).reshape(len(corrected), len(self._supplied)),
            np.fromiter(self._corrected_by.values(), dtype=np.int64, count=len(corrected)),
        )
