"""Optimal power flow by direct current: offers and a network in; quantities, a price at every bus and what binds out.

The price of a bus is what one more MW there would cost. Source: Schweppe, Caramanis, Tabors and Bohn, Spot Pricing of Electricity (1988), chapter 7.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Literal, TypeVar

import numpy as np

from heptagrid.foundation.sums import dot
from heptagrid.planes.money.formulations.hour import OVER_MW, Hour
from heptagrid.planes.money.formulations.hour_losses import HourLosses, shares_of_load
from heptagrid.planes.money.formulations.network import AngleNetwork, DcModel, angle_network
from heptagrid.planes.money.formulations.program import INFEASIBLE, OPTIMAL, STOPPED, Solution
from heptagrid.planes.money.markets.certificate import Certificate, certify
from heptagrid.planes.money.markets.market import Market, Outcome
from heptagrid.planes.money.markets.shortage import shortages
from heptagrid.world.market_case import DirectLines, Floats, MarketBranches, MarketCase

GAP = 1e-9  # relative, of the cost to its bound, at which an answer is taken
_MOST_ROUNDS = 100
_POOR_GAP, _POOR_MW = 1e-6, 1e-4  # an answer that is worse is none
_MOST_SHARES = 10  # rounds in which the places of losses are renewed
_PLACED = 1e-9  # of the cost, below which where losses lie no longer matters
_LEAST_PRICE = 1e-6  # of a MW of a limit that binds


@dataclass(frozen=True)
class Dispatched:
    """What an hour on a network came to.

    status: as of a program; without figures unless optimal. network: that it ran on. output_mw: (units,). price: (buses,) of a MWh. flow_mw: (branches,).
    shadow_price: (branches,) what one more MW of a branch's limit would save; below zero where the flow is at its lower one. direct_mw: (lines,) what enters
    direct-current lines. loss_price: (buses,) of the price for losses, 0 at the first bus of each island; lost_mw: (islands,), loss_share: (buses,) where they are taken out;
    0 without losses. cost, uplift: (units,) of its output, and what of that its price does not pay. rounds: programs that were solved. seconds: of
    solving.
    """

    status: str
    network: AngleNetwork
    rounds: int
    seconds: float
    output_mw: Floats
    price: Floats
    flow_mw: Floats
    shadow_price: Floats
    direct_mw: Floats
    cost: Floats
    uplift: Floats
    certificate: Certificate | None
    angle_rad: Floats
    loss_price: Floats
    lost_mw: Floats
    loss_share: Floats


def dispatch_on(case: MarketCase, model: DcModel = "powermodels", *, with_losses: bool = False) -> Dispatched:
    """The cheapest dispatch of a case's hour on its network; with losses units give what its flows lose, too.

    Raises
    ------
    NetworkError
        As `heptagrid.planes.money.formulations.network.angle_network`.
    """
    import_module("highspy")  # before the clock starts
    began = time.perf_counter()
    network = angle_network(case, model)
    if (network.low_mw > network.high_mw).any():
        return _without(INFEASIBLE, network, 0, time.perf_counter() - began)
    if not with_losses:
        return _solved(Hour(network), began)
    share, cost = shares_of_load(network), np.inf
    for _ in range(_MOST_SHARES):
        losses = HourLosses(network, share)
        found = _solved(Hour(network, losses), began)
        if found.certificate is None or abs(found.certificate.cost - cost) <= _PLACED * abs(found.certificate.cost):
            break
        share, cost = losses.shares(found.angle_rad), found.certificate.cost
    return found


def _solved(hour: Hour, began: float) -> Dispatched:
    network = hour.network
    if not hour.is_bent:
        hour.limit(np.flatnonzero(np.isfinite(network.low_mw) | np.isfinite(network.high_mw)))
    status, rounds, answer = STOPPED, 0, None
    while rounds < _MOST_ROUNDS and answer is None:
        found = hour.program.solve()
        rounds += 1
        status = found.status
        if status != OPTIMAL:
            break
        answer = _next(hour, found)
    seconds = time.perf_counter() - began
    if answer is not None and not _holds(answer[2]):
        status, answer = STOPPED, None
    if answer is None:
        return _without(STOPPED if status == OPTIMAL else status, network, rounds, seconds)
    return _dispatched(hour, *answer, rounds, seconds)


def _without(status: str, network: AngleNetwork, rounds: int, seconds: float) -> Dispatched:
    none = np.empty(0)
    return Dispatched(
        status, network, rounds, seconds, none, none, none, none, none, none, none, None, none, none, none, none
    )


def _next(hour: Hour, found: Solution) -> tuple[Floats, Floats, Certificate] | None:
    """The answer, if this solution is one or leads to one; else the program has got the rows that were missing."""
    x, dual = hour.point(found)
    over = hour.beyond(x)
    exact = hour.exact(x, dual) if hour.is_bent else None
    proven = None if exact is None else _certificate(hour, *exact)
    certificate = _certificate(hour, x, dual)
    short = hour.add_losses(x)  # certificates are of the program without these
    if exact is not None and proven is not None:
        is_short = hour.add_losses(exact[0])
        if proven.gap <= GAP and proven.primal_residual <= OVER_MW and not is_short:
            return exact[0], np.append(exact[1], np.zeros(len(hour.row_low) - len(exact[1]))), proven
        over |= hour.beyond(exact[0])
        short |= is_short
    if not over.any() and not short and (not hour.is_bent or certificate.gap <= GAP):
        return x, dual, certificate
    hour.limit(np.flatnonzero(over))
    least = 0.1 * GAP * abs(certificate.cost) / max(len(hour.units.bent), 1)
    added = hour.tangents(x, found.x[hour.units.usd], least)
    if exact is not None:
        hour.tangents(exact[0], None, 0.0)
    return None if added or over.any() or short else (x, dual, certificate)


def _holds(certificate: Certificate) -> bool:
    return certificate.gap <= _POOR_GAP and certificate.primal_residual <= _POOR_MW


def _certificate(hour: Hour, x: Floats, dual: Floats) -> Certificate:
    return certify(hour.matrix, x, dual, hour.low, hour.high, hour.row_low, hour.row_high, hour.costs)


def _dispatched(
    hour: Hour, x: Floats, dual: Floats, certificate: Certificate, rounds: int, seconds: float
) -> Dispatched:
    network, unit_bus = hour.network, hour.network.case.units.bus
    units, buses = len(unit_bus), len(network.island)
    output, price = x[:units], dual[:buses]
    losses, branches = hour.losses, len(hour.limit_row)
    none = np.zeros(buses)
    cost = hour.unit_costs.value(output)
    return Dispatched(
        status=OPTIMAL,
        network=network,
        rounds=rounds,
        seconds=seconds,
        output_mw=output,
        price=price,
        flow_mw=network.flows_mw(x[units : units + buses]),
        shadow_price=-dual[buses : buses + branches],
        direct_mw=x[units + buses : len(x) - len(hour.lost)],
        cost=cost,
        uplift=np.maximum(cost - price[unit_bus] * output, 0.0),
        certificate=certificate,
        angle_rad=x[units : units + buses],
        loss_price=none if losses is None else losses.prices(dual[buses + branches :]),
        lost_mw=x[len(x) - len(hour.lost) :],
        loss_share=none if losses is None else losses.share,
    )


def clear(
    case: MarketCase,
    network: Literal["dc", "none"] = "dc",
    dc_model: DcModel = "powermodels",
    losses: Literal["on", "off"] = "off",
) -> Outcome:
    """Clear an hour: `dispatch_on` as rows.

    Loads pay their bus's price, units are paid theirs; what is left is the congestion rent, of every branch the difference of its ends' prices times its
    flow. network: `none` lets every bus reach every other without a limit. losses: `on` has units give what flows lose, too; a price then has parts for energy
    (the mean by load), congestion and losses, and what is paid for losses beyond what units get is the loss surplus.

    Raises
    ------
    NetworkError
        As `dispatch_on`.
    """
    without = len(case.direct_lines.names) if network == "none" or dc_model == "matpower" else 0
    remarks = (f"{without} direct-current lines (mpc.dcline): left out",) if without else ()
    with_losses = losses == "on" and network == "dc"
    if losses == "on" and not with_losses:
        remarks = (*remarks, "--losses on has no effect: --network none leaves the branches out")
    if network == "none":
        case_run = _joined(case)
    else:
        case_run = replace(case, direct_lines=_none_of(case.direct_lines)) if without else case
    found = dispatch_on(case_run, dc_model, with_losses=with_losses)
    if found.certificate is None:
        reasons = shortages(found.network) if found.status == INFEASIBLE else ()
        return Outcome(found.status, found.seconds, reasons=reasons, remarks=remarks)
    units, on, flow = case.units, found.network.case.branches, found.flow_mw
    price = np.full(len(case.bus_names), found.price[0]) if network == "none" else found.price
    price_each = price[units.bus]
    binds = np.abs(found.shadow_price) > _LEAST_PRICE
    names, lines = found.network.case.bus_names, found.network.case.direct_lines
    congestion = found.price - found.loss_price
    rent = (congestion[on.to_bus] - congestion[on.from_bus]) * flow
    figures = _losses(found) if with_losses else {}
    delivered_mw = (1.0 - lines.loss_share) * found.direct_mw - lines.loss_mw
    direct_rent = found.price[lines.to_bus] * delivered_mw - found.price[lines.from_bus] * found.direct_mw
    branches = {
        "branch": on.names.tolist(),
        "from_bus": names[on.from_bus].tolist(),
        "to_bus": names[on.to_bus].tolist(),
        "flow_mw": flow,
        "limit_mw": np.where(flow < 0.0, -found.network.low_mw, found.network.high_mw),
        "shadow_price": found.shadow_price,
        "rent": rent,
    }
    return Outcome(
        status=found.status,
        seconds=found.seconds,
        total_cost=found.certificate.cost,
        certificate=found.certificate,
        figures={
            "load_mw": float(case.load_mw.sum()),
            "payments": dot(price, case.load_mw),
            "revenues": dot(price_each, found.output_mw),
            "congestion_rent": float(rent.sum() + direct_rent.sum()),
            **figures,
            "uplift": float(found.uplift.sum()),
            "binding_branches": int(binds.sum()),
            "programs": found.rounds,
        },
        prices={"bus": case.bus_names.tolist(), "price": price, **(_parts(case, found) if with_losses else {})},
        quantities={
            "unit": units.names.tolist(),
            "bus": case.bus_names[units.bus].tolist(),
            "mw": found.output_mw,
            "price": price_each,
            "cost": found.cost,
            "revenue": price_each * found.output_mw,
            "uplift": found.uplift,
        },
        branches=branches,
        remarks=remarks,
    )


def _losses(found: Dispatched) -> dict[str, object]:
    """What is lost, and what is paid for it beyond what units get: along every branch the difference of its ends' prices for losses, less what the losses cost."""
    on = found.network.case.branches
    along = (found.loss_price[on.to_bus] - found.loss_price[on.from_bus]) * found.flow_mw
    bought = found.loss_share * found.price * found.lost_mw[found.network.island]
    return {"losses_mw": float(found.lost_mw.sum()), "loss_surplus": float(along.sum() - bought.sum())}


def _parts(case: MarketCase, found: Dispatched) -> dict[str, Floats]:
    """The prices' parts, of which the mean by load has energy alone."""
    taken = np.maximum(case.load_mw, 0.0)
    weight = taken / taken.sum() if taken.sum() > 0.0 else np.full(len(taken), 1.0 / len(taken))
    energy, loss = dot(weight, found.price), found.loss_price - dot(weight, found.loss_price)
    return {"energy": np.full(len(taken), energy), "congestion": found.price - energy - loss, "loss": loss}


def _joined(case: MarketCase) -> MarketCase:
    """The case with all its buses as one."""
    return replace(
        case,
        bus_names=np.array(["all"]),
        load_mw=np.array([case.load_mw.sum()]),
        branches=_none_of(case.branches),
        direct_lines=_none_of(case.direct_lines),
        units=replace(case.units, bus=np.zeros_like(case.units.bus)),
    )


Rows = TypeVar("Rows", MarketBranches, DirectLines)


def _none_of(table: Rows) -> Rows:
    return replace(table, **{name: values[:0] for name, values in vars(table).items()})


DC_OPF = Market(
    "dc-opf",
    "optimal power flow by direct current: a price at every bus",
    MarketCase,
    frozenset({"network", "dc_model", "losses"}),
    clear,
)
