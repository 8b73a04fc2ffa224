"""Bills in whole cents: each line is rounded by itself, the tax once on the sum of its lines, half a cent away from zero.

Source: EN 16931, rule BR-CO-17: a rate's tax is its taxable amount times the rate, rounded to two decimals. What the taxes that stand
beside the lines lack against that is a line of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.planes.money.ledger import MILLICENT_PER_EUR, millicent

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CENT_PER_EUR = 100
_MILLICENT_PER_CENT = MILLICENT_PER_EUR // CENT_PER_EUR


@dataclass(frozen=True)
class Invoice:
    """Lines in whole cents: net and taxes (lines, ...), net, tax and gross of the whole (...), and what the taxes lack, (...)."""

    lines: Ints
    line_taxes: Ints
    net: Ints
    tax: Ints
    gross: Ints
    rounding: Ints


def cents(amount_eur: npt.ArrayLike) -> Ints:
    """Amounts in EUR as whole cents, half a cent away from zero; what floating point adds below a thousandth is none."""
    exact = millicent(amount_eur)
    return np.asarray(
        np.sign(exact) * ((np.abs(exact) + _MILLICENT_PER_CENT // 2) // _MILLICENT_PER_CENT), dtype=np.int64
    )


def invoice(lines_eur: npt.ArrayLike, vat_share: float) -> Invoice:
    """The invoice of net lines in EUR, (lines, ...), all taxed at one rate."""
    lines = cents(lines_eur)
    net = lines.sum(axis=0)
    line_taxes, tax = (cents(one * vat_share / CENT_PER_EUR) for one in (lines, net))
    return Invoice(lines, line_taxes, net, tax, net + tax, tax - line_taxes.sum(axis=0))
