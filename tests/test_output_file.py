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

pytestmark = pytest.mark.long


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    path = tmp_path / "ring.m"
    path.write_text(RING)
    return path


def fill_the_disk(place: Path) -> None:
    with whole_file(place) as partial:
        partial.write_text("less")
        raise OSError(errno.ENOSPC, "No space left on device")


def write_half(place: Path, stopped_by: type[BaseException]) -> None:
    with whole_file(place) as writing:
        writing.write_text("half")
        raise stopped_by


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
    assert heard[0].startswith("node,phase,v_pu,angle_deg,conductor,v_to_neutral_pu\n1,0,")


@pytest.mark.parametrize(
    "words", [["flow", "{}", "--out", "{}"], ["flow", "{}", "--branches", "{}"], ["inspect", "{}", "--svg", "{}"]]
)
def test_what_is_read_is_not_written_over(ring: Path, words: list[str]) -> None:
    done = CliRunner().invoke(main, [word.format(ring) for word in words])
    assert done.exit_code == 5
    assert "ring.m is to be written, but is read or written already" in done.output
    assert ring.read_text() == RING


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="no full disk to write to")
def test_a_full_disk_under_the_terminal_is_told_apart_from_results(ring: Path, tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        words = [sys.executable, "-m", "heptagrid", "inspect", str(ring), "--svg", str(tmp_path / "map.svg")]
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 5
    (said,) = done.stderr.splitlines()
    assert said.startswith("heptagrid: standard output cannot be written: No space left on device")
    assert (tmp_path / "map.svg").read_text().startswith("<svg")


@pytest.mark.parametrize("coding", ["ascii", "latin-1", "cp1252"])
def test_no_character_is_needed_that_the_terminal_lacks(ring: Path, coding: str) -> None:
    case = ring.with_name("Grünau – 漢.m")
    ring.rename(case)
    words = [sys.executable, "-m", "heptagrid", "inspect", str(case)]
    done = subprocess.run(words, env={**os.environ, "PYTHONIOENCODING": coding}, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(os.name == "nt", reason="a shell closes the stream")
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&-"])
def test_a_closed_stream_is_nothing_to_stop_for(ring: Path, closed: str) -> None:
    command = f"{sys.executable} -m heptagrid flow {ring} --out {ring}.csv {closed}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    note = "2 generators are beyond their reactive limits (farthest: 3 at bus 9, by 68.01 Mvar); --q-limits holds all but the slack's"
    assert (done.returncode, done.stderr) == (0, "" if "2>&-" in closed else f"note: {note}\n")
    assert Path(f"{ring}.csv").read_text().startswith("node,phase")


def test_an_unwritable_second_file_leaves_the_first_as_it_was(ring: Path, tmp_path: Path) -> None:
    volts = tmp_path / "volts.csv"
    volts.write_text("old")
    done = CliRunner().invoke(
        main, ["flow", str(ring), "--out", str(volts), "--branches", str(tmp_path / "no" / "b.csv")]
    )
    assert done.exit_code == 5 and "b.csv cannot be written" in done.output
    assert volts.read_text() == "old"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["ring.m", "volts.csv"]


@pytest.mark.parametrize("stopped_by", [KeyboardInterrupt, MemoryError, OSError])
def test_whatever_stops_the_writing_leaves_nothing_half(tmp_path: Path, stopped_by: type[BaseException]) -> None:
    place = tmp_path / "volts.csv"
    place.write_text("old")
    with pytest.raises((stopped_by, OutputError)):
        write_half(place, stopped_by)
    assert [one.name for one in tmp_path.iterdir()] == ["volts.csv"] and place.read_text() == "old"


def test_a_strangers_file_of_a_likely_temporary_name_stays(ring: Path, tmp_path: Path) -> None:
    """`OUT.partial` was the temporary name once, and could be the input itself."""
    network, traffic = tmp_path / "net.toml", tmp_path / "a.csv.partial"
    ends = "rate_bps = 1e6\ndelay_s = 0.001\n"
    network.write_text(
        f'[[node]]\nname = "a"\n[[node]]\nname = "b"\n[[link]]\nfrom = "a"\nto = "b"\n{ends}'
        f'[[link]]\nfrom = "b"\nto = "a"\n{ends}'
    )
    traffic.write_text("sent_s,source,destination,bytes\n0,a,b,100\n")
    before = traffic.read_text()
    done = CliRunner().invoke(main, ["carry", str(network), str(traffic), "--out", str(tmp_path / "a.csv")])
    assert done.exit_code == 0, done.output
    assert traffic.read_text() == before and "delivered" in (tmp_path / "a.csv").read_text()
    (tmp_path / "v.csv.partial").write_text("mine")
    done = CliRunner().invoke(main, ["flow", str(ring), "--out", str(tmp_path / "v.csv")])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "v.csv.partial").read_text() == "mine"


def test_two_results_are_not_one_file(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="choose another name"):
        refuse_overwriting(["case.m"], [tmp_path / "v.csv", tmp_path / "." / "v.csv"])
    refuse_overwriting(["case.m"], [os.devnull, os.devnull, None])
