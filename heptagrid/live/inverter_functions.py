"""Functions of inverters as programs outside ask for them, whatever their protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from heptagrid.contracts.inverters import Function, Mode

Ints = npt.NDArray[np.int64]

NOBODY: Ints = np.empty(0, dtype=np.int64)


class Wanted(NamedTuple):
    """A function, as `contracts.inverters.Function` has it."""

    mode: Mode
    value: float = 0.0
    x: tuple[float, ...] = ()
    y: tuple[float, ...] = ()
    response_s: float = 0.0
    has_watt_priority: bool = False

    def is_like(self, other: Wanted) -> bool:
        """Whether both are one function but for its value."""
        return self._replace(value=0.0) == other._replace(value=0.0)


def function_of(begin_ns: Sequence[int], wanted: Sequence[Wanted], until_ns: int, device: Ints = NOBODY) -> Function:
    """The message that gives devices a function with its values by intervals."""
    first = wanted[0]
    return Function(
        mode=int(first.mode),
        begin_ns=np.array(begin_ns, dtype=np.int64),
        value=np.array([one.value for one in wanted]),
        x=np.array(first.x, dtype=np.float64),
        y=np.array(first.y, dtype=np.float64),
        response_s=first.response_s,
        has_watt_priority=int(first.has_watt_priority),
        until_ns=until_ns,
        device=device,
    )


def taken_back(mode: Mode, now_ns: int, device: Ints = NOBODY) -> Function:
    """The message that takes back what sets the same as a mode."""
    none = np.empty(0)
    return Function(int(mode), NOBODY, none, none, none, 0.0, 0, now_ns, device)
