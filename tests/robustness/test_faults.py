"""Kills at random moments, Ctrl-C while workers start, and a disk that refuses at each place: what is left is readable and says what it is.

Every moment and size is drawn from a seed, which a failure names. `make test` takes a few of each, `make validate` many.
"""

from __future__ import annotations

import errno
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import polars
import pytest

import heptagrid
from heptagrid.foundation import frames
from heptagrid.foundation.errors import OutputError
from heptagrid.foundation.output_file import TEMPORARY
from heptagrid.foundation.results_folder import results_folder
from heptagrid.recording.results import RUN, TABLES
from heptagrid.scale.folder import SWEEP
from tests.conftest import heed_interrupts

pytestmark = pytest.mark.long

HEPTAGRID = [sys.executable, "-m", "heptagrid"]
ONE_ARM = ["run", "--step", "900", "--single", "conventional", "--threads", "1"]
BOTH_ARMS = ["run", "LANE", "--step", "900", "--threads", "2"]
TWO_POINTS = ["sweep", "LANE", "--vary", "break.access=0,1", "--step", "900", "--workers", "2", "--keep-runs"]
ENDS_S = 300  # what hangs is a fault; a busy machine is not


def seeds(few: int, many: int) -> list[object]:
    """A few seeds for every day, and more for `make validate`."""
    return [*range(few), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(few, many))]


def on_the_lane(words: list[str], lane_file: Path) -> list[str]:
    return [str(lane_file) if word == "LANE" else word for word in words]


def start(words: list[str], out: Path, prepare: Callable[[], None] = heed_interrupts) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*HEPTAGRID, *words, "--out", str(out)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=prepare,
    )


def wait_for(there: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + ENDS_S
    while not there() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)


def check_run(folder: Path) -> heptagrid.Run | None:
    """What is left is nothing, or a run that reads, says rightly whether it is whole, and can be replaced."""
    with results_folder(folder, RUN, force=True):
        pass
    if not RUN.is_marked(folder):
        assert not [one for one in folder.iterdir() if not one.name.startswith(TEMPORARY)]
        return None
    run = heptagrid.open_run(folder)
    for name in TABLES:
        if (folder / f"{name}.parquet").exists() or list(folder.glob(f"parts/{name}.*.part")):
            run.table(name)
    if not run.partial:
        assert run.summary["partial"] is False
        assert run.report.read_text(encoding="utf-8").endswith("</html>\n")
        assert {"totals", "nodes", "ledger", "node_list", "bills"} <= {one.stem for one in folder.glob("*.parquet")}
    return run


STAGES = ["manifest.json", "parts", "node_list.parquet", "totals.parquet", "summary.json", "report.html"]


@pytest.mark.parametrize("seed", seeds(2, 40))
def test_a_run_killed_at_any_stage_is_known_for_what_it_is(seed: int, tmp_path: Path) -> None:
    draw = random.Random(seed)
    stage, later_s = draw.choice(STAGES), draw.choice([0.0, 0.0, 0.002, 0.01, draw.uniform(0.0, 2.0)])
    print(f"seed {seed}: killed {later_s:.3f} s after {stage} is there")
    out = tmp_path / "run"
    process = start(ONE_ARM, out)
    wait_for(lambda: (out / stage).exists(), process)
    time.sleep(later_s)
    process.kill()
    process.communicate(timeout=ENDS_S)
    run = check_run(out)
    if process.returncode and run is not None and stage != "report.html":
        assert run.partial or later_s > 0.0


@pytest.mark.parametrize("words", [BOTH_ARMS, TWO_POINTS], ids=["run", "sweep"])
@pytest.mark.parametrize("seed", seeds(1, 15))
def test_an_interrupt_while_workers_start_ends_with_one_line(
    seed: int, words: list[str], lane_file: Path, tmp_path: Path
) -> None:
    after_s = random.Random(seed).uniform(0.0, 2.5)
    print(f"seed {seed}: interrupted {after_s:.3f} s after the folder is marked")
    out = tmp_path / "out"
    process = start(on_the_lane(words, lane_file), out)
    wait_for(lambda: (out / "manifest.json").exists() or (out / "definition.json").exists(), process)
    time.sleep(after_s)
    ended = process.poll() is not None
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=ENDS_S)
    if not ended:
        assert (process.returncode, said.count("\n")) == (130, 1), said
        assert said.startswith(("heptagrid: interrupted", "stopped before its end"))
    if words == BOTH_ARMS:
        check_run(out)


@pytest.mark.parametrize(
    ("words", "mark"), [(ONE_ARM, RUN), (BOTH_ARMS, RUN), (TWO_POINTS, SWEEP)], ids=["one arm", "both arms", "sweep"]
)
@pytest.mark.parametrize("seed", seeds(1, 12))
def test_a_disk_that_is_full_anywhere_ends_with_one_line(
    seed: int, words: list[str], mark: object, lane_file: Path, tmp_path: Path
) -> None:
    """A limit of the size of files stands for the disk: it is the same error, in this process and in its workers."""
    range_of_bits = (16.0, 20.0) if words == ONE_ARM else (15.6, 16.0)  # the largest files of the lane have 68 kB
    most_bytes = int(2.0 ** random.Random(seed).uniform(*range_of_bits))
    print(f"seed {seed}: no file beyond {most_bytes} bytes")
    out = tmp_path / "out"

    def limit() -> None:
        heed_interrupts()
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

    process = start(on_the_lane(words, lane_file), out, limit)
    _, said = process.communicate(timeout=ENDS_S)
    assert process.returncode == 5, said
    assert said.count("\n") == 1 and said.startswith(f"heptagrid: the results cannot be written to {out}"), said
    assert os.strerror(errno.EFBIG) in said
    if mark is RUN:
        run = check_run(out)
        assert run is None or run.partial
    else:
        assert SWEEP.is_marked(out) and not (out / "sweep.html").exists()


def written(monkeypatch: pytest.MonkeyPatch, out: Path, fails_at: int | None = None) -> int:
    """Run one arm in this process and count the files that are written; the one of a number fails."""
    count = 0
    replace = Path.replace

    def counted(self: Path, target: Path) -> Path:
        nonlocal count
        count += 1
        if fails_at is not None and count >= fails_at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", counted)
        heptagrid.run("town", step_s=900, single="conventional", threads=1, out=out, force=True)
    return count


@pytest.mark.parametrize("seed", seeds(2, 40))
def test_a_write_that_fails_anywhere_keeps_the_earlier_run(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    files = written(monkeypatch, out)
    earlier = heptagrid.open_run(out)
    totals = earlier.totals
    # The mark is the last but for the moves of the swap, of which tests/test_results_folder.py fails each.
    fails_at = random.Random(seed).randint(1, files - 1)
    print(f"seed {seed}: write {fails_at} of {files} fails")
    with pytest.raises(OutputError, match="No space left"):
        written(monkeypatch, out, fails_at)
    again = heptagrid.open_run(out)
    assert not again.partial
    assert again.manifest == earlier.manifest
    assert polars.DataFrame(again.totals).equals(totals)
    check_run(out)


def test_every_table_is_written_through_one_place() -> None:
    """Elsewhere polars would take a path for a pattern, and say in words what the disk said."""
    root = Path(frames.__file__).parents[1]
    for path in root.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if path != Path(frames.__file__) and "validate" not in path.parts:
            for word in ("scan_parquet(", "read_parquet(", "write_parquet(", "sink_parquet(", "scan_csv("):
                assert word not in text, f"{path}: {word}"
            assert "read_csv(" not in text or "glob=False" in text, path
