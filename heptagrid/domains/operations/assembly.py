"""Puts operations together: the bulk desk and secondary control in both arms, head end, SCADA and forecasts of the town in the smart one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from heptagrid.domains.operations import agc, bulk_desk, forecast, meter_store, scada
from heptagrid.domains.operations.actor import Operations
from heptagrid.domains.operations.customers_desk import CustomersDesk
from heptagrid.domains.operations.firmware import Rollout
from heptagrid.domains.operations.metered import MeteredDays, Visits
from heptagrid.foundation.domains import Domain
from heptagrid.planes.money.markets.dispatch import MeritOrder
from heptagrid.planes.money.markets.network_dispatch import NetworkDispatch
from heptagrid.planes.money.means import Means
from heptagrid.planes.power.dynamics.frequency import SwingModel
from heptagrid.world.bulk import BulkSystem, UnitCosts
from heptagrid.world.companies import Companies
from heptagrid.world.endpoints import Endpoints
from heptagrid.world.grid import Loads, Profiles, Units
from heptagrid.world.registrations import Registered

Floats = npt.NDArray[np.float64]
Floats32 = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Settings:
    """What operations reads of a scenario. busbar_pu: the targets of the towns' tap changers, (towns,). load_damping: of all loads, per unit."""

    head_end: meter_store.Parameters
    scada: scada.Parameters
    forecast: forecast.Parameters
    agc: agc.Parameters
    dispatch: bulk_desk.Parameters
    busbar_pu: Floats
    load_damping: float
    zone: ZoneInfo
    seed: int

    @staticmethod
    def of(sections: Mapping[str, Any], busbar_pu: Sequence[float], zone: ZoneInfo, seed: int) -> Settings:
        """From the sections of a scenario, and the targets of the towns' tap changers."""
        return Settings(
            head_end=sections["head_end"],
            scada=sections["scada"],
            forecast=sections["forecast"],
            agc=sections["agc"],
            dispatch=sections["dispatch"],
            busbar_pu=np.array(busbar_pu),
            load_damping=sections["frequency"].load_damping,
            zone=zone,
            seed=seed,
        )


@dataclass(frozen=True)
class Site:
    """What operations knows of the world from contracts and plans.

    unit_point: (units,) metering point of each local unit. points: metering points. substation_kva, substation_town: (substations,) rated, and the number of
    the town. registered: devices that it foresees by their standard profiles. companies: whose customers the points are. capped_substations: of each
    aggregator, behind which substations the devices are that a request for relief limits, (devices,). steered_substations: likewise its metering points.
    has_local_markets: whether substations have markets of their own, whose prices relieve them, so that nobody is asked for it.
    """

    loads: Loads
    units: Units
    profiles: Profiles
    unit_point: Ints
    points: int
    substation_kva: Floats
    substation_town: Ints
    bulk: BulkSystem
    unit_costs: UnitCosts
    endpoints: Endpoints
    registered: Sequence[Registered]
    companies: Companies
    capped_substations: Sequence[Ints]
    steered_substations: Sequence[Ints]
    has_local_markets: bool = False


def customers_forecast(settings: Settings, site: Site) -> forecast.Forecast:
    """The forecast of an arm, from what is registered."""
    loads, units = site.loads, site.units
    return forecast.Forecast(
        settings.forecast,
        site.profiles,
        loads.p_kw,
        loads.p_profile,
        units.p_kw,
        units.profile,
        site.unit_point,
        site.points,
        settings.seed,
        site.registered,
        site.companies,
    )


def relief_shares(capped_substations: Sequence[Ints], steered_substations: Sequence[Ints], substations: int) -> Floats:
    """Which part of the relief of each substation is asked of each aggregator, (aggregators, substations).

    It is as its part of the devices that can be capped there; where there are none, of the customers; where nobody lives, all is asked of the first. The
    parts of a substation make up one.
    """
    devices, customers = (
        np.array([np.bincount(one, minlength=substations) for one in behind], dtype=np.float64)
        for behind in (capped_substations, steered_substations)
    )
    counts = np.where(devices.sum(axis=0) > 0.0, devices, customers)
    counts[0, counts.sum(axis=0) == 0.0] = 1.0
    return np.asarray(counts / counts.sum(axis=0))


def operations(
    settings: Settings,
    site: Site,
    of_customers: forecast.Forecast,
    rest_mw: Callable[[int], Floats],
    towns_mw: Callable[[int, int], Floats],
    means: Means,
    swing: SwingModel | None,
    counted: Callable[[int, int], tuple[Floats32, Floats32]],
    days: int,
    rollouts: Sequence[Rollout],
    smart: bool,
) -> Operations:
    """The actor of one arm.

    rest_mw : forecasts the other loads at a time by bus. towns_mw : the towns by standard profiles alone, (hours, towns) from a first hour on. swing : of the bulk system, where the frequency is followed. counted : what visits read without smart
    meters. days : that are counted; a run shorter than what the store keeps has no older reads than its own and the warm-up day's.
    """
    merit_order = MeritOrder.of(site.bulk.units, site.unit_costs)
    network = None
    if settings.dispatch.rule == bulk_desk.NETWORK:
        network = NetworkDispatch(site.bulk, site.unit_costs, settings.dispatch.dispatch_s / 60.0)
    desk = bulk_desk.BulkDesk(settings.dispatch, site.bulk.units, merit_order, site.endpoints, network, rest_mw)
    head_end = None
    if smart:
        store = meter_store.MeterStore(site.points, min(means.days.runs.final_days, days + 1))
        head_end = CustomersDesk(settings.head_end, store, of_customers, site.endpoints, site.companies, means.days)
    watch = scada.Scada(settings.scada, site.substation_kva, site.substation_town) if smart else None
    return Operations(
        site.endpoints,
        settings.zone,
        of_customers,
        rest_mw,
        desk,
        MeteredDays(head_end or Visits(counted, site.companies.all_supplied), desk),
        means.days,
        head_end,
        watch,
        settings.busbar_pu.copy(),
        rollouts if smart else (),
        _agc(settings, site, swing, desk),
        means.upkeep(Domain.OPERATIONS),
        relief_shares(site.capped_substations, site.steered_substations, len(site.substation_kva))
        * (not site.has_local_markets),
        towns_mw,
    )


def _agc(settings: Settings, site: Site, swing: SwingModel | None, desk: bulk_desk.BulkDesk) -> agc.Agc | None:
    if swing is None or not settings.agc.enabled:
        return None
    load_per_hz = settings.load_damping / swing.nominal_hz
    return agc.Agc(settings.agc, site.bulk.units, swing.gain_mw_per_hz, load_per_hz, desk, site.endpoints)
