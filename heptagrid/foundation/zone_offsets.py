"""How far local time is ahead of UTC: the changes of a zone's clocks, found once a year and kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ASKED_S = 43_200  # clocks change at most once in half a day


def offsets_s(at_s: Ints, zone: ZoneInfo) -> Ints:
    """How far local time is ahead of UTC at times since 1970 UTC, in seconds, the same shape."""
    if at_s.size == 0:
        return np.zeros(at_s.shape, dtype=np.int64)
    first, last = (_year(int(one)) for one in (at_s.min(), at_s.max()))
    years = [_changes(zone, year) for year in range(first, last + 1)]
    from_s, offset_s = (np.concatenate([one[k] for one in years]) for k in (0, 1))
    return np.asarray(offset_s[np.searchsorted(from_s, at_s, side="right") - 1])


@lru_cache(maxsize=512)
def _changes(zone: ZoneInfo, year: int) -> tuple[Ints, Ints]:
    """From when on, in seconds since 1970 UTC, which offset holds: at the begin of a year of UTC, and at each change in it."""
    begin, end = (round((datetime(one, 1, 1, tzinfo=UTC) - _EPOCH).total_seconds()) for one in (year, year + 1))
    found = [(begin, _offset_s(begin, zone))]
    for asked in range(begin + _ASKED_S, end, _ASKED_S):
        if _offset_s(asked, zone) != found[-1][1]:
            found.append((_first_with(_offset_s(asked, zone), asked - _ASKED_S, asked, zone), _offset_s(asked, zone)))
    if _offset_s(end - 1, zone) != found[-1][1]:
        found.append((_first_with(_offset_s(end - 1, zone), end - _ASKED_S, end - 1, zone), _offset_s(end - 1, zone)))
    return np.array([at for at, _ in found], dtype=np.int64), np.array([one for _, one in found], dtype=np.int64)


def _first_with(offset_s: int, before_s: int, after_s: int, zone: ZoneInfo) -> int:
    """The first second with an offset that holds at `after_s` and not yet at `before_s`."""
    while after_s - before_s > 1:
        middle = (before_s + after_s) // 2
        before_s, after_s = (before_s, middle) if _offset_s(middle, zone) == offset_s else (middle, after_s)
    return after_s


def _year(at_s: int) -> int:
    return (_EPOCH + timedelta(seconds=at_s)).year


def _offset_s(at_s: int, zone: ZoneInfo) -> int:
    offset = (_EPOCH + timedelta(seconds=at_s)).astimezone(zone).utcoffset()
    return 0 if offset is None else round(offset.total_seconds())
