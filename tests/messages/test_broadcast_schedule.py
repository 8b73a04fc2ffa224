"""A mesh with a broadcast schedule: when unicast frames may be sent, and the time that both ends' stacks take."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from heptagrid.foundation.errors import FileError
from heptagrid.studies.carry.api import Carried
from heptagrid.validate.messages_wi_sun import MEASURED_S, round_trips_s
from tests.carry.networks import carried
from tests.carry.reference import Message

MS = 1_000_000

# No back-off (exponents 0), 1 ms each for a look and the turnaround, no acknowledgement: a frame of 20 ms begins 2 ms after it
# came. Every second begins with 250 ms for broadcasts.
BARE = {
    "access": "csma-ca",
    "rate_bps": 50_000,
    "exponents": [0, 0],
    "sense_s": 0.001,
    "turnaround_s": 0.001,
    "ack_s": 0.0,
}
SCHEDULE = {"broadcast_interval_s": 1.0, "broadcast_dwell_s": 0.25}


def line(sent_ms: list[float], to: int = 1, size_bytes: int = 125, **settings: Any) -> Carried:
    """Messages of node 0 to another of a line of three nodes 100 m apart, of which neighbours hear each other."""
    names = ["a", "b", "c"]
    medium = {"members": names, "range_m": 100.0, **BARE, **settings}
    nodes = [{"name": name, "x_m": 100.0 * k} for k, name in enumerate(names)]
    messages = [Message(k, round(at * MS), 0, to, size_bytes) for k, at in enumerate(sent_ms)]
    return carried({"node": nodes, "medium": [medium]}, messages, 1)


def arrived_ms(found: Carried) -> list[float]:
    return [round(at / MS, 2) for at in found.delivered_ns.tolist()]


def test_a_frame_waits_for_the_end_of_the_broadcast_dwell() -> None:
    sent = [100.0, 500.0, 1900.0, 2970.0]
    # A look that ends within the dwell, at 101 ms, is taken again 1 ms after its end: 250 + 1 + 1 + 20 ms. From 500 and 1900 ms
    # nothing is in the way. At 2970 ms the frame would end at 2992 ms, before the dwell.
    assert arrived_ms(line(sent, **SCHEDULE)) == [272.0, 522.0, 1922.0, 2992.0]
    assert arrived_ms(line(sent)) == [122.0, 522.0, 1922.0, 2992.0], "no schedule, no wait"


def test_a_frame_that_would_run_into_the_broadcast_dwell_waits_for_its_end() -> None:
    # From 985 ms the frame would end at 1007 ms, 7 ms into the dwell; it goes after 1250 ms.
    assert arrived_ms(line([985.0], **SCHEDULE)) == [1272.0]
    # With an acknowledgement of 10 ms that would be sent up to 1003 ms, so does the one that ends at 992 ms.
    assert arrived_ms(line([970.0], **SCHEDULE, **{"ack_s": 0.01, "ack_wait_s": 0.02})) == [1272.0]


def test_a_frame_that_fits_between_no_two_dwells_is_sent_outside_them() -> None:
    # 5,000 bytes take 800 ms; 750 ms lie between two dwells.
    assert arrived_ms(line([100.0, 5600.0], size_bytes=5000, **SCHEDULE)) == [1052.0, 6402.0]


def test_a_dwell_that_leaves_no_time_between_two_is_refused() -> None:
    with pytest.raises(FileError, match="broadcast_dwell_s is 1; it must be less than broadcast_interval_s, 1"):
        line([0.0], broadcast_interval_s=1.0, broadcast_dwell_s=1.0)


def test_the_time_of_the_stack_counts_once_for_a_message_however_many_hops_it_takes() -> None:
    for to in (1, 2):
        plain, slow = arrived_ms(line([500.0], to)), arrived_ms(line([500.0], to, stack_s=0.1))
        assert slow == [plain[0] + 100.0]


def test_wi_sun_takes_as_long_as_was_measured_over_one_to_five_hops() -> None:
    """Texas Instruments SWRA714A, table 8. The first hop sets the stack's time; the others are 4 % above to 18 % below."""
    found = round_trips_s("wi-sun-50k") / np.array(MEASURED_S)
    assert abs(found[0] - 1.0) < 0.08
    assert ((found > 0.82) & (found < 1.04)).all()
    assert (np.diff(found * np.array(MEASURED_S)) > 0.05).all()
