"""The scenario's meters as logical devices: what each shows now, how it is addressed, and what setting its clock does."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from functools import lru_cache, partial
from importlib.metadata import version
from itertools import pairwise
from zoneinfo import ZoneInfo

from heptagrid.foundation.errors import UsageError
from heptagrid.foundation.time import NS_PER_QUARTER, NS_PER_S, from_ns
from heptagrid.live.grid import LiveGrid
from heptagrid.live.inventory import METERS, Device
from heptagrid.live.protocols.dlms.association import Counters, LogicalDevice
from heptagrid.live.protocols.dlms.objects import DIRECTORY, METER, Reading
from heptagrid.live.protocols.dlms.profile import Buffer, LoadProfiles
from heptagrid.live.protocols.dlms.services import Access
from heptagrid.live.protocols.dlms.writing import Change

MANAGEMENT = 1
"""The access point of a meter's logical device at the meter's own address, and of the directory at the common one."""
FIRST = 16
"""At the common address, the access point of the first meter."""
NOMINAL_V = 230.0
"""Of low voltage (IEC 60038)."""
_LAST = 0xFFFF
_QUARTER_S = 900.0
_FARTHEST_S = 86_400.0
_MANUFACTURER = "HPG"
_DAY_NS = 86_400 * NS_PER_S


class Meters:
    """All meters. profiles: their load profiles, as far as they have been taken."""

    def __init__(self, grid: LiveGrid, quarters: int) -> None:
        """Set up; quarters: length of the load profiles."""
        self.profiles = LoadProfiles(quarters)
        self._grid, self._of = grid, grid.inventory.classes[METERS]
        self._firmware = version("heptagrid")
        self._counters: dict[int, Counters] = {}
        self._within_quarter: dict[int, tuple[int, float]] = {}  # of clocks that were set: whole quarters, and the rest

    def device(self, row: int) -> Device:
        return Device(self._of, row)

    def at(self, row: int) -> LogicalDevice:
        """A meter at its own address."""
        saps = ((MANAGEMENT, name_of(row)),)
        return self._logical(row, MANAGEMENT, saps)

    def behind(self, point: int) -> int | None:
        """The row of the meter that an access point of the common address means; None for none."""
        row = point - FIRST
        return row if 0 <= row < len(self._of) else None

    def through(self, row: int) -> LogicalDevice:
        """A meter as a logical device of the common address."""
        return self._logical(row, FIRST + row, ((FIRST + row, name_of(row)),))

    def directory(self) -> LogicalDevice:
        """The logical device of the common address that lists the others."""
        rows = range(min(len(self._of), _LAST - FIRST + 1))

        def read() -> Reading:
            saps = ((MANAGEMENT, _name(_LAST)), *((FIRST + row, name_of(row)) for row in rows))
            return self._reading(0, _name(_LAST), saps)

        return LogicalDevice(MANAGEMENT, _title(_LAST), DIRECTORY, read, self._counters.setdefault(-1, Counters()))

    def _logical(self, row: int, server: int, saps: tuple[tuple[int, str], ...]) -> LogicalDevice:
        counters = self._counters.setdefault(row, Counters())
        return LogicalDevice(server, _title(row), METER, partial(self._reading, row, name_of(row), saps), counters)

    def _reading(self, row: int, name: str, saps: tuple[tuple[int, str], ...]) -> Reading:
        state, zone = self._grid.state, self._grid.scenario.zone
        self.profiles.take(state.closed_quarter)
        now = from_ns(self._grid.now_ns + round(self._ahead_s(row) * NS_PER_S), zone)
        is_supplied = bool(state.point_is_supplied[row])
        return Reading(
            name=name,
            serial=f"{row:010d}",
            firmware=self._firmware,
            now=now,
            summer_time=summer_time(now.year, zone),
            import_wh=round(float(state.import_kwh[row]) * 1000.0),
            export_wh=round(float(state.export_kwh[row]) * 1000.0),
            active_w=round(float(state.point_p_kw[row]) * 1000.0),
            reactive_var=round(float(state.point_q_kvar[row]) * 1000.0),
            decivolts=round(float(state.point_v_pu[row]) * NOMINAL_V * 10.0) if is_supplied else 0,
            centihertz=round(state.frequency_hz * 100.0),
            buffer=Buffer(self.profiles, row, int(state.clock_quarters[row]), partial(from_ns, zone=zone), zone),
            saps=saps,
        )

    def _ahead_s(self, row: int) -> float:
        """By how much a meter's clock is ahead: whole quarter hours in the simulation, and what it was set beside them."""
        quarters = int(self._grid.state.clock_quarters[row])
        of_quarters, rest_s = self._within_quarter.get(row, (0, 0.0))
        return quarters * _QUARTER_S + (rest_s if of_quarters == quarters else 0.0)

    async def change(self, row: int, change: Change) -> Access:
        """Set a meter's clock: whole quarter hours change in the simulation, so that its readings are stamped with them; the rest is shown."""
        ahead_s = self._ahead_s(row) + change.by_s
        if abs(ahead_s) > _FARTHEST_S:
            return Access.OTHER_REASON
        quarters = round(ahead_s / _QUARTER_S)
        if quarters != self._grid.state.clock_quarters[row]:
            given = {"meter": row, "ahead_s": quarters * _QUARTER_S}
            try:
                await self._grid.change("meter_clock", given, by="dlms")
            except UsageError:
                return Access.TEMPORARY_FAILURE
        self._within_quarter[row] = quarters, ahead_s - quarters * _QUARTER_S
        return Access.SUCCESS


def name_of(row: int) -> str:
    """The logical device name of a meter: its manufacturer and number, 16 characters."""
    return _name(row)


def _name(number: int) -> str:
    return f"{_MANUFACTURER}{number:013d}"


def _title(number: int) -> bytes:
    """The system title: three letters of the manufacturer, five bytes of the number."""
    return _MANUFACTURER.encode() + number.to_bytes(5, "big")


@lru_cache(maxsize=64)
def summer_time(year: int, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    """When summer time begins and ends in a year, in the time that holds before each; None where a zone has none."""
    first_ns = round(datetime(year, 1, 1, tzinfo=zone).timestamp()) * NS_PER_S
    changes = [
        change
        for day in range(366)
        if _offset(first_ns + day * _DAY_NS, zone) != _offset(first_ns + (day + 1) * _DAY_NS, zone)
        for change in _changes_of(first_ns + day * _DAY_NS, zone)
    ]
    begins, ends = (
        [at for at in changes if bool(at.astimezone(zone).dst()) == is_summer] for is_summer in (True, False)
    )
    return (begins[0], ends[0]) if begins and ends else None


def _offset(ns: int, zone: ZoneInfo) -> timedelta:
    return from_ns(ns, zone).utcoffset() or timedelta()


def _changes_of(day_ns: int, zone: ZoneInfo) -> list[datetime]:
    """The changes of a zone's offset within a day, each in the offset before it."""
    quarters = [day_ns + k * NS_PER_QUARTER for k in range(97)]
    return [
        from_ns(after, zone).astimezone(timezone(_offset(before, zone)))
        for before, after in pairwise(quarters)
        if _offset(before, zone) != _offset(after, zone)
    ]
