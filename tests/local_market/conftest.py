"""The small feeder with a local market below each of its transformers, and vehicles enough to fill them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import heptagrid
from heptagrid.assembly.own_feeder import on_feeder, read_feeder
from heptagrid.scenario.load import revised
from heptagrid.scenario.schema import Scenario
from tests.conftest import LANE

SETTINGS = ["run.step_s=300", "vehicles.share=1", "gateways.enrolled_share=1", "local_market.enabled=true"]
Street = Callable[..., Scenario]


@pytest.fixture(scope="session")
def street(tmp_path_factory: pytest.TempPathFactory) -> Street:
    """The scenario, with further settings on top."""
    pytest.importorskip("dss", reason="reading OpenDSS scripts needs dss-python")
    town = heptagrid.load("town", SETTINGS)
    scenario = on_feeder(town, read_feeder(town, LANE), Path(LANE), tmp_path_factory.mktemp("street"))
    return lambda *settings: revised(scenario, settings) if settings else scenario
