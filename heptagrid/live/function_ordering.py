"""Functions of inverters by what is asked of them over time; like orders of power they cross the modelled network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from heptagrid.contracts.inverters import Mode, function
from heptagrid.live import order_parts
from heptagrid.live.grid import LiveGrid
from heptagrid.live.inventory import DeviceClass
from heptagrid.live.inverter_functions import Wanted, function_of, taken_back
from heptagrid.live.order_parts import Part
from heptagrid.live.orderable import Orderable
from heptagrid.live.ordering import RETRY_NS, Message, Ordering

Ints = npt.NDArray[np.int64]

VARS = "VAR"
"""The unit of a part whose value is in var and not of the rated kVA."""


_NOTHING = Wanted(Mode.UNITY)


@dataclass(frozen=True)
class FunctionPart(Part):
    """A time in which inverters follow a function; `value` takes the place of the function's own where the unit is "VAR"."""

    wanted: Wanted = _NOTHING


class FunctionOrdering(Ordering):
    """Sends functions that set one thing, the vars or the limit of watts. mode: one that sets it, to take it back."""

    def __init__(self, grid: LiveGrid, orderable: Orderable, mode: Mode) -> None:
        super().__init__(grid, orderable)
        self._mode = mode
        self._kva_per_kw = float(grid.scenario.sections["inverters"].kva_per_kw)

    def _next(self, parts: Sequence[Part], now_ns: int) -> list[Part]:
        """The parts up to the next gap that are one function. It holds a minute longer where another one follows, for that has to arrive first."""
        whole = order_parts.next_block(parts, now_ns)
        block: list[Part] = []
        for one in whole:
            if block and not _wanted(block[0]).is_like(_wanted(one)):
                self.due_ns = min(self.due_ns, block[-1].end_ns)
                block[-1] = replace(block[-1], end_ns=block[-1].end_ns + RETRY_NS)
                break
            block.append(one)
        return block

    def _messages(self, name: str, of: DeviceClass, rows: Ints, block: list[Part], now_ns: int) -> Iterator[Message]:
        contract = function(name)
        if not block:
            yield rows, contract, taken_back(self._mode, now_ns, rows)
            return
        begin_ns = [max(one.begin_ns, now_ns) for one in block]
        for some, kva in self._alike(of, rows, block):
            wanted = [
                _wanted(one)._replace(value=one.value / 1000.0 / kva) if one.unit == VARS else _wanted(one)
                for one in block
            ]
            yield some, contract, function_of(begin_ns, wanted, block[-1].end_ns, some)

    def _alike(self, of: DeviceClass, rows: Ints, block: Sequence[Part]) -> Iterator[tuple[Ints, float]]:
        """Devices, (k,), that one message is for, and their rated kVA where it matters."""
        if not any(part.unit == VARS for part in block):
            yield rows, 1.0
            return
        rated_kw = of.rated_kw[rows]
        for one in np.unique(rated_kw[rated_kw > 0.0]):
            yield rows[rated_kw == one], float(one) * self._kva_per_kw


def _wanted(part: Part) -> Wanted:
    assert isinstance(part, FunctionPart)
    return part.wanted
