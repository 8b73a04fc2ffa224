"""The port through which others enter a simulation: what they send travels as messages, what they break is broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heptagrid.foundation.domains import Kind
from heptagrid.foundation.time import Step

if TYPE_CHECKING:
    from heptagrid.assembly.transport import SortingTransport
    from heptagrid.simulation.simulation import Simulation


class Outside:
    """Nobody from outside takes part; the base of those through which somebody does."""

    def prepare(self, simulation: Simulation, step: Step) -> None:
        """A step is about to begin: return when it may, with everything done that holds from its start."""

    def spare(self, transport: SortingTransport, kind: Kind, until_ns: int) -> None:
        """Messages of a kind may be spared the way until then, where all would arrive."""
        transport.spare(kind, until_ns)

    def meet(self, simulation: Simulation, step: Step) -> None:
        """Power and sensors of the step are known: pass on what others send until its end; return when that instant has come."""
