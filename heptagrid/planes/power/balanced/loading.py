"""How much of its loading a balanced network carries: solved without any, then raised from what it carried before.

Loading is what loads draw and what generators are set to feed in, both in the same proportion. A network whose solution is far from where the
file starts is solved on this way; of one that has none, the share that it carries is known at the end.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from heptagrid.planes.power.balanced.newton import Solution
from heptagrid.world.balanced.network import BalancedNetwork, Bools, Complex, Floats, Ints

_SHORTEST = 2.0**-12  # of the loading: the steps in which it is raised become no smaller
_SURPLUS = 0.5  # of the loads: where generators are set to feed in as much more, it is they that do not fit
_LOW_PU = 0.9  # above this at every free bus the voltage has not collapsed


def raised(solve: Callable[[Complex, float], Solution], start: Complex) -> tuple[Solution, float]:
    """The solution at the greatest share of the loading that is reached from none, and that share; NaN if there is none at any.

    solve: from voltages, at a share.
    """
    carried = solve(start, 0.0)
    if not carried.converged:
        return carried, np.nan
    share, step = 0.0, 1.0
    while share < 1.0 and step >= _SHORTEST:
        further = min(share + step, 1.0)
        tried = solve(carried.v, further)
        if tried.converged:
            carried, share = tried, further
        else:
            step *= 0.5
    return carried, share


def trouble(network: BalancedNetwork, is_free: Bools, on: Bools, carried: Solution, share: float) -> str:
    """What is known of a network without a solution. is_free: (buses,) those that hold no voltage; on: (branches,) in service."""
    if np.isnan(share):
        return f"no solution found, not even without any load: check impedances, ratios and set-points; {_smallest(network, on)}"
    words = f"no solution found; it carries {100.0 * share:.1f} % of its loading and no more"
    v_pu = np.where(is_free, np.abs(carried.v), np.inf)
    weakest = int(v_pu.argmin()) if is_free.any() else -1
    buses, generators = network.buses, network.generators
    drawn_mw = float((buses.p_mw + buses.current_p_mw).sum())
    set_mw = float(generators.p_mw[generators.in_service].sum())
    if set_mw - drawn_mw > _SURPLUS * abs(drawn_mw):
        return (
            f"{words}: generators are set to feed in {set_mw:,.6g} MW where loads draw {drawn_mw:,.6g} MW, and the slack cannot take up the "
            "rest; set them to a dispatch (cases for an optimal power flow hold none)"
        )
    if weakest < 0 or v_pu[weakest] > _LOW_PU:
        return f"{words}: the branches cannot carry the power over the angles that it needs; reduce loads or set generators nearer to them"
    return (
        f"{words}: voltage collapse, with {v_pu[weakest]:.3f} pu at bus {buses.names[weakest]}; reduce loads or support "
        "the voltage there"
    )


def _smallest(network: BalancedNetwork, on: Bools) -> str:
    size: Floats = np.abs(network.branches.z_pu)
    rows: Ints = np.flatnonzero(on)
    if not len(rows):
        return "no branch is in service"
    least = int(rows[size[rows].argmin()])
    return f"the smallest impedance is that of branch {network.branches.names[least]}, {size[least]:.3g} pu"
