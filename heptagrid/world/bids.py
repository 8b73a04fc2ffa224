"""Bids and offers of a market without a network, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Bids:
    """Orders, (n,) each, in the file's order.

    periods: names of the periods, in the order in which they come up; period: (n,) which. is_sale: whether it sells. price: of a MWh, the
    most that a buyer pays or the least that a seller takes; quantity: MWh at most. blocks: names of the blocks; block: (n,) which, -1 of an order
    that may be taken in part. The orders of a block are taken all and whole, or none. has_periods: whether the file names any.
    """

    names: list[str]
    periods: list[str]
    period: Ints
    is_sale: Bools
    price: Floats
    quantity: Floats
    blocks: list[str]
    block: Ints
    has_periods: bool = False
