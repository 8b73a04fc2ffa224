"""Inverters and their network find a common voltage, whatever solves the network.

A round is a solution of the network, started from the one before; Anderson mixing over the share of the gap that each inverter closes (see `inverters`)
makes the rounds few.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from heptagrid.planes.power.anderson_acceleration import Mixing
from heptagrid.planes.power.controls import inverters as smart
from heptagrid.world.inverter_bank import Bank

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

GAP_PU = 1e-8  # between inverters' voltages and what their curves see
_MOST_ROUNDS = 400
_LITTLE = 1e-3  # of the inverters' slopes, to probe the network with

Look = Callable[[Floats, Floats], Floats]
"""Solves the network with what the inverters feed, (inverters,) kW and kvar, and returns their voltages in pu."""


def settle(bank: Bank, look: Look, gap_pu: float = GAP_PU) -> bool:
    """Renew what inverters feed until each sees its own voltage but for `gap_pu`; whether it was found. The last look is at the solution."""
    smart.feed(bank)
    if not bank.volt_var_at[-1] + bank.volt_watt_at[-1]:
        bank.seen_pu[:] = look(bank.p_kw, bank.q_kvar)  # nothing answers to the voltage
        return True
    mixing = Mixing()
    for _ in range(_MOST_ROUNDS):
        gap = look(bank.p_kw, bank.q_kvar) - bank.seen_pu
        if np.abs(gap).max(initial=0.0) <= gap_pu:
            return True
        bank.seen_pu[:] = mixing.next(bank.seen_pu, bank.share * gap)
        smart.feed(bank)
    return False


def probe(bank: Bank, look: Look, group: Ints) -> None:
    """Set the shares of the gap by asking the network how voltages answer to the inverters' slopes, a group of `group`, (inverters,), after the other."""
    smart.feed(bank)
    p_slope, q_slope = smart.steepest(bank)
    before = look(bank.p_kw, bank.q_kvar).copy()
    answers = []
    for one in np.unique(group):
        less_p = np.where(group == one, _LITTLE * p_slope, 0.0)
        less_q = np.where(group == one, _LITTLE * q_slope, 0.0)
        answers.append((look(bank.p_kw - less_p, bank.q_kvar - less_q) - before) / _LITTLE)
    bank.share[:] = smart.shares(np.array(answers))
