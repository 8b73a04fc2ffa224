"""Whole sweeps of the town: figures as in a run, resumed after whatever stopped them, and their page."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import heptagrid
from heptagrid.cli import main
from heptagrid.foundation.errors import OutputError
from heptagrid.recording.results import Run
from heptagrid.scale import variants, variations
from heptagrid.scale.figures import figures_of
from heptagrid.scale.sweep import Sweep
from tests.conftest import STEP_S, heed_interrupts, shared_sweep

pytestmark = pytest.mark.long

VARY = ["break.access=0,1"]
HEPTAGRID = [sys.executable, "-m", "heptagrid"]
OPTIONS = ["--vary", *VARY, "--step", "900", "--workers", "2"]


@pytest.fixture(scope="session")
def swept(lane_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    """The lane's day with an intact and a dead access network."""
    return shared_sweep(
        "swept", tmp_path_factory, lambda out: heptagrid.sweep(lane_file, VARY, step_s=900, workers=2, out=out)
    )


def without_times(folder: Path) -> str:
    content = json.loads((folder / "sweep.json").read_text(encoding="utf-8"))
    return json.dumps({key: value for key, value in content.items() if key != "wall_s"})


def test_the_figures_are_those_of_runs(swept: Sweep, lane_day: Run, lane_file: Path, tmp_path: Path) -> None:
    dead = heptagrid.run(lane_file, step_s=900, threads=1, break_={"access": 1.0}, out=tmp_path / "dead")
    for point, run in zip(swept.content["points"], (lane_day, dead), strict=True):
        (one,) = point["by_seed"]
        assert one["figures"] == figures_of(run.summary["arms"], None, 1, None)
        assert one["figures"]["peak_kw"] == run.summary["arms"]["smart"]["loading"]["primary_peak_kw"]
        ours, theirs = (run.summary["arms"][arm]["money_eur"]["by_domain"] for arm in ("smart", "conventional"))
        assert one["figures"]["net_benefit_eur.customers"] == ours[3] - theirs[3]


def test_the_conventional_arm_is_run_once(swept: Sweep) -> None:
    assert swept.arms == 3
    assert len(list((swept.folder / "arms").glob("conventional-*.json"))) == 1


def test_a_dead_network_misses_everything_and_saves_nobody(day: Run, broken_day: Run) -> None:
    """The figures of a sweep, of the town's runs."""
    intact, dead = (figures_of(run.summary["arms"], None, 1, None) for run in (day, broken_day))
    assert intact["missed_pct"] < 5.0 < 90.0 < dead["missed_pct"]
    assert intact["peak_kw"] < dead["peak_kw"]
    assert dead["estimated_pct"] == 100.0
    assert dead["net_benefit_eur"] > intact["net_benefit_eur"], "bills by estimates carry less tax"
    assert dead["total_benefit_eur"] < intact["total_benefit_eur"], "but nothing was saved"


def test_a_finished_sweep_is_not_run_again(swept: Sweep, lane_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = without_times(swept.folder)
    monkeypatch.setattr(variants, "run_arm", None)
    again = heptagrid.sweep(lane_file, VARY, step_s=900, workers=1, out=swept.folder)
    assert not again.partial
    assert without_times(swept.folder) == before


def test_a_folder_with_another_sweep_or_anything_else_is_refused(
    swept: Sweep, lane_file: Path, lane_day: Run, tmp_path: Path
) -> None:
    before = without_times(swept.folder)
    with pytest.raises(OutputError, match=r"holds another sweep \(of another vary\)"):
        heptagrid.sweep(lane_file, ["break.access=0,0.5"], step_s=900, out=swept.folder)
    with pytest.raises(OutputError, match="of another step_s"):
        heptagrid.sweep(lane_file, VARY, step_s=300, out=swept.folder)
    with pytest.raises(OutputError, match="of another scenario"):
        heptagrid.sweep(lane_file, VARY, step_s=900, settings=["vehicles.share=0.4"], out=swept.folder)
    assert without_times(swept.folder) == before
    with pytest.raises(OutputError, match="holds no sweep"):
        heptagrid.sweep(lane_file, VARY, step_s=900, out=lane_day.folder, force=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be made"):
        heptagrid.sweep(lane_file, VARY, step_s=900, out=tmp_path / "file" / "sweep")


def started(scenario: Path, out: Path) -> subprocess.Popen[bytes]:
    """A sweep in a process group of its own, with its first arm done."""
    process = subprocess.Popen(
        [*HEPTAGRID, "sweep", str(scenario), *OPTIONS, "--out", str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=heed_interrupts,
    )
    deadline = time.monotonic() + 90
    while not list(out.glob("arms/*.json")) and time.monotonic() < deadline:
        time.sleep(0.02)
    return process


def processes_of(group: int) -> list[int]:
    """The processes of a group that still run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, of_group = stat.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(of_group) == group and state != "Z":
            found.append(int(stat.parent.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="NOT RUN: needs /proc")
def test_a_killed_sweep_goes_on_to_the_same_figures(swept: Sweep, lane_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "sweep"
    process = started(lane_file, out)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    assert not (out / "sweep.json").exists()
    deadline = time.monotonic() + 20
    while processes_of(process.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert processes_of(process.pid) == [], "no worker outlives its parent"
    kept = {path: path.stat().st_mtime_ns for path in out.glob("arms/*.json")}
    assert 0 < len(kept) < 3
    heptagrid.sweep(lane_file, VARY, step_s=900, workers=1, out=out)
    assert without_times(out) == without_times(swept.folder), "nothing has disturbed that one"
    assert all(path.stat().st_mtime_ns == at for path, at in kept.items()), "what was done is not done again"
    assert sorted(path.name for path in out.iterdir()) == ["arms", "definition.json", "sweep.html", "sweep.json"]


def test_ctrl_c_says_how_to_go_on(lane_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "sweep"
    process = started(lane_file, out)
    os.killpg(process.pid, signal.SIGINT)
    printed, remarks = process.communicate(timeout=60)
    assert process.returncode == 130, remarks.decode()
    assert printed == b""
    text = remarks.decode()
    assert re.search(r"interrupted; [12] of 3 arms are done and kept", text), text
    assert f"--out {out}" in text
    assert list(out.glob("arms/*.writing")) == []
    assert not (out / "work").exists()


def test_a_full_disk_keeps_what_was_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(variants, "run_arm", full)
    out = tmp_path / "sweep"
    result = CliRunner().invoke(main, ["sweep", "--vary", *VARY, "--workers", "1", "--out", str(out)])
    assert result.exit_code == 5
    assert (
        "No space left on device; 0 of 3 arms are done and kept; the same sweep, started again, goes on"
        in result.stderr
    )
    assert "Make room, or write to another place" in result.stderr
    assert [path.name for path in out.iterdir()] == ["definition.json"], "by which it is known, and goes on"


def cut(path: Path) -> str:
    path.write_text(path.read_text()[:100])
    return "cannot be read"


def with_another_peak(path: Path) -> str:
    record = json.loads(path.read_text())
    record["summary"]["loading"]["primary_peak_kw"] += 1.0
    path.write_text(json.dumps(record, indent=1))
    return "is not as the sweep wrote it: it was changed or damaged"


def of_another_arm(path: Path) -> str:
    other = next(one for one in path.parent.glob("smart-*.json") if one != path)
    path.write_bytes(other.read_bytes())
    return f"is the record of another arm, {other.stem}"


@pytest.mark.parametrize("spoil", [cut, with_another_peak, of_another_arm])
def test_a_record_that_is_not_as_it_was_written_is_refused_before_the_rest_is_run(
    swept: Sweep, lane_file: Path, tmp_path: Path, spoil: Callable[[Path], str]
) -> None:
    out = tmp_path / "sweep"
    shutil.copytree(swept.folder, out)
    next((out / "arms").glob("conventional-*.json")).unlink()
    path = next((out / "arms").glob("smart-*.json"))
    wrong = spoil(path)
    with pytest.raises(OutputError, match=f"{path.name} {wrong}.*; delete it and start the same sweep again"):
        heptagrid.sweep(lane_file, VARY, step_s=900, workers=2, out=out)
    assert len(list((out / "arms").iterdir())) == 2, "nothing was run"


@pytest.mark.slow
def test_technologies_are_held_against_the_same_grid_with_dead_links(tmp_path: Path) -> None:
    vary = ["messages.access.technology=wi-sun-50k,lorawan"]
    swept = heptagrid.sweep("town", vary, step_s=900, workers=2, out=tmp_path / "sweep")
    (verdict,) = swept.content["cheapest"]
    mesh, lorawan = verdict["rows"]
    assert verdict["chosen"] == verdict["chosen_meeting"] == "wi-sun-50k"
    assert mesh["worth_eur"] > 0.0 and mesh["requirements_missed"] == 0.0
    assert lorawan["worth_eur"] < 0.5 * mesh["worth_eur"] and lorawan["requirements_missed"] > 0.0
    assert len(swept.content["points"]) == 2, "the dead one is none of them"
    page = page_of(swept)
    assert "When wi-sun-50k is replaced by lorawan (messages.access.technology" in page
    assert "is the cheapest that keeps 95" in page and "of what the messages are worth" in page
    assert "none missed it; with lorawan these kinds of messages missed it: meter reading" in page


def test_seeds_words_and_kept_runs(lane_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "sweep"
    words = [
        "sweep",
        str(lane_file),
        "--vary",
        "run.zone=Europe/Berlin,UTC",
        "--vary",
        "break.access=1",
        "--seed",
        "5",
        "--step",
        "900",
    ]
    words += ["--workers", "2", "--keep-runs", "--json", "--out", str(out)]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    content = json.loads(result.stdout)
    assert content == json.loads((out / "sweep.json").read_text())
    assert content["seeds"] == [5]
    (verdict,) = content["cheapest"]
    assert [row["value"] for row in verdict["rows"]] == ["Europe/Berlin", "UTC"]
    for point in content["points"]:
        for arm, name in point["by_seed"][0]["arms"].items():
            run = heptagrid.open_run(out / "runs" / name)
            assert list(run.summary["arms"]) == [arm]
            assert run.manifest["seed"] == 5
            assert len(run.totals) == 96
            assert run.report.exists()
    page = (out / "sweep.html").read_text(encoding="utf-8")
    assert "How it is found" in page


def page_of(sweep: Sweep) -> str:
    return sweep.report.read_text(encoding="utf-8")


def test_the_page_needs_nothing_from_outside_and_says_what_was_swept(swept: Sweep) -> None:
    text = re.sub(r"</?abbr[^>]*>", "", page_of(swept))
    for word in ("<script", "<link ", "http-equiv", "@import", "url(", "http://", "https://"):
        assert word not in text
    assert not re.search(r"\bnan\b|\bNone\b", text)
    for words in (
        *(
            "When break.access goes from 0 to 1",
            "MW",
            "the seven domains and the state",
            "All figures",
            "Not annualised",
        ),
        *("Peak import", "Outside the voltage band", "Messages lost or late", "by domain", "EN 50160"),
        *(
            "Applications that missed their requirement",
            "at break.access=1 these kinds of messages missed it: meter reading,",
        ),
    ):
        assert words in text, words
    assert 'class="hatch"' not in text


def test_latencies_below_ten_steps_are_hatched(swept: Sweep, tmp_path: Path) -> None:
    from heptagrid.report.sweep_page import page

    key = "messages.access.delay_s"
    content: dict[str, Any] = json.loads(json.dumps(swept.content).replace("break.access", key))
    content["points"][1]["unresolved"] = [key]
    text = page(content)
    assert text.count('class="hatch"') == text.count("<figure>")
    assert "hatched: not resolved" in text
    assert "<th>1*</th>" in text


def test_few_points_stand_side_by_side_and_many_below_one_another(swept: Sweep) -> None:
    from heptagrid.report.sweep_page import page

    few = page(swept.content).partition("All figures")[2]
    assert (
        "<thead><tr><th>break.<wbr>access</th><th>0</th><th>1</th></tr></thead><tbody><tr><td>Peak import, kW</td>"
        in few
    )
    many = page({**swept.content, "points": 4 * swept.content["points"]}).partition("All figures")[2]
    assert "<thead><tr><th>break.<wbr>access</th><th>Peak import, kW</th>" in many


@pytest.mark.slow
def test_halving_the_step_hardly_moves_what_a_delay_of_ten_steps_costs(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Of the least latency that counts as resolved. The step moves every point, as set-points act at its end; the points of a sweep share it."""
    delays_s = {"messages.access.delay_s": [0.0, float(variations.RESOLVED_STEPS * STEP_S)]}
    found = {}
    for step_s in (STEP_S, STEP_S // 2):
        swept = heptagrid.sweep("town", delays_s, step_s=step_s, workers=2, out=tmp_path / str(step_s))
        assert not any(point["unresolved"] for point in swept.content["points"])
        found[step_s] = [point["figures"] for point in swept.content["points"]]
    for name in ("net_benefit_eur", "total_benefit_eur"):
        whole, half = (
            intact[name]["mean"] - delayed[name]["mean"] for intact, delayed in (found[STEP_S], found[STEP_S // 2])
        )
        words = f"{name}: the delay costs {whole:.2f} EUR at {STEP_S} s, {half:.2f} at half of it, {half / whole - 1.0:+.1%}"
        print(words)
        record_property(name, words)
        assert whole > 100.0, words
        assert abs(half - whole) < 0.05 * whole, words


def test_a_spread_over_seeds_is_a_band(swept: Sweep) -> None:
    from heptagrid.report.sweep_page import page

    content = json.loads(json.dumps(swept.content))
    content["seeds"] = [1, 2]
    for point in content["points"]:
        point["figures"]["peak_kw"]["max"] *= 1.1
    text = page(content)
    assert 'class="band smart"' in text
    assert "bands reach from the least to the greatest" in text
