"""The load profile: both registers at the end of each quarter hour, kept for all meters at once, and read as a whole or in part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.domains.customers.meters import ClosedQuarter
from heptagrid.foundation.time import NS_PER_QUARTER, to_ns
from heptagrid.live.protocols.dlms import data
from heptagrid.live.protocols.dlms.data import MalformedError
from heptagrid.live.protocols.dlms.services import Access, Selection

PERIOD_S = 900
BY_RANGE, BY_ENTRY = 1, 2
SELECTORS = (BY_RANGE, BY_ENTRY)
"""How the buffer is read in part (IEC 62056-6-2, class 7)."""

Registers = npt.NDArray[np.uint32]


def obis(text: str) -> bytes:
    """The six bytes of a logical name such as "1.0.1.8.0.255"."""
    return bytes(int(part) for part in text.split("."))


CLOCK, PROFILE = obis("0.0.1.0.0.255"), obis("1.0.99.1.0.255")


@dataclass(frozen=True)
class Captured:
    """A column of the buffer: an attribute of an object."""

    interface: int
    name: bytes
    attribute: int = 2

    def definition(self) -> bytes:
        """As the list of captured objects has it."""
        return data.structure(data.u16(self.interface), data.octets(self.name), data.i8(self.attribute), data.u16(0))

    @property
    def plain(self) -> list[Any]:
        return [self.interface, self.name, self.attribute, 0]


CAPTURED = (Captured(8, CLOCK), Captured(3, obis("1.0.1.8.0.255")), Captured(3, obis("1.0.2.8.0.255")))
"""The columns."""


class LoadProfiles:
    """The registers of all meters, (2, points) at the end of each quarter hour, of the last days."""

    def __init__(self, quarters: int) -> None:
        """Set up; quarters: how many are kept."""
        self.capacity = quarters
        self._by_quarter: dict[int, Registers] = {}

    def take(self, closed: ClosedQuarter | None) -> None:
        """Take what has come since: the last quarter hours' energies, back from the registers at the end of the last."""
        kept = self._by_quarter
        if closed is None or closed.quarter in kept:
            return
        registers_kwh = np.stack((closed.import_register_kwh, closed.export_register_kwh))
        found = {}
        for quarter in range(closed.quarter, closed.quarter - self.capacity, -1):
            if quarter in kept:
                break
            found[quarter] = np.rint(registers_kwh * 1000.0).astype(np.uint32)
            if quarter not in closed.energies_kwh:
                break
            registers_kwh = np.maximum(registers_kwh - np.stack(closed.energies_kwh[quarter]), 0.0)
        for quarter in sorted(found):
            kept[quarter] = found[quarter]
        for quarter in sorted(kept)[: -self.capacity]:
            del kept[quarter]

    @property
    def quarters(self) -> list[int]:
        """Those that are kept, the oldest first."""
        return list(self._by_quarter)

    def registers_wh(self, quarter: int, meter: int) -> tuple[int, int]:
        """Import and export at the end of a quarter hour."""
        of_all = self._by_quarter[quarter]
        return int(of_all[0, meter]), int(of_all[1, meter])


@dataclass(frozen=True)
class Buffer:
    """A meter's part of the profile. ahead_quarters: of its clock; local: the local time of an instant in ns; zone: in which times without a deviation are."""

    profiles: LoadProfiles
    meter: int
    ahead_quarters: int
    local: Callable[[int], datetime]
    zone: tzinfo

    def __len__(self) -> int:
        return len(self.profiles.quarters)

    @property
    def capacity(self) -> int:
        return self.profiles.capacity

    def whole(self) -> bytes:
        """All entries."""
        return self._entries(self.profiles.quarters, range(len(CAPTURED)))

    def selected(self, selection: Selection) -> bytes | Access:
        """Those that are asked for, or why there are none."""
        try:
            if selection.selector == BY_RANGE:
                return self._by_range(selection.parameters)
            return self._by_entry(selection.parameters)
        except MalformedError:
            return Access.TYPE_UNMATCHED

    def _by_range(self, parameters: Any) -> bytes:
        """From one instant to another, both included; only the clock restricts."""
        restricting, begin, end, columns = _of_length(parameters, 4)
        if restricting != CAPTURED[0].plain:
            raise MalformedError("only the clock restricts a range")
        begin_ns, end_ns = (to_ns(data.moment_of(one, self.zone)) for one in (begin, end))
        quarters = [one for one in self.profiles.quarters if begin_ns <= self._stamp_ns(one) <= end_ns]
        return self._entries(quarters, _columns(columns))

    def _by_entry(self, parameters: Any) -> bytes:
        """From one entry to another and from one column to another, counted from 1; 0 is the last."""
        numbers = _of_length(parameters, 4)
        if not all(isinstance(one, int) and one >= 0 for one in numbers):
            raise MalformedError("entries and columns are counted from 1")
        first, last, first_column, last_column = numbers
        quarters = self.profiles.quarters
        chosen = quarters[max(first, 1) - 1 : last or len(quarters)]
        return self._entries(chosen, range(len(CAPTURED))[max(first_column, 1) - 1 : last_column or len(CAPTURED)])

    def _stamp_ns(self, quarter: int) -> int:
        return (quarter + 1 + self.ahead_quarters) * NS_PER_QUARTER

    def _entries(self, quarters: Sequence[int], columns: Sequence[int]) -> bytes:
        return data.array(self._entry(quarter, columns) for quarter in quarters)

    def _entry(self, quarter: int, columns: Sequence[int]) -> bytes:
        stamp = data.octets(data.moment(self.local(self._stamp_ns(quarter))))
        row = (stamp, *map(data.u32, self.profiles.registers_wh(quarter, self.meter)))
        return data.structure(*(row[column] for column in columns))


def _of_length(value: Any, count: int) -> list[Any]:
    if not isinstance(value, list) or len(value) != count:
        raise MalformedError(f"a structure of {count} is expected")
    return value


def _columns(asked: Any) -> list[int]:
    """The numbers of the columns that are asked for; all if none is named."""
    if not isinstance(asked, list):
        raise MalformedError("a list of columns is expected")
    known = [one.plain for one in CAPTURED]
    if any(one not in known for one in asked):
        raise MalformedError("there is no such column")
    return [known.index(one) for one in asked] or list(range(len(CAPTURED)))
