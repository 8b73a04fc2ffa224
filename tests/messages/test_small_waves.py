"""Rows of a small wave are those of one that is remembered, and so is what the network counts of it."""

from __future__ import annotations

import numpy as np
import pytest

from heptagrid.foundation.domains import Domain, Kind
from heptagrid.planes.messages import plane as module
from heptagrid.planes.messages.plane import MessagePlane
from tests.messages.test_plane import random_tree


@pytest.mark.parametrize("kind", [Kind.TELEMETRY, Kind.SETPOINT])
@pytest.mark.parametrize("case", range(10))
def test_small_waves_have_the_rows_of_those_that_are_remembered(
    kind: Kind, case: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(case)
    network = random_tree(rng, gateways=12, concentrators=3)
    planes = MessagePlane(network, seed=1), MessagePlane(network, seed=1)
    for _ in range(4):
        count = int(rng.integers(1, 30))
        ends = rng.integers(0, network.places, (2, count))
        sent_ns = 10 + rng.integers(0, 5, count)  # some leave together
        for few, plane in zip((module.FEW, 0), planes, strict=True):
            monkeypatch.setattr(module, "FEW", few)
            plane.send(kind, ends[0], ends[1], sent_ns, sender=Domain.CUSTOMERS, receiver=Domain.OPERATIONS)
    small, remembered = planes
    for one, other in zip(small._waves, remembered._waves, strict=True):
        np.testing.assert_array_equal(one.rows(), other.rows())
    np.testing.assert_array_equal(small.crossed, remembered.crossed)
    np.testing.assert_array_equal(small._numbers, remembered._numbers)
    for plane in planes:
        plane.advance(10**12)
    np.testing.assert_array_equal(small.arrived, remembered.arrived)
