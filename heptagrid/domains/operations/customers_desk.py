"""The customers' desk of operations: head end and meter-data store, and what it tells the providers."""

from __future__ import annotations

import numpy as np

from heptagrid.domains.operations.forecast import Forecast
from heptagrid.domains.operations.meter_store import MeterStore, Parameters, ReadStatus
from heptagrid.foundation.actors import Delivery, Outbox, Wave
from heptagrid.foundation.domains import Domain, Kind
from heptagrid.foundation.time import NS_PER_QUARTER, NS_PER_S, Step
from heptagrid.world.endpoints import Endpoints

DAY_READS_AFTER_NS = 3 * NS_PER_QUARTER  # after midnight: when the last quarter hour has been validated


class CustomersDesk:
    """Receives reads, estimates the missing ones, and sends each day's validated reads to the retailer."""

    def __init__(self, parameters: Parameters, store: MeterStore, forecast: Forecast, endpoints: Endpoints) -> None:
        self.store = store
        self._delay_quarters = -(-int(parameters.validation_delay_s * NS_PER_S) // NS_PER_QUARTER)
        self._forecast = forecast
        self._endpoints = endpoints
        self._first_quarter: int | None = None
        self._validated = -1
        self._last_read = -1  # the message of the last read that came in

    def receive(self, delivery: Delivery) -> None:
        """Store the reads of one delivery."""
        self._last_read = int(delivery.ids[-1])
        self.store.receive(
            int(delivery.wave.shared["quarter"]),  # type: ignore[call-overload]
            delivery.column("meter"),
            delivery.column("import_kwh"),
            delivery.column("export_kwh"),
        )

    def work(self, step: Step, outbox: Outbox) -> None:
        """Validate what is due by the step's end, and send the day's reads once all of it is."""
        if self._first_quarter is None:
            self._first_quarter = step.start_ns // NS_PER_QUARTER
            self._validated = self._first_quarter - 1
        due = step.end_ns // NS_PER_QUARTER - self._delay_quarters - 1
        while self._validated < due:
            self._validated += 1
            self.store.validate(self._validated, *self._forecast.standard_kwh(self._validated))
            self._learn(self._validated)
        at_ns = step.day_start_ns + DAY_READS_AFTER_NS
        if step.start_ns < at_ns <= step.end_ns:
            self._send_day(step, outbox)

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
        import_kwh, export_kwh, status = self.store.day(first, last - first)
        columns = {"import_kwh": import_kwh, "export_kwh": export_kwh, "status": status, "first_quarter": first}
        outbox.send(
            Wave(
                kind=Kind.TELEMETRY,
                sender=Domain.OPERATIONS,
                receiver=Domain.PROVIDERS,
                source=np.array([self._endpoints.operations]),
                destination=np.array([self._endpoints.retailer]),
                sent_ns=np.array([step.end_ns]),
                topic="day_reads",
                shared=columns,
                payload_bytes=int(4 * import_kwh.size),
                cause=np.array([self._last_read]),
            )
        )
