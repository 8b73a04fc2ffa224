"""The grid's side of OpenADR, which 3 and 2.0b share: programmes, events, end nodes and reports, and what events ask of devices.

A grid has one such desk, whichever versions are served: an event that business logic writes over 3.1 reaches a VEN of 2.0b too, and moves a device once.
"""

from __future__ import annotations

import asyncio
import logging

from heptagrid.foundation.errors import HeptagridError
from heptagrid.live.grid import LiveGrid
from heptagrid.live.protocols.openadr.built_in import BuiltIn
from heptagrid.live.protocols.openadr.dispatch import Dispatcher
from heptagrid.live.protocols.openadr.played import Played
from heptagrid.live.protocols.openadr.reports import Reporter
from heptagrid.live.protocols.openadr.section import Parameters
from heptagrid.live.protocols.openadr.store import Store
from heptagrid.live.protocols.openadr.targets import Targets

TICK_S = 0.05
"""How often the built-in VENs look, in seconds of the wall clock."""
_NAME = "openadr"
_log = logging.getLogger(__name__)


class Desk:
    """Objects in a store, and the built-in VENs that act by them while any version is served."""

    def __init__(self, grid: LiveGrid, parameters: Parameters) -> None:
        self.store = Store(lambda: grid.now_ns)
        self.targets = Targets(grid.inventory)
        self.built_in = BuiltIn(grid, self.store, self.targets)
        shares = {1: parameters.simple_1_share, 2: parameters.simple_2_share, 3: parameters.simple_3_share}
        self.dispatcher = Dispatcher(grid, self.store, self.targets, shares, parameters.control_period_s)
        self.reporter = Reporter(grid, self.store, self.targets)
        self.played = Played(grid, self.store, self.targets)
        self._served = 0
        self._working: asyncio.Task[None] | None = None

    @staticmethod
    def of(grid: LiveGrid) -> Desk:
        """That of a grid, made when a version first asks for it."""
        found = grid.shared.get(_NAME)
        if not isinstance(found, Desk):
            found = grid.shared[_NAME] = Desk(grid, grid.scenario.sections.get("live.openadr") or Parameters())
        return found

    def start(self) -> None:
        """A version is served from now on."""
        self._served += 1
        if self._working is None:
            self.built_in.refresh()
            self._working = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """A version is no longer served; with the last of them all work ends."""
        self._served -= 1
        if self._served or self._working is None:
            return
        self._working.cancel()
        await asyncio.gather(self._working, return_exceptions=True)
        self._working = None
        for one in (self.dispatcher, self.reporter, self.played):
            await one.stop()

    async def _work(self) -> None:
        """Keep built-in events fresh, dispatch the desk's, and report."""
        while True:
            try:
                self.built_in.refresh()
                self.dispatcher.tick()
                self.reporter.tick(self.dispatcher.played)
            except HeptagridError as problem:
                _log.warning("OpenADR: %s", problem)
            await asyncio.sleep(TICK_S)
