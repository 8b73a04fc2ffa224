"""Wi-SUN: round trips over one to five hops, measured by Texas Instruments on a mesh of 96 routers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from heptagrid.planes.messages.tables import Floats, Ints
from heptagrid.studies.carry.api import carry_messages
from heptagrid.studies.carry.network_file import build_network
from heptagrid.studies.carry.traffic_file import Traffic
from heptagrid.validate.case import Finding, case

SOURCE = "Texas Instruments, application report SWRA714A (2023), tables 8 and 9"
ROUTERS = (32, 16, 12, 20, 16)
"""Routers that are 1, 2, ... hops away from the border router."""
MEASURED_S = (0.373, 0.471, 0.574, 0.760, 0.899)
"""Mean round trip of a ping of 50 bytes to those."""

_HOP_M, _RANGE_M = 250.0, 320.0
_WIRE_BYTES = 50 + 8 + 40  # what is pinged, ICMPv6 and IPv6
_EVERY_NS = 5_000_000_000  # one ping at a time
_TIMES = 3
_TOLERANCE = 0.2


def round_trips_s(technology: str) -> Floats:
    """(5,) mean round trips over one to five hops of a mesh as TI's, pinged from the border router, one router after another."""
    ring = np.repeat(np.arange(1, 1 + len(ROUTERS)), ROUTERS)
    y_m = np.concatenate([4.0 * (np.arange(count) - count / 2) for count in ROUTERS])
    names = [str(node) for node in range(1 + len(ring))]
    places: list[dict[str, object]] = [{"name": names[0]}]
    places += [
        {"name": name, "x_m": _HOP_M * hops, "y_m": y}
        for name, hops, y in zip(names[1:], ring, y_m.tolist(), strict=True)
    ]
    medium = {"technology": technology, "range_m": _RANGE_M, "members": names}
    network = build_network({"node": places, "medium": [medium]}, "a validation case")
    router = np.tile(1 + np.arange(len(ring)), _TIMES)
    border = np.zeros_like(router)
    sent_ns = _EVERY_NS * np.arange(len(router))

    def carried(when_ns: Ints, source: Ints, destination: Ints) -> Ints:
        size = np.full(len(when_ns), _WIRE_BYTES)
        traffic = Traffic(when_ns, source, destination, size, np.zeros_like(size), table=None)
        return carry_messages(network, traffic, "a validation case", seed=1).delivered_ns

    there_ns = carried(sent_ns, border, router)
    back_ns = carried(there_ns[there_ns >= 0], router[there_ns >= 0], border[there_ns >= 0])
    trip_s = (back_ns - sent_ns[there_ns >= 0]) * 1e-9
    hops = np.tile(ring, _TIMES)[there_ns >= 0]
    return np.array([trip_s[(hops == k) & (back_ns >= 0)].mean() for k in range(1, 1 + len(ROUTERS))])


@case("wi-sun-round-trips", plane="messages", kind="band", source=SOURCE)
def wi_sun_round_trips(live: bool) -> Iterator[Finding]:
    """The stack's time comes from the first hop of the same table; hops 2 to 5 are the test."""
    for hops, (expected_s, found_s) in enumerate(zip(MEASURED_S, round_trips_s("wi-sun-50k"), strict=True), start=1):
        name = f"round trip over {hops} hop{'s' if hops > 1 else ', which sets the time of the stack'}, s"
        yield Finding(name, expected_s, float(found_s), _TOLERANCE, relative=True)
