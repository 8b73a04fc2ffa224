"""What a tariff is: one file that says what a kWh costs under it, found through the entry point `heptagrid.tariffs`.

Everything else on a bill, the margin, network fees, levies, taxes and charges by the day, is the same under all tariffs (`billing_rules`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.calendar import Calendar
from heptagrid.foundation.registry import registered_tariffs
from heptagrid.foundation.sums import weighted_columns
from heptagrid.planes.money.rates.accrual import needs_intervals
from heptagrid.planes.money.rates.rate import Rate
from heptagrid.planes.money.rates.schedule import Window
from heptagrid.planes.money.tariffs.billing_rules import Energies, Parameters

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SECTION = "tariffs."
"""What the scenario's section of a tariff is named with before its own name."""


@dataclass(frozen=True)
class Slots:
    """When energy was used: the day-ahead price, (slots,), and the slots' local calendar."""

    day_ahead_eur_per_kwh: Floats
    calendar: Calendar

    @property
    def local_hour(self) -> Floats:
        """(slots,) the local hour of the day at which each slot begins, 0 to 24."""
        return self.calendar.local_hour


class Tariff(ABC):
    """A tariff; an instance is what the entry point names.

    name: as in a scenario and in results. title: in a sentence, such as "flat". what: what a kWh costs, in a sentence for the customer.
    parameters: the dataclass of its own section `tariffs.NAME`, None if it has none; its field `share` says how many customers have it.
    follows_prices: whether devices that nobody steers follow the tariff's prices.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    what: ClassVar[str]
    parameters: ClassVar[type | None] = None
    follows_prices: ClassVar[bool] = True

    @abstractmethod
    def price_eur_per_kwh(self, slots: Slots, supply: Parameters, own: Any) -> Floats:
        """(slots,) the price of energy, without margin, fees and taxes; `own` is the tariff's own section."""

    def windows(self, own: Any) -> Sequence[Window]:
        """When each of its periods is in force, for a tariff with periods: a scenario whose windows leave an hour out, or cover one twice, is refused."""
        return ()

    def rate(self, own: Any) -> Rate | None:
        """The rate by which its months are billed, for a tariff whose month is billed as one; its prices are then those that devices see."""
        return None

    def energy_eur(self, import_kwh: Energies, slots: Slots, supply: Parameters, own: Any) -> Floats:
        """(points,) what energies, (slots, points), cost."""
        return weighted_columns(self.price_eur_per_kwh(slots, supply, own), import_kwh)

    def share(self, sections: Mapping[str, Any]) -> float:
        """How many of all customers have it."""
        return float(sections[SECTION + self.name].share)


@dataclass(frozen=True)
class Offers:
    """The tariffs on offer, the flat one first, and the section of each."""

    tariffs: tuple[Tariff, ...]
    own: tuple[Any, ...]

    @staticmethod
    def of(sections: Mapping[str, Any]) -> Offers:
        """Those that are registered, with the scenario's sections."""
        tariffs = registered_tariffs()
        return Offers(tariffs, tuple(sections.get(SECTION + one.name) for one in tariffs))

    def energy_eur(self, tariff_of: Ints, import_kwh: Energies, slots: Slots, supply: Parameters) -> Floats:
        """(points,) what each point's energy costs under its tariff, `tariff_of` (points,) them by number."""
        cost_eur = self.tariffs[0].energy_eur(import_kwh, slots, supply, self.own[0])
        for k in range(1, len(self.tariffs)):
            if (tariff_of == k).any():
                under_it = self.tariffs[k].energy_eur(import_kwh, slots, supply, self.own[k])
                cost_eur = np.where(tariff_of == k, under_it, cost_eur)
        return cost_eur

    def rates(self) -> dict[int, Rate]:
        """The rates of tariffs whose month is billed as one, by the tariff's number."""
        found = ((k, one.rate(own)) for k, (one, own) in enumerate(zip(self.tariffs, self.own, strict=True)))
        return {k: rate for k, rate in found if rate is not None}

    def of_plain_meters(self, tariff_of: Ints) -> Ints:
        """(customers,) the tariff of each where meters count one sum: a monthly rate that asks no more stays, all others are the flat one."""
        kept = [k for k, rate in self.rates().items() if not needs_intervals(rate)]
        return np.where(np.isin(tariff_of, kept), tariff_of, 0)

    def drawn(self, uniform: Floats, sections: Mapping[str, Any]) -> Ints:
        """(customers,) which tariff each has, from a number between 0 and 1 for each; a larger share moves nobody from it."""
        bounds = np.cumsum([one.share(sections) for one in self.tariffs[1:]])
        k = np.searchsorted(bounds, uniform, side="right")
        return np.where(k < len(bounds), k + 1, 0)
