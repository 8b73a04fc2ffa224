"""A regulated network's revenue: fees are reset to what the network may earn, and what it took too much or too little is carried over.

Transmission may earn what it earned without the smart grid. What distribution's lower peak withholds from it in a year, all users of
the transmission network make up in the next, with interest: the towns by their share of the system's energy, others the rest.
Distribution may earn what it earned, and passes on what it pays transmission and others more or less; customers get or pay the
difference in the next year, with interest. What networks save or spend themselves stays with them. The last year's difference is
settled at the horizon. So no payment of a run's ledger changes; the appraisal adds these payments to it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.domains import Domain
from heptagrid.planes.money.benefits.benefit import PARTIES, SOCIETY

Floats = npt.NDArray[np.float64]


def reset(transfers: Floats, fees: Floats, town_share: float, rate: float) -> Floats:
    """What resetting the fees adds, (horizon + 1, parties); each year's sum is zero.

    Parameters
    ----------
    transfers : (horizon + 1, parties), what each party gains by transfers each year
    fees : (horizon + 1,), what transmission gains of it by its fees
    town_share : the towns' part of what the transmission network carries, 0 to 1
    rate : interest on what is carried over
    """
    added = np.zeros((len(transfers), len(PARTIES)))
    _carry(added, fees, Domain.TRANSMISSION, {Domain.DISTRIBUTION: town_share, SOCIETY: 1.0 - town_share}, rate)
    surplus = transfers[:, Domain.DISTRIBUTION] + added[:, Domain.DISTRIBUTION]
    _carry(added, surplus, Domain.DISTRIBUTION, {Domain.CUSTOMERS: 1.0}, rate)
    return added


def _carry(added: Floats, surplus: Floats, network: int, users: dict[int, float], rate: float) -> None:
    """Give a network's surplus of each year, (horizon + 1,), back to its users a year later, in place."""
    last = len(surplus) - 1
    for year, amount_eur in enumerate(surplus):
        due, back_eur = (year + 1, amount_eur * (1.0 + rate)) if year < last else (year, amount_eur)
        added[due, network] -= back_eur
        for user, share in users.items():
            added[due, user] += share * back_eur
