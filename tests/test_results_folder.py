"""Folders of results: known by their mark, held by one process, replaced when the new results are whole, and nothing of others' is touched."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars
import pytest

import heptagrid
from heptagrid.foundation.errors import OutputError
from heptagrid.foundation.folder_lock import LOCK
from heptagrid.foundation.frames import join_tables, read_table, write_table
from heptagrid.foundation.interrupts import noted_interrupts
from heptagrid.foundation.output_file import write_json, write_text
from heptagrid.foundation.results_folder import FORMAT_VERSION, Kind, Place, results_folder
from heptagrid.recording.results import RUN
from heptagrid.recording.seal import vouching
from heptagrid.scale import jobs
from heptagrid.scale.run import LONGEST_NAME, as_file_name, default_folder

INNER = Kind("inner", "inner.json", frozenset({"inner.json", "data.txt"}))
OUTER = Kind(
    "outer", "outer.json", frozenset({"outer.json", "page.html", "figures.txt"}), {"rows": (".row",)}, {"runs": INNER}
)
WRITTEN = ("outer.json", "page.html", "rows/1.row", "runs/a/inner.json", "runs/a/data.txt")


def write_results(place: Place, word: str, names: tuple[str, ...] = WRITTEN) -> None:
    for name in names:
        path = place.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        kind = {"outer.json": OUTER, "inner.json": INNER}.get(path.name)
        if kind:
            write_json(path, {**kind.format(), "word": word})
        else:
            write_text(path, word)


def files(folder: Path) -> dict[str, str]:
    """What a folder holds, the marks by their word."""
    return {
        str(one.relative_to(folder)): json.loads(one.read_text())["word"] if one.suffix == ".json" else one.read_text()
        for one in sorted(folder.rglob("*"))
        if one.is_file()
    }


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """A folder with earlier results, of more files than the new ones, and what a user put there."""
    folder = tmp_path / "results"
    with results_folder(folder, OUTER, force=False) as place:
        write_results(place, "old", (*WRITTEN, "figures.txt", "rows/2.row", "runs/b/inner.json"))
    for name in ("thesis.txt", "rows/notes.txt", "runs/a/notes.txt", "runs/c/data.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("mine")
    return folder


MINE = dict.fromkeys(("thesis.txt", "rows/notes.txt", "runs/a/notes.txt", "runs/c/data.txt"), "mine")


def test_new_results_replace_the_earlier_ones_when_they_are_whole(earlier: Path) -> None:
    before = files(earlier)
    with results_folder(earlier, OUTER, force=True) as place:
        write_results(place, "new")
        now = files(earlier)
        now.pop(LOCK)
        assert {name: text for name, text in now.items() if not name.startswith("unfinished/")} == before
        place.promote()
    assert files(earlier) == dict.fromkeys(WRITTEN, "new") | MINE


def interrupted(folder: Path) -> None:
    with results_folder(folder, OUTER, force=True) as place:
        write_results(place, "new", WRITTEN[:2])
        raise KeyboardInterrupt


def test_results_that_did_not_become_whole_leave_the_earlier_ones(earlier: Path) -> None:
    before = files(earlier)
    with pytest.raises(KeyboardInterrupt):
        interrupted(earlier)
    assert before.items() <= files(earlier).items()
    with results_folder(earlier, OUTER, force=True) as place:
        write_results(place, "newer")
        place.promote()
    assert files(earlier) == dict.fromkeys(WRITTEN, "newer") | MINE


@pytest.mark.parametrize("change", ["replace", "unlink", "rmdir", "mkdir"])
def test_a_swap_that_fails_anywhere_loses_nothing_new_and_can_be_done_again(
    earlier: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """Whichever change to the disk fails: the folder is known, what is whole is there, and what others put there too."""
    really: Callable[..., Any] = getattr(Path, change)
    for k in range(100):
        with results_folder(earlier, OUTER, force=True) as place:
            write_results(place, "new")
            made = [0]

            def fails(self: Path, *arguments: Any, made: list[int] = made, k: int = k, **options: Any) -> Any:
                made[0] += 1
                if made[0] > k:
                    raise OSError(28, "No space left on device")
                return really(self, *arguments, **options)

            with monkeypatch.context() as patch:
                patch.setattr(Path, change, fails)
                with suppress(OSError):
                    place.promote()
        now = files(earlier)
        assert MINE.items() <= now.items()
        assert OUTER.is_marked(earlier)
        for name in WRITTEN:
            assert "new" in (now.get(name), now.get(f"unfinished/{name}")), (change, k, name)
        if made[0] <= k:
            assert now == dict.fromkeys(WRITTEN, "new") | MINE
            return
    pytest.fail("the swap has no end")


@pytest.mark.parametrize(
    ("mark", "content"),
    [
        ("outer.json", None),
        ("outer.json", {}),
        ("outer.json", {"format": "heptagrid inner", "format_version": FORMAT_VERSION}),
        ("outer.json", {"format": "heptagrid outer"}),
        ("inner.json", {"format": "heptagrid outer", "format_version": FORMAT_VERSION}),
    ],
)
def test_a_folder_without_the_mark_is_not_ours(tmp_path: Path, mark: str, content: dict[str, Any] | None) -> None:
    (tmp_path / mark).write_text("[" if content is None else json.dumps(content))
    (tmp_path / "page.html").write_text("mine")
    with pytest.raises(OutputError, match="holds no outer"), results_folder(tmp_path, OUTER, force=True):
        pass
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted([mark, "page.html"])


def test_results_of_another_version_are_named_and_stay(tmp_path: Path) -> None:
    mark = tmp_path / "outer.json"
    mark.write_text(json.dumps({"format": "heptagrid outer", "format_version": FORMAT_VERSION - 1}))
    with pytest.raises(OutputError, match="remove the folder") as refused, results_folder(tmp_path, OUTER, force=True):
        pass
    assert f"holds a outer in version {FORMAT_VERSION - 1}" in str(refused.value)
    assert [one.name for one in tmp_path.iterdir()] == ["outer.json"]


def test_a_web_app_and_somebody_elses_definition_are_not_results(tmp_path: Path) -> None:
    for mark in ("manifest.json", "definition.json", "compare.json"):
        (tmp_path / mark).write_text('{"name": "app", "version": "1"}')
    (tmp_path / "app.js").write_text("mine")
    (tmp_path / "report.html").write_text("mine")
    before = {one.name: one.read_text() for one in tmp_path.iterdir()}
    with pytest.raises(OutputError, match="holds no run"):
        heptagrid.run("town", out=tmp_path, force=True)
    with pytest.raises(OutputError, match="holds no sweep"):
        heptagrid.sweep("town", ["break.access=0,1"], out=tmp_path, force=True)
    with pytest.raises(OutputError, match="holds no comparison"):
        heptagrid.compare("town", "town", out=tmp_path, force=True)
    assert {one.name: one.read_text() for one in tmp_path.iterdir()} == before


def test_a_link_in_a_results_folder_is_not_followed(earlier: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "9.row").write_text("mine")
    for one in (earlier / "rows").iterdir():
        one.unlink()
    (earlier / "rows").rmdir()
    (earlier / "rows").symlink_to(elsewhere)
    OUTER.remove(earlier)
    assert (elsewhere / "9.row").read_text() == "mine"


def test_a_folder_that_is_a_link_is_followed(earlier: Path, tmp_path: Path) -> None:
    link = tmp_path / "latest"
    link.symlink_to(earlier)
    with results_folder(link, OUTER, force=True) as place:
        write_results(place, "new")
        place.promote()
    assert link.is_symlink() and files(earlier)["page.html"] == "new"


def test_the_folder_in_which_one_stands_can_be_replaced(earlier: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(earlier)
    with results_folder(Path(), OUTER, force=True) as place:
        write_results(place, "new")
        place.promote()
    assert files(earlier) == dict.fromkeys(WRITTEN, "new") | MINE


HOLDS = """
import sys, time
from pathlib import Path
from heptagrid.foundation.folder_lock import locked_folder
with locked_folder(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_folder_in_use_is_refused_with_the_process_and_free_once_that_is_killed(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDS, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    try:
        with (
            pytest.raises(OutputError, match=rf"in use by another heptagrid \(process {holder.pid}\)"),
            results_folder(tmp_path, OUTER, force=False),
        ):
            pass
    finally:
        holder.kill()
        holder.communicate()
    assert (tmp_path / LOCK).exists(), "a killed process leaves the file, but no lock"
    with results_folder(tmp_path, OUTER, force=False) as place:
        assert place.work == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_two_threads_do_not_share_a_folder(tmp_path: Path) -> None:
    with (
        results_folder(tmp_path, OUTER, force=False),
        pytest.raises(OutputError, match=f"process {os.getpid()}"),
        results_folder(tmp_path, OUTER, force=False),
    ):
        pass


@pytest.mark.parametrize(
    "name", ["../../evil", "/etc/evil", "a\0b", "l" * 300, "é" * 300, "..", "", " ", "a\nb", "C:\\evil"]
)
def test_a_scenarios_name_is_not_a_path(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = default_folder(name)
    assert folder.is_dir() and folder.parent == Path("runs")
    assert [one.name for one in tmp_path.iterdir()] == ["runs"]
    assert 0 < len(as_file_name(name).encode()) <= LONGEST_NAME
    assert default_folder(name) != folder, "nobody else's"


def test_a_plain_name_stays(tmp_path: Path) -> None:
    assert as_file_name("Grünau 2030 (v1.2)") == "Grünau 2030 (v1.2)"


def a_run(folder: Path, rows: int) -> heptagrid.Run:
    """A run's folder with one table of so many rows, and another in two parts."""
    (folder / "parts").mkdir(parents=True)
    write_json(folder / RUN.mark, vouching({**RUN.format(), "name": "small", "partial": True, "dates": []}))
    frame = polars.DataFrame({"row": range(rows)})
    write_table(frame, folder / "ledger.parquet")
    for k in range(2):
        write_table(frame, folder / "parts" / f"totals.smart.{k:04d}.part")
    return heptagrid.open_run(folder)


@pytest.mark.parametrize("name", ["g[1]", "q*", "r?", "~", "$HOME", "{a,b}", "s p", "x#y%20"])
def test_no_path_is_a_pattern(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for other in ("g1", "q7", "rr", "a", "b"):
        a_run(tmp_path / other, 1)
    run = a_run(Path(name), 3)
    assert (len(run.ledger), len(run.totals)) == (3, 6)
    with pytest.raises(OutputError, match="no table"):
        run.table("*")
    join_tables([run.folder / "ledger.parquet"] * 2, run.folder / "joined.parquet")
    assert len(read_table(run.folder / "joined.parquet")) == 6
    assert len(heptagrid.open_run("q7").ledger) == 1


@pytest.mark.parametrize(("kept", "said"), [(True, "is kept, marked partial"), (False, "nothing was written")])
def test_what_is_said_to_be_kept_is_there(tmp_path: Path, kept: bool, said: str) -> None:
    def fill_the_disk() -> None:
        with results_folder(tmp_path / "new", OUTER, force=False) as place:
            if kept:
                (place.work / OUTER.mark).write_text("{}")
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))

    with pytest.raises(OutputError, match=said):
        fill_the_disk()


def test_a_full_disk_is_an_error_of_the_operating_system_with_its_number(tmp_path: Path) -> None:
    """polars says so in words of its own; here a limit of the size of files stands for the disk."""
    script = (
        "import polars, resource, sys; from pathlib import Path; from heptagrid.foundation.frames import write_table, join_tables\n"
        "frame = polars.DataFrame({'x': range(10000)}); there = Path(sys.argv[1]); write_table(frame, there / 'a.parquet')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "for write in (lambda: write_table(frame, there / 'b'), lambda: join_tables([there / 'a.parquet'], there / 'c')):\n"
        "    try: write()\n"
        "    except OSError as problem: print(problem.errno)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["27", "27"], "EFBIG of Linux"
    assert [one.name for one in tmp_path.iterdir()] == ["a.parquet"], "nothing half is left"


def count_to(task: int, tick: Callable[[int], bool]) -> int:
    return sum(1 for k in range(task) if not tick(k))


def test_work_runs_outside_the_main_thread_and_leaves_signals_alone() -> None:
    before = signal.getsignal(signal.SIGINT)
    found: list[object] = []

    def work() -> None:
        found.append(jobs.run_tasks(count_to, [5, 3], [5, 3], 1, None))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [[5, 3]]
    assert signal.getsignal(signal.SIGINT) is before


class Freed:
    """Something whose end takes long enough to be interrupted; Python drops what is raised there."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


def test_an_interrupt_that_python_drops_is_raised_again() -> None:
    with pytest.raises(KeyboardInterrupt):
        drop_an_interrupt()


def drop_an_interrupt() -> None:
    with noted_interrupts() as interrupts:
        Freed()
        assert interrupts.count == 1
        for _ in range(100):
            time.sleep(0.1)
