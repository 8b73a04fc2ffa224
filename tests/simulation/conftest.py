"""What several tests of simulations use."""

from __future__ import annotations

from pathlib import Path

import pytest

import heptagrid
from heptagrid.assembly.own_feeder import on_feeder, read_feeder
from heptagrid.scenario.schema import Scenario
from tests.conftest import LANE


@pytest.fixture(scope="session")
def lane(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    """The small feeder as a scenario, in quarter hours."""
    scenario = heptagrid.load("town", ["run.step_s=900"])
    return on_feeder(scenario, read_feeder(scenario, Path(LANE)), Path(LANE), tmp_path_factory.mktemp("lane"))
