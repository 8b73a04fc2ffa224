"""`heptagrid serve`: starts a live grid with its protocols and its interface, and ends it cleanly."""

from __future__ import annotations

import asyncio
import shlex
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from heptagrid.assembly.live_span import LiveSpan
from heptagrid.assembly.world import World, build_world
from heptagrid.foundation import beside
from heptagrid.foundation.errors import UsageError
from heptagrid.foundation.registry import LIVE, protocols
from heptagrid.live.access import AccessFiles, access_from
from heptagrid.live.collection import little_to_collect
from heptagrid.live.engine import Engine
from heptagrid.live.folder import live_folder
from heptagrid.live.grid import LiveGrid
from heptagrid.live.heap import give_back, leave_code
from heptagrid.live.inventory import Inventory
from heptagrid.live.pace import Pace
from heptagrid.live.protocol import Listening, Protocol
from heptagrid.live.start import LONGEST_DAYS, Beginning, StepLengths, beginning, days_from, span_from
from heptagrid.live.tls import counted
from heptagrid.live.wire import WIRE, WireLog
from heptagrid.recording.arm_result import ArmResult
from heptagrid.recording.results import Run
from heptagrid.scale.run import default_folder
from heptagrid.scenario.load import load, revised
from heptagrid.scenario.schema import Scenario
from heptagrid.simulation.journal import JOURNAL, Journal
from heptagrid.simulation.precompile import ensure_kernels

Say = Callable[[str], None]
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Options:
    """How to serve.

    speed: simulated by real seconds, None as fast as it can. at: when it begins (`heptagrid.live.start.beginning`). ports: of the protocols that are
    wanted, None for each its own. listen: the address. access: names, tokens and certificates. exposed: protocols without authentication that listen beyond this machine all the same. http_port: of page and interface, None: none. paused: time stands still until a client lets it
    go. is_ideal: frames bypass the modelled network. seed, days: as of a run.
    """

    speed: float | None = 1.0
    at: str | None = None
    ports: Mapping[str, int | None] | None = None
    listen: str = "127.0.0.1"
    http_port: int | None = 8080
    access: AccessFiles = field(default_factory=AccessFiles)
    exposed: tuple[str, ...] = ()
    out: Path | None = None
    force: bool = False
    paused: bool = False
    is_ideal: bool = False
    days: int = LONGEST_DAYS


class LiveRun:
    """A live grid from its start to its folder: within `prepared`, `start` in an event loop and `stop` in it.

    grid: what adapters and the interface see, from `start` on. begins: when it began. world: what the arm lives in. result, folder: what it came to and where that was
    written, once `prepared` is over.
    """

    grid: LiveGrid
    world: World
    result: ArmResult
    folder: Run

    def __init__(self, scenario: Scenario, options: Options, say: Say = lambda line: None) -> None:
        self.begins: Beginning = beginning(options.at, scenario.zone)
        self.scenario = revised(
            scenario, [f"run.start={self.begins.day}", f"run.days={days_from(self.begins, options.days)}"]
        )
        self.options, self.say = options, say
        self.pace = Pace(self.begins.ns, options.speed)
        self.protocols: list[Protocol] = []
        self.access, self._made_token = access_from(replace(options.access, listen=options.listen))
        self._chosen = _chosen(options.ports)
        self._engine: Engine | None = None

    @contextmanager
    def prepared(self) -> Iterator[LiveRun]:
        """Build the arm and step it to the present, which takes seconds; at the end add up, and write the folder if there is to be one."""
        out = self.options.out
        opened = live_folder(out, self.scenario, self._span(Journal(None)), shlex.join(sys.argv), self.options.force)
        with opened if out else nullcontext() as folder:
            journal = Journal(folder.work / JOURNAL if folder else None)
            self._wire = WireLog(folder.work / WIRE if folder else None)
            try:
                with beside.thread():
                    self._prepare(journal, folder.parts if folder else None)
                    with little_to_collect():
                        yield self
                    self.say("stopping: adding up, and writing tables and report" if out else "stopping")
                    self.result = self.engine.stop()
            finally:
                if self._engine is not None:
                    self._engine.halt()
                journal.close()
                self._wire.close()
                if self._wire.problem:
                    self.say(self._wire.problem)
            if folder:
                self.folder = folder.finish(self.engine.simulation.world, self.result)

    def _span(self, journal: Journal) -> LiveSpan:
        is_live = lambda: self._engine is not None and self._engine.is_live  # noqa: E731
        lengths = StepLengths(self.pace, self.begins.present_ns, journal, is_live)
        return span_from(self.begins, self.options.days, lengths)

    def _prepare(self, journal: Journal, parts: Path | None) -> None:
        give_back()
        ensure_kernels(apart=True)
        self.say(f"building {self.scenario.name}, and stepping it to {self.begins.words}")
        self.world = build_world(self.scenario)
        self._engine = Engine(self.scenario, self.world, self._span(journal), self.pace, journal, parts)
        self.pace.reached(self._engine.catch_up(self.begins.present_ns))
        leave_code()

    @property
    def engine(self) -> Engine:
        assert self._engine is not None, "prepared comes first"
        return self._engine

    async def start(self) -> None:
        """Let time run, and open the sockets."""
        rated_kw = {name: one.rated_kw for name, one in self.engine.simulation.grid.customers.devices.items()}
        inventory, loop = Inventory(self.world, rated_kw), asyncio.get_running_loop()
        self.grid = LiveGrid(self.scenario, self.engine, inventory, loop, self.options.is_ideal, wire=self._wire)
        for name, tls in (("interface", self.access.tls), ("protocols", self.access.protocol_tls)):
            if tls is not None:
                counted(tls, self.grid.count, name)
        self.engine.start()
        if self.options.paused:
            self.pace.step(0.0)
        else:
            self.pace.go(self.begins.present_ns() if self.begins.follows_ns is not None else None)
        while self.engine.state is None and self.engine.is_running:
            await asyncio.sleep(0.01)
        for name, (kind, port) in self._chosen.items():
            try:
                await self._open(name, kind, port)
            except UsageError as problem:
                if self.options.ports is not None:
                    raise
                self.say(f"not served: {problem}")  # nobody asked for it by name

    async def _open(self, name: str, kind: type[Protocol], port: int) -> None:
        """Open the sockets of a protocol."""
        usual = kind.section() if kind.section is not None else None
        one = kind(self.grid, self.scenario.sections.get(f"{LIVE}.{name}", usual))
        is_open = self.access.is_local or one.authenticates or name in self.options.exposed
        host = self.options.listen if is_open else LOOPBACK
        if not is_open:
            self.say(f"{one.title} has no authentication, and listens on {host} alone; --expose {name} opens it")
        await one.start(Listening(host, port, self.access.protocol_tls))
        self.protocols.append(one)
        for line in one.greeting() or [f"{one.title}: {host}:{one.listens_on}"]:
            self.say(line)

    def base_url(self, port: int) -> str:
        """The address of the interface."""
        return f"http{'s' if self.access.is_tls else ''}://{self.access.address}:{port}"

    def access_words(self, port: int) -> list[str]:
        """How the control room and the interface are reached."""
        base = self.base_url(port)
        query = f"?token={self._made_token}" if self._made_token else ""
        words = [f"control room: {base}/{query}    interface: {base}/openapi.json"]
        if self._made_token:
            words.append(f"token: {self._made_token}")
        return words

    async def stop(self) -> None:
        """Close all sockets."""
        for one in reversed(self.protocols):
            with suppress(OSError):
                await one.stop()
        self.protocols = []


def serve(scenario: str | Path, options: Options, settings: Sequence[str] = (), say: Say = print) -> Run:
    """Run a scenario's smart arm live until Ctrl-C, SIGTERM, or the end of its days, and return its results.

    Raises
    ------
    HeptagridError
    """
    resolved = load(scenario, list(settings))
    options = replace(options, out=options.out or default_folder(f"{resolved.name}-live"))
    run = LiveRun(resolved, options, say)
    with run.prepared(), asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_until_stopped(run))
    return run.folder


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """That of uvloop where it is installed, which holds more connections; else Python's own."""
    try:
        import uvloop
    except ImportError:
        return None
    make: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return make


async def _until_stopped(run: LiveRun) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for one in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(one, stopping.set)
    async with serving(run):
        run.say("Ctrl-C ends it and writes its report")
        while not stopping.is_set() and run.engine.is_running:
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), 0.2)


@asynccontextmanager
async def serving(run: LiveRun) -> AsyncIterator[str]:
    """A prepared run with time and sockets open; the address of its interface, empty without one."""
    http = None
    try:
        await run.start()
        if run.options.http_port is not None:
            from heptagrid.live.http.server import HttpServer

            http = HttpServer(run)
            await http.start(run.options.listen, run.options.http_port)
            for line in run.access_words(http.port):
                run.say(line)
        yield run.base_url(http.port) if http else ""
    finally:
        if http is not None:
            await http.stop()
        await run.stop()


def _chosen(ports: Mapping[str, int | None] | None) -> dict[str, tuple[type[Protocol], int]]:
    """The protocols that are wanted, and their ports; None: all that need no other package.

    Raises
    ------
    UsageError
        For one that does not exist.
    """
    known = protocols()
    if ports is None:
        return {name: (one, one.port) for name, one in known.items() if not one.extra}
    for name in ports:
        if name not in known:
            raise UsageError(f"--protocols {name}: there is no such protocol; there are {', '.join(known) or 'none'}")
    return {name: (known[name], known[name].port if port is None else port) for name, port in ports.items()}
