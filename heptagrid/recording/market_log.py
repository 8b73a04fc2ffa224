"""Follows the bulk system's market: writes each day's prices by bus and schedules by unit, and adds up what it came to."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.arm import ArmGrid
from heptagrid.assembly.span import Span
from heptagrid.foundation.time import NS_PER_HOUR
from heptagrid.planes.money.markets.day_ahead import Cleared
from heptagrid.recording.tables import TableWriter

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class MarketFigures:
    """What the market of the counted days came to.

    emitted_t: carbon dioxide of the fleet, with the towns and without, (2,). cost_eur: of the schedules; redispatch_eur: of it for the network's limits.
    congestion_eur, loss_surplus_eur, make_whole_eur: what all loads would pay, at the buses' prices, beyond what units get, and what these would lack.
    losses_mwh: of transmission, that the schedules give. reserve_eur: what units get for reserve, where it is bought.
    gap: by how much the shared commitments may lie above the cheapest, the worst day's, as a part. unserved_mwh: of all loads.
    """

    days: int
    emitted_t: Floats
    cost_eur: float
    redispatch_eur: float
    congestion_eur: float
    loss_surplus_eur: float
    losses_mwh: float
    reserve_eur: float
    make_whole_eur: float
    gap: float
    unserved_mwh: float

    @staticmethod
    def nothing() -> MarketFigures:
        """Of no day."""
        return MarketFigures(0, np.zeros(2), *(0.0,) * 9)

    def __add__(self, other: MarketFigures) -> MarketFigures:
        return MarketFigures(
            self.days + other.days,
            self.emitted_t + other.emitted_t,
            self.cost_eur + other.cost_eur,
            self.redispatch_eur + other.redispatch_eur,
            self.congestion_eur + other.congestion_eur,
            self.loss_surplus_eur + other.loss_surplus_eur,
            self.losses_mwh + other.losses_mwh,
            self.reserve_eur + other.reserve_eur,
            self.make_whole_eur + other.make_whole_eur,
            max(self.gap, other.gap),
            self.unserved_mwh + other.unserved_mwh,
        )

    @property
    def towns_t(self) -> float:
        """Carbon dioxide that the towns' energy caused, in tonnes."""
        return float(self.emitted_t[0] - self.emitted_t[1])

    def summary(self) -> dict[str, float]:
        """The arm's entry."""
        return {
            "days": self.days,
            "fleet_cost_eur": self.cost_eur,
            "redispatch_eur": self.redispatch_eur,
            "congestion_rent_eur": self.congestion_eur,
            "loss_surplus_eur": self.loss_surplus_eur,
            "losses_mwh": self.losses_mwh,
            "reserve_eur": self.reserve_eur,
            "make_whole_eur": self.make_whole_eur,
            "commitment_gap": self.gap,
            "unserved_mwh": self.unserved_mwh,
            "fleet_emissions_t": float(self.emitted_t[0]),
            "towns_emissions_t": self.towns_t,
        }


def _of_day(day: Cleared) -> MarketFigures:
    return MarketFigures(
        days=1,
        emitted_t=np.zeros(2),
        cost_eur=day.cost_eur,
        redispatch_eur=day.redispatch_eur,
        congestion_eur=day.congestion_eur,
        loss_surplus_eur=day.loss_surplus_eur,
        losses_mwh=day.losses_mwh,
        reserve_eur=day.reserve_eur,
        make_whole_eur=day.make_whole_eur,
        gap=day.gap,
        unserved_mwh=day.unserved_mwh,
    )


class MarketLog:
    """Observes one arm's market and fleet."""

    def __init__(self, grid: ArmGrid, span: Span) -> None:
        self._grid, self._span = grid, span
        self._days_before = 0  # of the fleet that do not count

    def begin(self) -> None:
        """Count from here."""
        fuel = self._grid.generation.fuel
        self._days_before = fuel.days_ended if fuel else 0

    def write_day(self, first_ns: int, writer: TableWriter) -> None:
        """Write the market's day to which a time belongs, if it was cleared."""
        cleared = self._grid.markets.days.get(first_ns // NS_PER_HOUR)
        if cleared is None:
            return
        system, hours = self._grid.world.bulk, len(cleared.p_mw)
        at_ns = (first_ns // NS_PER_HOUR + np.arange(hours)) * NS_PER_HOUR
        energy = cleared.energy_eur_per_mwh
        congestion = cleared.bus_eur_per_mwh - energy[:, np.newaxis] - cleared.loss_eur_per_mwh
        writer.write(
            "bus_prices",
            {
                "hour_ns": np.tile(at_ns, len(system.bus_numbers)),
                "bus": np.repeat(system.bus_numbers.astype(np.int32), hours),
                "price_eur_per_mwh": np.ascontiguousarray(cleared.bus_eur_per_mwh.T).ravel().astype(np.float32),
                "energy_eur_per_mwh": np.tile(energy, len(system.bus_numbers)).astype(np.float32),
                "congestion_eur_per_mwh": np.ascontiguousarray(congestion.T).ravel().astype(np.float32),
                "loss_eur_per_mwh": np.ascontiguousarray(cleared.loss_eur_per_mwh.T).ravel().astype(np.float32),
            },
        )
        writer.write("unit_hours", self._unit_hours(at_ns, cleared))

    def finish(self) -> MarketFigures:
        """What the counted days came to."""
        found = replace(MarketFigures.nothing(), emitted_t=self._emitted_t())
        first, last = self._span.start_ns // NS_PER_HOUR, self._span.end_ns // NS_PER_HOUR
        for hour, day in self._grid.markets.days.items():
            if first <= hour < last:
                found += _of_day(day)
        return found

    def _emitted_t(self) -> Floats:
        fuel = self._grid.generation.fuel
        return np.zeros(2) if fuel is None else fuel.emitted_t() - fuel.emitted_t(self._days_before)

    def _unit_hours(self, at_ns: npt.NDArray[np.int64], cleared: Cleared) -> dict[str, npt.NDArray[np.generic]]:
        """What each unit offered and was to give, hour by hour."""
        units, hours = self._grid.world.bulk.units, len(at_ns)
        bounds = [self._grid.generation.bounds_mw(int(one)) for one in at_ns]
        columns = {
            "low_mw": np.stack([low for low, _ in bounds]),
            "high_mw": np.stack([high for _, high in bounds]),
            "p_mw": cleared.p_mw,
            "held_mw": cleared.reserve.held_mw,
            "reserve_eur_per_mw": np.repeat(cleared.reserve.eur_per_mw[:, np.newaxis], len(units), axis=1),
        }
        return {
            "hour_ns": np.tile(at_ns, len(units)),
            "unit": np.repeat(np.arange(len(units), dtype=np.int32), hours),
            "on": np.ascontiguousarray(cleared.on.T).ravel(),
            **{name: np.ascontiguousarray(one.T).ravel().astype(np.float32) for name, one in columns.items()},
        }
