"""What is wrong is said clearly, with an exit code, and loses nothing."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import heptagrid
from heptagrid.assembly.job import Job
from heptagrid.cli import main
from heptagrid.foundation.errors import HeptagridError, NetworkError, OutputError, ScenarioError, UsageError
from heptagrid.recording.arm_result import ArmResult
from heptagrid.recording.tables import TableWriter
from heptagrid.scale import run as api
from heptagrid.scenario.load import load
from heptagrid.scenario.schema import Scenario
from heptagrid.simulation.simulation import run_arm
from tests.conftest import heed_interrupts

pytestmark = pytest.mark.long


def violations(*settings: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        load("town", settings)
    return caught.value.violations


def test_all_violations_are_reported_at_once() -> None:
    found = violations("vehicles.shar=0.3", "batteries.share=1.5", 'batteries.power_kw="5 kW"', "run.start=2015-06-01")
    assert len(found) == 4
    text = "\n".join(found)
    assert "did you mean vehicles.share?" in text
    assert "must lie from 0 to 1" in text
    assert "a number in kW is expected" in text
    assert "the profiles cover 2016-01-02 to 2016-12-31" in text


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("vehicels.share=0.3", "did you mean [vehicles]?"),
        ("run.step_s=70", "must divide 900"),
        ("run.step_s=0.5", "a whole number in s is expected"),
        ("run.zone=Europe/Atlantis", "no such time zone"),
        ("run.start=27.1.2016", "a date is expected"),
        ("run.days=400", "must lie from 1 to 366"),
        ("messages.access.loss=2", "must lie from 0 to 1"),
        ("vehicles.share=nan", "must lie from 0 to 1"),
        ("share", "write section.key=value"),
    ],
)
def test_a_violation_names_the_key_and_the_remedy(setting: str, words: str) -> None:
    assert words in "\n".join(violations(setting))


def test_the_last_day_must_lie_inside_the_data() -> None:
    assert "the profiles cover" in violations("run.start=2016-12-31", "run.days=2")[0]
    assert "warm-up" in violations("run.start=2016-01-01")[0]


def test_a_missing_scenario_names_the_nearest_one() -> None:
    with pytest.raises(ScenarioError, match="did you mean 'town'"):
        load("twon")
    with pytest.raises(ScenarioError, match="no such file"):
        load("nowhere/town.toml")


def test_a_broken_file_and_a_missing_network_are_named(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("name = \n")
    with pytest.raises(ScenarioError, match=r"(?s)mine\.toml.*no TOML.*line 1"):
        load(file)
    file.write_text('network = "nowhere"\n')
    with pytest.raises(ScenarioError, match=r"no folder of that name with a grid\.npz"):
        load(file)


def test_broken_data_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "grid.npz").write_bytes(b"not an archive")
    (tmp_path / "mine.toml").write_text('network = "net"\n')
    with pytest.raises(HeptagridError, match=r"grid\.npz cannot be read"):
        heptagrid.run(tmp_path / "mine.toml", out=tmp_path / "out")


def changed_town(town: Path, folder: Path, **changes: object) -> Path:
    """A copy of the town with some arrays changed, and a scenario that runs it."""
    net = folder / "net"
    shutil.copytree(town, net)
    arrays = dict(np.load(net / "grid.npz"))
    for name, change in changes.items():
        arrays[name] = change(arrays[name])  # type: ignore[operator]
    np.savez(net / "grid.npz", **arrays)
    file = folder / "mine.toml"
    file.write_text('network = "net"\n')
    return file


def test_an_island_is_named(town_folder: Path, tmp_path: Path) -> None:
    def cut(closed: np.ndarray) -> np.ndarray:
        closed = closed.copy()
        closed[0] = False
        return closed

    file = changed_town(town_folder, tmp_path, lines_from_closed=cut, lines_to_closed=cut)
    with pytest.raises(NetworkError, match=r"no path to the infeed.*LV1\.201"):
        heptagrid.run(file, out=tmp_path / "out")
    result = CliRunner().invoke(main, ["run", str(file), "--out", str(tmp_path / "out2")])
    assert result.exit_code == 4


def test_a_loop_is_named(town_folder: Path, tmp_path: Path) -> None:
    def close_all(closed: np.ndarray) -> np.ndarray:
        return np.ones_like(closed)

    file = changed_town(town_folder, tmp_path, lines_from_closed=close_all, lines_to_closed=close_all)
    with pytest.raises(NetworkError, match=r"loop closed by line 'MV2\.101"):
        heptagrid.run(file, out=tmp_path / "out")


def test_a_feeder_that_does_not_converge_is_held_and_marked(town_folder: Path, tmp_path: Path) -> None:
    def overload(p_kw: np.ndarray) -> np.ndarray:
        p_kw = p_kw.copy()
        p_kw[0] = 5000.0
        return p_kw

    file = changed_town(town_folder, tmp_path, loads_p_kw=overload)
    run = heptagrid.run(file, step_s=900, single="conventional", threads=1, out=tmp_path / "out")
    (marked,) = {one["feeder"] for one in run.summary["unconverged"]}
    assert run.summary["unconverged"][0]["steps"] > 0
    assert "T" in run.summary["unconverged"][0]["first"]
    assert run.summary["unconverged"][0]["head"].startswith("MV2.101")
    text = run.report.read_text(encoding="utf-8")
    assert f"Feeder {marked} (behind MV2.101" in text
    assert "did not converge" in text
    assert run.summary["arms"]["conventional"]["voltage"]["min_pu"] > 0.5


def test_a_folder_with_another_run_is_refused_unless_forced(lane_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    arguments = {"step_s": 900, "single": "conventional", "threads": 1, "out": out}
    heptagrid.run(lane_file, **arguments)  # type: ignore[arg-type]
    with pytest.raises(OutputError, match="holds another run"):
        heptagrid.run(lane_file, **arguments)  # type: ignore[arg-type]
    assert heptagrid.open_run(out).summary["days"] == 1, "the refused run left the first one alone"
    heptagrid.run(lane_file, force=True, **arguments)  # type: ignore[arg-type]


def test_a_folder_with_something_else_is_never_emptied(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(OutputError, match="holds no run of heptagrid"):
        heptagrid.run("town", out=tmp_path, force=True)
    assert (tmp_path / "precious.txt").read_text() == "mine"


def test_unknown_arms_and_link_classes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no arm 'clever'"):
        heptagrid.run("town", single="clever", out=tmp_path / "a")
    with pytest.raises(UsageError, match="no link class 'acces'"):
        heptagrid.run("town", break_={"acces": 1.0}, out=tmp_path / "b")
    with pytest.raises(UsageError, match="a probability from 0 to 1"):
        heptagrid.run("town", break_={"access": 1.5}, out=tmp_path / "c")
    with pytest.raises(UsageError, match="takes no --days"):
        heptagrid.run("town", typical=True, days=2, out=tmp_path / "d")


def test_ctrl_c_keeps_what_was_computed(lane_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    command = [
        sys.executable,
        "-m",
        "heptagrid",
        "run",
        str(lane_file),
        "--days",
        "20",
        "--threads",
        "2",
        "--out",
        str(out),
    ]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, preexec_fn=heed_interrupts
    )
    deadline = time.monotonic() + 300  # the kernels may have to be compiled first
    while not list(out.glob("parts/totals.conventional*.part")) and time.monotonic() < deadline:
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGINT)
    _, remarks = process.communicate(timeout=120)
    assert process.returncode == 130, remarks.decode()
    run = heptagrid.open_run(out)
    assert run.partial
    assert run.summary["partial"]
    assert len(run.totals) > 0
    assert "Partial" in run.report.read_text(encoding="utf-8")


def test_a_run_stopped_while_one_arm_warms_up_is_kept(
    lane_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    last_step = {"conventional": 150, "smart": 10}

    def run_jobs(scenario: Scenario, jobs: list[Job], *_: object) -> list[ArmResult]:
        return [
            run_arm(scenario, job.arm, job.run_day, job.span, job.parts, lambda n: n >= last_step[job.arm.name])  # noqa: B023
            for job in jobs
        ]

    monkeypatch.setattr(api, "run_jobs", run_jobs)
    run = heptagrid.run(lane_file, step_s=900, out=tmp_path / "run")
    assert run.partial
    assert run.summary["arms"]["smart"]["loading"]["primary_peak_kw"] is None
    assert len(run.totals) == 150 - 96


@pytest.mark.parametrize(
    ("moment", "after_steps", "counted"),
    [
        ("the first arm's warm-up", 16, {"conventional": 0}),
        ("the second arm's warm-up", 224, {"conventional": 96, "smart": 0}),
        ("the second arm's counted day", 320, {"conventional": 96, "smart": 20}),
    ],
)
def test_an_interruption_at_any_moment_leaves_a_partial_run(
    lane_file: Path, tmp_path: Path, moment: str, after_steps: int, counted: dict[str, int]
) -> None:
    def interrupt(done: int, _: int) -> None:
        if done >= after_steps and not interrupted:
            interrupted.append(done)
            signal.raise_signal(signal.SIGINT)

    interrupted: list[int] = []
    run = heptagrid.run(
        lane_file, step_s=900, threads=1, break_={"access": 0.5}, out=tmp_path / "run", progress=interrupt
    )
    assert run.partial and run.summary["partial"], moment
    assert run.summary["break"] is None
    assert run.summary["stopped_at"]
    assert list(run.summary["arms"]) == list(counted)
    steps = dict(run.totals.group_by("arm").len().iter_rows()) if any(counted.values()) else {}
    for arm, least in counted.items():
        assert least <= steps.get(arm, 0) <= (96 if least else 0), moment
        if not least:
            assert run.summary["arms"][arm]["messages"]["sent"] == 0
            assert run.summary["arms"][arm]["energy_mwh"]["residual"] == 0.0
    assert "Partial" in run.report.read_text(encoding="utf-8")


def test_a_full_disk_keeps_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = TableWriter.write

    def full(self: TableWriter, name: str, columns: dict[str, object]) -> None:
        if name == "messages":
            raise OSError(errno.ENOSPC, "No space left on device")
        write(self, name, columns)

    monkeypatch.setattr(TableWriter, "write", full)
    out = tmp_path / "run"
    result = CliRunner().invoke(
        main, ["run", "--step", "900", "--single", "conventional", "--threads", "1", "--out", str(out)]
    )
    assert result.exit_code == 5
    assert "No space left" in result.output
    run = heptagrid.open_run(out)
    assert run.partial
    assert len(run.totals) == 96, "the tables written before can be read"
    assert json.loads((out / "manifest.json").read_text())["partial"] is True


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be made"):
        heptagrid.run("town", out=tmp_path / "file" / "run")
