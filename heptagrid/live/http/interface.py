"""What the interface's endpoints share: the live run, the stream of its messages, what was asked of the grid and what became of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from heptagrid.live.actions import Actions
from heptagrid.live.grid import LiveGrid
from heptagrid.live.message_feed import MessageFeed

if TYPE_CHECKING:
    from heptagrid.live.serve import LiveRun


class Interface:
    """run: the live grid. actions: what was asked for. is_closing: streams end."""

    def __init__(self, run: LiveRun) -> None:
        self.run = run
        self.actions = Actions()
        self.is_closing = asyncio.Event()

    @property
    def grid(self) -> LiveGrid:
        return self.run.grid

    @property
    def feed(self) -> MessageFeed:
        return self.run.engine.feed

    def local(self, ns: int) -> str:
        """An instant as the scenario's clocks show it (ISO 8601)."""
        from heptagrid.foundation.time import from_ns

        return from_ns(ns, self.grid.scenario.zone).isoformat()

    def close(self) -> None:
        """End all streams."""
        self.is_closing.set()
        self.feed.close()
