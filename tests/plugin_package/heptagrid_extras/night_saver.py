"""A tariff with two prices: a kWh is cheaper at night."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.parameters import parameter
from heptagrid.planes.money.tariffs.billing_rules import Parameters as Supply
from heptagrid.planes.money.tariffs.tariff import Slots, Tariff

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Parameters:
    """Who has it, when night is, and what a kWh costs then and by day."""

    share: float = parameter(0.0, info="share of customers with it", low=0.0, high=1.0, source="assumption")
    from_h: float = parameter(
        22.0, info="local hour at which night begins", unit="h", low=12.0, high=24.0, source="assumption"
    )
    to_h: float = parameter(6.0, info="local hour at which it ends", unit="h", low=0.0, high=12.0, source="assumption")
    night_eur_per_mwh: float = parameter(
        8.0, info="price of procurement at night", unit="EUR/MWh", low=0.0, high=1000.0, source="assumption"
    )
    day_eur_per_mwh: float = parameter(
        16.0, info="price of procurement by day", unit="EUR/MWh", low=0.0, high=1000.0, source="assumption"
    )


class NightSaver(Tariff):
    """As heating tariffs were for decades."""

    name = "night_saver"
    title = "night saver"
    what = "a kWh is cheaper at night"
    parameters = Parameters

    def price_eur_per_kwh(self, slots: Slots, supply: Supply, own: Parameters | Any) -> Floats:
        """One of two prices."""
        at_night = (slots.local_hour >= own.from_h) | (slots.local_hour < own.to_h)
        return np.where(at_night, own.night_eur_per_mwh, own.day_eur_per_mwh) / 1000.0


NIGHT_SAVER = NightSaver()
