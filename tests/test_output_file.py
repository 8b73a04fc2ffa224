"""Files that a user names: whole or absent, devices stay devices, and what is read is not written over."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from heptagrid.cli import main
from heptagrid.foundation.errors import OutputError
from heptagrid.foundation.output_file import refuse_overwriting, whole_file
from tests.flow.cases import RING


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    path = tmp_path / "ring.m"
    path.write_text(RING)
    return path


def fill_the_disk(place: Path) -> None:
    with whole_file(place) as partial:
        partial.write_text("less")
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_file_is_whole_or_absent(tmp_path: Path) -> None:
    place = tmp_path / "volts.csv"
    with whole_file(place) as partial:
        partial.write_text("half")
        assert not place.exists()
    assert place.read_text() == "half"
    with pytest.raises(OutputError, match=r"volts\.csv cannot be written: No space left"):
        fill_the_disk(place)
    assert [path.name for path in tmp_path.iterdir()] == ["volts.csv"] and place.read_text() == "half"


def test_a_link_is_followed(tmp_path: Path) -> None:
    link, target = tmp_path / "latest.csv", tmp_path / "there.csv"
    link.symlink_to(target)
    with whole_file(link) as partial:
        partial.write_text("volts")
    assert link.is_symlink() and target.read_text() == "volts"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_written_to_and_stays_a_pipe(ring: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    heard: list[str] = []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: heard.append(pipe.read_text()), daemon=True)
    reader.start()
    done = CliRunner().invoke(main, ["flow", str(ring), "--out", str(pipe)])
    assert done.exit_code == 0, done.output
    assert pipe.is_fifo()
    reader.join()
    assert heard[0].startswith("node,phase,v_pu,angle_deg\n1,0,")


@pytest.mark.parametrize(
    "words", [["flow", "{}", "--out", "{}"], ["flow", "{}", "--branches", "{}"], ["inspect", "{}", "--svg", "{}"]]
)
def test_what_is_read_is_not_written_over(ring: Path, words: list[str]) -> None:
    done = CliRunner().invoke(main, [word.format(ring) for word in words])
    assert done.exit_code == 5
    assert "ring.m is to be written, but is read or written already" in done.output
    assert ring.read_text() == RING


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="no full disk to write to")
def test_a_full_disk_under_the_terminal_is_told_without_talk_of_runs(ring: Path) -> None:
    with Path("/dev/full").open("w") as full:
        words = [sys.executable, "-m", "heptagrid", "inspect", str(ring)]
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 5
    assert "cannot be written: No space left on device. Make room" in done.stderr and "Traceback" not in done.stderr


def test_two_results_are_not_one_file(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="choose another name"):
        refuse_overwriting(["case.m"], [tmp_path / "v.csv", tmp_path / "." / "v.csv"])
    refuse_overwriting(["case.m"], [os.devnull, os.devnull, None])
