"""The market's dispatch against a textbook, a public archive's optima, and a linear-program solver."""

from __future__ import annotations

import csv
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from heptagrid.planes.money.markets.dispatch import dispatch
from heptagrid.validate.case import DATA, Finding, case, farthest
from heptagrid.validate.peers import peer, run_now

Floats = npt.NDArray[np.float64]

ARCHIVE = DATA / "pglib"
FLEET = DATA / "merit_order/answers.npz"

# Of the textbook's three units: bounds in MW, and the quadratic costs that the two examples share.
LOW_MW, HIGH_MW = np.array([150.0, 100.0, 50.0]), np.array([600.0, 400.0, 200.0])
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
    p_mw, price_usd = dispatch(LOAD_MW, LOW_MW, HIGH_MW, cost_1, cost_2)
    for unit, (theirs, ours) in enumerate(zip(outputs_mw, p_mw, strict=True), start=1):
        yield Finding(f"unit {unit}", theirs, float(ours), 0.05, unit="MW")
    yield Finding("price", price, float(price_usd), 0.0005, unit="USD/MWh")


@case(
    "pglib-dispatch",
    plane="money",
    kind="exact",
    source="PGLib-OPF v23.07 BASELINE, DC optima (PowerModels, Ipopt) of the systems in which no branch limits the optimum",
)
def pglib_dispatch(live: bool) -> Iterator[Finding]:
    """Least hourly cost of each system's load, to half of the last digit that was published."""
    with (ARCHIVE / "systems.csv").open(encoding="utf-8") as file:
        systems = list(csv.DictReader(file))
    for system in systems:
        columns = np.loadtxt(ARCHIVE / f"{system['system']}.csv", delimiter=",", skiprows=1)
        low_mw, high_mw, cost_2, cost_1, cost_0 = columns.T.copy()
        p_mw, _ = dispatch(float(system["load_mw"]), low_mw, high_mw, cost_1, cost_2)
        ours = float((cost_2 * p_mw**2 + cost_1 * p_mw + cost_0).sum())
        published = system["dc_usd_per_h"]
        digits, exponent = published.split("e")
        half_digit = 0.5 * 10.0 ** (int(exponent) - len(digits.partition(".")[2]))
        yield Finding(system["system"], float(published), ours, half_digit, unit="USD/h")


@case(
    "merit-order",
    plane="money",
    kind="exact",
    source="HiGHS linear program (scipy 1.17 linprog, recorded): 40 random offers, 24 hours",
)
def merit_order(live: bool) -> Iterator[Finding]:
    """Constant offers: cost and price of every hour; the price is the program's dual."""
    recorded = np.load(FLEET)
    fleet = recorded["low_mw"], recorded["high_mw"], recorded["cost_1"]
    cost_usd, price_usd = np.empty(len(recorded["load_mw"])), np.empty(len(recorded["load_mw"]))
    for hour, load_mw in enumerate(recorded["load_mw"]):
        p_mw, price_usd[hour] = dispatch(load_mw, *fleet, np.zeros(len(fleet[0])))
        cost_usd[hour] = fleet[2] @ p_mw
    yield farthest("cost of every hour", recorded["cost_usd"], cost_usd, 1e-9, relative=True, unit="USD")
    yield farthest("price of every hour", recorded["price_usd"], price_usd, 1e-6, unit="USD/MWh")
    if live:
        module = peer("scipy", "cost of every hour, live")
        theirs = np.array([module.least_cost(load_mw, *fleet) for load_mw in recorded["load_mw"]])
        source = run_now("scipy")
        yield farthest("cost of every hour, live", theirs[:, 0], cost_usd, 1e-9, True, unit="USD", source=source)
        yield farthest("price of every hour, live", theirs[:, 1], price_usd, 1e-6, unit="USD/MWh", source=source)
