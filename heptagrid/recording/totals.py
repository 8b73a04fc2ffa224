"""What a run adds up for one arm over one span of days: plain numbers and arrays, made to be joined."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass
class Energy:
    """Energies in kWh, as design section 6 defines them; `stored` is the change over the span.

    damped: what the bulk system's other loads drew more for the frequency. kinetic: what the machines' masses took up.
    """

    imported: float = 0.0
    exported: float = 0.0
    generated: float = 0.0
    consumed: float = 0.0
    lost: float = 0.0
    stored: float = 0.0
    points_drawn: float = 0.0
    points_fed_in: float = 0.0
    fleet: float = 0.0
    transmission_lost: float = 0.0
    rest: float = 0.0
    damped: float = 0.0
    kinetic: float = 0.0
    stored_heat: float = 0.0

    @property
    def residual(self) -> float:
        """What the town's balance leaves over: zero but for the solver's tolerance."""
        return self.generated + self.imported - self.exported - self.consumed - self.lost - self.stored

    @property
    def bulk_residual(self) -> float:
        """What the bulk system's balance leaves over."""
        taken = self.rest + self.damped + self.transmission_lost + self.imported - self.exported
        return self.fleet - taken - self.kinetic

    def add(self, other: Energy) -> None:
        for name in vars(self):
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass
class Extremes:
    """The greatest and the least over a span.

    branch_peak_pct: (nodes,) of the line or transformer above each node. customer_*: (customers,) of the supply voltage, per unit of
    each customer's rated voltage; outside_s is the sum of customer_outside_s.
    """

    v_min_pu: float = np.inf
    v_max_pu: float = -np.inf
    outside_s: float = 0.0
    peak_kw: float = -np.inf
    peak_ns: int = 0
    transformer_peak_pct: Floats = field(default_factory=lambda: np.zeros(0))
    node_v_min: Floats = field(default_factory=lambda: np.zeros(0))
    node_v_max: Floats = field(default_factory=lambda: np.zeros(0))
    branch_peak_pct: Floats = field(default_factory=lambda: np.zeros(0))
    customer_v_min: Floats = field(default_factory=lambda: np.zeros(0))
    customer_v_max: Floats = field(default_factory=lambda: np.zeros(0))
    customer_outside_s: Floats = field(default_factory=lambda: np.zeros(0))

    @staticmethod
    def none(nodes: int, transformers: int, customers: int) -> Extremes:
        """Of a span in which nothing has happened yet."""
        return Extremes(
            transformer_peak_pct=np.zeros(transformers),
            node_v_min=np.full(nodes, np.inf),
            node_v_max=np.full(nodes, -np.inf),
            branch_peak_pct=np.zeros(nodes),
            customer_v_min=np.full(customers, np.inf),
            customer_v_max=np.full(customers, -np.inf),
            customer_outside_s=np.zeros(customers),
        )

    def join(self, other: Extremes) -> None:
        """Take in a later span."""
        self.v_min_pu = min(self.v_min_pu, other.v_min_pu)
        self.v_max_pu = max(self.v_max_pu, other.v_max_pu)
        self.outside_s += other.outside_s
        if other.peak_kw > self.peak_kw:
            self.peak_kw, self.peak_ns = other.peak_kw, other.peak_ns
        self.transformer_peak_pct = np.maximum(self.transformer_peak_pct, other.transformer_peak_pct)
        self.node_v_min = np.minimum(self.node_v_min, other.node_v_min)
        self.node_v_max = np.maximum(self.node_v_max, other.node_v_max)
        self.branch_peak_pct = np.maximum(self.branch_peak_pct, other.branch_peak_pct)
        self.customer_v_min = np.minimum(self.customer_v_min, other.customer_v_min)
        self.customer_v_max = np.maximum(self.customer_v_max, other.customer_v_max)
        self.customer_outside_s = self.customer_outside_s + other.customer_outside_s


@dataclass
class TownFigures:
    """What each town came to over a span, (towns,) each: energies in kWh, and the highest draw from transmission and when it began.

    Substations' and customers' extremes are those of `Extremes`, town by town.
    """

    imported_kwh: Floats
    exported_kwh: Floats
    lost_kwh: Floats
    peak_kw: Floats
    peak_ns: Ints

    @staticmethod
    def none(towns: int) -> TownFigures:
        """Of a span in which nothing has happened yet."""
        nothing = np.zeros(towns)
        return TownFigures(
            nothing, nothing.copy(), nothing.copy(), np.full(towns, -np.inf), np.zeros(towns, dtype=np.int64)
        )

    def follow(self, infeed_kw: Floats, losses_kw: Floats, hours: float, begin_ns: int) -> None:
        """Take in a step, (towns,) each."""
        self.imported_kwh += np.maximum(infeed_kw, 0.0) * hours
        self.exported_kwh += np.maximum(-infeed_kw, 0.0) * hours
        self.lost_kwh += losses_kw * hours
        if (infeed_kw > self.peak_kw).any():
            self._raise_peak(infeed_kw, np.full(len(infeed_kw), begin_ns))

    def join(self, other: TownFigures) -> None:
        """Take in a later span."""
        self.imported_kwh = self.imported_kwh + other.imported_kwh
        self.exported_kwh = self.exported_kwh + other.exported_kwh
        self.lost_kwh = self.lost_kwh + other.lost_kwh
        self._raise_peak(other.peak_kw, other.peak_ns)

    def _raise_peak(self, peak_kw: Floats, peak_ns: Ints) -> None:
        higher = peak_kw > self.peak_kw
        self.peak_kw = np.where(higher, peak_kw, self.peak_kw)
        self.peak_ns = np.where(higher, peak_ns, self.peak_ns)


@dataclass
class DayBooks:
    """One day's money: by_domain in EUR, and the day's peak of import at each infeed, (towns,), the highest mean power of a quarter hour."""

    day: date
    by_domain_eur: Floats
    peaks_kw: Floats
