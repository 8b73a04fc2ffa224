"""Why an hour on a network has no dispatch: the same program with what is short or too much at each bus at a price, and nothing else.

Source of the idea: Chinneck, Feasibility and Infeasibility in Optimization (2008), chapter 6.
"""

from __future__ import annotations

import numpy as np

from heptagrid.planes.money.formulations.network import AngleNetwork, put_limits, put_network
from heptagrid.planes.money.formulations.program import OPTIMAL, Program
from heptagrid.world.market_case import Floats

_LEAST_MW = 1e-5
_SHOWN = 10
_SURPLUS = 10.0  # what is short is told first: nothing is taken in where it is not used to bring more elsewhere


def shortages(network: AngleNetwork) -> tuple[str, ...]:
    """A line for each bus that is short of power or has too much, then one for the branches at their limits that are to blame."""
    case, units = network.case, network.case.units
    if crossed := np.flatnonzero(network.low_mw > network.high_mw).tolist():
        return tuple(
            f"branch {case.branches.names[k]} ({_ends(network, k)}): its rating and its limits of angle exclude one another"
            for k in crossed[:_SHOWN]
        )
    found = _bounds(network)
    program = Program()
    output = program.columns(units.low_mw, units.high_mw)
    short = program.columns(np.zeros(len(case.load_mw)), np.inf, 1.0)
    surplus = program.columns(np.zeros(len(case.load_mw)), np.inf, _SURPLUS)
    columns = put_network(program, network, output, case.load_mw)
    program.put(columns.balance, short, 1.0)
    program.put(columns.balance, surplus, -1.0)
    limited = np.flatnonzero(np.isfinite(network.low_mw) | np.isfinite(network.high_mw))
    rows = put_limits(program, network, columns, (), limited)
    answer = program.solve()
    if answer.status != OPTIMAL:
        return (*found, "its branches' limits of flow and angle exclude one another")
    short_mw, surplus_mw = answer.x[short], answer.x[surplus]
    for what, mw in (("lacks", short_mw), ("has no use for", surplus_mw)):
        worst = np.argsort(-mw, kind="stable")
        worst = worst[mw[worst] > _LEAST_MW]
        found += [f"bus {case.bus_names[k]} {what} {mw[k]:.6g} MW" for k in worst[:_SHOWN]]
        if len(worst) > _SHOWN:
            found.append(f"and {len(worst) - _SHOWN} more buses, {mw[worst[_SHOWN:]].sum():.6g} MW")
    blamed = limited[np.abs(answer.dual[rows]) > _LEAST_MW]
    dual = dict(zip(limited.tolist(), answer.dual[rows].tolist(), strict=True))
    found += [_limit(network, k, is_upper=dual[k] < 0.0) for k in blamed[:_SHOWN].tolist()]
    if len(blamed) > _SHOWN:
        found.append(f"and {len(blamed) - _SHOWN} more branches at their limits")
    return tuple(found)


def _bounds(network: AngleNetwork) -> list[str]:
    """Parts of the network whose units cannot give as much, or as little, as is needed there."""
    case, units = network.case, network.case.units
    islands = int(network.island.max(initial=-1)) + 1

    def of_islands(place: np.ndarray, mw: Floats) -> Floats:
        return np.bincount(network.island[place], mw, islands).astype(np.float64)

    needed = of_islands(np.arange(len(case.load_mw)), case.load_mw)
    low, high = of_islands(units.bus, units.low_mw), of_islands(units.bus, units.high_mw)
    if len(case.direct_lines.names):
        return []
    first = np.unique(network.island, return_index=True)[1]
    found = []
    for k in np.flatnonzero((needed > high + _LEAST_MW) | (needed < low - _LEAST_MW)):
        where = "" if islands == 1 else f"the part of the network with bus {case.bus_names[first[k]]}: "
        if needed[k] > high[k]:
            found.append(f"{where}{needed[k]:.6g} MW are needed, and the units give {high[k]:.6g} MW at most")
        else:
            found.append(f"{where}{needed[k]:.6g} MW are needed, and the units give {low[k]:.6g} MW at least")
    return found[:_SHOWN]


def _limit(network: AngleNetwork, k: int, *, is_upper: bool) -> str:
    """The limit that binds, of the flow from the branch's first end to its second or the other way."""
    branches = network.case.branches
    mw = network.high_mw[k] if is_upper else -network.low_mw[k]
    what = "rating" if mw >= branches.limit_mw[k] else "limit of angle"
    return f"branch {branches.names[k]} ({_ends(network, k)}) lets {mw:.6g} MW through: its {what}"


def _ends(network: AngleNetwork, k: int) -> str:
    names, branches = network.case.bus_names, network.case.branches
    return f"{names[branches.from_bus[k]]} to {names[branches.to_bus[k]]}"
