"""Dispatch without a network against a textbook and a linear-program solver."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from heptagrid.planes.money.markets.dc_opf import dispatch_on
from heptagrid.planes.money.markets.dispatch import MeritOrder
from heptagrid.validate.case import DATA, Finding, case, farthest
from heptagrid.validate.peers import peer, run_now
from heptagrid.world.market_case import DirectLines, MarketBranches, MarketCase, MarketUnits

Floats = npt.NDArray[np.float64]

FLEET = DATA / "merit_order/answers.npz"

# Of the textbook's three units: bounds in MW, and the quadratic costs that the two examples share.
LOW_MW, HIGH_MW = np.array([150.0, 100.0, 50.0]), np.array([600.0, 400.0, 200.0])
COST_0 = np.array([561.0, 310.0, 78.0])
LOAD_MW = 850.0
TEXTBOOK = "Wood and Wollenberg, Power Generation, Operation and Control, 2nd edition 1996"


@case("wood-wollenberg-3a", plane="money", kind="exact", source=f"{TEXTBOOK}, example 3A")
def wood_wollenberg_3a(live: bool) -> Iterator[Finding]:
    """Three units, no bound reached."""
    cost_1, cost_2 = np.array([7.92, 7.85, 7.97]), np.array([0.001562, 0.00194, 0.00482])
    yield from _textbook(cost_1, cost_2, outputs_mw=(393.2, 334.6, 122.2), price=9.148)


@case("wood-wollenberg-3b", plane="money", kind="exact", source=f"{TEXTBOOK}, example 3B")
def wood_wollenberg_3b(live: bool) -> Iterator[Finding]:
    """The same with cheaper coal for the first unit, which reaches its upper bound."""
    cost_1, cost_2 = np.array([6.48, 7.85, 7.97]), np.array([0.00128, 0.00194, 0.00482])
    yield from _textbook(cost_1, cost_2, outputs_mw=(600.0, 187.1, 62.9), price=8.576)


def _textbook(cost_1: Floats, cost_2: Floats, outputs_mw: tuple[float, ...], price: float) -> Iterator[Finding]:
    """Outputs and price, to half of the last digit that was published."""
    found = dispatch_on(_one_bus(np.stack([COST_0, cost_1, cost_2], axis=1)))
    for unit, (theirs, ours) in enumerate(zip(outputs_mw, found.output_mw, strict=True), start=1):
        yield Finding(f"unit {unit}", theirs, float(ours), 0.05, unit="MW")
    yield Finding("price", price, float(found.price[0]), 0.0005, unit="USD/MWh")


def _one_bus(polynomial: Floats) -> MarketCase:
    """The units at one bus with the load, without branches."""
    nowhere, none, nameless = np.empty(0, dtype=np.int64), np.empty(0), np.empty(0, dtype=np.str_)
    units = np.array(["1", "2", "3"])
    return MarketCase(
        "three units",
        100.0,
        np.array(["1"]),
        np.array([LOAD_MW]),
        MarketBranches(nameless, nowhere, nowhere, *(none,) * 7),
        DirectLines(nameless, nowhere, nowhere, *(none,) * 4),
        MarketUnits(units, np.zeros(3, dtype=np.int64), LOW_MW, HIGH_MW, polynomial, nowhere, none, none),
    )


@case(
    "merit-order",
    plane="money",
    kind="exact",
    source="HiGHS linear program (scipy 1.17 linprog, recorded): 40 random offers, 24 hours",
)
def merit_order(live: bool) -> Iterator[Finding]:
    """Constant offers, moved up from their least outputs: cost of every hour."""
    recorded = np.load(FLEET)
    low_mw, high_mw, eur = recorded["low_mw"], recorded["high_mw"], recorded["cost_1"]
    everybody, rank = np.ones(len(eur), dtype=np.bool_), np.argsort(eur, kind="stable")
    order = MeritOrder(rank, low_mw[rank], high_mw[rank], everybody)
    moved = [order.moved(low_mw, load_mw - low_mw.sum(), low_mw, high_mw) for load_mw in recorded["load_mw"]]
    cost = np.array(moved) @ eur
    yield farthest("cost of every hour", recorded["cost_usd"], cost, 1e-9, relative=True, unit="USD")
    if live:
        module = peer("scipy", "cost of every hour, live")
        theirs = [module.least_cost(load_mw, low_mw, high_mw, eur)[0] for load_mw in recorded["load_mw"]]
        source = run_now("scipy")
        yield farthest("cost of every hour, live", theirs, cost, 1e-9, True, unit="USD", source=source)
