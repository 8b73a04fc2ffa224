"""What a market is: a rule that takes offers and gives quantities, prices, uplift and a certificate; one file each, found through entry points.

    DC_OPF = Market("dc-opf", "optimal power flow by direct current", MarketCase, frozenset({"network"}), clear)

and, in pyproject.toml, under `heptagrid.markets`: `dc-opf = "heptagrid.planes.money.markets.dc_opf:DC_OPF"`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from heptagrid.planes.money.markets.certificate import Certificate

Table = dict[str, Sequence[str] | npt.NDArray[np.float64] | npt.NDArray[np.str_]]
"""Rows by the names of their columns: texts, or figures that are NaN where nothing is known."""


@dataclass(frozen=True)
class Outcome:
    """What a market came to.

    status: `optimal`, `infeasible`, `unbounded` or `stopped`; figures and tables are empty unless it is optimal or there is a total cost. total_cost: of all that was
    accepted. figures: others of the whole, by their names. prices, quantities, branches: rows; a market without branches has none. certificate: that
    nothing is better. reasons: why there is no answer; remarks: what was left out;
    a line each. seconds: of clearing.
    """

    status: str
    seconds: float
    total_cost: float | None = None
    certificate: Certificate | None = None
    figures: dict[str, object] = field(default_factory=dict)
    prices: Table = field(default_factory=dict)
    quantities: Table = field(default_factory=dict)
    branches: Table = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Market:
    """words: what it is. takes: what `clear` is given first. options: the names of what else it takes.

    clear: with the offers and some of the options; raises HeptagridError.
    """

    name: str
    words: str
    takes: type
    options: frozenset[str]
    clear: Callable[..., Outcome]
