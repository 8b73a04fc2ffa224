"""LoRaWAN in `carry` speaks at the spreading factor of the distance, as in the town."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from heptagrid.planes.messages.technologies.lorawan import star
from heptagrid.validate.plain_lorawan import airtime_s, delivered
from tests.carry.networks import WORDS, carried
from tests.carry.reference import Message

S = 1_000_000_000
METERS, READINGS, BYTES = 1000, 4, 20


def around(far_m: np.ndarray, angle: np.ndarray, **medium: Any) -> dict[str, Any]:
    nodes: list[dict[str, Any]] = [{"name": "g"}]
    nodes += [
        {"name": f"d{k}", "x_m": far_m[k] * np.cos(angle[k]), "y_m": far_m[k] * np.sin(angle[k])}
        for k in range(len(far_m))
    ]
    names = [node["name"] for node in nodes]
    return {"node": nodes, "medium": [{"technology": "lorawan", "loss": 0.0, "members": names, **medium}]}


@pytest.mark.parametrize(("radius_m", "published"), [(1000.0, 0.969), (2000.0, 0.933), (2500.0, 0.805)])
def test_delivery_over_the_radius_is_that_of_pure_aloha_with_capture(radius_m: float, published: float) -> None:
    """1,000 meters, 20 bytes every 15 minutes; within 2 % of what was found elsewhere and of the plain simulation."""
    random = np.random.default_rng(7)
    far_m, angle = radius_m * np.sqrt(random.random(METERS)), 2.0 * np.pi * random.random(METERS)
    sent_s = random.uniform(0.0, 900.0, (READINGS, METERS)) + 900.0 * np.arange(READINGS)[:, None]
    device = np.tile(np.arange(METERS), READINGS)
    order = np.argsort(sent_s.ravel())
    messages = [Message(row, round(sent_s.flat[k] * S), 1 + int(device[k]), 0, BYTES) for row, k in enumerate(order)]
    found = carried(around(far_m, angle), messages, 1)
    share = float(np.mean(found.delivered_ns >= 0))
    plain = np.mean(
        [delivered(far_m.tolist(), sent_s.ravel().tolist(), device.tolist(), BYTES, seed) for seed in range(3)]
    )
    assert share == pytest.approx(plain, abs=0.02)
    assert share == pytest.approx(published, abs=0.02)


@pytest.mark.parametrize("factor", range(7, 13))
def test_a_key_sets_the_spreading_factor(factor: int) -> None:
    """The uplink lasts its time on air, 0.1 s to the network server, and 334 ns over 100 m."""
    found = carried(around(np.array([100.0]), np.zeros(1), spreading=factor), [Message(0, 0, 1, 0, BYTES)], 1)
    assert found.delivered_ns[0] == pytest.approx(1e9 * (airtime_s(BYTES + 13, factor) + 0.1) + 334, abs=2)


def test_a_factor_beyond_its_reach_is_uncovered() -> None:
    """Factor 7 needs -124 dBm: 14 - 31.2 - 35 lg d falls below it at 1,126 m, where a frame in ten is lost."""
    for far_m, word in ((900.0, "delivered"), (2000.0, "uncovered")):
        found = carried(around(np.array([far_m]), np.zeros(1), spreading=7), [Message(0, 0, 1, 0, BYTES)], 1)
        assert WORDS[found.status[0]] == word


def test_the_planner_takes_the_least_factor_with_three_decibels_to_spare() -> None:
    """Received 14 - 31.2 - 35 lg d; 3 dB above the sensitivities at 924, 1126, 1371, 1671, 1905 m."""
    ends_m = [10.0 ** ((14.0 - 31.2 + needed - 3.0) / 35.0) for needed in (124.0, 127.0, 130.0, 133.0, 135.0)]
    found = star(np.array([each for end in ends_m for each in (end - 1.0, end + 1.0)]))
    assert found.spreading.tolist() == [7, 8, 8, 9, 9, 10, 10, 11, 11, 12]
    assert found.frame_error[::2] == pytest.approx(1.0 / 91.0, abs=0.001)  # 3 dB: ten times better than one in ten
