"""Events on the world: what each takes down, and how it reaches terminals, message plane and operations.

Supply comes and goes at the event's exact times: the step in which it happens is cut in two there. Meters live on their
capacitor, concentrators on their battery; base stations of operators, the primary substation and the sites of the
wide-area network have batteries that outlast any event.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from heptagrid.domains.distribution.actor import Substations
from heptagrid.domains.generation.swing import Trip
from heptagrid.domains.operations.firmware import Rollout
from heptagrid.foundation.errors import ScenarioError
from heptagrid.foundation.random import Stream, uniforms
from heptagrid.foundation.time import NS_PER_S
from heptagrid.foundation.windows import Windows
from heptagrid.planes.messages.plane import MessagePlane
from heptagrid.planes.messages.planning.planned_network import Plan
from heptagrid.scenario.events import Event, Firmware
from heptagrid.scenario.schema import Scenario
from heptagrid.scenario.towns import Town
from heptagrid.world.balanced.radial_network import Tree
from heptagrid.world.companies import called
from heptagrid.world.endpoints import Endpoints
from heptagrid.world.joined import TownNetwork
from heptagrid.world.outages import Outage, joined

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def _nobody() -> Ints:
    return np.empty(0, dtype=np.int64)


BYTES_PER_MESSAGE = (
    1000  # of a message under way, in the plane and its wave: 3.6 GB for 3.4 million blocks were measured
)
LARGEST_BYTES = 1_000_000_000  # what one step of a roll-out may take: assumption, an eighth of a small laptop's memory


@dataclass(frozen=True)
class Happening:
    """An event and what it affects.

    points: metering points without supply, or that are asked or sent something. nodes, substations: without supply.
    places: of the message plane whose links to their parents are cut or jammed. around: of it, whose messages suffer.
    towns: how many there are.
    """

    event: Event
    begin_ns: int
    end_ns: int
    points: Ints = field(default_factory=_nobody)
    nodes: Ints = field(default_factory=_nobody)
    substations: Ints = field(default_factory=_nobody)
    places: Ints = field(default_factory=_nobody)
    around: Ints = field(default_factory=_nobody)
    towns: int = 1

    @property
    def kind(self) -> str:
        return self.event.kind

    @property
    def where(self) -> str | None:
        """The place in words."""
        what, which = self.event.place
        words = {
            "": None,
            "all": "the whole town" if self.towns == 1 else "all towns",
            "town": str(which),
            "site": str(which),
            "links": f"all {which} links",
        }
        return words.get(what, "the largest unit" if which == "largest" else f"{what} {which}")


@dataclass(frozen=True)
class Site:
    """Where events happen: the towns' networks, apart and as one, their metering points and substations, and the communication network."""

    towns: Sequence[TownNetwork]
    network: Tree
    point_node: Ints
    substations: Substations
    plan: Plan


def boundaries_ns(scenario: Scenario) -> Iterator[int]:
    """When supply or a unit goes and comes, ascending."""
    times = set()
    for event in scenario.events:
        if event.kind in ("blackout", "unit_trip"):
            begin = event.begin_ns(scenario.start, scenario.zone)
            times |= {begin, begin + event.duration_ns}
    yield from sorted(times)


def happenings(scenario: Scenario, site: Site) -> tuple[Happening, ...]:
    """The scenario's events, in its order."""
    found: list[Happening] = []
    for event in scenario.events:
        one = happening(scenario, site, event)
        if isinstance(event.entry, Firmware):
            _refuse_what_memory_cannot_hold(scenario, len(found) + 1, event.entry, len(one.points))
        found.append(one)
    return tuple(found)


def happening(scenario: Scenario, site: Site, event: Event) -> Happening:
    """What an event affects."""
    begin_ns = event.begin_ns(scenario.start, scenario.zone)
    met = _met(event, site, scenario.seed)
    return Happening(event, begin_ns, begin_ns + event.duration_ns, towns=len(site.towns), **met)


def _refuse_what_memory_cannot_hold(scenario: Scenario, number: int, entry: Firmware, meters: int) -> None:
    """Raise ScenarioError where more blocks leave within one step than memory should hold."""
    blocks = -(-entry.payload_bytes // entry.block_bytes)
    a_step = min(blocks, int(scenario.step_s * entry.rate_bps / 8.0 / entry.block_bytes) + 1)
    needed_bytes = meters * a_step * BYTES_PER_MESSAGE
    if needed_bytes <= LARGEST_BYTES:
        return
    fitting = LARGEST_BYTES // (meters * BYTES_PER_MESSAGE)
    slower = f"lower it to {(fitting - 1) * 8.0 * entry.block_bytes / scenario.step_s:.0f}, or " if fitting > 1 else ""
    raise ScenarioError(
        scenario.name,
        [
            f"events[{number}].rate_bps = {entry.rate_bps:g}: {a_step} blocks for each of {meters} meters leave within a step of "
            f"{scenario.step_s} s, and would take about {needed_bytes / 1e9:.1f} GB of memory, where {LARGEST_BYTES / 1e9:.1f} GB are "
            f"allowed; {slower}send larger blocks (block_bytes) or to fewer meters (share)"
        ],
    )


def _met(event: Event, site: Site, seed: int) -> dict[str, Ints]:
    """What an event affects, as the columns of a `Happening`."""
    what, which = event.place
    plan, substations, point_node = site.plan, site.substations, site.point_node
    if event.kind == "unit_trip":
        return {}
    everyone = np.arange(len(point_node), dtype=np.int64)
    if event.kind == "blackout":
        is_off = _switched_off(what, which, site)
        if what == "all":
            points = everyone
        elif what == "town":
            points = np.flatnonzero(_within(site, str(which))[point_node])
        else:
            points = np.flatnonzero(is_off[point_node])
        stations = np.flatnonzero(is_off[substations.node])
        around = np.concatenate([plan.gateways[points], plan.concentrators[stations]])
        return {"nodes": np.flatnonzero(is_off), "points": points, "substations": stations, "around": around}
    if isinstance(event.entry, Firmware):
        drawn = np.asarray(uniforms(seed, int(Stream.FIRMWARE), everyone, 0))
        points = np.flatnonzero(drawn < event.entry.share)
        return {"points": points, "around": plan.gateways[points]}
    if event.kind == "read_all":
        return {"points": everyone, "around": plan.gateways}
    topology = plan.topology
    if what == "substation":
        behind = plan.gateways[topology.group[plan.gateways] == int(which)]
        station = plan.concentrators[int(which) : int(which) + 1]
        around = np.concatenate([behind, station])
        return {"places": station if event.kind == "cut" else behind, "around": around}
    if event.kind == "cut":
        return _cut_off(str(which), plan, [called("hub", town.name) for town in site.towns])
    return _links(str(which), plan)


def _links(name: str, plan: Plan) -> dict[str, Ints]:
    """The links of a class, or of one of its technologies, which not every town has."""
    places = plan.places_over(name)
    towns = np.unique(plan.town_of[places])
    around = np.arange(plan.topology.places)
    return {"places": places, "around": around[np.isin(plan.town_of, towns)] if len(towns) < len(plan.hubs) else around}


def _cut_off(name: str, plan: Plan, hubs: Sequence[str]) -> dict[str, Ints]:
    """What a cut of a site's or a hub's line to the wide-area network affects; of one hub among several its own town."""
    town = hubs.index(name) if name in hubs else -1
    if town < 0:
        site = plan.met_at(name)
        return {"places": site, "around": site}
    around = np.arange(plan.topology.places)
    if len(hubs) > 1:
        around = np.flatnonzero(plan.town_of == town)
    return {"places": plan.hubs[town : town + 1], "around": around}


def _switched_off(what: str, which: int | str, site: Site) -> npt.NDArray[np.bool_]:
    """(nodes,) whether a node lies behind an open switch: those of feeders at the busbar, of a transformer above it."""
    network = site.network
    if what == "all":
        return np.asarray(network.feeder > 0)
    if what == "town":
        return np.asarray((network.feeder > 0) & _within(site, str(which)))
    if what == "feeder":
        return np.asarray(network.feeder == which)
    station = network.bus_of_node[site.substations.node[int(which)]]
    is_off = network.bus_of_node == station  # all its conductors, where they are nodes of their own
    for node in range(network.nodes):  # parents come first
        is_off[node] |= network.parent[node] >= 0 and is_off[network.parent[node]]
    return np.asarray(is_off)


def _within(site: Site, town: str) -> npt.NDArray[np.bool_]:
    """(nodes,) whether a node is of a town's network."""
    found = np.zeros(site.network.nodes, dtype=np.bool_)
    found[next(one.nodes for one in site.towns if one.name == town)] = True
    return found


def outages_of(events: Sequence[Happening], what: str) -> list[Outage]:
    """When which "points", "nodes" or "substations" are without supply."""
    return joined([Outage(one.begin_ns, one.end_ns, getattr(one, what)) for one in events if one.kind == "blackout"])


def silences_of(events: Sequence[Happening], what: str, lasts_s: Floats) -> list[Outage]:
    """The same from when the capacitor or battery of each, which lasts so long, is empty; none where supply is back before."""
    silent: list[Outage] = []
    for one in outages_of(events, what):
        for part, seconds in _alike(one, lasts_s):
            silent.append(replace(part, begin_ns=part.begin_ns + round(seconds * NS_PER_S)))
    return [one for one in silent if one.begin_ns < one.end_ns]


def _alike(outage: Outage, values: Floats) -> Iterator[tuple[Outage, float]]:
    """The parts of an outage whose places have the same value, and this value."""
    of = values[outage.ids]
    for value in np.unique(of).tolist():
        yield replace(outage, ids=outage.ids[of == value]), value


def of_towns(towns: Sequence[Town], section: str, key: str, town_of: Ints) -> Floats:
    """A setting of the town in which each of some things lies; town_of: (n,) its number."""
    return np.array([float(getattr(town.sections[section], key)) for town in towns])[town_of]


def trips_of(events: Sequence[Happening]) -> list[Trip]:
    """When which units of the bulk system fail."""
    trips = []
    for number, one in enumerate(events):
        if one.kind == "unit_trip":
            unit = one.event.place[1]
            trips.append(Trip(one.begin_ns, one.end_ns, None if unit == "largest" else int(unit), number))
    return trips


def windows_of(scenario: Scenario, start_ns: int, end_ns: int) -> Windows:
    """When the frequency is followed, within [start_ns, end_ns)."""
    settings = scenario.sections["frequency"]
    substep_ns = round(settings.substep_s * NS_PER_S)
    if not settings.enabled:
        return Windows()
    if settings.follow == "always":
        return Windows(((start_ns, end_ns),), substep_ns)
    before_ns, after_ns = round(settings.before_s * NS_PER_S), round(settings.after_s * NS_PER_S)
    spans = ((max(ns - before_ns, start_ns), min(ns + after_ns, end_ns)) for ns in _disturbances_ns(scenario))
    return Windows(tuple((begin, end) for begin, end in spans if begin < end), substep_ns)


def _disturbances_ns(scenario: Scenario) -> Iterator[int]:
    """When power changes at once; a unit that can be used again does nothing yet."""
    for event in scenario.events:
        begin_ns = event.begin_ns(scenario.start, scenario.zone)
        if event.kind in ("blackout", "unit_trip"):
            yield begin_ns
        if event.kind == "blackout":
            yield begin_ns + event.duration_ns


def rollouts_of(events: Sequence[Happening], at: Endpoints) -> list[Rollout]:
    """The roll-outs of firmware, numbered as the events are."""
    found = []
    for number, one in enumerate(events):
        entry = one.event.entry
        if isinstance(entry, Firmware):
            every_ns = round(8e9 * entry.block_bytes / entry.rate_bps)
            found.append(
                Rollout(number, one.begin_ns, every_ns, entry.payload_bytes, entry.block_bytes, one.points, at)
            )
    return found


def strike(plane: MessagePlane, events: Sequence[Happening], scenario: Scenario, plan: Plan) -> None:
    """Tell the message plane what will fail when."""
    for what, places, section, key in (
        ("points", plan.gateways, "messages.access", "last_gasp_s"),
        ("substations", plan.concentrators, "messages.backhaul", "battery_s"),
    ):
        lasts_s = of_towns(scenario.towns, section, key, plan.town_of[places])
        reparent_s = of_towns(scenario.towns, "messages.access", "reparent_s", plan.town_of[places])
        for one in silences_of(events, what, lasts_s):
            for part, seconds in _alike(one, reparent_s):
                plane.fail(places[part.ids], part.begin_ns, part.end_ns, round(seconds * NS_PER_S))
    failover_s = scenario.sections["messages.wan"].failover_s
    for event in events:
        if event.kind == "cut":
            plane.cut(event.places, event.begin_ns, event.end_ns, round(failover_s * NS_PER_S))
        elif event.kind == "jam":
            plane.jam(plane.media_of(event.places), event.begin_ns, event.end_ns)
