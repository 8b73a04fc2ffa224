"""A receiver hears nothing while it acknowledges; times by hand.

Frames of 100 bytes at 100 kbit/s last 8 ms. One that begins at 0 is acknowledged, 2 ms after its end, from 10 to 20 ms.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.carry.networks import WORDS, carried
from tests.carry.reference import Message

MS = 1_000_000
MEDIUM = {"rate_bps": 1e5, "turnaround_s": 0.002, "ack_s": 0.01, "ack_wait_s": 0.02, "sense_m": 300, "interfere_m": 300}
METHODS: list[dict[str, Any]] = [
    {"access": "aloha"},
    {"access": "csma-ca", "exponents": [0, 0], "sense_s": 0.0},
    {"access": "slotted-aloha", "slot_s": 0.0001},
    {"access": "slotted-csma-ca", "exponents": [0, 0], "sense_s": 0.0, "slot_s": 0.0001},
]


def statuses(method: dict[str, Any], sends: list[tuple[float, int, int, int]]) -> list[str]:
    """What becomes of frames (begin in ms, from, to, bytes); 1, 3 and 4 are too far apart to hear each other, 2 between them."""
    places = [(0.0, 0.0), (200.0, 0.0), (400.0, 0.0), (600.0, 0.0), (400.0, 400.0)]
    nodes = [{"name": f"n{k}", "x_m": x, "y_m": y} for k, (x, y) in enumerate(places)]
    medium = {**MEDIUM, **method, "members": [node["name"] for node in nodes]}
    # Carrier sense begins a turnaround, or two looks on the grid of slots, after it was given the frame.
    lead_ms = {"csma-ca": 2.0, "slotted-csma-ca": 0.2}.get(method["access"], 0.0)
    messages = [
        Message(k, round((100.0 + at_ms - lead_ms) * MS), a, b, size) for k, (at_ms, a, b, size) in enumerate(sends)
    ]
    return [WORDS[one] for one in carried({"node": nodes, "medium": [medium]}, messages, 1).status]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: str(method["access"]))
@pytest.mark.parametrize(
    ("begin_ms", "size_bytes", "fate"),
    [
        (8.5, 12, "delivered"),  # over by 9.46 ms
        (9.0, 100, "collision"),
        (12.0, 12, "collision"),
        (19.9, 100, "collision"),
        (20.0, 100, "delivered"),
    ],
)
def test_a_frame_that_comes_while_its_receiver_acknowledges_is_lost(
    method: dict[str, Any], begin_ms: float, size_bytes: int, fate: str
) -> None:
    found = statuses(method, [(0.0, 1, 2, 100), (begin_ms, 3, 2, size_bytes)])
    assert found == ["delivered", fate]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: str(method["access"]))
def test_a_frame_that_was_lost_is_not_acknowledged_and_leaves_its_receiver_hearing(method: dict[str, Any]) -> None:
    found = statuses(method, [(0.0, 1, 2, 100), (0.0, 3, 2, 100), (12.0, 4, 2, 12)])
    assert found == ["collision", "collision", "delivered"]


def test_a_frame_to_another_receiver_is_not_lost_to_an_acknowledgement() -> None:
    found = statuses({"access": "aloha"}, [(0.0, 1, 0, 100), (12.0, 2, 3, 12)])
    assert found == ["delivered", "delivered"]


def test_a_frame_on_another_channel_is_lost_to_its_receivers_acknowledgement() -> None:
    """Two frames side by side on two channels: the end of the longer one falls into the acknowledgement of the shorter."""
    ends = set()
    for k in range(20):
        found = statuses({"access": "aloha", "channels": 20}, [(k * 0.1, 1, 2, 100), (k * 0.1 + 1.0, 3, 2, 120)])
        ends.add(tuple(found))
    assert ("delivered", "collision") in ends
    assert ("delivered", "delivered") not in ends
