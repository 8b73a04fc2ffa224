"""What a live grid holds of clients that have left: nothing that grows, and nothing that waits long to be collected."""

from __future__ import annotations

import asyncio
import gc
import time
import weakref
from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest

from heptagrid.live.collection import YOUNG, little_to_collect
from heptagrid.live.slices import Slices
from heptagrid.scenario.schema import Scenario
from tests.live.served import Served, served
from tests.live.test_soak import SAID, ask

ROUNDS = 5
"""Of clients that come, ask and are cut off, before what is held is counted, and again before it is counted a second time."""


@pytest.fixture
def as_served() -> Iterator[None]:
    """Collections as seldom as in the processes of the command line (`collect_rarely`)."""
    before = gc.get_threshold()
    gc.set_threshold(50_000, 10, 10)
    yield
    gc.set_threshold(*before)


class Ring:
    """Refers to itself, as a connection and what takes its bytes do."""

    alive = 0

    def __init__(self) -> None:
        self.itself = self
        Ring.alive += 1

    def __del__(self) -> None:
        Ring.alive -= 1


@pytest.mark.usefixtures("as_served")
def test_what_refers_to_itself_alone_is_collected_while_it_is_little() -> None:
    most = 0
    with little_to_collect():
        for _ in range(20 * YOUNG):
            Ring()
            most = max(most, Ring.alive)
    gc.collect()
    assert Ring.alive == 0
    assert most <= 2 * YOUNG, "200 bytes each, and the megabyte is a client's or two"


class Reader:
    """Takes bytes until it has ended, as a connection does."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.slices = Slices(loop, asyncio.ReadTransport(), self.take)

    def take(self, data: bytes) -> None:
        """Nothing is made of them."""


def test_who_has_read_to_the_end_is_gone_without_a_collection() -> None:
    loop = asyncio.new_event_loop()
    gc.disable()
    try:
        reader = Reader(loop)
        left = weakref.ref(reader)
        reader.slices.end()
        del reader
        assert left() is None
    finally:
        gc.enable()
        loop.close()


def held() -> int:
    """Objects that are referred to, and what is in lists, dictionaries and the like of all there are, those that stand since the start as well."""
    gc.unfreeze()
    gc.collect()
    objects: list[Any] = gc.get_objects()
    entries = sum(len(one) for one in objects if isinstance(one, dict | list | set | deque))
    return len(objects) + entries


def rounds_of_clients(grid: Served) -> None:
    """Clients of each protocol one after another, until what they had asked for has arrived and all are gone."""
    for _ in range(ROUNDS):
        for name, said in SAID.items():
            ask(grid.ports[name], said, 0.01)
    crossings = grid.grid.engine.crossings
    until_s = time.monotonic() + 60.0
    while grid.grid.peers or crossings.is_busy or crossings.has_waiting:
        assert time.monotonic() < until_s, "who was cut off is gone, and so are his frames"
        grid.advance(5.0)
    grid.call(lambda: asyncio.sleep(0.2))


def test_clients_that_were_cut_off_leave_nothing_that_is_held(lane: Scenario) -> None:
    """But for what the messages of the seconds that pass meanwhile leave in the logs of the day: some hundreds in all, where stations alone answer each client with as many frames."""
    with served(lane, dict.fromkeys(SAID)) as grid:
        frames = grid.grid.frames
        rounds_of_clients(grid)  # what is made once
        frames.clear()
        before = held()
        rounds_of_clients(grid)
        frames.clear()
        grown = held() - before
    assert grown < 20 * ROUNDS * len(SAID), f"{grown} objects and entries more, of {ROUNDS * len(SAID)} clients"
