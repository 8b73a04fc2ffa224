"""A device of MMS without a grid, for tests of what it does by itself."""

from __future__ import annotations

from collections.abc import Callable

from heptagrid.live.inventory import Device
from heptagrid.live.protocols.mms.ied import Ied


class Host:
    """A grid and a client of one device at once. reading: of every point; time: of its clock; told: to the client; done: to be called once a command is."""

    largest_pdu = 65_000

    def __init__(self) -> None:
        self.reading, self.time = (1.0, 0), 0.0
        self.told: list[bytes] = []
        self.done: list[Callable[[bool], None]] = []

    def read(self, device: Device, point: str) -> tuple[float, int]:
        return self.reading

    def instant(self) -> int:
        return 1_467_584_459_000_000_000

    def now(self) -> float:
        return self.time

    def order(self, device: Device, action: str, value: float, done: Callable[[bool], None]) -> None:
        self.done.append(done)

    def after_answer(self, work: Callable[[], object]) -> None:
        work()

    def begin_to_listen(self, device: Device) -> None: ...

    def inform(self, ied: Ied, pdu: bytes) -> None:
        self.told.append(pdu)

    def was_refused(self) -> None: ...
