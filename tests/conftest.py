"""Runs that several tests look at; each is made once."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

import heptagrid
from heptagrid.assembly.own_feeder import on_feeder, read_feeder
from heptagrid.recording.results import Run

if TYPE_CHECKING:
    from heptagrid.scale.sweep import Sweep

# Kernels are compiled at their first use, which takes longer than an example may by default.
hypothesis.settings.register_profile("heptagrid", deadline=None)
hypothesis.settings.load_profile("heptagrid")

LANE = Path(__file__).parent / "cases/lane/lane.dss"
STEP_S = 300  # coarser than the default, for time's sake; messages keep exact times all the same


@pytest.fixture(scope="session")
def day(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The default day, both arms."""
    return shared_run("day", tmp_path_factory, lambda out: heptagrid.run("town", step_s=STEP_S, threads=2, out=out))


@pytest.fixture(scope="session")
def broken_day(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The default day with a dead access network, in one process: its other two arms are those of `day` again."""
    dead = {"access": 1.0}
    return shared_run(
        "broken",
        tmp_path_factory,
        lambda out: heptagrid.run("town", step_s=STEP_S, threads=1, break_=dead, out=out),
    )


@pytest.fixture(scope="session")
def lane_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scenario of seventeen customers, for what does not depend on the town's size: its runs take a tenth of the time."""
    with locked("lane", tmp_path_factory) as root:
        file = root / "lane.toml"
        if not file.exists():
            town = heptagrid.load("town")
            on_feeder(town, read_feeder(town, LANE), LANE, root / "network")
            file.write_text(f'name = "lane"\nnetwork = {str(root / "network")!r}\n', encoding="utf-8")
    return file


@pytest.fixture(scope="session")
def lane_day(lane_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A day of it in quarter hours, both arms."""
    return shared_run(
        "lane_day", tmp_path_factory, lambda out: heptagrid.run(lane_file, step_s=900, threads=1, out=out)
    )


@pytest.fixture(scope="session")
def two_towns_day(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A day of the built-in scenario of two towns, two retailers and two aggregators in quarter hours, both arms."""
    return shared_run(
        "two_towns_day", tmp_path_factory, lambda out: heptagrid.run("two-towns", step_s=900, threads=1, out=out)
    )


def shared_run(name: str, tmp_path_factory: pytest.TempPathFactory, make: Callable[[Path], Run]) -> Run:
    """A run that one of the test processes makes and every one of them reads."""
    with locked(name, tmp_path_factory) as root:
        out = root / "run"
        return heptagrid.open_run(out) if out.exists() else make(out)


def shared_sweep(name: str, tmp_path_factory: pytest.TempPathFactory, make: Callable[[Path], Sweep]) -> Sweep:
    """A sweep that one of the test processes makes; each of them has a copy, in which nothing is left to do."""
    with locked(name, tmp_path_factory) as root:
        if not (root / "sweep/sweep.json").exists():
            make(root / "sweep")
    own = tmp_path_factory.mktemp(f"own-{name}") / "sweep"
    shutil.copytree(root / "sweep", own)
    return make(own)


@contextmanager
def locked(name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder that all test processes share, and one at a time has."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    (root / name).mkdir(exist_ok=True)
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield root / name


WHOLE_RUNS = {"day", "broken_day", "lane_file", "lane_day", "lane", "two_towns_day"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What looks at a whole run takes as long as the run, for whoever is the first to ask for it."""
    for item in items:
        if isinstance(item, pytest.Function) and not WHOLE_RUNS.isdisjoint(item.fixturenames):
            item.add_marker(pytest.mark.long)


@pytest.fixture(scope="session")
def town_folder() -> Path:
    """The town's data."""
    return Path(heptagrid.__file__).parent / "scenario/data/town"


def heed_interrupts() -> None:
    """In a child about to start: an interrupt counts, though the tests themselves may run where it is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
