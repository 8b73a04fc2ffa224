"""A city's areas shared out over processes: the tables are those of one process, byte for byte, also when a process is lost on the way."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from heptagrid.foundation.errors import UsageError
from heptagrid.foundation.process_place import ProcessPlace
from heptagrid.scenario.load import load
from heptagrid.scenario.schema import Scenario
from heptagrid.simulation.simulation import Simulation

AREAS = """
[run]
step_s = 900
[towns.area-1]
customers = 160
area = 0
[towns.area-2]
customers = 140
area = 1
east_km = 8.0
[towns.area-3]
customers = 150
area = 2
north_km = 8.0
"""


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    """Three small areas of a city."""
    path = tmp_path_factory.mktemp("city") / "areas.toml"
    path.write_text(AREAS, encoding="utf-8")
    return load(path)


def hashes(
    scenario: Scenario, parts: Path, shards: int = 1, after: Callable[[Simulation, int], None] | None = None
) -> dict[str, str]:
    """The hash of each table's parts, and of what the arm came to. after: is called after each step."""
    parts.mkdir()
    simulation = Simulation(scenario, "smart", parts=parts, shards=shards)
    simulation.begin()
    while simulation.step():
        if after is not None:
            after(simulation, simulation.steps_done)
    result = simulation.finish()
    found = {one.name: sha256(one.read_bytes()).hexdigest() for one in sorted(parts.iterdir())}
    assert result.messages is not None and result.messages.residual == 0
    figures = result.energy, result.extremes, result.messages, result.money.by_domain, result.bills_eur, result.metering
    return found | {"figures": sha256(repr(figures).encode()).hexdigest()}


@pytest.fixture(scope="module")
def whole(city: Scenario, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return hashes(city, tmp_path_factory.mktemp("whole") / "parts")


@pytest.mark.long
def test_two_processes_come_to_the_tables_of_one_though_one_of_them_is_lost(
    city: Scenario, whole: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[ProcessPlace] = []

    class Noted(ProcessPlace):
        def __init__(self) -> None:
            super().__init__()
            started.append(self)

    monkeypatch.setattr("heptagrid.simulation.simulation.ProcessPlace", Noted)

    def kill(simulation: Simulation, steps: int) -> None:
        if steps == 120:
            assert started[1].process.pid is not None
            os.kill(started[1].process.pid, signal.SIGKILL)

    assert hashes(city, tmp_path / "parts", 2, kill) == whole
    assert len(started) == 3, "one took the place of the lost one"
    assert not any(one.process.is_alive() for one in started), "and none is left over"


def test_more_processes_than_areas_are_refused(city: Scenario) -> None:
    with pytest.raises(UsageError, match="--shards 4: areas has 3 areas; give it more customers"):
        Simulation(city, shards=4).begin()


def test_what_is_no_city_is_not_shared_out() -> None:
    with pytest.raises(UsageError, match="is no city of several areas; take one process"):
        Simulation(load("town"), shards=2).begin()
