"""A live grid in a thread of the test's own process, and what a test asks of it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from heptagrid.foundation.errors import HeptagridError, UsageError
from heptagrid.live.answers import ActionTold, Clock, DeviceShown
from heptagrid.live.client import Client
from heptagrid.live.serve import LiveRun, Options, serving
from heptagrid.scenario.load import load, revised
from heptagrid.scenario.schema import Scenario
from heptagrid.testing.lane_scenario import lane_file
from heptagrid.testing.recorded import Recorded, Told

READY_S = 600.0
"""How long a grid may take to start: kernels are compiled once, which takes a minute or two."""


class GridUnderTest:
    """A grid whose time stands still until `advance` lets it go on.

    client: asks its interface. url: of the interface. ports: of its protocols, by name. step_s: length of its steps.
    """

    def __init__(self, run: LiveRun, url: str, step_s: int) -> None:
        self.run, self.url, self.step_s = run, url, step_s
        self.client = Client(url)
        self.client.set_step(step_s)
        self.ports: Mapping[str, int] = {one.name: one.listens_on for one in run.protocols}

    def advance(
        self,
        seconds: float = 0.0,
        *,
        minutes: float = 0.0,
        hours: float = 0.0,
        settle_s: float = 0.0,
        each: Callable[[], object] | None = None,
    ) -> Clock:
        """Let time go on by so much, and wait until it has; all that happens in it has happened then.

        settle_s: of the wall clock, after each step, for programs outside to do what they do; 0 goes on in one go. each: called after each step.
        """
        left_s = seconds + 60.0 * minutes + 3600.0 * hours
        if not settle_s and each is None:
            return self.client.advance(left_s)
        clock = self.client.clock()
        while left_s > 1e-9:
            clock = self.client.advance(min(self.step_s, left_s))
            left_s -= self.step_s
            time.sleep(settle_s)
            if each is not None:
                each()
        return clock

    def advance_to(self, until: str) -> Clock:
        """Let time go on to an instant, such as "2016-07-04T19:30"."""
        return self.client.advance_to(until)

    def devices(self, device_class: str) -> list[DeviceShown]:
        """All devices of a class."""
        return self.client.devices(device_class)

    def order(self, name: str, power_kw: float, *, for_s: float = 3600.0) -> ActionTold:
        """Order a device's power; it leaves with the next step."""
        return self.client.order(name, power_kw, for_s, by="test")

    def change(self, what: str, **given: Any) -> ActionTold:
        """Break or switch something before the next step."""
        return self.client.change(what, by="test", **given)

    @contextmanager
    def recorded(self, **wanted: str) -> Iterator[Recorded]:
        """Keep what happens to messages meanwhile; `event`, `kind`, `topic`, `sender`, `receiver`, `device` filter it."""
        found = Recorded(self.run.grid.inventory, wanted)
        feed = self.run.engine.feed
        feed.watch(found.take)
        try:
            yield found
        finally:
            feed.unwatch(found.take)

    def volts(self) -> list[float]:
        """The voltage of each node that has supply, per unit."""
        return [one for one in self.client.nodes().v_pu if one]

    def bill_eur(self, point: int) -> float:
        """What a customer owes so far, the present day included."""
        bill = self.client.bill(point)
        return bill.total_eur + bill.today_eur

    def paid_eur(self, payer: str, payee: str) -> float:
        """What one domain has paid to another so far, after the days' ends."""
        return sum(one.amount_eur for one in self.client.money().paid if (one.payer, one.payee) == (payer, payee))

    def assert_volts(self, least_pu: float = 0.9, most_pu: float = 1.1) -> None:
        """All nodes with supply lie within a band (EN 50160: 10 % around the nominal voltage)."""
        found = {k: one for k, one in enumerate(self.client.nodes().v_pu) if one}
        wrong = {k: one for k, one in found.items() if not least_pu <= one <= most_pu}
        worst = sorted(wrong.items(), key=lambda pair: -max(least_pu - pair[1], pair[1] - most_pu))[:5]
        assert not wrong, (
            f"{len(wrong)} of {len(found)} nodes lie outside {least_pu:g} to {most_pu:g} pu at {self._local}: "
            + ", ".join(f"node {k} has {one:.4f} pu" for k, one in worst)
        )

    def assert_loading(self, most_pct: float = 100.0) -> None:
        """No transformer of a substation and no line is loaded beyond so much."""
        stations, lines = self.client.substations(), self.client.nodes().line_pct
        wrong = [
            *(
                f"substation {k} ({stations.name[k]}) has {one:.1f} %"
                for k, one in enumerate(stations.loading_pct)
                if one is not None and one > most_pct
            ),
            *(
                f"the line above node {k} has {one:.1f} %"
                for k, one in enumerate(lines)
                if one is not None and one > most_pct
            ),
        ]
        assert not wrong, f"loading beyond {most_pct:g} % at {self._local}: {', '.join(wrong[:5])}, {len(wrong)} in all"

    def assert_told(self, told: Sequence[Told], *, least: int = 1, within_s: float | None = None) -> None:
        """So many messages have arrived, and none of them later than that."""
        arrived = [one for one in told if one.event == "delivered"]
        assert len(arrived) >= least, f"{len(arrived)} messages have arrived by {self._local}, {least} were expected"
        late = [one for one in arrived if within_s is not None and one.delay_s > within_s]
        assert not late, f"{len(late)} of {len(arrived)} messages took longer than {within_s:g} s: {late[:3]}"

    @property
    def _local(self) -> str:
        return self.client.clock().local


@contextmanager
def live_grid(
    scenario: str | Path | Scenario = "lane",
    *,
    at: str = "2016-07-04T18:00",
    protocols: Mapping[str, int] | Sequence[str] = (),
    settings: Sequence[str] = (),
    step_s: int = 60,
    is_ideal: bool = False,
    out: Path | None = None,
) -> Iterator[GridUnderTest]:
    """A live grid, paused at an instant, with its interface and the protocols that are asked for.

    scenario: "lane", seventeen customers that are there in seconds; a built-in name, a file, or one that was loaded. protocols: names, or names and ports, 0 for a free one. settings: keys of the scenario, such as
    "vehicles.share=0.9". step_s: length of its steps. is_ideal: frames bypass the modelled network. out: folder of its results; None: none is written.

    Raises
    ------
    HeptagridError
        If it cannot start, or a law of conservation does not hold at its end.
    """
    ports = dict(protocols) if isinstance(protocols, Mapping) else dict.fromkeys(protocols, 0)
    if isinstance(scenario, Scenario):
        loaded = revised(scenario, list(settings))
    else:
        loaded = load(lane_file() if scenario == "lane" else scenario, list(settings))
    options = Options(at=at, ports=ports, http_port=0, paused=True, is_ideal=is_ideal, out=out, force=out is not None)
    thread = _Thread(LiveRun(loaded, options))
    thread.start()
    try:
        grid = GridUnderTest(thread.run_, thread.wait(), step_s)
        try:
            yield grid
        finally:
            grid.client.close()
    finally:
        thread.end()


class _Thread:
    """The thread in which a grid prepares, runs and finishes."""

    def __init__(self, run: LiveRun) -> None:
        self.run_ = run
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._url = ""
        self._problem: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="heptagrid", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wait(self) -> str:
        """The address of the interface, once the grid is ready.

        Raises
        ------
        HeptagridError
            Why it cannot start.
        """
        if not self._ready.wait(READY_S):
            raise HeptagridError(f"the grid was not ready after {READY_S:g} s")
        if self._problem is not None:
            problem, self._problem = self._problem, None
            raise problem
        return self._url

    def end(self) -> None:
        """Stop the grid, and raise what went wrong in it."""
        if self._loop is not None and self._stopping is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        if self._problem is not None:
            raise self._problem

    def _work(self) -> None:
        try:
            with self.run_.prepared():
                asyncio.run(self._serve())
        except BaseException as problem:
            self._problem = problem
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        async with serving(self.run_) as url:
            self._url = url
            self._ready.set()
            while not self._stopping.is_set() and self.run_.engine.is_running:
                try:
                    await asyncio.wait_for(self._stopping.wait(), 0.2)
                except TimeoutError:
                    continue
        if not self._stopping.is_set():
            raise UsageError("the grid ended before the test; give it more days")
