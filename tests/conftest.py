"""Runs that several tests look at; each is made once."""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest

import heptagrid
from heptagrid.recording.results import Run

# Kernels are compiled at their first use, which takes longer than an example may by default.
hypothesis.settings.register_profile("heptagrid", deadline=None)
hypothesis.settings.load_profile("heptagrid")

STEP_S = 300  # coarser than the default, for time's sake; messages keep exact times all the same


@pytest.fixture(scope="session")
def day(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The default day, both arms."""
    return shared_run("day", tmp_path_factory, lambda out: heptagrid.run("town", step_s=STEP_S, threads=2, out=out))


@pytest.fixture(scope="session")
def broken_day(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The default day with a dead access network."""
    dead = {"access": 1.0}
    return shared_run(
        "broken",
        tmp_path_factory,
        lambda out: heptagrid.run("town", step_s=STEP_S, threads=2, break_=dead, out=out),
    )


def shared_run(name: str, tmp_path_factory: pytest.TempPathFactory, make: Callable[[Path], Run]) -> Run:
    """A run that one of the test processes makes and every one of them reads."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    out = root / name / "run"
    out.parent.mkdir(exist_ok=True)
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return heptagrid.open_run(out) if out.exists() else make(out)


@pytest.fixture(scope="session")
def town_folder() -> Path:
    """The town's data."""
    return Path(heptagrid.__file__).parent / "scenario/data/town"


def heed_interrupts() -> None:
    """In a child about to start: an interrupt counts, though the tests themselves may run where it is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
