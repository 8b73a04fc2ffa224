"""Parts that wait as bare columns become the tables that they would have been at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from heptagrid.foundation.errors import OutputError
from heptagrid.foundation.frames import read_table
from heptagrid.recording.spool import IntLists, Named, Text
from heptagrid.recording.tables import TableWriter, as_tables, join_parts, parts_of

COLUMNS = {
    "time_ns": np.array([3, 1, 2]),
    "first": [7, 8, 9],
    "v_pu": np.array([1.0, np.nan, 0.5], dtype=np.float32),
    "is_on": np.array([True, False, True]),
    "payer": ["the market", "", "köln"],
    "payee": Named(Text(["unused", "the state", "a retailer"]), np.array([2, 1, 2])),
    "kwh": np.arange(6, dtype=np.float32).reshape(3, 2),
    "causes": IntLists([None, [4, 5], []]),
}


@pytest.fixture
def folders(tmp_path: Path) -> dict[bool, Path]:
    """Two parts of a table, by whether they were spools."""
    found = {}
    for spools in (False, True):
        found[spools] = tmp_path / f"{spools}"
        found[spools].mkdir()
        writer = TableWriter(found[spools], "smart.000", {"arm": "smart", "run_day": 0}, spools)
        writer.write("things", COLUMNS)
        writer.write("things", COLUMNS)
    return found


def test_a_spool_is_read_as_the_part_that_it_stands_for(folders: dict[bool, Path]) -> None:
    frames = []
    for folder in folders.values():
        with as_tables(parts_of(folder, "things")) as tables:
            frames.append(read_table(tables[1]))
    assert frames[0]["payee"].to_list() == ["a retailer", "the state", "a retailer"]
    assert frames[0].schema == frames[1].schema
    assert frames[0].equals(frames[1])


def test_spools_join_to_the_same_table(folders: dict[bool, Path], tmp_path: Path) -> None:
    for spools, folder in folders.items():
        join_parts(folder, folder)
        assert not parts_of(folder, "things"), spools
    written = [(folder / "things.parquet").read_bytes() for folder in folders.values()]
    assert written[0] == written[1]
    assert read_table(folders[True] / "things.parquet")["causes"].to_list() == [None, [4, 5], []] * 2


def test_a_damaged_spool_is_refused(folders: dict[bool, Path]) -> None:
    part = parts_of(folders[True], "things")[0]
    part.write_bytes(part.read_bytes()[:200])
    with pytest.raises(OutputError, match="not a part of a table"), as_tables([part]):
        pass
