"""Which unit-commitment case is meant by a file or folder, and its reading."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from pathlib import Path

from heptagrid.foundation.errors import FileError, UsageError
from heptagrid.world.commitment_case import CommitmentCase

RTS_GMLC, UNIT_COMMITMENT = "RTS-GMLC (a folder with SourceData)", "unit commitment of pglib-uc or Egret (.json)"
YEAR = 2020  # of RTS-GMLC's series
MOST_HOURS = 168


def read_commitment(
    source: str, format: str, ignore: Collection[str], day: str | None, hours: int | None
) -> CommitmentCase:
    """The case of a folder for some hours from a day on, or of a file.

    Raises
    ------
    FileError
        For files that are missing or break rules.
    UsageError
        For a day that is none or not in the folder's year, for hours out of range, and for either with a file.
    """
    if format == RTS_GMLC:
        from heptagrid.importers.rts_gmlc import read_rts_gmlc

        first = _day(day)
        return read_rts_gmlc(Path(source), first, _hours(first, hours))
    for name, value in (("date", day), ("hours", hours)):
        if value is not None:
            raise UsageError(f"--{name} has no effect on a file, which is one case; leave it out")
    from heptagrid.importers.commitment_json import read_commitment_json

    case = read_commitment_json(source, ignore)
    if not isinstance(case, CommitmentCase):
        raise FileError(source, ["it holds no unit-commitment case"])
    return case


def _day(text: str | None) -> date:
    if text is None:
        raise UsageError(f"an RTS-GMLC folder holds a year; say --date {YEAR}-MM-DD")
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--date {text} is no day; write it as {YEAR}-07-10") from None
    if found.year != YEAR:
        raise UsageError(f"--date {text} is not in {YEAR}, the year of RTS-GMLC's series")
    return found


def _hours(first: date, hours: int | None) -> int:
    if hours is None:
        return 24
    if not 1 <= hours <= MOST_HOURS:
        raise UsageError(f"--hours {hours} is not between 1 and {MOST_HOURS}")
    if (first + timedelta(days=(hours - 1) // 24)).year != YEAR:
        raise UsageError(f"--hours {hours} from {first} on leave {YEAR}, the year of RTS-GMLC's series")
    return hours
