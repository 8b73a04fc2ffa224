"""Who is paid for held reserve, and who pays: units by what they sold and held, loads by their energy.

What is bought is what is required: where units could hold more, each sells its part of what it could. A day ahead everybody is paid what the hour's last
megawatt of reserve costs (the dual of the requirement); what a unit then did not hold, for it was out, it pays back at the same price, and loads are relieved of it. In real time
there is no other price of reserve, as there is none of energy. Source of the rule: reserve is required as a share of load, and each load pays for its share, as
loads do in North American markets (PJM Manual 28, load ratio share; source not read).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_LEAST_MW = 1e-6


@dataclass(frozen=True)
class Reserve:
    """Reserve of a day. eur_per_mw: (hours,) of a MW held for an hour. held_mw: (hours, units) sold. eur_per_mwh: (hours,) what it costs a MWh of load."""

    eur_per_mw: Floats
    held_mw: Floats
    eur_per_mwh: Floats

    @property
    def revenue_eur(self) -> Floats:
        """(hours, units) what each is paid for what it sold."""
        return np.asarray(self.eur_per_mw[:, np.newaxis] * self.held_mw)

    def not_held(self, available: Floats) -> Floats:
        """(hours,) which part of what was sold was not held, by how long each unit was there, a part of each hour, (hours, units)."""
        sold, missing = self.held_mw.sum(axis=1), (self.held_mw * (1.0 - available)).sum(axis=1)
        return np.asarray(np.divide(missing, sold, out=np.zeros(len(sold)), where=sold > _LEAST_MW))

    @staticmethod
    def nothing(hours: int, units: int) -> Reserve:
        """Held capacity that nobody pays for."""
        return Reserve(np.zeros(hours), np.zeros((hours, units)), np.zeros(hours))


def bought(eur_per_mw: Floats, room_mw: Floats, required_mw: Floats, load_mw: Floats) -> Reserve:
    """The reserve of a day.

    Parameters
    ----------
    eur_per_mw : (hours,) the price.
    room_mw : (hours, units) what each could hold, 0 of who may not.
    required_mw, load_mw : (hours,) what is required, and what all loads take.
    """
    price, room = np.maximum(eur_per_mw, 0.0), room_mw.sum(axis=1)
    part = np.divide(np.minimum(required_mw, room), room, out=np.zeros(len(room)), where=room > _LEAST_MW)
    held = room_mw * part[:, np.newaxis]
    cost = price * held.sum(axis=1)
    return Reserve(price, held, np.divide(cost, load_mw, out=np.zeros(len(cost)), where=load_mw > _LEAST_MW))
