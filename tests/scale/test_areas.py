"""Some areas of a city by themselves, with what came to them from outside: their tables are the rows of the whole run's, bit by bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import heptagrid
from heptagrid.assembly.world import build_world
from heptagrid.cli import main
from heptagrid.foundation.errors import OutputError, UsageError
from heptagrid.foundation.frames import read_table
from heptagrid.recording.results import Run
from heptagrid.scale.areas import KEYS, rows_of, run_areas
from heptagrid.scenario.load import load
from tests.simulation.test_shards import AREAS

SOME = ["area-1", "area-3"]
LOSSY = {"access": 0.2}


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("city") / "areas.toml"
    path.write_text(AREAS, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def whole(city: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    out = tmp_path_factory.mktemp("whole") / "run"
    return heptagrid.run(city, days=2, break_=LOSSY, threads=1, keep_boundary=True, out=out)


@pytest.mark.long
def test_some_areas_come_to_the_tables_of_the_whole_run(city: Path, whole: Run, tmp_path: Path) -> None:
    found = run_areas(city, SOME, whole.folder, days=2, break_=LOSSY, out=tmp_path / "some")
    world = build_world(load(city))
    compared = []
    for table in KEYS:
        if not whole.has_table(table):
            continue
        ours, theirs = (
            read_table(found / f"{table}.parquet"),
            rows_of(whole.table(table), table, world, np.array([0, 2])),
        )
        assert 0 < len(ours) < len(whole.table(table))
        assert ours.equals(theirs), (table, [one for one in ours.columns if not ours[one].equals(theirs[one])])
        compared.append(table)
    assert len(compared) >= 11


def test_the_command_says_where_the_tables_are(city: Path, whole: Run, tmp_path: Path) -> None:
    words = ["run", str(city), "--days", "2", "--break", "access=0.2", "--single", "conventional"]
    out = tmp_path / "some"
    found = CliRunner().invoke(main, [*words, "--areas", "area-2", "--boundary", str(whole.folder), "--out", str(out)])
    assert found.exit_code == 0, found.output
    assert f"tables of area-2: {out}" in found.stdout
    nodes = read_table(out / "node_list.parquet")
    assert set(nodes["town"]) == {1}
    assert set(read_table(out / "nodes.parquet")["node"]) == set(nodes["node"])


def test_an_area_that_is_not_there_is_refused(city: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--areas: areas has no area 'area-9'; did you mean area-"):
        run_areas(city, ["area-9"], tmp_path)


def test_a_run_that_kept_nothing_is_refused(city: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="is not a results folder"):
        run_areas(city, SOME, tmp_path)
    with pytest.raises(
        OutputError, match=r"keeps nothing that came to the areas in the conventional arm; run the whole .*--keep"
    ):
        run_areas(city, SOME, heptagrid.run(city, step_s=900, single="conventional", out=tmp_path / "run").folder)


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"settings": ["vehicles.share=0.5"]}, "is of another scenario"),
        ({"seed": 5}, "is of another scenario"),
        ({"start": "2016-07-04"}, "is of another scenario"),
        ({"break_": {}}, "is of another arm, day or loss"),
    ],
)
def test_a_run_of_another_scenario_is_refused(
    city: Path, whole: Run, tmp_path: Path, other: dict[str, object], why: str
) -> None:
    given = {"days": 2, "break_": LOSSY} | other
    with pytest.raises(OutputError, match=why):
        run_areas(city, SOME, whole.folder, out=tmp_path / "some", **given)  # type: ignore[arg-type]


def test_without_areas_nothing_is_kept(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="town is no city of several areas"):
        heptagrid.run("town", keep_boundary=True, out=tmp_path / "run")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--areas", "area-1"], "--areas and --boundary belong together"),
        (["--areas", "area-1", "--boundary", "x", "--shards", "2"], "leave --shards out"),
        (["--keep-boundary", "--checkpoint-every", "1"], "leave --checkpoint-every out"),
    ],
)
def test_options_that_do_not_go_together_are_refused(city: Path, words: list[str], said: str) -> None:
    found = CliRunner().invoke(main, ["run", str(city), *words])
    assert found.exit_code == 2
    assert said in found.output
