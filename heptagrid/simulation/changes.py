"""Changes that somebody makes to a grid while it runs: what fails, what is cut or jammed, what is switched by hand.

Each is a dataclass whose fields are declared like parameters, and does itself before a step; `CHANGES` has them by name. Kinds of a scenario's events are changes
too: they begin at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.happenings import Happening, Site, happening, of_towns, strike
from heptagrid.assembly.modelled_transport import ModelledTransport
from heptagrid.domains.generation.swing import Trip
from heptagrid.foundation.errors import UsageError
from heptagrid.foundation.parameters import Declaration, declarations, parameter
from heptagrid.foundation.time import NS_PER_S, Step, midnight_ns
from heptagrid.planes.messages.links import CLASS_NAMES
from heptagrid.planes.messages.plane import MessagePlane
from heptagrid.scenario.checks import Checks
from heptagrid.scenario.event_entries import Surroundings, read_events
from heptagrid.scenario.events import KINDS, Event
from heptagrid.simulation.change import Change, check_number
from heptagrid.simulation.simulation import Simulation
from heptagrid.simulation.taken_over import Charger, Desk
from heptagrid.world.outages import Outage

Ints = npt.NDArray[np.int64]

NEVER_NS = 2**62
"""The end of what somebody must end."""
_AT_ONCE = ("blackout", "read_all", "jam", "cut", "unit_trip")


@dataclass(frozen=True)
class Open(Change):
    """The switch towards a place is opened: what lies behind it has no supply until it is closed."""

    title = "Open a switch"
    where: str = parameter(
        "substation 12",
        info="a substation's number or transformer's name, `feeder` and its number, or `all`",
        source="an example; it must be given",
    )

    def make(self, simulation: Simulation, step: Step) -> None:
        met = _event_at(simulation, step, "blackout", {"where": self.where, "duration_s": 1.0})
        openings_of(simulation).open(simulation, self.where, met, step.start_ns)


@dataclass(frozen=True)
class Close(Change):
    """A switch that was opened by hand is closed; or all are, and faults that were reported as blackouts end."""

    title = "Close switches"
    where: str = parameter(
        "all", info="the place as it was given when it was opened, or `all`", source="nobody is forgotten"
    )

    def make(self, simulation: Simulation, step: Step) -> None:
        openings_of(simulation).close(simulation, self.where, step.start_ns)


@dataclass(frozen=True)
class Tap(Change):
    """The tap changer of a primary substation is moved by hand, and stays where it is until it regulates again."""

    title = "Move a tap changer"
    town: int = parameter(0, info="number of the town", low=0, high=1000, source="the only one")
    steps: int = parameter(
        1, info="taps to move; up lowers the busbar's voltage", low=-40, high=40, source="an example"
    )

    def make(self, simulation: Simulation, step: Step) -> None:
        changer = _changer(simulation, self.town)
        if not changer.move(self.steps):
            raise UsageError(f"tap: there is no position {changer.tap + self.steps}; the tap stands at {changer.tap}")
        changer.is_manual = True


@dataclass(frozen=True)
class Regulate(Change):
    """The tap changer of a primary substation regulates by itself again, or stands still."""

    title = "Let a tap changer regulate"
    town: int = parameter(0, info="number of the town", low=0, high=1000, source="the only one")
    automatic: bool = parameter(True, info="whether it regulates by itself", source="as it does at first")

    def make(self, simulation: Simulation, step: Step) -> None:
        _changer(simulation, self.town).is_manual = not self.automatic


@dataclass(frozen=True)
class Loss(Change):
    """Messages on a class of links are lost with a probability from now on, after all link retries."""

    title = "Lose messages"
    links: str = parameter("access", info="class of links", choices=CLASS_NAMES, source="an example")
    share: float = parameter(0.3, info="probability that a crossing is lost", low=0.0, high=1.0, source="an example")

    def make(self, simulation: Simulation, step: Step) -> None:
        _plane(simulation).lose(CLASS_NAMES.index(self.links), self.share)


@dataclass(frozen=True)
class Fail(Change):
    """The modem of a device's site fails: nobody reaches it, and it reaches nobody, for a time."""

    title = "A modem fails"
    site: str = parameter("meter", info="what stands there", choices=("meter", "substation"), source="an example")
    number: int = parameter(0, info="its number", low=0, high=10_000_000, source="an example")
    duration_s: float = parameter(600.0, info="until it works again", unit="s", low=1.0, high=1e7, source="an example")

    def make(self, simulation: Simulation, step: Step) -> None:
        at = simulation.world.endpoints
        places = at.gateways if self.site == "meter" else at.concentrators
        check_number(self.site, self.number, len(places))
        begin_ns = step.start_ns + 1
        end_ns = begin_ns + round(self.duration_s * NS_PER_S)
        _plane(simulation).fail(places[self.number : self.number + 1], begin_ns, end_ns)


@dataclass(frozen=True)
class StuckMeter(Change):
    """A meter counts nothing from now on, or counts again."""

    title = "A meter is stuck"
    meter: int = parameter(0, info="number of its metering point", low=0, high=10_000_000, source="an example")
    stuck: bool = parameter(True, info="whether it is stuck", source="an example")

    def make(self, simulation: Simulation, step: Step) -> None:
        check_number("meter", self.meter, simulation.world.points)
        simulation.grid.customers.meters.stick(self.meter, self.stuck)


@dataclass(frozen=True)
class MeterClock(Change):
    """A meter's clock goes wrong: its readings are stamped with another quarter hour."""

    title = "A meter's clock is wrong"
    meter: int = parameter(0, info="number of its metering point", low=0, high=10_000_000, source="an example")
    ahead_s: float = parameter(
        3600.0,
        info="by how much it is ahead, in whole quarter hours",
        unit="s",
        low=-86400.0,
        high=86400.0,
        source="an example",
    )

    def make(self, simulation: Simulation, step: Step) -> None:
        check_number("meter", self.meter, simulation.world.points)
        simulation.grid.customers.meters.set_clock(self.meter, round(self.ahead_s / 900.0))


class _Event(Change):
    """A kind of a scenario's events as a change that begins at once."""

    kind: ClassVar[str]

    def make(self, simulation: Simulation, step: Step) -> None:
        given = {name: getattr(self, name) for name, *_ in declarations(type(self))}
        happen(simulation, step, _event_at(simulation, step, self.kind, given))


def _of_event(kind: str) -> type[Change]:
    entry = KINDS[kind]
    words = kind.replace("_", " ").capitalize()
    made = type(entry.__name__, (entry, _Event), {"kind": kind, "title": words, "__doc__": entry.__doc__})
    return dataclass(frozen=True)(made)


CHANGES: dict[str, type[Change]] = {
    **{kind: _of_event(kind) for kind in _AT_ONCE},
    "open": Open,
    "close": Close,
    "tap": Tap,
    "regulate": Regulate,
    "loss": Loss,
    "fail": Fail,
    "stuck_meter": StuckMeter,
    "meter_clock": MeterClock,
    "charger": Charger,
    "desk": Desk,
}
"""The changes by name."""


def change_of(what: str, given: Mapping[str, Any]) -> Change:
    """A change of that name with these fields, others at their examples.

    Raises
    ------
    UsageError
        Naming the field, what was found, and what is allowed.
    """
    if what not in CHANGES:
        raise UsageError(f"there is no change {what!r}; there are {', '.join(CHANGES)}")
    declared: dict[str, tuple[Any, Declaration]] = {
        name: (default, one) for name, _, default, one in declarations(CHANGES[what])
    }
    checks = Checks()
    for name in given.keys() - declared.keys():
        checks.violations.append(f"{what}.{name}: there is no such field; it takes {', '.join(declared) or 'none'}")
    values = {
        name: checks.value(f"{what}.{name}", given[name], *declared[name]) for name in declared.keys() & given.keys()
    }
    if checks.violations:
        raise UsageError("; ".join(checks.violations))
    return CHANGES[what](**values)


def happen(simulation: Simulation, step: Step, event: Happening) -> None:
    """An event begins that the scenario did not have."""
    world = replace(simulation.world, events=(*simulation.world.events, event))
    simulation.world = simulation.grid.world = world
    simulation.recorder.expect(event)
    grid = simulation.grid
    if event.kind == "unit_trip":
        unit = event.event.place[1]
        number = len(world.events) - 1
        grid.generation.expect(Trip(event.begin_ns, event.end_ns, None if unit == "largest" else int(unit), number))
    elif event.kind == "read_all":
        grid.customers.expect_demand(event.begin_ns, event.end_ns)
    else:
        strike(_plane(simulation), [event], simulation.scenario, world.plan)
    if event.kind == "blackout":
        nodes, points = (Outage(event.begin_ns, event.end_ns, ids) for ids in (event.nodes, event.points))
        grid.distribution.interrupt(nodes, points, _silences(simulation, event), step.start_ns)


@dataclass
class _Opening:
    """An opened switch. outages: that it made. waiting: whose batteries will be empty when; silent: whose are."""

    outages: list[Outage] = field(default_factory=list)
    waiting: list[tuple[int, Ints]] = field(default_factory=list)
    silent: list[Ints] = field(default_factory=list)


class Openings:
    """Switches that were opened by hand, by the place as it was given: who is silent by now, its battery empty, and who will be."""

    def __init__(self) -> None:
        self._opened: dict[str, _Opening] = {}

    @property
    def places(self) -> tuple[str, ...]:
        """The places towards which switches are open."""
        return tuple(self._opened)

    def open(self, simulation: Simulation, where: str, event: Happening, now_ns: int) -> None:
        """Cut off what the event would, without an end; what is open stays so.

        Raises
        ------
        UsageError
            If it is open.
        """
        if where in self._opened:
            raise UsageError(f"the switch towards {where} is open")
        opening = self._opened[where] = _Opening()
        whole = replace(event, begin_ns=now_ns, end_ns=NEVER_NS)
        simulation.recorder.expect(None)
        nodes, points = (Outage(now_ns, NEVER_NS, ids) for ids in (whole.nodes, whole.points))
        silences = _silences(simulation, whole)
        simulation.grid.distribution.interrupt(nodes, points, silences, now_ns)
        opening.outages = [nodes, points, *silences]
        plan, towns = simulation.world.plan, simulation.scenario.towns
        for ids, places, section, key in (
            (whole.points, plan.gateways, "messages.access", "last_gasp_s"),
            (whole.substations, plan.concentrators, "messages.backhaul", "battery_s"),
        ):
            lasts_s = of_towns(towns, section, key, plan.town_of[places[ids]])
            for seconds in np.unique(lasts_s).tolist():
                opening.waiting.append((now_ns + round(seconds * NS_PER_S), places[ids[lasts_s == seconds]]))

    def close(self, simulation: Simulation, where: str, now_ns: int) -> None:
        """Give supply back to a place, or to all.

        Raises
        ------
        UsageError
            If no switch was opened there.
        """
        if where == "all":
            closed, self._opened = list(self._opened.values()), {}
            simulation.grid.distribution.restore(now_ns)
        elif where in self._opened:
            closed = [self._opened.pop(where)]
            simulation.grid.distribution.restore(now_ns, closed[0].outages)
        else:
            raise UsageError(f"no switch towards {where} was opened")
        for places in (each for one in closed for each in one.silent):
            _plane(simulation).wake(places, now_ns + 1)  # who is silent by another switch as well stays so

    def prepare(self, simulation: Simulation, step: Step) -> None:
        """Whoever's battery is empty within the step falls silent then."""
        for opening in self._opened.values():
            for when_ns, places in [one for one in opening.waiting if one[0] < step.end_ns]:
                _plane(simulation).fall_silent(places, max(when_ns, step.start_ns + 1))
                opening.silent.append(places)
            opening.waiting = [one for one in opening.waiting if one[0] >= step.end_ns]


def openings_of(simulation: Simulation) -> Openings:
    """The switches that were opened in a simulation by hand."""
    found: Openings = simulation.extras.setdefault(Openings, Openings())
    return found


def applied(simulation: Simulation, step: Step, what: str, given: Mapping[str, Any]) -> str | None:
    """Make a change before a step; what was wrong with it, or None."""
    try:
        change_of(what, given).make(simulation, step)
    except UsageError as problem:
        return str(problem)
    return None


def prepared(simulation: Simulation, step: Step) -> None:
    """Do what earlier changes do within the step."""
    if Openings in simulation.extras:
        openings_of(simulation).prepare(simulation, step)


def _event_at(simulation: Simulation, step: Step, kind: str, given: Mapping[str, Any]) -> Happening:
    """An event that begins with the step.

    Raises
    ------
    UsageError
        If it is none of this scenario.
    """
    scenario, world, checks = simulation.scenario, simulation.world, Checks()
    begin_s = (step.start_ns - midnight_ns(scenario.start, scenario.zone)) / NS_PER_S
    around = Surroundings(
        scenario.bulk_folder,
        scenario.start,
        100_000,
        scenario.zone,
        scenario.towns,
        scenario.retailers,
        scenario.aggregators,
    )
    found: tuple[Event, ...] = read_events(checks, [{"kind": kind, "begin": begin_s, **given}], around)
    if checks.violations:
        raise UsageError("; ".join(one.replace("events[1].", f"{kind}.") for one in checks.violations))
    site = Site(world.towns, world.network, world.point_node, world.substations, world.plan)
    return happening(scenario, site, found[0])


def _silences(simulation: Simulation, event: Happening) -> list[Outage]:
    """When the substations that an event cuts off can report nothing, their battery empty."""
    plan, towns = simulation.world.plan, simulation.scenario.towns
    lasts_s = of_towns(towns, "messages.backhaul", "battery_s", plan.town_of[plan.concentrators[event.substations]])
    silent = [
        Outage(event.begin_ns + round(seconds * NS_PER_S), event.end_ns, event.substations[lasts_s == seconds])
        for seconds in np.unique(lasts_s).tolist()
    ]
    return [one for one in silent if one.begin_ns < one.end_ns]


def _plane(simulation: Simulation) -> MessagePlane:
    transport = simulation.grid.transport
    if not isinstance(transport, ModelledTransport):
        raise UsageError("the grid runs without a modelled network; there is nothing to break in it")
    return transport.plane


def _changer(simulation: Simulation, town: int) -> Any:
    lines = simulation.grid.distribution.lines
    check_number("town", town, len(lines))
    changer = lines.of(town).changer
    if changer is None:
        raise UsageError("the circuit's own controls regulate it; there is no tap changer to move by hand")
    return changer
