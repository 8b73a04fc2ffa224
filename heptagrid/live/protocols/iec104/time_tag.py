"""Time tags of seven bytes, CP56Time2a (IEC 60870-5-4, 6.8; IEC 60870-5-101, 7.2.6.18)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from heptagrid.foundation.time import from_ns, to_ns

SIZE = 7
_INVALID, _SUMMER = 0x80, 0x80
_CENTURY = 70
"""Years from here to 99 are of the 20th century, as the standard's windows are usually chosen."""


@dataclass(frozen=True, slots=True)
class TimeTag:
    """A time tag as its seven bytes."""

    raw: bytes

    @property
    def is_invalid(self) -> bool:
        """Whether the sender's clock is not to be trusted."""
        return bool(self.raw[2] & _INVALID)

    @property
    def is_summer(self) -> bool:
        """Whether it is daylight saving time."""
        return bool(self.raw[3] & _SUMMER)

    def ns(self, zone: ZoneInfo | None = None) -> int | None:
        """Nanoseconds since 1970 UTC of a tag in a zone's local time, None: in UTC; None for a date that does not exist."""
        raw = self.raw
        millis, year = int.from_bytes(raw[:2], "little"), raw[6] & 0x7F
        if millis >= 60_000 or year > 99:
            return None
        try:
            moment = datetime(
                (1900 if year >= _CENTURY else 2000) + year,
                raw[5] & 0x0F,
                raw[4] & 0x1F,
                raw[3] & 0x1F,
                raw[2] & 0x3F,
                tzinfo=zone or UTC,
                fold=int(not self.is_summer),
            )
        except ValueError:
            return None
        return to_ns(moment) + millis * 1_000_000


def time_tag(ns: int, zone: ZoneInfo | None = None, is_invalid: bool = False) -> TimeTag:
    """The tag of an instant, in a zone's local time, None: in UTC; milliseconds are cut off."""
    at = from_ns(ns, zone or ZoneInfo("UTC"))
    summer = _SUMMER if at.dst() else 0
    return TimeTag(
        (at.second * 1000 + at.microsecond // 1000).to_bytes(2, "little")
        + bytes(
            (
                at.minute | (_INVALID if is_invalid else 0),
                at.hour | summer,
                at.day | at.isoweekday() << 5,
                at.month,
                at.year % 100,
            )
        )
    )
