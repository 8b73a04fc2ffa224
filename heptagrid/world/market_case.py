"""What a market with a network is made of, as arrays: buses with demand, branches with limits, units with bounds and costs.

Source: the case format of MATPOWER (Zimmerman, Murillo-Sánchez, Thomas 2011, appendix B). Costs are in the file's own money (USD, mostly).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Names = npt.NDArray[np.str_]


@dataclass(frozen=True)
class MarketUnits:
    """Who gives power, or takes it (below zero), (units,) each.

    bus: its number in the case's buses. low_mw, high_mw: bounds of its output. polynomial: (units, degrees) what an hour costs at p MW is the
    sum of polynomial[:, k] p**k. segment_unit, segment_slope, segment_usd: (segments,) of piecewise linear costs, in the order of the units: an
    hour costs the highest of slope p + usd over the unit's segments, and its polynomial is zero.
    """

    names: Names
    bus: Ints
    low_mw: Floats
    high_mw: Floats
    polynomial: Floats
    segment_unit: Ints
    segment_slope: Floats
    segment_usd: Floats


@dataclass(frozen=True)
class MarketBranches:
    """What joins buses, (branches,) each, those in service alone.

    r_pu, x_pu: in series. tap: ratio of the ideal transformer at the `from` end, shift_rad its phase shift. limit_mw: of the flow in either
    direction, infinite without one. angle_low_rad, angle_high_rad: of the angle at `from` less that at `to`, infinite without a limit.
    """

    names: Names
    from_bus: Ints
    to_bus: Ints
    r_pu: Floats
    x_pu: Floats
    tap: Floats
    shift_rad: Floats
    limit_mw: Floats
    angle_low_rad: Floats
    angle_high_rad: Floats


@dataclass(frozen=True)
class DirectLines:
    """Lines for direct current whose flow is chosen, (lines,) each.

    low_mw, high_mw: of what enters at `from`. Of p MW that enter, loss_mw + loss_share p are lost on the way to `to`.
    """

    names: Names
    from_bus: Ints
    to_bus: Ints
    low_mw: Floats
    high_mw: Floats
    loss_mw: Floats
    loss_share: Floats


@dataclass(frozen=True)
class MarketCase:
    """One hour of a market. bus_names, load_mw: (buses,); load_mw: what is served there, shunts' conductance at 1 pu included.

    left_out: what the file holds beyond this, a line each.
    """

    name: str
    base_mva: float
    bus_names: Names
    load_mw: Floats
    branches: MarketBranches
    direct_lines: DirectLines
    units: MarketUnits
    left_out: tuple[str, ...] = ()
