"""Draws a fleet with constant offers and a day's loads, and records the optima that HiGHS finds."""

from __future__ import annotations

import numpy as np

from heptagrid.validate.money_dispatch import FLEET
from heptagrid.validate.peers import scipy


def main() -> None:
    """Write the offers, the loads, and each hour's cost and price."""
    rng = np.random.default_rng(24)
    high_mw = rng.uniform(20.0, 400.0, 40)
    low_mw = high_mw * rng.choice([0.0, 0.3], 40)
    cost_1 = rng.uniform(5.0, 120.0, 40)
    load_mw = rng.uniform(low_mw.sum(), high_mw.sum(), 24)
    optima = np.array([scipy.least_cost(load, low_mw, high_mw, cost_1) for load in load_mw])
    np.savez_compressed(
        FLEET,
        low_mw=low_mw,
        high_mw=high_mw,
        cost_1=cost_1,
        load_mw=load_mw,
        cost_usd=optima[:, 0],
        price_usd=optima[:, 1],
    )
    print(f"{FLEET.stat().st_size} bytes; prices from {optima[:, 1].min():.2f} to {optima[:, 1].max():.2f} USD/MWh")


if __name__ == "__main__":
    main()
