"""`run --checkpoint-every` and `run --resume`: a run that was killed at any moment comes to what it would have come to."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import heptagrid
from heptagrid.cli import main
from heptagrid.recording.results import TABLES, Run
from tests.conftest import LANE, shared_run

pytestmark = pytest.mark.long

OF_THE_MACHINE = ("wall_s", "peak_rss_mb", "customer_steps_per_s", "phase_s")
BEGIN = [sys.executable, "-m", "heptagrid", "run", "--feeder", LANE, "--step", "900", "--checkpoint-every", "3"]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return shared_run(
        "lane-undisturbed", tmp_path_factory, lambda out: heptagrid.run(feeder=LANE, step_s=900, threads=2, out=out)
    )


def figures(run: Run) -> dict[str, Any]:
    return {name: value for name, value in run.summary.items() if name not in OF_THE_MACHINE}


def assert_the_same(run: Run, other: Run) -> None:
    assert not run.partial
    assert figures(run) == figures(other)
    for name in TABLES:
        paths = [one.folder / f"{name}.parquet" for one in (run, other)]
        assert paths[0].exists() == paths[1].exists()
        if paths[0].exists():
            assert run.table(name).equals(other.table(name)), name
    names = [sorted(one.name for one in each.folder.iterdir()) for each in (run, other)]
    assert names[0] == names[1], "nothing of the checkpoints is left"


def killed(out: Path, after_s: float, sign: str = "parts") -> None:
    """Begin a run, and kill it with its workers so long after a `sign` of life in its folder: a folder, or a file in one."""
    process = subprocess.Popen(
        [*BEGIN, "--out", str(out)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + 120.0
    while not any(out.glob(sign)) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(after_s)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=120)


def resumed(out: Path, *more: str) -> Any:
    return CliRunner().invoke(main, ["run", "--resume", str(out), *more])


def _kill_and_resume(folder: Path, undisturbed: Run, seed: int) -> None:
    draw = random.Random(seed)
    sign, longest_s = draw.choice([("parts", 4.0), ("checkpoints/*.checkpoint", 2.0), ("checkpoints/*.result", 0.5)])
    after_s = draw.uniform(0.0, longest_s)
    out = folder / "run"
    killed(out, after_s, sign)
    moved = folder / "moved"
    shutil.move(out, moved)
    found = resumed(moved)
    assert found.exit_code == 0, f"seed {seed}, {after_s:.2f} s after {sign}: {found.output}"
    assert_the_same(heptagrid.open_run(moved), undisturbed)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_run_that_was_killed_goes_on_to_the_same_figures(tmp_path: Path, undisturbed: Run, seed: int) -> None:
    _kill_and_resume(tmp_path, undisturbed, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3, 13))
def test_a_run_that_was_killed_goes_on_to_the_same_figures_at_length(
    tmp_path: Path, undisturbed: Run, seed: int
) -> None:
    _kill_and_resume(tmp_path, undisturbed, seed)


def test_a_run_that_was_stopped_can_be_read_and_goes_on(
    tmp_path: Path, undisturbed: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C after a hundred and twenty-five of the 204 steps of the second arm; the first is not simulated again."""
    from heptagrid.simulation import simulation

    out = tmp_path / "run"
    step, done = simulation.Simulation.step, [0]

    def interrupted(self: simulation.Simulation) -> bool:
        done[0] += 1
        if done[0] == 330:
            signal.raise_signal(signal.SIGINT)
        return step(self)

    monkeypatch.setattr(simulation.Simulation, "step", interrupted)
    partial = heptagrid.run(feeder=LANE, step_s=900, threads=1, checkpoint_every_h=5.0, out=out)
    assert partial.partial and partial.summary["partial"]
    assert 0 < len(partial.totals) < len(undisturbed.totals)
    (out / "checkpoints" / "mine.txt").write_text("a stranger's")
    done[0] = 1000
    whole = heptagrid.resume(out, threads=1)
    assert [one.name for one in (out / "checkpoints").iterdir()] == ["mine.txt"], "what others put there stays"
    shutil.rmtree(out / "checkpoints")
    assert_the_same(whole, undisturbed)
    assert done[0] - 1000 == 204 - 125 + 1, "the rest of one arm, and the end of it"


def test_without_a_checkpoint_it_starts_over_and_a_finished_one_says_so(tmp_path: Path, undisturbed: Run) -> None:
    out = tmp_path / "run"
    process = subprocess.Popen(
        [*BEGIN[:-2], "--out", str(out)], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
    )
    while not (out / "parts").is_dir():
        time.sleep(0.05)
    time.sleep(2.0)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert resumed(out).exit_code == 0
    assert_the_same(heptagrid.open_run(out), undisturbed)
    stamps = {one.name: one.stat().st_mtime_ns for one in out.iterdir()}
    again = resumed(out)
    assert again.exit_code == 0
    assert "is finished" in again.stderr
    assert {one.name: one.stat().st_mtime_ns for one in out.iterdir()} == stamps


def test_what_cannot_go_on_is_refused_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "run"
    killed(out, 0.0, "checkpoints/*.checkpoint")
    (saved, *_) = sorted((out / "checkpoints").glob("*.checkpoint"))
    whole = saved.read_bytes()
    saved.write_bytes(whole[:-10])
    found = resumed(out)
    assert (found.exit_code, "is damaged" in found.stderr) == (5, True)
    saved.write_bytes(whole)
    assert "leave --step out" in resumed(out, "--step", "60").stderr
    assert "leave SCENARIO out" in CliRunner().invoke(main, ["run", "town", "--resume", str(out)]).stderr
    manifest = out / "manifest.json"
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(text.replace('"seed": 1', '"seed": 2'), encoding="utf-8")
    assert "was changed or damaged" in resumed(out).stderr
    manifest.write_text(text, encoding="utf-8")
    monkeypatch.setattr("heptagrid.inquiry.replay.fingerprint_of_package", lambda: "another")
    found = resumed(out)
    assert (found.exit_code, "is not the one that made the run" in found.stderr) == (5, True)
    found = resumed(tmp_path)
    assert (found.exit_code, "not a results folder" in found.stderr) == (5, True)
    assert json.loads(text)["partial"]


@pytest.mark.parametrize("hours", ["0", "-1", "1e-13", "nan", "1e9"])
def test_hours_between_checkpoints_have_bounds(tmp_path: Path, hours: str) -> None:
    found = CliRunner().invoke(main, ["run", "--checkpoint-every", hours, "--out", str(tmp_path / "run")])
    assert found.exit_code == 2
    assert "--checkpoint-every" in found.stderr
