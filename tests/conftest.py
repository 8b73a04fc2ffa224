"""Runs that several tests look at; each is made once."""

from __future__ import annotations

import signal
from pathlib import Path

import hypothesis
import pytest

import heptagrid
from heptagrid.engine.results import Run

# Kernels are compiled at their first use, which takes longer than an example may by default.
hypothesis.settings.register_profile("heptagrid", deadline=None)
hypothesis.settings.load_profile("heptagrid")

STEP_S = 300  # coarser than the default, for time's sake; messages keep exact times all the same


@pytest.fixture(scope="session")
def day(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The default day, both arms."""
    return heptagrid.run("town", step_s=STEP_S, threads=2, out=tmp_path_factory.mktemp("day") / "run")


@pytest.fixture(scope="session")
def broken_day(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The default day with a dead access network."""
    out = tmp_path_factory.mktemp("broken") / "run"
    return heptagrid.run("town", step_s=STEP_S, threads=2, break_={"access": 1.0}, out=out)


@pytest.fixture(scope="session")
def town_folder() -> Path:
    """The town's data."""
    return Path(heptagrid.__file__).parent / "scenario/data/town"


def heed_interrupts() -> None:
    """In a child about to start: an interrupt counts, though the tests themselves may run where it is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
