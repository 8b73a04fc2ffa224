"""The radial solver against published feeders, and against power-grid-model on several voltage levels."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from heptagrid.importers.extract import read_grid
from heptagrid.planes.power.balanced.radial import RadialFlow, RadialSolver
from heptagrid.validate.case import DATA, Finding, case, farthest
from heptagrid.validate.peers import peer, run_now
from heptagrid.world.balanced.radial_network import RadialNetwork, radial_network
from heptagrid.world.grid import Buses, BusSwitches, Grid, Lines, Loads, Transformers, Units

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LEVELS = DATA / "levels"


@case(
    "baran-wu-33",
    plane="power",
    kind="exact",
    source="Baran and Wu, IEEE Trans. Power Delivery 4(2), 1989, doi:10.1109/61.25627; base case as published since",
)
def baran_wu_33(live: bool) -> Iterator[Finding]:
    """The 33-bus feeder with its five tie lines open."""
    yield from _published_feeder(DATA / "baran_wu/33.csv", live, losses_kw=202.68, least_v_pu=0.9131, least_at=18)


@case(
    "baran-wu-69",
    plane="power",
    kind="exact",
    source="Baran and Wu, IEEE Trans. Power Delivery 4(1), 1989, doi:10.1109/61.19265; base case as published since",
)
def baran_wu_69(live: bool) -> Iterator[Finding]:
    """The 69-bus feeder without capacitors."""
    yield from _published_feeder(DATA / "baran_wu/69.csv", live, losses_kw=225.0, least_v_pu=0.9092, least_at=65)


@case(
    "baran-wu-33-meshed",
    plane="power",
    kind="exact",
    source="Baran and Wu, IEEE Trans. Power Delivery 4(2), 1989, doi:10.1109/61.25627; loss with all ties closed as published since",
)
def baran_wu_33_meshed(live: bool) -> Iterator[Finding]:
    """The 33-bus feeder with its five tie lines closed: five loops, closed by compensation."""
    grid, p_kw, q_kvar = read_feeder(DATA / "baran_wu/33.csv", DATA / "baran_wu/33_ties.csv")
    network = radial_network(grid, loops="compensate")
    flow = _solve(grid, network, p_kw, q_kvar, grid.transformers.tap_pos)
    yield Finding("loops", 5, float(len(network.loops)), 0.0)
    yield Finding("losses", 123.3, flow.losses_kw, 0.05, unit="kW")
    if live:
        yield _of_every_bus_live(grid, network, p_kw, q_kvar, flow, 1e-7)


def _published_feeder(path: Path, live: bool, losses_kw: float, least_v_pu: float, least_at: int) -> Iterator[Finding]:
    """Losses and the least voltage, to half of the last digit that was published."""
    grid, p_kw, q_kvar = read_feeder(path)
    network = radial_network(grid)
    flow = _solve(grid, network, p_kw, q_kvar, grid.transformers.tap_pos)
    v_pu = flow.v_pu[network.node_of_bus]
    half_digit_kw = 0.5 * 10.0 ** -len(str(losses_kw).partition(".")[2])
    yield Finding("losses", losses_kw, flow.losses_kw, half_digit_kw, unit="kW")
    yield Finding("least voltage", least_v_pu, float(v_pu.min()), 0.5e-4, unit="pu")
    yield Finding("bus with the least voltage", least_at, float(v_pu.argmin()) + 1.0, 0.0)
    if live:
        yield _of_every_bus_live(grid, network, p_kw, q_kvar, flow, 1e-6)


def _of_every_bus_live(
    grid: Grid, network: RadialNetwork, p_kw: Floats, q_kvar: Floats, flow: RadialFlow, tolerance: float
) -> Finding:
    quantity = "voltage of every bus, live"
    model = peer("power_grid_model", quantity).Peer(grid, network, grid.transformers.tap_pos, grid.infeed_v_pu)
    theirs, _ = model.solve(_at_nodes(network, p_kw), _at_nodes(network, q_kvar))
    ours = flow.v_pu[network.node_of_bus]
    source = run_now("power_grid_model")
    return farthest(quantity, theirs[0], ours, tolerance, unit="pu", source=source, same_reader=True)


def read_feeder(path: Path, ties: Path | None = None) -> tuple[Grid, Floats, Floats]:
    """A published feeder at 12.66 kV, its tie lines closed if given, and what its buses draw in kW and kvar, (buses,) each.

    Bus k of the publication is at position k - 1; bus 1 is the infeed, held at 1 pu.
    """
    rows = _rows(path)
    buses = len(rows) + 1
    fed = np.array([int(row["to_bus"]) - 1 for row in rows])
    p_kw, q_kvar = np.zeros(buses), np.zeros(buses)
    p_kw[fed], q_kvar[fed] = ([float(row[name]) for row in rows] for name in ("p_kw", "q_kvar"))
    rows += _rows(ties) if ties else []
    lines = len(rows)
    column = {name: np.array([float(row[name]) for row in rows]) for name in ("from_bus", "to_bus", "r_ohm", "x_ohm")}
    nothing, no_rows, no_names = np.empty(0), np.empty(0, dtype=np.int64), np.empty(0, dtype=str)
    no_flags, closed = np.empty(0, dtype=bool), np.ones(lines, dtype=bool)
    grid = Grid(
        buses=Buses(
            np.array([f"bus {k}" for k in range(1, buses + 1)]), np.full(buses, 12.66), np.zeros(buses), np.zeros(buses)
        ),
        lines=Lines(
            names=np.array([f"{row['from_bus']} to {row['to_bus']}" for row in rows]),
            from_bus=column["from_bus"].astype(np.int64) - 1,
            to_bus=column["to_bus"].astype(np.int64) - 1,
            from_closed=closed,
            to_closed=closed,
            r_ohm=column["r_ohm"],
            x_ohm=column["x_ohm"],
            c_nf=np.zeros(lines),
            g_us=np.zeros(lines),
            max_i_ka=np.full(lines, np.inf),
            length_km=np.ones(lines),
        ),
        transformers=Transformers(
            no_names,
            no_rows,
            no_rows,
            nothing,
            nothing,
            nothing,
            nothing,
            nothing,
            nothing,
            nothing,
            no_rows,
            no_rows,
            no_rows,
            nothing,
            no_rows,
            no_flags,
            nothing,
        ),
        switches=BusSwitches(no_rows, no_rows, no_flags),
        loads=Loads(no_names, no_rows, nothing, nothing, no_rows, no_rows, no_names),
        units=Units(no_names, no_rows, nothing, nothing, no_rows, no_names),
        infeed_bus=0,
        infeed_v_pu=1.0,
    )
    return grid, p_kw, q_kvar


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@case(
    "levels",
    plane="power",
    kind="exact",
    source="power-grid-model 1.12 (Newton-Raphson, recorded) on a random network: 110, 20 and 0.4 kV, taps, parallel transformers, open line ends",
    same_reader=True,
)
def levels(live: bool) -> Iterator[Finding]:
    """Six loadings, from strong infeed to strong load, each with taps of its own."""
    grid = read_grid(LEVELS)
    recorded = np.load(LEVELS / "answers.npz")
    network = radial_network(grid)
    v_pu, losses_kw, loading_pct = [], [], []
    for p_kw, q_kvar, taps in zip(recorded["p_kw"], recorded["q_kvar"], recorded["taps"], strict=True):
        flow = _solve(grid, network, p_kw, q_kvar, taps)
        v_pu.append(flow.v_pu[network.node_of_bus].copy())
        losses_kw.append(flow.losses_kw)
        loading_pct.append(flow.transformer_loading_pct.copy())
    yield farthest("voltage of every bus", recorded["v_pu"], v_pu, 1e-6, unit="pu")
    yield farthest("losses", recorded["losses_kw"], losses_kw, 1e-6, relative=True, unit="kW")
    yield farthest("loading of every transformer", recorded["loading_pct"], loading_pct, 1e-4, unit="%")
    if live:
        answers = levels_answers(grid, recorded["p_kw"], recorded["q_kvar"], recorded["taps"])
        source = run_now("power_grid_model")
        yield farthest("voltage of every bus, live", answers["v_pu"], v_pu, 1e-6, unit="pu", source=source)
        yield farthest("losses, live", answers["losses_kw"], losses_kw, 1e-6, relative=True, unit="kW", source=source)


def levels_answers(grid: Grid, p_kw: Floats, q_kvar: Floats, taps: Ints) -> dict[str, Floats]:
    """power-grid-model's voltages (cases, buses), losses (cases,) and loadings (cases, transformers).

    p_kw, q_kvar: (cases, buses). taps: (cases, transformers).
    """
    module = peer("power_grid_model", "voltage of every bus, live")
    network = radial_network(grid)
    v_pu, losses_kw, loading_pct = [], [], []
    for p, q, tap in zip(p_kw, q_kvar, taps, strict=True):
        model = module.Peer(grid, network, tap, grid.infeed_v_pu)
        voltages, losses = model.solve(_at_nodes(network, p), _at_nodes(network, q), tolerance=1e-12)
        v_pu.append(voltages[0])
        losses_kw.append(losses[0])
        loading_pct.append(model.loading_pct(_at_nodes(network, p), _at_nodes(network, q), tolerance=1e-12)[0])
    return {"v_pu": np.array(v_pu), "losses_kw": np.array(losses_kw), "loading_pct": np.array(loading_pct)}


def _solve(grid: Grid, network: RadialNetwork, p_kw: Floats, q_kvar: Floats, taps: Ints) -> RadialFlow:
    solver = RadialSolver(network, grid)
    return solver.solve(_at_nodes(network, p_kw)[0], _at_nodes(network, q_kvar)[0], grid.infeed_v_pu, taps)


def _at_nodes(network: RadialNetwork, of_buses: Floats) -> Floats:
    """What buses draw, as one row of what nodes draw."""
    row = np.zeros((1, network.nodes))
    np.add.at(row[0], network.node_of_bus, of_buses)
    return row
