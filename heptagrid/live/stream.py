"""Frames of a TCP connection whose packets cross the modelled network: none is lost and none overtakes another while the connection lives, but each may be late.

A packet that the network loses is sent again when its retransmission time-out has passed: 1 s at first, then twice as long each time (RFC 6298, 2.1 and 5.5),
since the few packets that are under way here bring no duplicate acknowledgements from which a loss could be known earlier. What comes later waits for it.
The sender gives up after 100 s (RFC 1122, 4.2.3.5), and the connection breaks. These times are simulated, as the network is. Acknowledgements and the
handshake are not modelled.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from heptagrid.foundation.errors import HeptagridError
from heptagrid.foundation.time import NS_PER_S
from heptagrid.live.crossing import LostError
from heptagrid.live.grid import LiveGrid

FIRST_TIMEOUT_S = 1.0
GIVEN_UP_S = 100.0

Content = TypeVar("Content")
Cross = Callable[[int, int | None], Awaitable[int]]
"""Sends a frame of so many bytes at an instant, None: now; when it arrives. Raises LostError."""


async def carried(cross: Callable[[int | None], Awaitable[int]], now_ns: int) -> int:
    """When something arrives that is sent again and again until it does.

    Raises
    ------
    LostError
        If it does not arrive for `GIVEN_UP_S`.
    """
    timeout_ns, at_ns = round(FIRST_TIMEOUT_S * NS_PER_S), None
    next_ns = now_ns
    while True:
        try:
            return await cross(at_ns)
        except LostError:
            next_ns += timeout_ns
            timeout_ns *= 2
            if next_ns - now_ns > GIVEN_UP_S * NS_PER_S:
                raise
            at_ns = next_ns


@dataclass(slots=True, eq=False)
class _UnderWay(Generic[Content]):
    content: Content
    sent_ns: int
    delay_s: float | None = None


class Stream(Generic[Content]):
    """One direction of a connection. deliver: called with each frame's content and the delay that the network added, in order; broken: called once if the connection breaks."""

    __slots__ = ("_broken", "_cross", "_deliver", "_grid", "_is_closed", "_tasks", "_under_way")

    def __init__(
        self,
        grid: LiveGrid,
        cross: Cross,
        deliver: Callable[[Content, float], None],
        broken: Callable[[str], None],
    ) -> None:
        self._grid, self._cross, self._deliver, self._broken = grid, cross, deliver, broken
        self._under_way: deque[_UnderWay[Content]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False

    @property
    def under_way(self) -> int:
        """How many frames have been sent and not delivered."""
        return len(self._under_way)

    def send(self, content: Content, size_bytes: int) -> None:
        """Send a frame after all that were sent before; nothing is sent any more once the connection is closed."""
        if self._is_closed:
            return
        if self._grid.is_ideal:
            self._deliver(content, 0.0)
            return
        one = _UnderWay(content, self._grid.now_ns)
        self._under_way.append(one)
        task = self._grid.loop.create_task(self._carry(one, size_bytes))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """Forget what is under way."""
        self._is_closed = True
        for task in list(self._tasks):
            task.cancel()
        self._under_way.clear()

    async def _carry(self, one: _UnderWay[Content], size_bytes: int) -> None:
        try:
            arrived_ns = await carried(lambda at_ns: self._cross(size_bytes, at_ns), one.sent_ns)
        except HeptagridError as problem:
            if not self._is_closed:
                self._is_closed = True
                self._broken(str(problem))
            return
        one.delay_s = (arrived_ns - one.sent_ns) / NS_PER_S
        while self._under_way and self._under_way[0].delay_s is not None and not self._is_closed:
            first = self._under_way.popleft()
            assert first.delay_s is not None
            self._deliver(first.content, first.delay_s)
