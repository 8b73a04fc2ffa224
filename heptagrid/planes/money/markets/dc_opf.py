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
from heptagrid.planes.money.formulations.network import AngleNetwork, DcModel, angle_network
from heptagrid.planes.money.formulations.program import INFEASIBLE, OPTIMAL, STOPPED, Solution
from heptagrid.planes.money.markets.certificate import Certificate, certify
from heptagrid.planes.money.markets.market import Market, Outcome
from heptagrid.planes.money.markets.shortage import shortages
from heptagrid.world.market_case import DirectLines, Floats, MarketBranches, MarketCase

GAP = 1e-9  # relative, of the cost to its bound, at which an answer is taken
_MOST_ROUNDS = 100
_POOR_GAP, _POOR_MW = 1e-6, 1e-4  # an answer that is worse is none
_LEAST_PRICE = 1e-6  # of a MW of a limit that binds


@dataclass(frozen=True)
class Dispatched:
    """What an hour on a network came to.

    status: as of a program; without figures unless optimal. network: that it ran on. output_mw: (units,). price: (buses,) of a MWh. flow_mw: (branches,).
    shadow_price: (branches,) what one more MW of a branch's limit would save; below zero where the flow is at its lower one. direct_mw: (lines,) what enters
    direct-current lines. cost, uplift: (units,) of its output, and what of that its price does not pay. rounds: programs that were solved. seconds: of
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


def dispatch_on(case: MarketCase, model: DcModel = "powermodels") -> Dispatched:
    """The cheapest dispatch of a case's hour on its network.

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
    hour = Hour(network)
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
    return Dispatched(status, network, rounds, seconds, none, none, none, none, none, none, none, None)


def _next(hour: Hour, found: Solution) -> tuple[Floats, Floats, Certificate] | None:
    """The answer, if this solution is one or leads to one; else the program has got the rows that were missing."""
    x, dual = hour.point(found)
    over = hour.beyond(x)
    exact = hour.exact(x, dual) if hour.is_bent else None
    if exact is not None:
        certificate = _certificate(hour, *exact)
        if certificate.gap <= GAP and certificate.primal_residual <= OVER_MW:
            return *exact, certificate
        over |= hour.beyond(exact[0])
    certificate = _certificate(hour, x, dual)
    if not over.any() and (not hour.is_bent or certificate.gap <= GAP):
        return x, dual, certificate
    hour.limit(np.flatnonzero(over))
    least = 0.1 * GAP * abs(certificate.cost) / max(len(hour.units.bent), 1)
    added = hour.tangents(x, found.x[hour.units.usd], least)
    if exact is not None:
        hour.tangents(exact[0], None, 0.0)
    return None if added or over.any() else (x, dual, certificate)


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
    cost = hour.unit_costs.value(output)
    return Dispatched(
        status=OPTIMAL,
        network=network,
        rounds=rounds,
        seconds=seconds,
        output_mw=output,
        price=price,
        flow_mw=network.flows_mw(x[units : units + buses]),
        shadow_price=-dual[buses:],
        direct_mw=x[units + buses :],
        cost=cost,
        uplift=np.maximum(cost - price[unit_bus] * output, 0.0),
        certificate=certificate,
    )


def clear(case: MarketCase, network: Literal["dc", "none"] = "dc", dc_model: DcModel = "powermodels") -> Outcome:
    """Clear an hour: `dispatch_on` as rows.

    Loads pay their bus's price, units are paid theirs; what is left is the congestion rent, of every branch the difference of its ends' prices times its
    flow. network: `none` lets every bus reach every other without a limit.

    Raises
    ------
    NetworkError
        As `dispatch_on`.
    """
    without = len(case.direct_lines.names) if network == "none" or dc_model == "matpower" else 0
    remarks = (f"{without} direct-current lines (mpc.dcline): left out",) if without else ()
    if network == "none":
        case_run = _joined(case)
    else:
        case_run = replace(case, direct_lines=_none_of(case.direct_lines)) if without else case
    found = dispatch_on(case_run, dc_model)
    if found.certificate is None:
        reasons = shortages(found.network) if found.status == INFEASIBLE else ()
        return Outcome(found.status, found.seconds, reasons=reasons, remarks=remarks)
    units, on, flow = case.units, found.network.case.branches, found.flow_mw
    price = np.full(len(case.bus_names), found.price[0]) if network == "none" else found.price
    price_each = price[units.bus]
    binds = np.abs(found.shadow_price) > _LEAST_PRICE
    names, lines = found.network.case.bus_names, found.network.case.direct_lines
    rent = (found.price[on.to_bus] - found.price[on.from_bus]) * flow
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
            "uplift": float(found.uplift.sum()),
            "binding_branches": int(binds.sum()),
            "programs": found.rounds,
        },
        prices={"bus": case.bus_names.tolist(), "price": price},
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
    frozenset({"network", "dc_model"}),
    clear,
)
