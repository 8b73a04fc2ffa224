"""The grid as a federate of a HELICS co-simulation: it publishes what flows, and takes what others say that a customer draws or that an infeed holds.

Time is the counted days': HELICS's 0 s is their first instant, and the warm-up day is over by then. A step begins with what had been published before it began; what came of it is published
at its end, so that others see it a step later, and the grid sees theirs a step later: the look-ahead is the coupling step. Source: HELICS 3 (Hardy and others 2024), its C interface as `helics` has it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heptagrid.assembly.span import Phase
from heptagrid.foundation.errors import FileError, UsageError
from heptagrid.foundation.time import NS_PER_S, Step
from heptagrid.recording.arm_result import ArmResult
from heptagrid.scenario.schema import Scenario
from heptagrid.simulation.outside import Outside
from heptagrid.simulation.simulation import Simulation

NO_VALUE = -1e48
"""HELICS gives less than this while nobody has published."""


@dataclass(frozen=True)
class Quantity:
    """Something that is published or taken. of: what it is counted by; unit: as told to HELICS."""

    of: str
    unit: str
    read: Callable[[Simulation, int], float] | None = None


def _flow(simulation: Simulation) -> Any:
    return simulation.grid.distribution.flow


PUBLISHED = {
    "v_pu": Quantity("node", "pu", lambda one, k: float(_flow(one).v_pu[k])),
    "infeed_p_kw": Quantity("town", "kW", lambda one, k: float(one.grid.terminals.infeed_p_kw[k])),
    "infeed_q_kvar": Quantity("town", "kVAR", lambda one, k: float(one.grid.terminals.infeed_q_kvar[k])),
    "customer_v_pu": Quantity("customer", "pu", lambda one, k: float(one.grid.terminals.point_v_pu[k])),
    "customer_p_kw": Quantity("customer", "kW", lambda one, k: float(one.grid.terminals.point_p_kw[k])),
    "price_eur_per_mwh": Quantity("town", "EUR/MWh", lambda one, _: float(one.grid.price_at(_step(one).start_ns))),
}
"""What the grid can tell of the step that has ended, by name."""

TAKEN = {
    "p_kw": Quantity("customer", "kW"),
    "q_kvar": Quantity("customer", "kVAR"),
    "infeed_v_pu": Quantity("town", "pu"),
}
"""What the grid can be told: what a customer draws beside all that it draws by itself, and the voltage that an infeed holds."""


def _step(simulation: Simulation) -> Step:
    assert simulation.last_step is not None
    return simulation.last_step


@dataclass(frozen=True)
class Link:
    """A key of the federation and what stands for it in the grid: a quantity of the node, customer or town with a number."""

    key: str
    quantity: str
    at: int


@dataclass(frozen=True)
class Links:
    """What the grid publishes and takes."""

    publish: tuple[Link, ...]
    subscribe: tuple[Link, ...]


def read_links(path: Path) -> Links:
    """The links of a file, each a table `[[publish]]` or `[[subscribe]]` with `key`, `quantity` and `at`.

    Raises
    ------
    FileError
        Naming every entry that is not understood, what it may be, and the file.
    """
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise FileError(str(path), [f"cannot be read: {problem}"]) from problem
    violations = [
        f"[[{name}]]: write [[publish]] or [[subscribe]]" for name in told if name not in ("publish", "subscribe")
    ]
    found: dict[str, tuple[Link, ...]] = {}
    for name, known in (("publish", PUBLISHED), ("subscribe", TAKEN)):
        entries = told.get(name, [])
        if not isinstance(entries, list):
            violations.append(f"[{name}]: write [[{name}]] for each")
            continue
        links = [_link(f"{name}[{k}]", one, known, violations) for k, one in enumerate(entries)]
        found[name] = tuple(one for one in links if one is not None)
        keys = [one.key for one in found[name]]
        violations += [
            f"{name}: {key!r} is there twice; give each its own key"
            for key in sorted({one for one in keys if keys.count(one) > 1})
        ]
    if not violations and not any(found.values()):
        violations.append("neither publishes nor subscribes; write [[publish]] or [[subscribe]]")
    if violations:
        raise FileError(str(path), violations)
    return Links(found["publish"], found["subscribe"])


def _link(where: str, entry: Any, known: dict[str, Quantity], violations: list[str]) -> Link | None:
    if not isinstance(entry, dict):
        violations.append(f"{where}: write a table with key, quantity and at")
        return None
    before = len(violations)
    violations += [
        f"{where}.{name}: there is no such key; write key, quantity, at"
        for name in entry
        if name not in ("key", "quantity", "at")
    ]
    key, quantity, at = entry.get("key"), entry.get("quantity"), entry.get("at", 0)
    if not isinstance(key, str) or not key.strip():
        violations.append(f'{where}.key = {key!r}: write the key in the federation, such as "feeder/p_kw"')
    if quantity not in known:
        violations.append(f"{where}.quantity = {quantity!r}: write one of {', '.join(known)}")
    if not isinstance(at, int) or isinstance(at, bool) or at < 0:
        violations.append(f"{where}.at = {at!r}: write a whole number from 0")
    return Link(str(key), str(quantity), at) if len(violations) == before else None


class Federation(Outside):
    """The others of a co-simulation as those through whom a simulation is entered from outside. exchanged: values published and taken so far."""

    def __init__(self, links: Links, name: str, step_s: int, core: str, core_options: str) -> None:
        """Join: returns when a broker has taken the federate.

        Raises
        ------
        UsageError
            Without `helics`, or when no broker answers.
        """
        self._helics = helics = _helics()
        self._links = links
        self.exchanged = [0, 0]
        self._granted_s = 0.0
        self._is_executing = False
        about = helics.helicsCreateFederateInfo()
        try:
            helics.helicsFederateInfoSetCoreTypeFromString(about, core)
            helics.helicsFederateInfoSetCoreInitString(about, f"--federates=1 {core_options}")
            helics.helicsFederateInfoSetTimeProperty(about, helics.HELICS_PROPERTY_TIME_PERIOD, float(step_s))
            self._federate = helics.helicsCreateValueFederate(name, about)
            double = helics.HELICS_DATA_TYPE_DOUBLE
            self._out = [
                helics.helicsFederateRegisterGlobalPublication(
                    self._federate, one.key, double, PUBLISHED[one.quantity].unit
                )
                for one in links.publish
            ]
            self._in = [
                helics.helicsFederateRegisterSubscription(self._federate, one.key, TAKEN[one.quantity].unit)
                for one in links.subscribe
            ]
        except helics.HelicsException as problem:
            raise UsageError(
                f"federate {name!r} cannot join: {problem}; start a broker, and say where it is (--broker)"
            ) from problem

    def check(self, simulation: Simulation) -> None:
        """Look whether every link stands for something that there is.

        Raises
        ------
        UsageError
            Naming the link, and how many there are.
        """
        world = simulation.world
        counts = {"node": world.network.nodes, "customer": world.customers_count, "town": len(world.towns)}
        for one, known in [
            *((each, PUBLISHED) for each in self._links.publish),
            *((each, TAKEN) for each in self._links.subscribe),
        ]:
            of = known[one.quantity].of
            if one.at >= counts[of]:
                raise UsageError(
                    f"{one.key}: at = {one.at}, and there are {counts[of]} {of}s, from 0; take a smaller number"
                )

    def prepare(self, simulation: Simulation, step: Step) -> None:
        """Before a counted step: what others have said holds from its start."""
        if step.start_ns < simulation.span.start_ns or step.start_ns >= simulation.span.end_ns:
            return
        helics = self._helics
        if not self._is_executing:
            self._is_executing = True
            helics.helicsFederateEnterExecutingMode(self._federate)
        self._publish(simulation, step.start_ns)
        grid = simulation.grid
        for one, given in zip(self._links.subscribe, self._in, strict=True):
            value = helics.helicsInputGetDouble(given)
            if value < NO_VALUE:
                continue
            self.exchanged[1] += 1
            if one.quantity == "infeed_v_pu":
                grid.terminals.infeed_v_pu[one.at] = value
            else:
                grid.customers.draw_besides(one.at, **{one.quantity: value})

    def _publish(self, simulation: Simulation, now_ns: int) -> None:
        """Wait until the others have come to this instant, and tell what came of the step before it."""
        helics, at_s = self._helics, (now_ns - simulation.span.start_ns) / NS_PER_S
        if at_s > 0.0:
            self._granted_s = helics.helicsFederateRequestTime(self._federate, at_s)
        if simulation.phase is Phase.WARM_UP and at_s > 0.0:
            return
        for one, told in zip(self._links.publish, self._out, strict=True):
            read = PUBLISHED[one.quantity].read
            assert read is not None
            helics.helicsPublicationPublishDouble(told, read(simulation, one.at))
            self.exchanged[0] += 1

    def leave(self) -> None:
        """Leave the federation."""
        self._helics.helicsFederateDisconnect(self._federate)
        self._helics.helicsFederateFree(self._federate)


def federate(
    scenario: Scenario,
    links: Links,
    *,
    name: str = "heptagrid",
    arm: str = "smart",
    core: str = "zmq",
    core_options: str = "",
) -> tuple[ArmResult, tuple[int, int]]:
    """Run an arm of a scenario as a federate: what it came to, and how many values were published and taken.

    core, core_options : HELICS's type of core, and what that is told, such as "--broker_address=tcp://127.0.0.1:23404".

    Raises
    ------
    UsageError
        Without `helics`, when no broker answers, or for a link to what there is not.
    """
    federation = Federation(links, name, scenario.step_s, core, core_options)
    try:
        simulation = Simulation(scenario, arm, outside=federation)
        simulation.begin()
        federation.check(simulation)
        while simulation.step():
            pass
        result = simulation.finish()
    finally:
        federation.leave()
    return result, (federation.exchanged[0], federation.exchanged[1])


def _helics() -> Any:
    try:
        import helics
    except ImportError as problem:
        raise UsageError('a federate needs HELICS: pip install "heptagrid[federate]"') from problem
    return helics
