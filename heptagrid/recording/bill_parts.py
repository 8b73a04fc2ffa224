"""What customers' bills are made of, in parts that people know: energy, networks, the state, feed-in, and what else was owed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heptagrid.planes.money.tariffs.billing_rules import Bills

Floats = npt.NDArray[np.float64]

BILL_PARTS = ("energy", "network", "state", "feed_in", "other")
"""Energy and sales; networks and metering; levies and taxes, value added tax too; credits for feed-in; pay for flexibility and true-ups."""


def parts_of(bills: Bills) -> Floats:
    """The parts of a day's bills, (parts, points) in EUR; they sum to `bills.net`, nothing is left for the last."""
    return np.array(
        [
            bills.energy + bills.standing + bills.demand + bills.minimum + bills.line_rounding,
            bills.network + bills.base + bills.metering,
            bills.state + bills.energy_vat + bills.standing_vat + bills.demand_vat + bills.rounding,
            -(bills.export_credit + bills.feed_in_premium),
            np.zeros_like(bills.energy),
        ]
    )


def completed(parts_eur: Floats, bills_eur: Floats) -> Floats:
    """The same over a run, (parts, customers), with the last what the ledger has besides, to sum to `bills_eur`."""
    whole = parts_eur.copy()
    whole[-1] = bills_eur - parts_eur[:-1].sum(axis=0)
    return whole
