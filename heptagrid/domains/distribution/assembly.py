"""Puts the distribution domain together: lines with what regulates them, sensors, and what it pays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from heptagrid.domains.distribution import sensors, tap_changer
from heptagrid.domains.distribution.actor import Distribution, Substations
from heptagrid.domains.distribution.charges import Charges
from heptagrid.domains.distribution.lines import BusbarRegulatedLines, RegulatedLines, RestingLines
from heptagrid.domains.distribution.local_load import LocalLoad
from heptagrid.domains.distribution.towns import TownLines, Towns
from heptagrid.foundation.domains import Domain
from heptagrid.planes.money.means import Means
from heptagrid.planes.power.balanced.radial import RadialSolver
from heptagrid.world.balanced.radial_network import RadialNetwork
from heptagrid.world.endpoints import Endpoints
from heptagrid.world.joined import TownNetwork
from heptagrid.world.local_markets import LocalMarkets
from heptagrid.world.outages import Outage
from heptagrid.world.terminals import Terminals

if TYPE_CHECKING:
    from heptagrid.planes.power.unbalanced.conductors import Conductors
    from heptagrid.world.circuit.circuit import Circuit

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Settings:
    """What the domain reads of a scenario. tap_changers: of each town. infeed_v_pu: the voltage that is asked of transmission."""

    sensors: sensors.Parameters
    tap_changers: Sequence[tap_changer.Parameters]
    infeed_v_pu: float

    @staticmethod
    def of(sections: Mapping[str, Any], of_towns: Sequence[Mapping[str, Any]]) -> Settings:
        """From the sections of a scenario, and those of its towns."""
        changers = [own["tap_changer"] for own in of_towns]
        return Settings(sections["sensors"], changers, sections["dispatch"].infeed_v_pu)


@dataclass(frozen=True)
class Site:
    """What the domain finds in the world.

    point_terminal: (points,) where metering points hang on the lines. circuit, conductors: of the only town; None where its grid is balanced.
    dead_points: metering points that no source feeds at any time. local_markets: None where there are none. resting: towns that take no part, by number.
    """

    towns: Sequence[TownNetwork]
    circuit: Circuit | None
    conductors: Conductors | None
    point_terminal: Ints
    substations: Substations
    endpoints: Endpoints
    dead_points: Ints
    local_markets: LocalMarkets | None = None
    resting: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))


@dataclass(frozen=True)
class Outages:
    """When which nodes and which metering points are cut off, and which substations cannot report."""

    nodes: Sequence[Outage]
    points: Sequence[Outage]
    silences: Sequence[Outage]


def distribution(
    settings: Settings, site: Site, terminals: Terminals, outages: Outages, means: Means, smart: bool
) -> tuple[Distribution, Charges]:
    """The actor of one arm, and what it pays; without a smart grid its substations are silent."""
    terms, upkeep = means.terms, means.upkeep(Domain.DISTRIBUTION)
    smart_meters = len(site.point_terminal) if smart else 0
    charges = Charges(terms.fees, means.days, terms.years, smart_meters, means.payments, upkeep)
    actor = Distribution(
        terminals,
        Towns([_town_lines(settings, site, k) for k in range(len(site.towns))]),
        site.point_terminal,
        site.substations,
        sensors.Sensors(settings.sensors, site.endpoints) if smart else None,
        outages.nodes,
        outages.points,
        outages.silences,
        site.dead_points,
        charges,
        LocalLoad(site.local_markets, site.endpoints) if smart and site.local_markets else None,
    )
    return actor, charges


def _town_lines(settings: Settings, site: Site, town: int) -> TownLines:
    network, transformers = site.towns[town].network, site.towns[town].grid.transformers
    own = RestingLines(network.nodes, len(transformers.names)) if town in site.resting else lines(settings, site, town)
    return TownLines(site.towns[town].name, own, len(network.feeder_start) - 1)


def lines(settings: Settings, site: Site, town: int = 0) -> RegulatedLines:
    """The lines of a town with what regulates them: a circuit's own controls, or the tap changer of the primary substation."""
    grid, network, changer_settings = site.towns[town].grid, site.towns[town].network, settings.tap_changers[town]
    if site.circuit is not None:
        from heptagrid.domains.distribution.circuit_lines import CircuitLines
        from heptagrid.world.circuit.tree import CircuitTree

        assert isinstance(network, CircuitTree)
        return CircuitLines(site.circuit, network, settings.infeed_v_pu, changer_settings.target_pu, site.conductors)
    assert isinstance(network, RadialNetwork)
    transformers = grid.transformers
    regulated = np.flatnonzero(transformers.has_controller)
    first = int(regulated[0])
    changer = tap_changer.TapChanger(
        changer_settings,
        int(transformers.tap_pos[first]),
        int(transformers.tap_min[first]),
        int(transformers.tap_max[first]),
    )
    solver = RadialSolver(network, grid)
    return BusbarRegulatedLines(solver, changer, int(network.busbars[0]), regulated, transformers.tap_pos)
