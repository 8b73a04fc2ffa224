"""Transfers that the ledger shows: what parties paid one another more or less, for every reason that uses up no resource."""

from __future__ import annotations

import numpy as np

from heptagrid.foundation.domains import Domain
from heptagrid.foundation.reasons import STATE_REASONS, Reason
from heptagrid.planes.money.benefits.benefit import PARTIES, SOCIETY, STATE, Flow, Nature
from heptagrid.planes.money.benefits.observed import Observed

RESOURCES = (Reason.FUEL, Reason.TELECOM, Reason.INFORMATION_TECHNOLOGY, Reason.METER_READING, Reason.DEVICE_UPKEEP)
"""Reasons by which resources are bought outside; benefits and costs value these."""
FEES = (Reason.USE_OF_SYSTEM, Reason.PEAK_DEMAND)
"""What distribution pays for the transmission network."""


def ledger_flows(observed: Observed) -> list[Flow]:
    """The change of each reason's payments, smart less conventional: for each, parties' gains that sum to zero.

    What is outside the domains is the state for taxes and premiums, and society else; the accounts of the loads and the
    generation elsewhere settle among themselves and are left out.
    """
    change = observed.smart.paid_eur - observed.conventional.paid_eur
    flows = []
    for reason in Reason:
        if reason in RESOURCES or reason >= len(change) or reason is Reason.REST_ENERGY:
            continue
        paid = change[reason, : len(Domain) + 1, : len(Domain) + 1]
        net = paid.sum(axis=0) - paid.sum(axis=1)
        if net.any():
            amounts = np.zeros(len(PARTIES))
            amounts[: len(Domain)] = net[:-1]
            amounts[STATE if reason in STATE_REASONS else SOCIETY] = -net[:-1].sum()
            name = reason.name.lower()
            flows.append(Flow(name, Nature.TRANSFER, amounts, reasons=frozenset({name})))
    return flows


def fee_names() -> frozenset[str]:
    """The reasons' names of what distribution pays transmission."""
    return frozenset(reason.name.lower() for reason in FEES)
