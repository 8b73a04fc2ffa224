"""Acknowledgements over LoRaWAN in the town: in the windows of their readings, or dropped; capacities by hand.

A signed acknowledgement of 116 bytes and 13 of headers lasts 0.210 s at factor 7 (AN1200.13, no checksum), so that a gateway may begin
one every 21.0 s in first windows; it does not fit the 51 bytes of a second window.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from heptagrid.contracts.kinds import FACTS
from heptagrid.foundation.domains import Domain, Kind
from heptagrid.planes.messages import tables as t
from heptagrid.planes.messages.links import Access, Backhaul, Wan
from heptagrid.planes.messages.plane import MessagePlane
from heptagrid.planes.messages.planning.base_stations import EARTH_RADIUS_M
from heptagrid.planes.messages.planning.network_planner import plan_network
from heptagrid.planes.messages.planning.planned_network import Plan
from heptagrid.validate.plain_lorawan import airtime_s, downlink_s

S = 1_000_000_000
METERS, EVERY_S = 60, 4.0
ACK_S = downlink_s(116 + 13, 7)
ONCE = {kind: replace(facts, retries=0) for kind, facts in FACTS.items()}


def plan() -> Plan:
    """Meters 100 m around one gateway at a substation; fibre behind it."""
    angle = 2.0 * np.pi * np.arange(METERS) / METERS
    gateways = np.degrees(100.0 / EARTH_RADIUS_M * np.column_stack([np.cos(angle), np.sin(angle)]))
    middle = np.zeros((1, 2))
    ends = gateways, np.zeros(METERS, dtype=np.int64), middle, np.array([0]), middle
    links = [Access(technology="lorawan")], [Backhaul(technology="fibre")], Wan(technology="fibre")
    return plan_network(*ends, {"operations": (0.0, 0.0)}, *links)


def test_readings_are_acknowledged_in_their_windows_as_often_as_the_gateway_may_send() -> None:
    """A reading every 4 s for 240 s. 11 or 12 acknowledgements can be sent, those of every sixth reading, and all others are dropped."""
    town = plan()
    plane = MessagePlane(town.topology, 1, facts=ONCE)
    sent_ns = np.rint(np.arange(METERS) * EVERY_S * S).astype(np.int64)
    to = np.full(METERS, town.sites["operations"])
    plane.send(
        Kind.METER_READING,
        town.gateways,
        to,
        sent_ns,
        sender=Domain.CUSTOMERS,
        receiver=Domain.OPERATIONS,
        payload_bytes=20,
    )
    plane.advance(3600 * S)
    arrived_ns, answered = dict(plane.arrived), plane.answered
    assert pytest.approx(21.0, abs=0.05) == ACK_S / 0.01
    # From the arrival at operations: back over the fibre, to the end of the first window's frame, and 0.1 s to the device.
    took_s = np.array([when - arrived_ns[which] for which, when in answered]) * 1e-9
    assert took_s.max() < 1.0 + ACK_S + 0.1
    assert took_s.min() > 1.0 + ACK_S - 0.1
    begun_s = np.sort(answered[:, 1]) * 1e-9
    assert (np.diff(begun_s) > ACK_S / 0.01 - 1e-6).all(), "1 % of the time"
    counts = plane.counts()
    acks = counts.counters[:, Kind.ACK]
    lost = acks[t.N_LOST : t.N_LOST + len(t.CAUSES)]
    most = METERS * EVERY_S // (6 * EVERY_S)  # every sixth reading is the first one after 21.0 s
    assert most - 2 <= acks[t.N_DELIVERED] <= most
    assert lost[t.BY_STALE] >= METERS - most - 6
    assert acks[t.N_SENT] == acks[t.N_DELIVERED] + lost.sum()
    assert counts.residual == 0


def test_a_command_goes_in_the_next_window_of_its_device_and_the_acknowledgement_is_dropped() -> None:
    """The device speaks at 30 s and 90 s; the set-point waits from 0 s on."""
    town = plan()
    plane = MessagePlane(town.topology, 1, facts=ONCE)
    site, device = np.array([town.sites["operations"]]), town.gateways[[1]]
    for at_s in (30, 90):
        ways = {"sender": Domain.CUSTOMERS, "receiver": Domain.OPERATIONS, "payload_bytes": 20}
        plane.send(Kind.METER_READING, device, site, np.array([at_s * S]), **ways)
    ways = {"sender": Domain.PROVIDERS, "receiver": Domain.CUSTOMERS, "payload_bytes": 20}
    command = plane.send(Kind.SETPOINT, site, device, np.array([0]), **ways)
    plane.advance(3600 * S)
    up_s, down_s = airtime_s(116 + 13, 7), downlink_s(116 + 13, 7)
    assert dict(plane.arrived)[command] * 1e-9 == pytest.approx(30.0 + up_s + 1.0 + down_s + 0.1, abs=1e-6)
    assert plane.answered[:, 0].tolist() == [command, 1], "the reading of 30 s goes unacknowledged"
    assert plane.counts().residual == 0
