"""Malformed frames of DNP3 from a seeded generator: none crashes anything, none commands what is not allowed, each is counted or answered negatively."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from heptagrid.live.protocols.dnp3.application import Function, Indications
from heptagrid.live.protocols.dnp3.link import (
    LinkFrame,
    MalformedError,
    Primary,
    SecondaryLink,
    Splitter,
    decode,
    encode,
    size_of,
)
from heptagrid.live.protocols.dnp3.text import text_of
from heptagrid.live.protocols.dnp3.transport import Reassembly, Segments
from tests.live.dnp3_master import CLOSE, INTEGRITY, answer, relay, request, set_point
from tests.live.test_dnp3_outstation import Rig

GOOD = [
    request(0, Function.READ, INTEGRITY),
    request(0, Function.READ, bytes((30, 5, 0, 0, 3))),
    request(0, Function.CONFIRM),
    request(0, Function.SELECT, relay(0, CLOSE)),
    request(1, Function.OPERATE, relay(0, CLOSE)),
    request(2, Function.DIRECT_OPERATE, set_point(0, 20.0)),
    request(3, Function.WRITE, bytes((80, 1, 0, 7, 7, 0))),
    request(4, Function.WRITE, bytes((50, 1, 7, 1)) + bytes(6)),
    request(5, Function.ENABLE_UNSOLICITED, INTEGRITY[:9]),
    request(6, Function.IMMED_FREEZE, bytes((20, 0, 6))),
]


def _fragment(source: random.Random, good: list[bytes]) -> bytes:
    """A fragment that is wrong somewhere, most often."""
    fragment = bytearray(source.choice(good))
    kind = source.randrange(5)
    if kind == 0:
        return source.randbytes(source.randrange(0, 60))
    if kind == 1:
        return bytes(fragment[: source.randrange(1, len(fragment) + 1)])
    if kind == 2:
        for _ in range(source.randrange(1, 4)):
            at = source.randrange(len(fragment))
            fragment[at] ^= 1 << source.randrange(8)
    elif kind == 3:  # any object, any qualifier, any range
        return bytes(fragment[:2]) + source.randbytes(source.randrange(3, 30))
    else:  # the same headers again and again
        fragment += fragment[2:] * source.randrange(1, 60)
    return bytes(fragment[:2048])


def malformed_frames(source: random.Random, good: list[bytes], station: int) -> bytes:
    """Frames to a station that carry a fragment, of which one may be wrong too."""
    parts = []
    for segment in Segments().of(_fragment(source, good)):
        function = source.choice((Primary.DATA, Primary.DATA, Primary.DATA, source.randrange(16)))
        frame = LinkFrame(
            function, station, 100, segment, True, source.random() < 0.95, source.choice((None, True, False))
        )
        raw = bytearray(encode(frame))
        kind = source.randrange(8)
        if kind == 0:
            raw[source.randrange(len(raw))] ^= 1 << source.randrange(8)
        elif kind == 1:
            del raw[source.randrange(len(raw)) :]
        elif kind == 2:
            raw = bytearray(source.randbytes(source.randrange(1, 40)))
        parts.append(bytes(raw))
    return b"".join(parts)


class _Target:
    """A connection and its outstation, as the adapter joins them."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.rig = Rig()
        self.splitter, self.link, self.parts = Splitter(), SecondaryLink(), Reassembly()

    def feed(self, data: bytes) -> None:
        lost = self.splitter.lost
        for raw in self.splitter.feed(data):
            try:
                self._take(decode(raw))
            except MalformedError:
                self.counts["malformed"] += 1
        self.counts["no frame"] += self.splitter.lost - lost
        self.rig.now += 0.5
        self.rig.session.tick(self.rig.now)
        for one in self.rig.session.take():
            assert len(one) <= 2048
            told = answer(one)
            assert size_of(len(one)) and not told.indications & ~Indications(0x0FFF)

    def _take(self, frame: LinkFrame) -> None:
        text_of(frame)
        if not frame.is_primary:
            self.counts["secondary"] += 1
            return
        _, is_new = self.link.receive(frame)
        fragment = self.parts.feed(frame.data) if is_new else None
        if fragment is not None:
            before = self.rig.session.refused
            self.rig.session.receive(fragment, self.rig.now)
            self.counts["refused"] += self.rig.session.refused - before
            self.counts["taken"] += 1


def fuzz(frames: int, seed: int) -> None:
    source, target = random.Random(seed), _Target()
    for k in range(frames):
        if k % 10 == 0:
            target.rig.move(30, 1, float(k))
        target.feed(malformed_frames(source, GOOD, 1))
        for order in target.rig.orders:  # bits turned may leave a command that is right: then it is within its limits
            control = order.output.control
            assert order.value in (0.0, 1.0) or control.low <= order.value <= control.high
            target.rig.outstation.selections.end(control.action)
        target.rig.orders.clear()
        assert len(target.rig.session.events) <= 1000
    assert all(target.counts[word] for word in ("malformed", "no frame", "refused", "taken")), target.counts


def test_two_thousand_malformed_frames_do_no_harm() -> None:
    fuzz(2000, 1)


@pytest.mark.slow
def test_a_hundred_thousand_malformed_frames_do_no_harm() -> None:
    fuzz(100_000, 2)
