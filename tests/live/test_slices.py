"""However much comes at once, a connection takes a slice of it at a time."""

from __future__ import annotations

import asyncio
from typing import Any

from heptagrid.live.slices import SLICE_BYTES, TURN_S, Slices

SLICE_TAKES_S = TURN_S / 4


class _Loop:
    """A loop whose time a test sets, and whose turns it makes."""

    def __init__(self) -> None:
        self.now = 0.0
        self.called: list[Any] = []

    def time(self) -> float:
        return self.now

    def call_soon(self, work: Any) -> None:
        self.called.append(work)

    def turn(self) -> None:
        called, self.called = self.called, []
        for one in called:
            one()


class _Transport(asyncio.ReadTransport):
    def __init__(self) -> None:
        super().__init__()
        self.reads = True

    def is_closing(self) -> bool:
        return False

    def is_reading(self) -> bool:
        return self.reads

    def pause_reading(self) -> None:
        self.reads = False

    def resume_reading(self) -> None:
        self.reads = True


class _Rig:
    """What is taken in each turn, when a slice takes a quarter of a turn's time."""

    def __init__(self) -> None:
        self.loop, self.transport = _Loop(), _Transport()
        self.taken = [b""]
        self.slices = Slices(self.loop, self.transport, self._take)  # type: ignore[arg-type]

    def _take(self, data: bytes) -> None:
        assert data
        self.taken[-1] += data
        self.loop.now += SLICE_TAKES_S

    def turn(self) -> None:
        self.taken.append(b"")
        self.loop.turn()


def test_what_is_short_is_taken_at_once() -> None:
    rig = _Rig()
    rig.slices.feed(b"a request")
    assert rig.taken == [b"a request"]
    assert rig.transport.reads and not rig.loop.called


def test_what_is_long_is_taken_in_turns_and_nothing_is_read_meanwhile() -> None:
    rig, sent = _Rig(), bytes(range(256)) * 1024
    rig.slices.feed(sent)
    while rig.loop.called:
        assert not rig.transport.reads
        rig.turn()
    assert rig.transport.reads
    assert b"".join(rig.taken) == sent
    assert max(map(len, rig.taken)) == 4 * SLICE_BYTES
    assert len(rig.taken) == len(sent) / (4 * SLICE_BYTES)


def test_what_a_transport_still_gives_after_it_was_paused_waits_its_turn() -> None:
    rig, sent = _Rig(), bytes(10 * SLICE_BYTES)
    rig.slices.feed(sent)
    rig.slices.feed(b"the end")
    assert len(rig.taken) == 1 and len(rig.loop.called) == 1
    while rig.loop.called:
        rig.turn()
    assert b"".join(rig.taken) == sent + b"the end"


def test_nothing_is_taken_while_it_is_held() -> None:
    rig = _Rig()
    rig.slices.feed(bytes(5 * SLICE_BYTES))
    rig.slices.hold()
    rig.turn()
    assert len(rig.taken[1]) == 0 and not rig.transport.reads and rig.slices.waiting == SLICE_BYTES
    rig.slices.go_on()
    rig.turn()
    assert len(rig.taken[2]) == SLICE_BYTES and rig.transport.reads
    rig.slices.hold()
    assert not rig.transport.reads
    rig.slices.go_on()
    assert rig.transport.reads and not rig.loop.called


def test_what_waits_is_forgotten_once_it_has_ended() -> None:
    rig = _Rig()
    rig.slices.feed(bytes(5 * SLICE_BYTES))
    rig.slices.end()
    rig.turn()
    assert len(rig.taken[1]) == 0 and not rig.slices.waiting
