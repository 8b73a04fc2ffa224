"""The pytest plug-in: `heptagrid_grid`, and what it is started with from the command line or `pytest.ini`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from heptagrid.testing.grid import GridUnderTest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare what the fixture is started with."""
    parser.addini("heptagrid_scenario", "scenario of the fixture heptagrid_grid: a name or a file", default="lane")
    parser.addini("heptagrid_at", "when it begins, such as 2016-07-04T18:00", default="2016-07-04T18:00")
    parser.addini("heptagrid_protocols", "protocols that it opens, each on a free port", type="args", default=[])
    parser.addini("heptagrid_settings", "keys of the scenario that are set, such as vehicles.share=0.9", "args", [])


@pytest.fixture(scope="session")
def heptagrid_options(pytestconfig: pytest.Config) -> dict[str, Any]:
    """What `heptagrid_grid` is started with, as `live_grid` takes it; a project overrides this fixture where `pytest.ini` is not enough."""
    return {
        "scenario": pytestconfig.getini("heptagrid_scenario"),
        "at": pytestconfig.getini("heptagrid_at"),
        "protocols": dict.fromkeys(pytestconfig.getini("heptagrid_protocols"), 0),
        "settings": tuple(pytestconfig.getini("heptagrid_settings")),
    }


@pytest.fixture(scope="session")
def heptagrid_grid(heptagrid_options: dict[str, Any]) -> Iterator[GridUnderTest]:
    """A grid whose time stands still until a test lets it go on; one for the whole session."""
    from heptagrid.testing.grid import live_grid

    with live_grid(**heptagrid_options) as grid:
        yield grid
