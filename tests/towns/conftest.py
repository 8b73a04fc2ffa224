"""A scenario of two towns: the built-in one twice, on two buses, with two access technologies."""

from __future__ import annotations

from pathlib import Path

import pytest

import heptagrid
from heptagrid.recording.results import Run
from heptagrid.scenario.load import load
from heptagrid.scenario.schema import Scenario
from tests.conftest import shared_run


@pytest.fixture(scope="session")
def two_towns() -> Scenario:
    return load("two-towns", ["run.step_s=900"])


@pytest.fixture(scope="session")
def two_towns_day(tmp_path_factory: pytest.TempPathFactory) -> Run:
    def make(out: Path) -> Run:
        return heptagrid.run("two-towns", step_s=900, threads=1, out=out)

    return shared_run("two_towns_day", tmp_path_factory, make)
