"""How a simulation is shared out over processes: each takes some areas of a city, and what they have in common stays here.

The process of the simulation keeps the actors, the market and the bulk system, and the messages of control centres, plants and transmission. A process that is lost is
replaced, and what it had done is done again (`heptagrid.foundation.away`).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from heptagrid.assembly.modelled_transport import ModelledTransport
from heptagrid.foundation.away import Away
from heptagrid.foundation.errors import UsageError
from heptagrid.planes.messages.plane import MessagePlane

if TYPE_CHECKING:
    from heptagrid.simulation.simulation import Simulation


def share_out(simulation: Simulation) -> None:
    """Share a simulation out over as many processes as it says, each of which takes some areas.

    Raises
    ------
    UsageError
        If it has fewer areas than that.
    """
    if simulation.shards < 2:
        return
    plane = _plane(simulation)
    areas = 0 if plane is None else plane.areas
    if plane is None or simulation.shards > areas:
        has = f"has {areas} areas" if areas else "is no city of several areas"
        advice = "give it more customers (--customers), or fewer processes" if areas else "take one process"
        raise UsageError(f"--shards {simulation.shards}: {simulation.scenario.name} {has}; {advice}")
    plane.spread([partial(_away, simulation)] * simulation.shards)


def peak_of_shards_mb(simulation: Simulation) -> float:
    """The sum of the greatest resident memories of its processes, 0 without any."""
    return sum(one.peak_rss_mb() for one in simulation.away)


def end_shards(simulation: Simulation) -> None:
    """End its processes, if it is shared out."""
    plane = _plane(simulation)
    if plane is not None:
        plane.end_processes()


def _away(simulation: Simulation, held: Any) -> Away:
    simulation.away.append(Away(held, simulation.start_place))
    return simulation.away[-1]


def _plane(simulation: Simulation) -> MessagePlane | None:
    """Its message plane; None without one of the simulation's own."""
    transport = simulation.grid.transport
    return transport.plane if isinstance(transport, ModelledTransport) else None
