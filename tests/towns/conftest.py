"""A scenario of two towns: the built-in one twice, on two buses, with two access technologies."""

from __future__ import annotations

import pytest

from heptagrid.scenario.load import load
from heptagrid.scenario.schema import Scenario


@pytest.fixture(scope="session")
def two_towns() -> Scenario:
    return load("two-towns", ["run.step_s=900"])
