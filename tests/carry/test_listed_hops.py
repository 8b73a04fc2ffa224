"""Hops that a file lists: they alone are there, with their own losses, and slips in them are named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from heptagrid.foundation.errors import FileError
from heptagrid.studies.carry.api import Carried, carry_messages
from heptagrid.studies.carry.network_file import build_network
from heptagrid.studies.carry.traffic_file import Traffic

NODES = [{"name": "site"}, {"name": "near", "x_m": 10.0}, {"name": "far", "x_m": 20.0}]


def _mesh(*hops: dict[str, Any], technology: str = "wi-sun-50k") -> dict[str, Any]:
    medium = {"name": "m", "technology": technology, "members": ["site", "near", "far"]}
    return {"node": NODES, "medium": [medium], "hop": [{"medium": "m"} | hop for hop in hops]}


def _sent(content: dict[str, Any], source: int, count: int = 1) -> Carried:
    sent_ns = np.arange(count) * 10_000_000_000
    size = np.full(count, 40)
    traffic = Traffic(sent_ns, np.full(count, source), np.zeros(count, dtype=int), size, 0 * size, table=None)
    return carry_messages(build_network(content, "a test"), traffic, "a test", seed=1)


def test_paths_take_the_hops_that_are_listed_and_no_others() -> None:
    straight = _sent(_mesh({"from": "near", "to": "site"}, {"from": "far", "to": "site"}), 2)
    relayed = _sent(_mesh({"from": "near", "to": "site"}, {"from": "far", "to": "near"}), 2)
    assert (straight.hops[0], relayed.hops[0]) == (1, 2)
    alone = _sent(_mesh({"from": "near", "to": "site"}), 2)
    assert alone.summary()["uncovered"] == 1 and alone.uncovered == ("far",)


def test_a_hops_loss_is_its_own() -> None:
    """LoRaWAN sends nothing again; besides the hop's loss the technology loses 1 %."""
    content = _mesh(
        {"from": "near", "to": "site", "loss": 0.3, "spreading": 7}, {"from": "far", "to": "site"}, technology="lorawan"
    )
    told = _sent(content, 1, 2000).summary()
    assert told["delivered"] / 2000 == pytest.approx(0.7 * 0.99, abs=4.0 * np.sqrt(0.3 * 0.7 / 2000))


def test_a_slow_spreading_factor_takes_longer() -> None:
    content = _mesh(
        {"from": "near", "to": "site", "spreading": 7},
        {"from": "far", "to": "site", "spreading": 12},
        technology="lorawan",
    )
    fast, slow = (float(_sent(content, who).delivered_ns[0]) for who in (1, 2))
    assert slow > 10.0 * (fast - 1e8) > 0.0


def test_slips_are_named_all_at_once() -> None:
    content = _mesh(
        {"from": "near", "to": "near"},
        {"from": "near", "to": "site", "loss": 0.7},
        {"from": "near", "to": "site", "spreading": 7},
    )
    content["hop"] += [{"medium": "n", "from": "near", "to": "site"}, {"medium": "m", "from": "near", "to": "outside"}]
    content["node"] = [*NODES, {"name": "outside"}]
    with pytest.raises(FileError) as told:
        build_network(content, "a test")
    for said in (
        "both 'near'",
        "loss is 0.7",
        "medium is 'n'",
        "'outside' is not among the members",
        "no spreading factors",
    ):
        assert said in str(told.value)
