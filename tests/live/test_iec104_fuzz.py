"""Malformed frames of IEC 60870-5-104 from a seeded generator: none crashes anything, none changes the grid, each is counted or answered negatively."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from heptagrid.live.protocols.iec104.apci import (
    Function,
    Information,
    MalformedError,
    Splitter,
    Supervisory,
    Unnumbered,
    encode,
)
from heptagrid.live.protocols.iec104.asdu import Asdu, Cause, Object
from heptagrid.live.protocols.iec104.asdu import encode as asdu_bytes
from heptagrid.live.protocols.iec104.elements import Type
from heptagrid.live.protocols.iec104.link import Link, Timing
from heptagrid.live.protocols.iec104.points import POINTS, Control
from heptagrid.live.protocols.iec104.station import Rules, Station
from heptagrid.live.protocols.iec104.text import text_of
from heptagrid.live.protocols.iec104.time_tag import time_tag


def activation(type: Type, address: int, value: Any, station: int) -> bytes:
    """A frame that activates something; at address 0 an interrogation of all."""
    one = Object(address, value, 20 if address == 0 else 0, time_tag(0))
    return encode(Information(0, 0, asdu_bytes(Asdu(type, Cause.ACTIVATION, station, (one,)))))


GOOD = [
    encode(Unnumbered(Function.TESTFR_ACT)),
    encode(Supervisory(0)),
    *(
        activation(type, address, value, 1)
        for type, address, value in (
            (Type.C_IC_NA_1, 0, 0),
            (Type.C_CI_NA_1, 0, 0),
            (Type.C_CS_NA_1, 0, 0),
            (Type.C_SE_NC_1, 1001, 20.0),
            (Type.C_SE_TC_1, 1001, 20.0),
            (Type.C_RC_NA_1, 1002, 2),
            (Type.C_DC_NA_1, 1003, 2),
        )
    ),
]


def malformed_bytes(random: random.Random, good: list[bytes]) -> bytes:
    """A frame that is wrong somewhere, most often."""
    frame = bytearray(random.choice(good))
    kind = random.randrange(6)
    if kind == 0:
        return random.randbytes(random.randrange(1, 40))
    if kind == 1:  # cut off, and the length says so
        frame = frame[: random.randrange(2, len(frame) + 1)]
        frame[1] = max(len(frame) - 2, 0)
    elif kind == 2:  # longer than it says
        frame += random.randbytes(random.randrange(1, 20))
    elif kind == 3:  # bits turned
        for _ in range(random.randrange(1, 4)):
            at = random.randrange(len(frame))
            frame[at] ^= 1 << random.randrange(8)
    elif kind == 4:  # a header of any type and number of objects
        body = bytes((random.randrange(256), random.randrange(256))) + random.randbytes(random.randrange(0, 60))
        return bytes((0x68, 4 + len(body))) + bytes(4) + body
    else:  # the length alone is wrong
        frame[1] = random.randrange(256)
    return bytes(frame)


class _Target:
    """A connection and its station, as the adapter joins them; what it commands is noted."""

    def __init__(self, counts: Counter[str]) -> None:
        self.counts = counts
        self.commands: list[Any] = []
        self.splitter = Splitter()
        self.link = Link(Timing(), True, 0.0)
        self.link.receive(encode(Unnumbered(Function.STARTDT_ACT)), 0.0)
        self.link.on_asdu = self.take
        controls = (
            Control(1001, Type.C_SE_NC_1, "target", "", low=18.0, high=22.0),
            Control(1002, Type.C_RC_NA_1, "tap", ""),
            Control(1003, Type.C_DC_NA_1, "switch", ""),
        )
        self.station = Station(
            1,
            POINTS["primary_substations"],
            controls,
            lambda point: (0, 0),
            lambda: time_tag(0),
            lambda tag: tag.ns() is not None,
            Rules(),
        )

    def take(self, raw: bytes) -> None:
        try:
            outcome = self.station.receive(raw, self, 0.0)
        except MalformedError:
            self.counts["malformed"] += 1
            return
        self.counts["refused" if outcome.was_refused else "answered"] += 1
        if outcome.command is not None:
            self.commands.append(outcome.command)
            self.station.finished(outcome.command, False)
        assert all(6 <= len(one) <= 249 for one in outcome.replies)

    def feed(self, data: bytes) -> bool:
        """Take bytes as the adapter does; whether the connection lives."""
        try:
            frames = self.splitter.feed(data)
        except MalformedError:
            self.counts["no frame"] += 1
            return False
        for one in frames:
            text_of(one)
            self.link.receive(one, 0.0)
        self.link.take()
        if self.link.closed:
            self.counts["closed"] += 1
        return self.link.closed is None


def fuzz(frames: int, seed: int) -> None:
    source, counts = random.Random(seed), Counter[str]()
    target = _Target(counts)
    for _ in range(frames):
        data = malformed_bytes(source, GOOD)
        if not target.feed(data):
            target = _Target(counts)
        for command in target.commands:  # bits turned may leave a command that is right: then it is within its limits
            assert command.control.allows(command.control.type, command.value, 0)
        target.commands.clear()
    assert counts["malformed"] and counts["refused"] and counts["no frame"] and counts["closed"]
    assert sum(counts.values()) >= frames // 3, counts


def test_two_thousand_malformed_frames_do_no_harm() -> None:
    fuzz(2000, 1)


@pytest.mark.slow
def test_a_hundred_thousand_malformed_frames_do_no_harm() -> None:
    fuzz(100_000, 2)
