"""What comes to the areas of a city from outside them: kept while a whole run goes on, and played to some of the areas when these are run again by themselves.

From outside come the voltage at the infeeds, and what others send to customers and substations: prices, bills, set-points, caps, functions of inverters, targets of busbars.
Beside them stand the day-ahead prices as the market tells them to retailers, on which bills rest. All else of an area is computed again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.transport import SortingTransport
from heptagrid.assembly.world import World
from heptagrid.contracts import market
from heptagrid.contracts.policy import declared
from heptagrid.foundation.contract import Contract, Wave
from heptagrid.foundation.domains import Domain, Kind
from heptagrid.foundation.errors import UsageError
from heptagrid.foundation.time import Step
from heptagrid.foundation.transport import Listener
from heptagrid.scenario.schema import Scenario
from heptagrid.simulation.checkpoint import read_checkpoint, write_checkpoint
from heptagrid.simulation.outside import Outside

if TYPE_CHECKING:
    from heptagrid.simulation.simulation import Simulation

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FOLDER, ENDING = "boundary", ".boundary"
"""Where a run's folder has it, and how the names of its files end: one for each arm and span."""
_WITHIN = (Domain.CUSTOMERS, Domain.DISTRIBUTION)  # the domains that an area consists of


def file_of(run: Path, arm: str, run_day: int) -> Path:
    """Where the folder of a run has what came to the areas in one of its arms and spans."""
    return run / FOLDER / f"{arm}.{run_day:03d}{ENDING}"


def crosses(contract: Contract[Any]) -> bool:
    """Whether messages of a contract come to areas from outside, or tell retailers what bills rest on."""
    return contract is market.PRICES or (contract.receiver in _WITHIN and contract.sender not in _WITHIN)


def refuse_without_areas(scenario: Scenario, world: World) -> None:
    """Refuse to keep, or to play, what comes to areas where there are none, or more comes to them than is kept.

    Raises
    ------
    UsageError
        Saying which of the two.
    """
    if world.plan.topology.areas is None:
        raise UsageError(
            f"{scenario.name} is no city of several areas: there is nothing that comes to them from outside"
        )
    if scenario.sections["local_market"].enabled:
        raise UsageError(
            "what local markets tell customers is not kept: areas of a city that has them are not run by themselves"
        )


@dataclass(frozen=True)
class KeptWave:
    """A wave without what caused it. after_ns: (n,) how long after `first_ns` each message leaves."""

    contract: Contract[Any]
    payload: Any
    source: Ints
    destination: Ints
    first_ns: int
    after_ns: Ints
    size: int | None

    @property
    def wave(self) -> Wave:
        """As it was sent."""
        causes = np.full(len(self.source), -1, dtype=np.int64)
        sent_ns = self.first_ns + self.after_ns
        return Wave(self.contract, self.payload, self.source, self.destination, sent_ns, causes, self.size)


@dataclass
class Came:
    """What came with a step. infeed_v_pu: (towns,) in it. waves: sent before its messages travelled, and after those of the step before. spared: kinds that were spared the way from it on."""

    infeed_v_pu: Floats
    waves: list[KeptWave]
    spared: list[Kind] = field(default_factory=list)


class KeptBoundary(Outside, Listener):
    """Keeps what comes to the areas of a whole run."""

    def __init__(self) -> None:
        self._steps: dict[int, Came] = {}
        self._waves: list[KeptWave] = []
        self._spared: list[Kind] = []
        self._known: dict[tuple[str, tuple[int, ...], bytes], np.ndarray] = {}
        self._listens = False

    def prepare(self, simulation: Simulation, step: Step) -> None:
        """Listen from the first step on."""
        if not self._listens:
            simulation.grid.transport.listen(self)
            self._listens = True

    def spare(self, transport: SortingTransport, kind: Kind, until_ns: int) -> None:
        """Note what is spared the way."""
        if transport.spare(kind, until_ns):
            self._spared.append(kind)

    def meet(self, simulation: Simulation, step: Step) -> None:
        """Nobody sends anything more before the step's messages have travelled."""
        infeed_v_pu = simulation.grid.terminals.infeed_v_pu.copy()
        self._steps[step.start_ns] = Came(infeed_v_pu, self._waves, self._spared)
        self._waves, self._spared = [], []

    def sent(self, first: int, wave: Wave) -> None:
        """Keep a wave that comes to areas."""
        if not crosses(wave.contract):
            return
        payload = wave.payload
        arrays = {
            one.name: self._once(value)
            for one in fields(payload)
            if isinstance(value := getattr(payload, one.name), np.ndarray)
        }
        first_ns = int(wave.sent_ns[0])
        ends = self._once(wave.source), self._once(wave.destination)
        kept = KeptWave(
            wave.contract, replace(payload, **arrays), *ends, first_ns, self._once(wave.sent_ns - first_ns), wave.size
        )
        self._waves.append(kept)

    def _once(self, array: np.ndarray) -> np.ndarray:
        """An array that is never changed, the same one for the same numbers: most waves go to the same places."""
        content = np.ascontiguousarray(array)
        key = content.dtype.str, content.shape, hashlib.blake2b(content.data, digest_size=16).digest()
        return self._known.setdefault(key, content.copy())

    def write(self, path: Path, simulation: Simulation) -> None:
        """Write what came to the areas of a run that has come to its end."""
        path.parent.mkdir(exist_ok=True)
        write_checkpoint(path, about_of(simulation), self._steps)


class PlayedBoundary(Outside):
    """Plays to some areas what came to them in a whole run; what others would say to them here is not sent."""

    def __init__(self, path: Path, simulation: Simulation) -> None:
        """Read what was kept, for a simulation that has not begun.

        Raises
        ------
        OutputError
            If it cannot be read, or is of another heptagrid, scenario or arm.
        """
        self._path = path
        about = about_of(simulation)
        self._steps: dict[int, Came] = read_checkpoint(path, lambda found: _mismatch(found, about))
        self._came: Came | None = None  # with the present step

    def prepare(self, simulation: Simulation, step: Step) -> None:
        """Send what came before the step's messages travelled."""
        transport = simulation.grid.transport
        if self._came is None:
            transport.silence([one for one in declared() if crosses(one)], True)
        came = self._came = self._steps.pop(step.start_ns)
        simulation.grid.terminals.infeed_v_pu[:] = came.infeed_v_pu
        for one in came.waves:
            transport.send_from_outside(one.wave)

    def spare(self, transport: SortingTransport, kind: Kind, until_ns: int) -> None:
        """Spare what was spared: whether all of a kind arrived hangs on all areas."""
        came = self._came
        if came is not None and kind in came.spared:
            transport.spare(kind, until_ns)


def about_of(simulation: Simulation) -> dict[str, Any]:
    """What a file of these says of itself."""
    broken = [float(one) for one in simulation.arm.break_loss]
    return {**simulation.about, "break": broken, "run_day": simulation.run_day}


def _mismatch(found: dict[str, Any], wanted: dict[str, Any]) -> str | None:
    """Why what was kept does not fit; None if it does."""
    if found.get("scenario") != wanted["scenario"]:
        return f"is of another scenario, or of {found.get('name')!r} with other settings, days or data; give those of the whole run"
    if any(found.get(name) != wanted[name] for name in ("arm", "break", "run_day")):
        return "is of another arm, day or loss of messages (--break); give those of the whole run"
    return None
