"""What a run observed over a year, arm by arm: the typed table from which benefits are valued."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from heptagrid.planes.money import business
from heptagrid.planes.money.telecom import Stock

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Outage:
    """Interruptions of one class of customers ("households" or "others") that lasted up to `up_to_h`, and longer than the next shorter class."""

    customer_class: str
    up_to_h: float
    customers: int
    customer_minutes: float
    not_served_mwh: float


@dataclass(frozen=True)
class ArmYear:
    """One arm's year. Quantities that a run cannot show are None.

    Attributes
    ----------
    consumed_mwh, lost_mwh, transmission_lost_mwh, rest_mwh : what the town's customers used, what the town's network and the
        transmission system lost, what loads beyond the towns drew
    fuel_eur : what generation paid for fuel because of the towns, its carbon dioxide included
    system_peak_mw, coincident_mw : highest hourly load of the bulk system, and the towns' part of it in that hour
    system_peak_at : when, ISO 8601 in local time
    highest_mw : the towns' own highest import
    transformer_peak_pct : (transformers,) highest loading
    voltage_pu : mean supply voltage of the customers
    outages : of the scenario's events, by class and duration
    unbilled_mwh : used, and neither read nor estimated in any bill
    price_eur_per_mwh : mean wholesale price, an hour as another
    emissions_t : carbon dioxide that the towns' energy caused
    paid_eur : (reasons, columns, columns) what the ledger's row column paid to the second, a year
    stocks : the meters and communication devices that it has, and the visits to meters that are not read from afar
    """

    consumed_mwh: float = 0.0
    lost_mwh: float = 0.0
    transmission_lost_mwh: float = 0.0
    rest_mwh: float = 0.0
    fuel_eur: float = 0.0
    system_peak_mw: float = 0.0
    coincident_mw: float = 0.0
    system_peak_at: str | None = None
    highest_mw: float = 0.0
    transformer_peak_pct: Floats = field(default_factory=lambda: np.zeros(0))
    voltage_pu: float | None = None
    outages: tuple[Outage, ...] = ()
    unbilled_mwh: float = 0.0
    price_eur_per_mwh: float | None = None
    curtailed_mwh: float | None = None
    emissions_t: float | None = None
    paid_eur: Floats = field(default_factory=lambda: np.zeros((0, 0, 0)))
    stocks: tuple[Stock, ...] = ()

    @property
    def outage_customer_minutes(self) -> float:
        """Minutes without supply, of all customers together."""
        return sum(one.customer_minutes for one in self.outages)

    @property
    def not_served_mwh(self) -> float:
        """What customers would have drawn in them."""
        return self.not_served_mwh_of(None)

    def not_served_mwh_of(self, customer_class: str | None) -> float:
        """The same of one class, or of all."""
        return sum(
            one.not_served_mwh for one in self.outages if customer_class is None or one.customer_class == customer_class
        )


@dataclass(frozen=True)
class Observed:
    """Both arms' years, and what they have in common.

    transformer_mva, transformer_kv : (transformers,) rating, voltage of the upper side. rules: how the years ahead are valued.
    has_events: whether the scenario has events, so that outages were simulated. co2_eur_per_t: what generation pays for a tonne, within its fuel.
    """

    conventional: ArmYear
    smart: ArmYear
    customers: int
    meters: int
    transformer_mva: Floats = field(default_factory=lambda: np.zeros(0))
    transformer_kv: Floats = field(default_factory=lambda: np.zeros(0))
    rules: business.Parameters = field(default_factory=business.Parameters)
    has_events: bool = False
    co2_eur_per_t: float = 0.0

    @property
    def price_eur_per_mwh(self) -> float:
        """What a MWh costs without the smart grid: the conventional arm's mean wholesale price, 0 where there is none."""
        return self.conventional.price_eur_per_mwh or 0.0
