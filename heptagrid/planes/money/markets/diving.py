"""From units that are on in part to whole ones: the nearest to on or off are rounded first, with a solution after each round.

Source: Berthold, "Primal heuristics for mixed integer programs", 2006 (not read).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain, repeat

import numpy as np
import numpy.typing as npt

from heptagrid.planes.money.formulations.program import Solution

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
SolvedWithin = Callable[[Floats, Floats], Solution]
"""The relaxed program solved with units on between these bounds, (periods, units) each."""

_WHOLE = 1e-6  # by which a part may differ from on or off
_AT_ONCE = 0.3  # of the units that are on in part that a round rounds: the more, the faster and the dearer
_DEARER = 0.002  # by which a round may make the day dearer before the other side is tried
_ROUNDS = 60  # after which a round rounds all
_LEAST = 1.0  # of the case's money, that such a round may cost in any case


def dive(relaxed: Solution, on: Ints, low: Floats, high: Floats, solved_within: SolvedWithin) -> Solution:
    """Round what is on in part, round after round, until every unit is on or off; after some rounds all of it at once.

    Between its own bounds one unit can always be rounded either way; where several at once cannot, the nearest is alone. Between
    narrower ones it may be that nothing can be rounded: the solution then has no point.
    """
    found, (low, high) = relaxed, (low.copy(), high.copy())
    for at_once in chain(repeat(_AT_ONCE, _ROUNDS), repeat(1.0)):
        part = found.x[on]
        is_part = (part > _WHOLE) & (part < 1.0 - _WHOLE)
        if not is_part.any():
            break
        distance = np.where(is_part, np.minimum(part, 1.0 - part), np.inf)
        count = max(1, int(at_once * is_part.sum()))
        chosen = distance <= np.sort(distance, axis=None)[count - 1]
        rounded = _rounded(found, part, chosen, low, high, solved_within)
        if not rounded[0].has_point:
            alone = np.zeros_like(chosen)
            alone[np.unravel_index(np.argmin(distance), distance.shape)] = True
            rounded = _rounded(found, part, alone, low, high, solved_within)
        found, low, high = rounded
        if not found.has_point:
            break
    return found


def _rounded(
    before: Solution, part: Floats, chosen: Bools, low: Floats, high: Floats, solved_within: SolvedWithin
) -> tuple[Solution, Floats, Floats]:
    """The chosen to the nearer side; to all of them on, where that is cheaper than what the nearer side costs more."""
    up = chosen & (part >= 0.5)
    nearest = np.where(up, 1.0, low), np.where(chosen & ~up, 0.0, high)
    found = solved_within(*nearest)
    assert before.objective is not None
    if found.objective is not None and found.objective <= (1.0 + _DEARER) * before.objective + _LEAST:
        return found, *nearest
    everybody = solved_within(np.where(chosen, 1.0, low), high)
    if found.objective is not None and (everybody.objective is None or found.objective <= everybody.objective):
        return found, *nearest
    return everybody, np.where(chosen, 1.0, low), high
