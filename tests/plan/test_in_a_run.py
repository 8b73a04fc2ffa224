"""A scenario that names a plan has its sites, and its gateways take the planned hops; slips are named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from heptagrid.assembly.world import World, build_world
from heptagrid.foundation.errors import FileError
from heptagrid.planes.messages.links import CLASS_NAMES
from heptagrid.scenario.load import load
from heptagrid.studies.plan.api import Plans, plan

CITY = ["city.customers=600", "plan.meters_per_site=200"]
TECHNOLOGIES = ("wi-sun-50k", "lorawan")


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plans, Path]:
    folder = tmp_path_factory.mktemp("plans") / "p"
    return plan("city", TECHNOLOGIES, settings=CITY, out=folder), folder


def _world(technology: str, folder: Path, *more: str) -> World:
    named = [f"messages.access.technology={technology}", f"messages.access.plan={folder}"]
    return build_world(load("city", [*CITY, *named, *more]))


@pytest.mark.parametrize("number", [0, 1])
def test_gateways_take_the_planned_hops(planned: tuple[Plans, Path], number: int) -> None:
    found, folder = planned
    one = found.planned[number].plan
    world = _world(TECHNOLOGIES[number], folder / TECHNOLOGIES[number])
    edges, gateways, served = world.plan.topology.edges, world.plan.gateways, one.served
    assert world.plan.access_sites.tolist() == world.plan.site_links.tolist() == [len(one.place)]
    assert edges.loss[gateways[served]] == pytest.approx(one.error[served], abs=1e-9)
    relayed = served[one.cover.parent[served] >= 0]
    assert (edges.parent[gateways[relayed]] == gateways[one.cover.parent[relayed]]).all()
    direct = served[one.cover.parent[served] < 0]
    sites = edges.parent[gateways[direct]]
    assert len(np.unique(sites)) == len(one.place)
    up = world.plan.topology.port_class[edges.up_port[np.unique(sites)]]
    assert {CLASS_NAMES[k] for k in up.tolist()} == {"backhaul"}


def test_slips_are_named(planned: tuple[Plans, Path], tmp_path: Path) -> None:
    _, folder = planned
    with pytest.raises(FileError, match=r"a plan for lorawan, and messages\.access\.technology is wi-sun-50k"):
        _world("wi-sun-50k", folder / "lorawan")
    with pytest.raises(FileError, match="a plan for 600 meters, and the network has 500"):
        _world("lorawan", folder / "lorawan", "city.customers=500")
    with pytest.raises(FileError, match="cannot be read"):
        _world("lorawan", tmp_path / "lorawan")
