"""Day-ahead unit commitment with reserves and a network: which units are on, what each gives, and what a MWh is worth where.

Limits of branches, also after the failure of another branch, are added as they are found to bind, first to the linear relaxation and then to the
mixed-integer program. Prices are the duals of the linear program in which every unit keeps its commitment; a unit whose costs these do not cover is
made whole.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.sums import dot
from heptagrid.planes.money.formulations.branch_limits import BranchLimits
from heptagrid.planes.money.formulations.day import DayColumns, add_day, require_reserves
from heptagrid.planes.money.formulations.losses import TOLERANCE, LossTangents, Point, shares_of_load
from heptagrid.planes.money.formulations.program import OPTIMAL, STOPPED, Program, Solution
from heptagrid.planes.money.markets.commitment_tree import LEAST_GAP, Tree
from heptagrid.planes.money.markets.least_costs import least_costs
from heptagrid.planes.money.markets.schedule import unit_costs
from heptagrid.world.commitment_case import CommitmentCase

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_LEAST_PRICE = 1e-6  # of a MW of a limit that binds
_MOST_ROUNDS = 60
_WHILE_SEARCHING = (
    0.01  # of losses that a search may leave out: tangents are dense rows, and a bound holds without them
)
_MOST_SHARES = 10  # rounds in which the places of losses are renewed
_PLACED = 1e-6  # of the cost, below which where losses lie no longer matters; outputs may still change among those that are equally cheap
_SEARCH = 0.8  # of the gap that is asked for is left to the search; the limits that it does not know yet take the rest


@dataclass(frozen=True)
class Settings:
    """What is asked of a commitment."""

    gap: float = 1e-3
    with_network: bool = True
    with_outages: bool = False
    with_reserves: bool = True
    with_losses: bool = False
    most_nodes: int | None = None


OUTPUTS_ALONE = Settings(with_reserves=False)
"""Of a dispatch: the network's limits hold, and no capacity is held."""


@dataclass(frozen=True)
class Binding:
    """Limits of branches that bind, (rows,): when, which branch, after which other's outage (-1 none), its flow, and what a MW more of it would save."""

    period: Ints
    branch: Ints
    outage: Ints
    flow_mw: Floats
    shadow_price: Floats

    @property
    def rent(self) -> Floats:
        """(rows,) what the limit earns."""
        return np.abs(self.shadow_price * self.flow_mw)


@dataclass(frozen=True)
class Commitment:
    """What a commitment came to.

    status, gap, bound: of the mixed-integer program; cost: of the schedule, without what is unserved; None where there is no schedule. on:
    (periods, units). unit_mw, source_mw, stored_mw (discharged less charged), content_mwh of storages
    and reservoir_mwh: (periods, each). period_cost: (periods,). flow_mw: (periods, branches). price: (periods, buses); energy_price: (periods,) of it the dual
    of the balance, the same at all buses, and loss_price: (periods, buses) for losses, 0 at the reference; the rest is for the limits that bind. losses_mw:
    (periods,) and loss_share: (periods, buses) where they are taken out; 0 without losses. loss_residual_mw: by how much these differ at most from what the flows lose.
    unit_cost: (units,) of all periods. reserve_price: (periods, products). uplift: (units,) what makes each whole. unserved_mwh, short_mw: in all.
    limits: of branches that the program has got; binding: those of them that bind.
    """

    status: str
    gap: float | None
    bound: float | None
    cost: float | None
    penalty: float
    on: npt.NDArray[np.bool_]
    unit_mw: Floats
    source_mw: Floats
    stored_mw: Floats
    content_mwh: Floats
    reservoir_mwh: Floats
    period_cost: Floats
    unit_cost: Floats
    flow_mw: Floats
    price: Floats
    energy_price: Floats
    reserve_price: Floats
    loss_price: Floats
    losses_mw: Floats
    loss_share: Floats
    loss_residual_mw: float
    uplift: Floats
    unserved_mwh: float
    short_mw: float
    limits: int
    binding: Binding
    seconds: float

    @property
    def congestion_price(self) -> Floats:
        """(periods, buses) what of the price is for the limits that bind."""
        return self.price - self.energy_price[:, np.newaxis] - self.loss_price


@dataclass(frozen=True)
class Found:
    """How a search ended: its status, the bound below which no schedule can cost, and the seconds that all solves took."""

    status: str
    bound: float
    seconds: float


def commit(case: CommitmentCase, settings: Settings = Settings()) -> Commitment:
    """Commit the units of a case; periods are hours.

    With losses the search lays them by load; its schedule then gets them where they are lost.

    Raises
    ------
    NetworkError
        As `LossTangents`.
    """
    share = shares_of_load(case.load_mw) if settings.with_losses else None
    model = _Model(case, settings, share, tolerance=_WHILE_SEARCHING)
    program, columns, grid, losses = model.program, model.columns, model.grid, model.losses
    program.relax_integers()
    relaxed = _settle(program, grid, losses)
    tree = _tree_of(model, relaxed, settings)
    best: Solution | None = None
    bound, start, seconds = -np.inf, None, relaxed.seconds
    for _ in range(_MOST_ROUNDS):
        # With the limits known so far the search gives a bound; its commitment, dispatched within all limits, a schedule.
        if tree is not None:
            found = tree.search(best, settings.most_nodes)
        else:
            program.restore_integers()
            found = program.solve(gap=settings.gap * _SEARCH, most_nodes=settings.most_nodes, start=start)
        seconds += found.seconds
        if found.bound is None:
            if best is None:
                return _nothing(case, found, seconds)
            break
        bound = max(bound, found.bound)
        program.fix_integers(found.x)
        limits = 0 if grid is None else len(grid.rows)
        priced = _settle(program, grid, losses)
        seconds += priced.seconds
        if best is None or _cost(priced) < _cost(best):
            best, start = priced, priced.x
        is_whole = grid is None or len(grid.rows) == limits
        if _gap(best, bound) <= settings.gap or (is_whole and tree is None):
            break
        if is_whole:  # HiGHS has taken a schedule to begin with for a cheaper one than it is: search without
            tree = start = None
    assert best is not None
    if losses is not None and best.has_point:
        model, best = _with_losses(case, best.x[columns.units.on] > 0.5, settings)
        seconds += best.seconds
    status = OPTIMAL if _gap(best, bound) <= settings.gap else STOPPED
    return _result(model, Found(status, bound, seconds), best)


def _tree_of(model: _Model, relaxed: Solution, settings: Settings) -> Tree | None:
    """The search near the relaxed program's prices, where prices of energy are all that units have in common; else none."""
    case, columns = model.case, model.columns
    if columns.reserve.size or model.losses is not None or settings.gap < LEAST_GAP:
        return None
    if relaxed.objective is None or relaxed.objective <= 0.0:
        return None
    price = bus_prices(case, columns, model.grid, relaxed)
    least = least_costs(case, model.program, columns.units, relaxed, price)
    settle = partial(_settle, model.program, model.grid)
    return Tree(model.program, columns.units.on, least, settle, settings.gap)


class _Model:
    """The program of a case, and what is added to it as it is needed: limits of branches, and tangents of losses where they have a place, (periods, buses)."""

    def __init__(
        self,
        case: CommitmentCase,
        settings: Settings,
        loss_share: Floats | None,
        reference: int = 0,
        tolerance: float = TOLERANCE,
    ) -> None:
        self.case, self.program = case, Program()
        network = case.network if settings.with_network else None
        share = loss_share if network is not None else None
        self.columns = add_day(self.program, case, share)
        if settings.with_reserves and len(case.reserves):
            require_reserves(self.program, case, self.columns)
        self.grid: BranchLimits | None = None
        self.losses: LossTangents | None = None
        if network is not None:
            self.grid = BranchLimits(case, network, self.columns, settings.with_outages, reference)
            if share is not None:
                self.losses = LossTangents(case, network, self.columns, self.grid, tolerance)

    def keep_on(self, on: npt.NDArray[np.bool_]) -> None:
        """Units are on as told from now on, (periods, units)."""
        self.program.relax_integers()
        state = on.astype(np.float64)
        self.program.change_columns(self.columns.units.on, state, state)


def dispatch(
    case: CommitmentCase, on: npt.NDArray[np.bool_], settings: Settings = OUTPUTS_ALONE, reference: int = 0
) -> Commitment:
    """The cheapest outputs of units that are on as told, (periods, units); a linear program, solved exactly.

    settings: by default with the network, without reserves and losses; with losses the case's loads are those without. reference: the bus whose price has no
    part for congestion and losses; no price hangs on it.

    Raises
    ------
    NetworkError
        As `LossTangents`.
    """
    if settings.with_losses and settings.with_network and case.network is not None:
        model, priced = _with_losses(case, on, settings, reference)
    else:
        model = _Model(case, settings, None, reference)
        model.keep_on(on)
        priced = _settle(model.program, model.grid)
    if not priced.has_point:
        return _nothing(case, priced, priced.seconds)
    assert priced.objective is not None
    return _result(model, Found(priced.status, priced.objective, priced.seconds), priced)


def _with_losses(
    case: CommitmentCase, on: npt.NDArray[np.bool_], settings: Settings, reference: int = 0
) -> tuple[_Model, Solution]:
    """The program whose losses lie where its flows lose them, by programs each of which takes their places from the one before; the seconds are those of all."""
    share, last, seconds = shares_of_load(case.load_mw), np.inf, 0.0
    limits: list[tuple[int, int, int]] = []
    points: list[Point] = []
    for _ in range(_MOST_SHARES):
        model = _Model(case, settings, share, reference)
        assert model.grid is not None and model.losses is not None
        model.grid.add(model.program, limits)
        model.losses.add(model.program, points)
        model.keep_on(on)
        priced = _settle(model.program, model.grid, model.losses)
        seconds += priced.seconds
        if abs(_cost(priced) - last) <= _PLACED * abs(_cost(priced)) or not priced.has_point:
            break
        limits, points = [one[1:] for one in model.grid.rows], model.losses.points
        share, last = model.losses.shares(priced.x), _cost(priced)
    return model, replace(priced, seconds=seconds)


def _cost(found: Solution) -> float:
    return np.inf if found.objective is None else found.objective


def _gap(found: Solution, bound: float) -> float:
    return (_cost(found) - bound) / max(abs(_cost(found)), 1e-9)


def _settle(program: Program, grid: BranchLimits | None, losses: LossTangents | None = None) -> Solution:
    """Solve, add the limits that are broken and the losses that are missing, and solve again until none is; the seconds are those of all."""
    seconds = 0.0
    for _ in range(_MOST_ROUNDS):
        found = program.solve()
        seconds += found.seconds
        if grid is None or not found.has_point:
            break
        added = grid.add_broken(program, found.x)
        if losses is not None:
            added += losses.add_missing(program, found)
        if added == 0:
            break
    return replace(found, seconds=seconds)


def _result(model: _Model, found: Found, priced: Solution) -> Commitment:
    case, columns, grid, losses = model.case, model.columns, model.grid, model.losses
    x, units = priced.x, case.units
    on = x[columns.units.on] > 0.5
    unit_mw = np.where(on, units.p_min_mw, 0.0) + x[columns.units.above]
    unserved_mwh = float(x[columns.unserved].sum() + x[columns.surplus].sum())
    short_mw = float(x[columns.short].sum()) if columns.short.size else 0.0
    penalty = case.unserved_cost * unserved_mwh + case.short_cost * short_mw
    costs = unit_costs(units, on, unit_mw)
    loss_price = np.zeros(case.load_mw.shape) if losses is None else losses.prices(priced)
    price = bus_prices(case, columns, grid, priced) + loss_price
    limits = _limits_of(grid, priced)
    assert priced.objective is not None
    return Commitment(
        status=found.status,
        gap=max(_gap(priced, found.bound), 0.0),
        bound=found.bound,
        cost=priced.objective - penalty,
        penalty=penalty,
        on=on,
        unit_mw=unit_mw,
        source_mw=x[columns.sources],
        stored_mw=x[columns.discharge] - x[columns.charge],
        content_mwh=x[columns.content],
        reservoir_mwh=x[columns.reservoir],
        period_cost=costs.sum(axis=1),
        unit_cost=costs.sum(axis=0),
        flow_mw=grid.flows_mw(x) if grid is not None else np.zeros((case.periods, 0)),
        price=price,
        energy_price=priced.dual[columns.balance] + 0.0,
        reserve_price=priced.dual[columns.reserve] if columns.reserve.size else np.zeros((case.periods, 0)),
        loss_price=loss_price,
        losses_mw=x[columns.losses] if losses is not None else np.zeros(case.periods),
        loss_share=columns.loss_share if losses is not None else np.zeros(case.load_mw.shape),
        loss_residual_mw=losses.residual_mw(x) if losses is not None else 0.0,
        uplift=np.maximum(costs.sum(axis=0) - (price[:, units.bus] * unit_mw).sum(axis=0), 0.0),
        unserved_mwh=unserved_mwh,
        short_mw=short_mw,
        limits=len(limits),
        binding=_binding(grid, limits, priced),
        seconds=found.seconds,
    )


def bus_prices(case: CommitmentCase, columns: DayColumns, grid: BranchLimits | None, priced: Solution) -> Floats:
    """(periods, buses) what a MWh is worth without losses: the dual of the balance, and of the limits that bind."""
    price = np.repeat(priced.dual[columns.balance][:, np.newaxis] + 0.0, case.load_mw.shape[1], axis=1)
    for row, period, branch, outage in _limits_of(grid, priced):
        assert grid is not None
        price[period] += priced.dual[row] * grid.of(branch, outage)
    return price


def _limits_of(grid: BranchLimits | None, priced: Solution) -> list[tuple[int, int, int, int]]:
    """The limits that a solution knew. A later commitment may have broken others, which this one keeps without a price."""
    return [one for one in grid.rows if one[0] < len(priced.dual)] if grid is not None else []


def _binding(grid: BranchLimits | None, limits: list[tuple[int, int, int, int]], priced: Solution) -> Binding:
    rows = np.array(limits, dtype=np.int64).reshape(-1, 4)
    if grid is None or not len(rows):
        none = np.empty(0, dtype=np.int64)
        return Binding(none, none, none, np.empty(0), np.empty(0))
    dual = priced.dual[rows[:, 0]]
    rows, dual = rows[np.abs(dual) > _LEAST_PRICE], dual[np.abs(dual) > _LEAST_PRICE]
    fed_in = grid.fed_in_mw(priced.x)
    flow = [dot(grid.of(branch, outage), fed_in[period]) for _, period, branch, outage in rows.tolist()]
    return Binding(rows[:, 1], rows[:, 2], rows[:, 3], np.array(flow), -dual)


def _nothing(case: CommitmentCase, found: Solution, seconds: float) -> Commitment:
    nothing = np.zeros((case.periods, 0))
    return Commitment(
        status=found.status,
        gap=None,
        bound=found.bound,
        cost=None,
        penalty=0.0,
        on=np.zeros((case.periods, 0), dtype=np.bool_),
        unit_mw=nothing,
        source_mw=nothing,
        stored_mw=nothing,
        content_mwh=nothing,
        reservoir_mwh=nothing,
        period_cost=np.zeros(case.periods),
        unit_cost=np.empty(0),
        flow_mw=nothing,
        price=nothing,
        energy_price=np.zeros(case.periods),
        reserve_price=nothing,
        loss_price=nothing,
        losses_mw=np.zeros(case.periods),
        loss_share=nothing,
        loss_residual_mw=0.0,
        uplift=np.empty(0),
        unserved_mwh=0.0,
        short_mw=0.0,
        limits=0,
        binding=_binding(None, [], found),
        seconds=seconds,
    )
