"""The scenario of live tests."""

from __future__ import annotations

from pathlib import Path

import pytest

import heptagrid
from heptagrid.scenario.schema import Scenario


@pytest.fixture(scope="session")
def lane(lane_file: Path) -> Scenario:
    """Seventeen customers on a lane."""
    return heptagrid.load(lane_file)
