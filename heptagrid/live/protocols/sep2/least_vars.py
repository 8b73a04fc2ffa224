"""Of several modes of reactive power in one control the one that asks for the least vars, at each active power.

Source: IEEE 2030.5-2018, `DERControlBase`: of power factors, fixed vars and others that are issued together, "the control resulting in least var magnitude should take precedence".
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from heptagrid.contracts.inverters import Mode
from heptagrid.live.inverter_functions import Wanted

_Line = tuple[tuple[float, ...], tuple[float, ...]]


def least(wanted: Sequence[Wanted], kva_per_kw: float) -> Wanted:
    """One function for several whose vars follow from the active power alone: its curve leaps where another of them begins to ask for less. A power factor while power is given asks for nothing while it is drawn."""
    lines = [_line(one, kva_per_kw) for one in wanted]
    edges = np.unique(np.concatenate([[-1.0, 0.0, 1.0], *(x for x, _ in lines)]))
    edges = np.unique(np.concatenate([edges, *(_crossings(edges, a, b) for a in lines for b in lines)]))
    x: list[float] = []
    y: list[float] = []
    for begin, end in pairwise(edges.tolist()):
        middle = 0.5 * (begin + end)
        asking = [line for one, line in zip(wanted, lines, strict=True) if middle > 0.0 or _asks_while_drawing(one)]
        if not asking:
            x, y = [*x, begin, end], [*y, 0.0, 0.0]
            continue
        chosen = min(asking, key=lambda line: abs(_at(line, middle)))
        x, y = [*x, begin, end], [*y, _at(chosen, begin), _at(chosen, end)]
    return Wanted(Mode.WATT_VAR, 0.0, *_without_repeats(x, y))


def _asks_while_drawing(one: Wanted) -> bool:
    return one.mode is not Mode.POWER_FACTOR_GIVING


def _line(one: Wanted, kva_per_kw: float) -> _Line:
    """Vars of the rated kVA over the active power, of its rating."""
    if one.mode is Mode.VAR:
        return (-1.0, 1.0), (one.value, one.value)
    if one.mode is Mode.POWER_FACTOR_GIVING:
        per_power = float(np.sign(one.value) * np.sqrt(1.0 / one.value**2 - 1.0)) / kva_per_kw
        return (0.0, 1.0), (0.0, per_power)
    return one.x, one.y


def _at(line: _Line, p: float) -> float:
    return float(np.interp(p, *line))


def _crossings(edges: np.ndarray, one: _Line, other: _Line) -> list[float]:
    """Where two lines ask for as much, whichever way, between edges at which both may bend."""
    found = []
    for sign in (1.0, -1.0):
        gap = np.interp(edges, *one) - sign * np.interp(edges, *other)
        for k in np.flatnonzero(gap[:-1] * gap[1:] < 0.0):
            found.append(float(edges[k] + (edges[k + 1] - edges[k]) * gap[k] / (gap[k] - gap[k + 1])))
    return found


def _without_repeats(x: Sequence[float], y: Sequence[float]) -> _Line:
    kept = [k for k in range(len(x)) if not k or (x[k], y[k]) != (x[k - 1], y[k - 1])]
    return tuple(x[k] for k in kept), tuple(y[k] for k in kept)
