"""A city's areas on two nodes of a Ray cluster: the tables are those of one process, byte for byte, also when a process is lost on the way."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from heptagrid.cli import main
from heptagrid.foundation.ray_place import RayPlace
from heptagrid.scenario.schema import Scenario
from heptagrid.simulation.simulation import Simulation
from tests.simulation.test_shards import city, hashes, whole

__all__ = ["city", "whole"]
pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("default")]  # Ray's own warnings are not ours


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Two nodes on this machine, with a processor each."""
    pytest.importorskip("ray", reason="NOT RUN: Ray is not installed (heptagrid[ray])")
    from ray.cluster_utils import Cluster

    settings: dict[str, Any] = {"num_cpus": 1, "include_dashboard": False, "object_store_memory": 200_000_000}
    cluster = Cluster(initialize_head=True, head_node_args=settings)
    cluster.add_node(num_cpus=1, object_store_memory=200_000_000)
    yield cluster.address
    import ray

    ray.shutdown()
    cluster.shutdown()


def test_two_nodes_come_to_the_tables_of_one_process_though_a_process_is_lost(
    city: Scenario, whole: dict[str, str], address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[RayPlace] = []

    def start() -> RayPlace:
        started.append(RayPlace(address))
        return started[-1]

    def kill(simulation: Simulation, steps: int) -> None:
        if steps == 120:
            started[1].end()

    monkeypatch.setattr("heptagrid.simulation.simulation.ProcessPlace", start)
    assert hashes(city, tmp_path / "parts", 2, kill) == whole
    assert len({one.node for one in started[:2]}) == 2, "each on a node of its own"
    assert len(started) == 3, "one took the place of the lost one"


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nowhere"])
def test_a_cluster_that_is_not_there_is_refused(address: str, tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="NOT RUN: Ray is not installed (heptagrid[ray])")
    words = ["run", "city", "--customers", "50000", "--shards", "2", "--cluster", address, "--out", str(tmp_path / "x")]
    found = subprocess.run([sys.executable, "-m", "heptagrid", *words], capture_output=True, text=True, timeout=120)
    assert found.returncode == 2
    assert f"nobody answers at {address} (host:port); start one with `ray start --head`" in found.stderr
    assert not (tmp_path / "x").exists()


def test_ray_that_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    found = CliRunner().invoke(main, ["run", "city", "--shards", "2", "--cluster"])
    assert found.exit_code == 2
    assert 'pip install "heptagrid[ray]"' in found.output


def test_a_cluster_without_shards_is_refused() -> None:
    found = CliRunner().invoke(main, ["run", "city", "--cluster"])
    assert found.exit_code == 2
    assert "say how many (--shards)" in found.output
