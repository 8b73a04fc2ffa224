"""Unit commitment as a market: a case in; prices by period and bus, quantities by period and unit, and limits that bind, out."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from heptagrid.planes.money.markets.market import Market, Outcome, Table
from heptagrid.planes.money.markets.unit_commitment import Commitment, Settings, commit
from heptagrid.world.commitment_case import CommitmentCase

Floats = npt.NDArray[np.float64]

ENERGY = "energy"  # the product beside reserves
MOST_NODES = 100  # of a search with reserves, whose gap closes slowly


def clear(
    case: CommitmentCase,
    network: Literal["dc", "none"] = "dc",
    reserves: Literal["on", "off"] = "on",
    n_1: bool = False,
    gap: float = 1e-3,
    losses: Literal["on", "off"] = "off",
) -> Outcome:
    """Commit the units of a case, as rows.

    network: `none` lets every bus reach every other. reserves: whether the case's products are required; the search then ends after `MOST_NODES` nodes,
    and its status is `stopped` if the gap is wider than was asked for. n_1: whether every branch may fail. gap: relative, of the cost to its bound. losses: whether what flows lose is given
    too, and priced.

    Raises
    ------
    NetworkError
        If the resistances of its branches are not known, for losses.
    """
    is_on, has_reserves = network == "dc" and case.network is not None, reserves == "on" and len(case.reserves) > 0
    found = commit(
        case,
        replace(
            Settings(),
            gap=gap,
            with_network=is_on,
            with_outages=is_on and n_1,
            with_reserves=has_reserves,
            with_losses=is_on and losses == "on",
            most_nodes=MOST_NODES if has_reserves else None,
        ),
    )
    remarks = tuple(
        f"{option} has no effect: the case has no branches, or --network none leaves them out"
        for option, given in (("--n-1", n_1), ("--losses on", losses == "on"))
        if given and not is_on
    )
    if found.cost is None:
        return Outcome(found.status, found.seconds, remarks=remarks)
    mean = _mean_price(case, found)
    return Outcome(
        status=found.status,
        seconds=found.seconds,
        total_cost=found.cost + found.penalty,
        figures={
            "bound": found.bound,
            "gap": found.gap,
            "penalty": found.penalty,
            "load_mwh": float(case.load_mw.sum()),
            "unserved_mwh": found.unserved_mwh,
            **({"reserve_short_mw": found.short_mw} if has_reserves else {}),
            "mean_price": float((mean * case.load_mw.sum(axis=1)).sum() / max(case.load_mw.sum(), 1e-9)),
            "payments": float((found.price * case.load_mw).sum()),
            "congestion_rent": float(found.binding.rent.sum()),
            **(_losses(case, found) if is_on and losses == "on" else {}),
            "uplift": float(found.uplift.sum()),
            "starts": int((np.diff(np.vstack([case.units.on_h > 0, found.on]).astype(np.int64), axis=0) > 0).sum()),
            "branch_limits": found.limits,
        },
        prices=_prices(case, found, mean, is_on, has_reserves, is_on and losses == "on"),
        quantities=_quantities(case, found),
        branches=_branches(case, found) if is_on else {},
        remarks=remarks,
    )


def _mean_price(case: CommitmentCase, found: Commitment) -> Floats:
    """(periods,) the mean of the buses' prices, by their loads."""
    return _mean_of(found.price, case.load_mw)


def _mean_of(price: Floats, load_mw: Floats) -> Floats:
    load = np.maximum(load_mw, 0.0)
    weight = np.where(load.sum(axis=1, keepdims=True) > 0.0, load, 1.0)
    return np.asarray((price * weight).sum(axis=1) / weight.sum(axis=1))


def _prices(
    case: CommitmentCase, found: Commitment, mean: Floats, by_bus: bool, has_reserves: bool, with_losses: bool
) -> Table:
    price = found.price if by_bus else found.price[:, :1]
    names = case.bus_names if by_bus else np.array(["all"])
    periods, buses = price.shape
    products = case.reserves.names if has_reserves else case.reserves.names[:0]
    reserve_price = found.reserve_price[:, : len(products)]
    energy = np.repeat(mean, buses)
    loss = (found.loss_price - _mean_of(found.loss_price, case.load_mw)[:, np.newaxis])[:, :buses]
    unknown = np.full(reserve_price.size, np.nan)
    return {
        "period": _texts(np.concatenate([_period(periods, buses), _period(periods, len(products))])),
        "bus": np.concatenate([np.tile(names, periods), np.full(reserve_price.size, "all")]),
        "product": np.concatenate([np.full(price.size, ENERGY), np.tile(products, periods)]),
        "price": np.concatenate([price.ravel(), reserve_price.ravel()]),
        "energy": np.concatenate([energy, unknown]),
        "congestion": np.concatenate([(price - loss).ravel() - energy, unknown]),
        **({"loss": np.concatenate([loss.ravel(), unknown])} if with_losses else {}),
    }


def _losses(case: CommitmentCase, found: Commitment) -> dict[str, object]:
    """What is lost, and what is paid for it beyond what units get, prices' parts for losses being counted from where these lie."""
    net_mw = case.load_mw.copy()
    for bus, mw in (
        (case.units.bus, found.unit_mw),
        (case.sources.bus, found.source_mw),
        (case.storages.bus, found.stored_mw),
    ):
        np.subtract.at(net_mw.T, bus, mw.T)
    for_losses = found.loss_price - (found.loss_share * found.loss_price).sum(axis=1, keepdims=True)
    bought = (found.loss_share * found.price).sum(axis=1)
    surplus = (for_losses * net_mw).sum(axis=1) - bought * found.losses_mw
    return {
        "losses_mwh": float(found.losses_mw.sum()),
        "loss_surplus": float(surplus.sum()),
        "loss_residual_mw": found.loss_residual_mw,
    }


def _quantities(case: CommitmentCase, found: Commitment) -> Table:
    periods = case.periods
    given = (case.units, case.sources, case.storages)
    names = np.concatenate([one.names for one in given])
    buses = case.bus_names[np.concatenate([one.bus for one in given])]
    mw = np.concatenate([found.unit_mw, found.source_mw, found.stored_mw], axis=1)
    on = np.full(mw.shape, np.nan)
    on[:, : len(case.units)] = found.on
    return {
        "period": _texts(_period(periods, len(names))),
        "unit": np.tile(names, periods),
        "bus": np.tile(buses, periods),
        "on": on.ravel(),
        "mw": mw.ravel(),
    }


def _branches(case: CommitmentCase, found: Commitment) -> Table:
    network, binding = case.network, found.binding
    assert network is not None
    has_failed = binding.outage >= 0
    limit_mw = np.where(has_failed, network.emergency_mw[binding.branch], network.rating_mw[binding.branch])
    return {
        "period": _texts(binding.period + 1),
        "branch": network.names[binding.branch],
        "from_bus": case.bus_names[network.from_bus[binding.branch]],
        "to_bus": case.bus_names[network.to_bus[binding.branch]],
        "after_outage_of": np.where(has_failed, network.names[binding.outage], ""),
        "flow_mw": binding.flow_mw,
        "limit_mw": limit_mw,
        "shadow_price": binding.shadow_price,
        "rent": binding.rent,
    }


def _period(periods: int, each: int) -> npt.NDArray[np.int64]:
    return np.repeat(np.arange(1, periods + 1), each)


def _texts(numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.str_]:
    return numbers.astype(np.str_)


UNIT_COMMITMENT = Market(
    "unit-commitment",
    "unit commitment: which units run, and a price for each period and bus",
    CommitmentCase,
    frozenset({"network", "reserves", "n_1", "gap", "losses"}),
    clear,
)
