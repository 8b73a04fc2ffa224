"""The flat tariff: the same price for a kWh at all times, all year."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.planes.money.tariffs.billing_rules import Energies, Parameters
from heptagrid.planes.money.tariffs.tariff import Slots, Tariff

Floats = npt.NDArray[np.float64]


class Flat(Tariff):
    """What every customer has who has no other tariff."""

    name = "flat"
    title = "flat"
    what = "a kWh costs the same at all times"
    follows_prices = False

    def price_eur_per_kwh(self, slots: Slots, supply: Parameters, own: Any) -> Floats:
        """The retailer's price of procurement."""
        return np.full_like(slots.day_ahead_eur_per_kwh, supply.flat_procurement_eur_per_mwh / 1000.0)

    def energy_eur(self, import_kwh: Energies, slots: Slots, supply: Parameters, own: Any) -> Floats:
        """All energy at one price."""
        return np.asarray(import_kwh.sum(axis=0, dtype=np.float64) * (supply.flat_procurement_eur_per_mwh / 1000.0))

    def share(self, sections: Mapping[str, Any]) -> float:
        """Those that are left."""
        return 0.0


FLAT = Flat()
