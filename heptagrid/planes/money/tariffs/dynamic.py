"""The dynamic tariff: a kWh costs what the day-ahead market cleared for its hour (EnWG section 41a)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.planes.money.tariffs.billing_rules import Parameters
from heptagrid.planes.money.tariffs.tariff import Slots, Tariff

Floats = npt.NDArray[np.float64]


class Dynamic(Tariff):
    """Its share is `gateways.dynamic_tariff_share`."""

    name = "dynamic"
    title = "dynamic"
    what = "a kWh costs what the market cleared for its hour"

    def price_eur_per_kwh(self, slots: Slots, supply: Parameters, own: Any) -> Floats:
        """The day-ahead price of the hour."""
        return slots.day_ahead_eur_per_kwh

    def share(self, sections: Mapping[str, Any]) -> float:
        """As the gateways' section says."""
        return float(sections["gateways"].dynamic_tariff_share)


DYNAMIC = Dynamic()
