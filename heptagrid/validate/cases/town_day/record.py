"""Records power-grid-model's answers to the town's day: 48 buses, all buses' extremes, the losses."""

from __future__ import annotations

import numpy as np

from heptagrid.importers.extract import read_grid, read_profiles
from heptagrid.validate.power_town import ANSWERS, TOWN, draws, theirs
from heptagrid.world.balanced.radial_network import radial_network

BUSES = 48


def main() -> None:
    """Write the answers; the buses are spread evenly over the file's order."""
    grid = read_grid(TOWN)
    network = radial_network(grid)
    v_pu, losses_kw = theirs(grid, network, *draws(grid, read_profiles(TOWN), network))
    buses = np.linspace(0, len(grid.buses.names) - 1, BUSES).astype(np.int64)
    np.savez_compressed(
        ANSWERS,
        buses=buses,
        v_pu=v_pu[:, buses],
        least_v_pu=v_pu.min(axis=1),
        greatest_v_pu=v_pu.max(axis=1),
        losses_kw=losses_kw,
    )
    print(f"{ANSWERS.stat().st_size} bytes; losses from {losses_kw.min():.1f} to {losses_kw.max():.1f} kW")


if __name__ == "__main__":
    main()
