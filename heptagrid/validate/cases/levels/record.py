"""Draws the random network `levels` and its loadings, and records power-grid-model's answers to them."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from heptagrid.validate.power_radial import LEVELS, levels_answers
from heptagrid.world.grid import Buses, BusSwitches, Grid, Lines, Loads, Transformers, Units

SEED, STATIONS, LOADINGS = 1989, 14, 6
NOTHING, NO_ROWS, NO_NAMES = np.empty(0), np.empty(0, dtype=np.int64), np.empty(0, dtype=str)


def draw() -> Grid:
    """Two equal 110 kV transformers, a tree of 20 kV stations, a 0.4 kV tree below most, lines open at one end."""
    rng = np.random.default_rng(SEED)
    kv = [110.0, 20.0]
    lines: list[tuple[int, int, bool]] = []
    transformers = [(0, 1, 2)]

    def tree(root: int, size: int) -> list[int]:
        members = [root]
        for _ in range(size):
            kv.append(kv[root])
            lines.append((int(rng.choice(members)), len(kv) - 1, True))
            members.append(len(kv) - 1)
        return members

    for station in tree(1, STATIONS)[1:]:
        if rng.random() < 0.7:
            kv.append(0.4)
            transformers.append((station, len(kv) - 1, int(rng.integers(1, 3))))
            members = tree(len(kv) - 1, int(rng.integers(1, 7)))
            if len(members) > 2:
                lines.append((members[1], members[2], False))
    # Parallel transformers are equal: one draw each, repeated.
    parallels = np.array([one[2] for one in transformers])
    pairs, v = np.array([one[:2] for one in transformers]), np.array(kv)
    t, m = len(pairs), len(lines)

    def each(low: float, high: float) -> np.ndarray:
        return np.repeat(rng.uniform(low, high, t), parallels)

    hv, lv = np.repeat(pairs[:, 0], parallels), np.repeat(pairs[:, 1], parallels)
    from_bus, to_bus, closed = (np.array([line[k] for line in lines]) for k in range(3))
    low, top = v[from_bus] < 1.0, v[hv] > 100.0
    return Grid(
        buses=Buses(np.array([f"bus {k}" for k in range(len(v))]), v, np.zeros(len(v)), np.zeros(len(v))),
        lines=Lines(
            names=np.array([f"line {k}" for k in range(m)]),
            from_bus=from_bus,
            to_bus=to_bus,
            from_closed=np.ones(m, dtype=bool),
            to_closed=closed,
            r_ohm=np.where(low, rng.uniform(0.001, 0.02, m), rng.uniform(0.05, 0.5, m)),
            x_ohm=np.where(low, rng.uniform(0.001, 0.01, m), rng.uniform(0.05, 0.5, m)),
            c_nf=rng.uniform(0.0, 300.0, m),
            g_us=rng.uniform(0.0, 1.0, m),
            max_i_ka=np.full(m, 0.3),
            length_km=np.full(m, 0.1),
        ),
        transformers=Transformers(
            names=np.array([f"trafo {k}" for k in range(len(hv))]),
            hv_bus=hv,
            lv_bus=lv,
            sn_mva=np.where(top, 40.0, 0.4),
            vn_hv_kv=v[hv] * each(0.98, 1.05),
            vn_lv_kv=v[lv] * each(0.98, 1.05),
            vk_percent=each(4.0, 12.0),
            vkr_percent=each(0.3, 1.5),
            pfe_kw=np.where(top, 20.0, 0.5),
            i0_percent=each(0.2, 0.6),
            tap_neutral=np.repeat(rng.integers(-1, 2, t), parallels),
            tap_min=np.full(len(hv), -9),
            tap_max=np.full(len(hv), 9),
            tap_step_percent=each(1.0, 2.5),
            tap_pos=np.zeros(len(hv), dtype=np.int64),
            has_controller=np.zeros(len(hv), dtype=bool),
            controller_v_pu=np.full(len(hv), np.nan),
        ),
        switches=BusSwitches(NO_ROWS, NO_ROWS, np.empty(0, dtype=bool)),
        loads=Loads(NO_NAMES, NO_ROWS, NOTHING, NOTHING, NO_ROWS, NO_ROWS, NO_NAMES),
        units=Units(NO_NAMES, NO_ROWS, NOTHING, NOTHING, NO_ROWS, NO_NAMES),
        infeed_bus=0,
        infeed_v_pu=1.01,
    )


def main() -> None:
    """Write the grid, in the form of a town's extract, and the answers."""
    grid = draw()
    rng = np.random.default_rng(SEED + 1)
    buses, t = len(grid.buses.names), grid.transformers
    most = np.where(grid.buses.vn_kv < 1.0, 15.0, 150.0)
    level = np.linspace(-0.8, 1.0, LOADINGS)[:, np.newaxis]
    p_kw = most * (level + rng.uniform(-0.4, 0.4, (LOADINGS, buses)))
    q_kvar = most * rng.uniform(-0.2, 0.4, (LOADINGS, buses))
    # Parallel transformers move together: those between the same two buses take the first one's draw.
    drawn = rng.integers(-3, 4, (LOADINGS, buses))
    taps = drawn[:, t.lv_bus]
    tables = ("buses", "lines", "transformers", "switches", "loads", "units")
    arrays: dict[str, Any] = {
        f"{name}_{one.name}": getattr(getattr(grid, name), one.name)
        for name in tables
        for one in fields(getattr(grid, name))
    }
    np.savez_compressed(LEVELS / "grid.npz", infeed_bus=grid.infeed_bus, infeed_v_pu=grid.infeed_v_pu, **arrays)
    answers: dict[str, Any] = levels_answers(grid, p_kw, q_kvar, taps)
    np.savez_compressed(LEVELS / "answers.npz", p_kw=p_kw, q_kvar=q_kvar, taps=taps, **answers)
    print(
        f"{buses} buses, {len(t.names)} transformers, {len(grid.lines.names)} lines; losses {answers['losses_kw'].round(1)} kW"
    )


if __name__ == "__main__":
    main()
