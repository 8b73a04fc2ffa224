"""Comparisons of runs: differences to the first, who gains and who loses."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import heptagrid
from heptagrid.cli import main
from heptagrid.foundation.errors import OutputError, UsageError
from heptagrid.recording.results import Run
from heptagrid.recording.seal import vouching

pytestmark = pytest.mark.long


def test_finished_runs_are_read_and_set_against_the_first(day: Run, broken_day: Run, tmp_path: Path) -> None:
    compared = heptagrid.compare(day.folder, broken_day.folder, out=tmp_path / "verdict")
    first, other = compared.content["runs"]
    assert (first["label"], other["label"]) == ("run", "run (2)")
    assert set(first["less_first"].values()) <= {0.0, None}
    assert other["settings"] == {"break.access": [1.0, None]}
    peaks = [run.summary["arms"]["smart"]["loading"]["primary_peak_kw"] for run in (day, broken_day)]
    assert other["less_first"]["peak_kw"] == peaks[1] - peaks[0] > 0
    assert "customers" in other["gains"]
    assert "distribution" in other["loses"]
    text = compared.report.read_text(encoding="utf-8")
    for words in (
        "run (2) against run",
        "MW higher",
        "By domain, EUR per customer and day: distribution \u2212",
        "break.access",
        "not set",
        "Not annualised",
    ):
        assert words in text, words
    assert not re.search(r"\bnan\b|\bNone\b|https?://|url\(|<script", text)
    assert not (tmp_path / "verdict" / "runs").glob("*") or list((tmp_path / "verdict" / "runs").glob("*")) == []


def test_what_towns_and_companies_have_of_their_own_is_among_what_differs(
    day: Run, two_towns_day: Run, tmp_path: Path
) -> None:
    compared = heptagrid.compare(day.folder, two_towns_day.folder, out=tmp_path / "verdict")
    settings = compared.content["runs"][1]["settings"]
    assert settings["towns.west.messages.access.technology"] == ["nb-iot", None]
    assert settings["retailers.greenpower.share"] == [0.4, None]
    assert settings["aggregators.flexo.towns"] == [["east"], None]
    assert "towns.west.messages.access.technology" in compared.report.read_text(encoding="utf-8")


def test_scenarios_are_run_and_their_folders_kept(day: Run, lane_day: Run, lane_file: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text(
        lane_file.read_text(encoding="utf-8").partition("\n")[2] + "[vehicles]\nshare = 0.0\n", encoding="utf-8"
    )
    out = tmp_path / "verdict"
    words = ["compare", str(lane_day.folder), str(mine), "--step", "300", "--threads", "1", "--json", "--out", str(out)]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    content = json.loads(result.stdout)
    assert content == json.loads((out / "compare.json").read_text())
    assert heptagrid.open_run(out / "runs" / "2-mine").summary["days"] == 1
    assert content["runs"][1]["settings"]["vehicles.share"][0] == 0.0
    assert "differ in more than their settings (coupling step)" in (out / "compare.html").read_text(encoding="utf-8")
    with pytest.raises(OutputError, match="holds another comparison"):
        heptagrid.compare(day.folder, day.folder, out=out)


def test_what_cannot_be_compared_is_refused(day: Run, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs two runs or more"):
        heptagrid.compare(day.folder, out=tmp_path / "a")
    one_arm = tmp_path / "single"
    one_arm.mkdir()
    arms = {"smart": day.summary["arms"]["smart"]}
    (one_arm / "summary.json").write_text(json.dumps({**day.summary, "arms": arms}))
    (one_arm / "manifest.json").write_text(json.dumps(vouching(day.manifest, [one_arm / "summary.json"])))
    with pytest.raises(UsageError, match="one arm only"):
        heptagrid.compare(day.folder, one_arm, out=tmp_path / "b")
    (one_arm / "manifest.json").write_text(json.dumps(vouching({**day.manifest, "partial": True})))
    with pytest.raises(UsageError, match="stopped before its end"):
        heptagrid.compare(day.folder, one_arm, out=tmp_path / "c")
    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(OutputError, match="holds no comparison"):
        heptagrid.compare(day.folder, day.folder, out=tmp_path, force=True)
    assert (tmp_path / "precious.txt").exists()
