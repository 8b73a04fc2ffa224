"""`heptagrid flow`: rows, totals, exit codes, for MATPOWER cases."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from heptagrid.cli import main
from tests.flow.cases import RING


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    path = tmp_path / "ring.m"
    path.write_text(RING)
    return path


def call(*words: object) -> Result:
    return CliRunner().invoke(main, ["flow", *map(str, words)])


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_each_bus_is_a_row_with_its_number_as_in_the_file(ring: Path, tmp_path: Path) -> None:
    done = call(ring, "--out", tmp_path / "v.csv")
    assert done.exit_code == 0, done.output
    found = rows(tmp_path / "v.csv")
    assert [row["node"] for row in found] == ["1", "2", "3", "4", "9"]
    assert {row["phase"] for row in found} == {"0"}
    assert float(found[0]["v_pu"]) == 1.02 and float(found[0]["angle_deg"]) == 0.0
    assert all(len(row["v_pu"].replace(".", "").lstrip("0")) >= 9 for row in found)


def test_losses_are_those_of_the_branches(ring: Path, tmp_path: Path) -> None:
    done = call(ring, "--branches", tmp_path / "b.csv", "--json")
    summary = json.loads(done.stdout)
    found = rows(tmp_path / "b.csv")
    assert len(found) == 6
    assert summary["converged"] is True and summary["iterations"] > 0
    assert sum(float(row["losses_kw"]) for row in found) == pytest.approx(summary["losses_kw"], abs=1e-6)
    fed_in, loads, shunts = (summary[name] for name in ("fed_in_kw", "loads_kw", "shunts_kw"))
    assert fed_in == pytest.approx(loads + shunts + summary["losses_kw"], abs=1e-4)


def test_without_convergence_figures_are_null_and_the_exit_code_is_4(ring: Path, tmp_path: Path) -> None:
    ring.write_text(RING.replace("3 1 120 40", "3 1 2000 40"))
    done = call(ring, "--out", tmp_path / "v.csv", "--json")
    assert done.exit_code == 4
    summary = json.loads(done.stdout)
    assert summary["converged"] is False and summary["losses_kw"] is None
    assert "voltage collapse" in done.stderr
    assert not (tmp_path / "v.csv").exists()


def test_a_missing_file_and_an_unknown_format_are_named(tmp_path: Path) -> None:
    missing = call(tmp_path / "none.m")
    assert missing.exit_code == 3 and "none.m" in missing.stderr
    unknown = call(tmp_path)
    assert unknown.exit_code == 2 and "MATPOWER" in unknown.stderr


def test_a_name_that_is_neither_a_file_nor_a_code_is_told_with_the_formats() -> None:
    done = call("feeder")
    assert done.exit_code == 3
    assert "feeder: 1 problem" in done.stderr and "there is no such file; what is read here: MATPOWER" in done.stderr
