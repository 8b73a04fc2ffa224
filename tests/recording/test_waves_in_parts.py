"""Waves are written before midnight where they are many, and the table is the same."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import heptagrid
from heptagrid.recording import recorder


@pytest.mark.long
def test_the_table_of_waves_is_the_same_in_parts(
    lane_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for most in (recorder.MOST_WAVES, 50):
        monkeypatch.setattr(recorder, "MOST_WAVES", most)
        folder = tmp_path / str(most)
        heptagrid.run(lane_file, single="smart", step_s=300, threads=1, out=folder)
        found.append(pl.read_parquet(folder / "waves.parquet"))
    assert len(found[0]) > 200
    assert found[0].equals(found[1])
