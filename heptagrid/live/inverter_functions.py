"""Functions of inverters as programs outside ask for them, whatever their protocol."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
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


def vars_by_factors(
    x: Sequence[float], factors: Sequence[float], kva_per_kw: float
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Points of power factors over the active power as points of vars, of the rated kVA over the rated kW.

    factors: below 0 absorbing; between two points they change in proportion to the power, through 1 where their signs differ.
    """
    beyond = [float(np.sign(one)) * (1.0 - abs(one)) for one in factors]  # from 1, below 0 absorbing
    power: list[float] = [x[0]]
    for (begin, end), (first, last) in zip(pairwise(x), pairwise(beyond), strict=True):
        crossing = [begin + (end - begin) * first / (first - last)] if first * last < 0.0 else []
        for a, b in pairwise([begin, *crossing, end]):
            rests = [abs(np.interp(one, x, beyond)) < 1e-12 for one in (a, b)]
            if rests[0] and rests[1]:
                power.append(b)
                continue
            # Vars begin as a root of the distance from 1 does: points lie closer there.
            u = np.linspace(0.0, 1.0, _PARTS + 1)[1:]
            t = u**_CLOSER if rests[0] else 1.0 - (1.0 - u) ** _CLOSER if rests[1] else u
            power += (a + (b - a) * t).tolist()
    p = np.array(power)
    s = np.interp(p, x, beyond)
    return tuple(p.tolist()), tuple(
        (np.sign(s) * np.abs(p) * np.sqrt(1.0 / (1.0 - np.abs(s)) ** 2 - 1.0) / kva_per_kw).tolist()
    )


_PARTS, _CLOSER = 24, 2.5
"""Into how many a line of power factors is parted: vars are then at most 0.002 of the rated kVA off."""
