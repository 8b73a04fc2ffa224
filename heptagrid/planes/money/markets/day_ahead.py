"""The day-ahead market of a run: which units are on, what each gives, and what a MWh costs.

Which units are on follows from a forecast that both arms of a comparison have alike, so that both share one commitment, and how far it may lie from the
cheapest does not enter their difference. With it each arm's own demand is dispatched exactly, by a linear program over the day: once without the
network, which gives the price of the zone, and once within the limits of its branches, which gives the schedule and a price for each bus. A zone clears
before its network is looked at: its price has a commitment without the network's limits, also shared.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.errors import MarketError
from heptagrid.foundation.parameters import parameter
from heptagrid.planes.money.markets.day_case import Before, Offers, Rows, day_case
from heptagrid.planes.money.markets.kept_commitments import committed
from heptagrid.planes.money.markets.nodal_payments import Lost, Paid, paid_at_buses, paid_in_zone
from heptagrid.planes.money.markets.reserve_payments import Reserve, bought
from heptagrid.planes.money.markets.schedule import hours_on_or_off
from heptagrid.planes.money.markets.unit_commitment import OUTPUTS_ALONE, Commitment, Settings, dispatch
from heptagrid.world.bulk import THERMAL, BulkSystem
from heptagrid.world.commitment_case import CommitmentCase

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

ZONAL, NODAL = "zonal", "nodal"
FORESEEN, MARGINAL = "foreseen", "marginal"
HELD, BOUGHT = "held", "bought"
SEARCH, TREE = "search", "tree"
_STEP_MW = 10.0  # in which a commitment counts what is expected of a town, so that runs that are nearly alike share what was found


@dataclass(frozen=True)
class Parameters:
    """Rules of the market."""

    pricing: str = parameter(
        ZONAL,
        info="one price for the zone, whose network operators then keep within its limits at cost, or a price for each bus",
        choices=(ZONAL, NODAL),
        source="European day-ahead coupling has zones; North American markets have nodes",
    )
    commitment: str = parameter(
        SEARCH,
        info="how the units that are on are found: in about a second and within some per cent of the cheapest, or by a tree to 0.1 %, which may take minutes a day",
        choices=(SEARCH, TREE),
        source="assumption: both arms share it, so that it does not enter their difference",
    )
    reserve_share: float = parameter(
        0.1,
        info="capacity that thermal units hold beyond what they give, as a share of the hour's demand",
        low=0.0,
        high=1.0,
        source="assumption: covers the forecast error and the largest of the units, 400 MW of a mean of 4,300 MW",
    )
    reserves: str = parameter(
        HELD,
        info="whether the capacity that thermal units hold is bought: energy and reserve then are dispatched together, units are paid the price of reserve, and loads pay for it",
        choices=(HELD, BOUGHT),
        source="North American markets buy both together; European transmission operators buy reserve apart, and network fees hold what it costs",
    )
    reserve_cap_eur_per_mw: float = parameter(
        850.0,
        info="the most that a megawatt of reserve is bought for, an hour; where it would cost more, a part of it is not held",
        unit="EUR/MW",
        low=0.0,
        high=100000.0,
        source="PJM's penalty factor of a reserve requirement, 850 USD/MWh (its filing of 2017 on operating reserve demand curves), taken as EUR",
    )
    loss_share: float = parameter(
        0.03,
        info="transmission losses foreseen, as a share of demand",
        low=0.0,
        high=0.2,
        source="assumption: our DC flow of RTS-GMLC loses 2.4 % of a summer day's generation and 4.0 % of a windy winter day's",
    )
    losses: str = parameter(
        FORESEEN,
        info="transmission losses of the schedule: foreseen as a share of demand, or as its flows lose them, so that a bus's price has a part for what a MWh more there would lose",
        choices=(FORESEEN, MARGINAL),
        source="Litvinov, Zheng, Rosenwald and Shamsollahi, IEEE Trans. Power Systems 19 (2004) 880; North American markets price marginal losses, European zones foresee them",
    )
    price_cap_eur_per_mwh: float = parameter(
        4000.0,
        info="price when the units that are on cannot cover the demand",
        unit="EUR/MWh",
        low=0.0,
        high=100000.0,
        source="harmonised maximum price of European day-ahead coupling (ACER, 4000 EUR/MWh since 2022)",
    )


@dataclass(frozen=True)
class Demand:
    """What is asked for, hour by hour.

    rest_mw: (hours, buses) by the other loads. towns_mw: (hours, towns) bids. expected_mw: (hours, towns) what both arms expect of the towns alike.
    town_bus: (towns,).
    """

    rest_mw: Floats
    towns_mw: Floats
    expected_mw: Floats
    town_bus: Ints

    def at_buses(self, towns_mw: Floats) -> Floats:
        """(hours, buses) of all loads, with these of the towns."""
        load = self.rest_mw.copy()
        np.add.at(load.T, self.town_bus, towns_mw.T)
        return load


@dataclass(frozen=True)
class Cleared:
    """on, p_mw: (hours, units) the schedule, within the network's limits.

    price_eur_per_mwh: (hours,) what is published: the zone's price, or that of the towns' buses by their demand. paid: what a MWh costs whom. bus_eur_per_mwh:
    (hours, buses), of which energy_eur_per_mwh, (hours,), is the same at all and loss_eur_per_mwh, (hours, buses), is for losses. congestion_eur, loss_surplus_eur,
    make_whole_eur: of all loads and units, at the buses' prices, whether these are paid or not. losses_mwh: that the schedule gives. reserve: what is sold, nothing if
    it is not bought; reserve_eur: of all units. cost_eur: of the schedule, starts included. redispatch_eur: what it costs more than the zone's own, below 0 only by the
    searches' gaps. unserved_mwh: of all loads. gap: by how
    much the shared commitment may lie above the cheapest, as a part. before: how the next day begins.
    """

    on: Bools
    p_mw: Floats
    price_eur_per_mwh: Floats
    paid: Paid
    bus_eur_per_mwh: Floats
    energy_eur_per_mwh: Floats
    loss_eur_per_mwh: Floats
    congestion_eur: float
    loss_surplus_eur: float
    losses_mwh: float
    reserve: Reserve
    reserve_eur: float
    make_whole_eur: float
    cost_eur: float
    redispatch_eur: float
    unserved_mwh: float
    gap: float
    before: Before


def clear(system: BulkSystem, offers: Offers, demand: Demand, before: Before, parameters: Parameters) -> Cleared:
    """Clear the hours of a day.

    Raises
    ------
    MarketError
        If the solver gives no schedule, for which there is no reason: what cannot be served may be left.
    """
    with_losses, rows = 1.0 + parameters.loss_share, Rows.of(system.units)
    expected_mw = demand.at_buses(np.ceil(demand.expected_mw / _STEP_MW) * _STEP_MW) * with_losses

    def case_of(load_mw: Floats, begin: Before) -> CommitmentCase:
        held_mw = parameters.reserve_share * np.maximum(expected_mw.sum(axis=1), 0.0)
        return day_case(system, offers, load_mw, begin, held_mw, parameters.price_cap_eur_per_mwh)

    shared = case_of(expected_mw, before)
    found = committed(shared, exactly=parameters.commitment == TREE)
    load_mw, own = demand.at_buses(demand.towns_mw), replace(before, tank_mwh=before.own_tank_mwh)
    is_marginal, is_bought = parameters.losses == MARGINAL, parameters.reserves == BOUGHT
    case = replace(case_of(load_mw * with_losses, own), short_cost=parameters.reserve_cap_eur_per_mw)
    rules = replace(OUTPUTS_ALONE, with_losses=is_marginal, with_reserves=is_bought)
    nodes = dispatch(replace(case, load_mw=load_mw) if is_marginal else case, found.on, rules)
    zone = _zone(shared, case, found.on, parameters, rules)
    for one in (zone, nodes):
        if one.cost is None:
            raise MarketError(f"the day-ahead market found no schedule: {one.status}")
    on = np.ones((case.periods, len(system.units)), dtype=np.bool_)
    on[:, rows.committed] = found.on
    on &= (system.units.kind != THERMAL) | (offers.high_mw.max(axis=0) > 0.0)  # who offered nothing is off
    on_h = before.on_h.copy()
    on_h[rows.committed] = hours_on_or_off(shared.units, on[:, rows.committed])
    p_mw = rows.together(nodes.unit_mw, nodes.source_mw, nodes.stored_mw)
    unit_cost = np.zeros(len(system.units))
    unit_cost[rows.committed] = nodes.unit_cost
    lost = Lost(nodes.loss_price, nodes.losses_mw, nodes.loss_share)
    price, is_nodal = _published(zone, nodes, demand, parameters), parameters.pricing == NODAL
    reserve = Reserve.nothing(case.periods, len(system.units))
    if is_bought:
        room_mw = np.zeros(p_mw.shape)
        room_mw[:, rows.committed] = _room_mw(case, found.on, nodes)
        priced = (nodes if is_nodal else zone).reserve_price[:, 0]
        reserve = bought(priced, room_mw, case.reserves.required_mw[:, 0], load_mw.sum(axis=1))
    for_reserve = reserve.revenue_eur.sum(axis=0)
    at_buses = paid_at_buses(
        nodes.price, p_mw, system.units.bus, unit_cost, demand.rest_mw, demand.town_bus, lost, for_reserve
    )
    return Cleared(
        on=on,
        p_mw=p_mw,
        price_eur_per_mwh=price,
        paid=at_buses if is_nodal else paid_in_zone(price, p_mw, len(demand.town_bus)),
        bus_eur_per_mwh=nodes.price,
        energy_eur_per_mwh=nodes.energy_price,
        loss_eur_per_mwh=nodes.loss_price,
        congestion_eur=at_buses.congestion_eur(demand.rest_mw, demand.towns_mw),
        loss_surplus_eur=at_buses.loss_surplus_eur(demand.rest_mw, demand.towns_mw),
        losses_mwh=float(nodes.losses_mw.sum() if is_marginal else parameters.loss_share * load_mw.sum()),
        reserve=reserve,
        reserve_eur=float(for_reserve.sum()),
        make_whole_eur=float(at_buses.make_whole_eur.sum()),
        cost_eur=_cost(nodes),
        redispatch_eur=_cost(nodes) - _cost(zone),
        unserved_mwh=nodes.unserved_mwh,
        gap=found.gap,
        before=Before(on_h, found.reservoir_mwh, nodes.reservoir_mwh[-1]),
    )


def _zone(
    shared: CommitmentCase, case: CommitmentCase, on: Bools, parameters: Parameters, rules: Settings
) -> Commitment:
    """The day without the network's limits: of a zone, which clears before them, with a commitment of its own; else with that of the nodes."""
    if parameters.pricing == ZONAL:
        on = committed(replace(shared, network=None), exactly=parameters.commitment == TREE).on
    return dispatch(case, on, replace(rules, with_network=False, with_losses=False))


def _room_mw(case: CommitmentCase, on: Bools, found: Commitment) -> Floats:
    """(hours, units of the case) what those that hold reserve could give more, within the time in which it must be there."""
    units = case.units
    above = found.unit_mw - np.where(on, units.p_min_mw, 0.0)
    in_time_mw = units.ramp_mw_per_h / 60.0 * case.reserves.within_min[0]
    return np.where(on & case.reserves.units[0], np.clip(units.room_mw - above, 0.0, in_time_mw), 0.0)


def _cost(found: Commitment) -> float:
    assert found.cost is not None
    return found.cost


def _published(zone: Commitment, nodes: Commitment, demand: Demand, parameters: Parameters) -> Floats:
    """(hours,) the price of the zone, or the mean of the towns' buses by what is expected of them."""
    if parameters.pricing == ZONAL:
        return np.asarray(zone.price[:, 0])
    return mean_of_towns(nodes.price[:, demand.town_bus], demand.expected_mw)


def mean_of_towns(eur_per_mwh: Floats, expected_mw: Floats) -> Floats:
    """(hours,) mean of prices at the towns' buses by what is expected of them, (hours, towns) both; nothing without a town."""
    weight = np.maximum(expected_mw, 1e-9)
    return np.asarray((eur_per_mwh * weight).sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-9))
