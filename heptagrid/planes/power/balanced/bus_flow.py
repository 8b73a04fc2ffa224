"""Power flow of a balanced network, whatever its shape: `solve(network)` picks the solver and says which.

Reactive limits are enforced as MATPOWER does (ENFORCE_Q_LIMS = 1): after a solution every generator beyond a limit is fixed at it, all at
once, its bus becomes a PQ bus, others there keep what they gave, and the network is solved again, until none is beyond; none is freed again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import splu

from heptagrid.planes.power.balanced import loading
from heptagrid.planes.power.balanced.bus_kinds import check_slack, kinds_of, live_buses
from heptagrid.planes.power.balanced.bus_sweeps import Sweeps
from heptagrid.planes.power.balanced.newton import Injections, Newton, Solution
from heptagrid.world.balanced.network import BalancedNetwork, BusKind

Floats = npt.NDArray[np.float64]
Complex = npt.NDArray[np.complex128]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_LIMIT_MVAR = 5e-6  # beyond a limit by less than this is within it; MATPOWER's opf.violation
_FAR_RAD = 1e3  # no angle of a network, but one of a matrix that is singular to rounding
# What leaves the range of numbers on the way is no solution in the end, and is told so.
_TO_THE_END = np.errstate(over="ignore", divide="ignore", invalid="ignore")


@dataclass(frozen=True)
class BalancedFlow:
    """A solution. solver: which, and why.

    v: (buses,) complex, per unit; 0 at de-energised buses. is_live: (buses,) whether a slack feeds the bus. current_from_pu, current_to_pu: (branches,) complex, into the branch at each
    end, on the bus's base. p_mw, q_mvar: (generators,) fed in. at_limit: (generators,) -1 at the lower, 1 at the upper
    reactive limit. losses_mva: (branches,) complex. If it did not converge, `trouble` says what is known, and the figures are NaN.
    """

    solver: str
    converged: bool
    iterations: int
    mismatch_mva: float
    v: Complex
    is_live: Bools
    current_from_pu: Complex
    current_to_pu: Complex
    losses_mva: Complex
    p_mw: Floats
    q_mvar: Floats
    at_limit: Ints
    trouble: str = ""


@_TO_THE_END
def solve(network: BalancedNetwork, *, q_limits: bool = False) -> BalancedFlow:
    """Voltages and flows of a network; what no path in service joins to a slack bus is de-energised.

    Raises
    ------
    NetworkError
        Without a slack bus that feeds. A network that does not converge is no error: see `BalancedFlow.converged`.
    """
    check_slack(network)
    problem = _Problem(network)
    sweeps = problem.sweeps()
    solver = _method(sweeps)
    solution = problem.sweep(sweeps) if not sweeps.why_not else problem.solve(problem.start(), 1.0)
    if not sweeps.why_not and not solution.converged:
        solver = "Newton-Raphson, as the sweeps did not converge"
        solution = problem.solve(problem.start(), 1.0)
    trouble = ""
    if not solution.converged:
        solution, trouble = problem.search(solution)
    iterations = solution.iterations
    if q_limits and solution.converged:
        solution, iterations, trouble = problem.enforce_limits(solution)
    return problem.flow(solver, solution, iterations, trouble)


@_TO_THE_END
def choice(network: BalancedNetwork) -> str:
    """Which solver `solve` picks for a network, and why.

    Raises
    ------
    NetworkError
        As `solve`.
    """
    check_slack(network)
    return _method(_Problem(network).sweeps())


def _method(sweeps: Sweeps) -> str:
    if sweeps.why_not:
        return f"Newton-Raphson on the sparse admittance matrix: {sweeps.why_not}"
    if sweeps.loops:
        return f"forward and backward sweeps with compensation: a tree with {sweeps.loops} loop{'s' if sweeps.loops > 1 else ''}"
    return "forward and backward sweeps: a tree with one source"


class _Admittances:
    """The four admittances of each branch, zero where it is out of service: (branches,) complex."""

    def __init__(self, network: BalancedNetwork, on: Bools) -> None:
        branches = network.branches
        ratio = np.where(on, branches.ratio, 1.0)
        forward = np.divide(1.0, branches.z_pu, out=np.zeros(len(on), dtype=np.complex128), where=on)
        backward = np.divide(1.0, branches.z_back_pu, out=np.zeros(len(on), dtype=np.complex128), where=on)
        self.ff = (forward + np.where(on, branches.y_from_pu, 0.0)) / (ratio * ratio.conj())
        self.ft = -forward / ratio.conj()
        self.tf = -backward / ratio
        self.tt = backward + np.where(on, branches.y_to_pu, 0.0)


class _Problem:
    """A network on its way to a solution: which bus is given what."""

    def __init__(self, network: BalancedNetwork) -> None:
        self.network = network
        branches, generators = network.branches, network.generators
        self.live = live_buses(network)
        self.on = branches.in_service & self.live[branches.from_bus] & self.live[branches.to_bus]
        self.running = generators.in_service & self.live[generators.bus]
        self.admittances = _Admittances(network, self.on)
        self.limited = np.zeros(len(generators.bus), dtype=np.int64)
        self.given_mvar = generators.q_mvar
        self.kind = np.where(self.live, kinds_of(network), BusKind.ISOLATED)

    def start(self, share: float = 1.0) -> Complex:
        """The file's voltages, with the generators' magnitudes at the buses that hold one.

        Unknown angles are those of a linear flow; so are all at another share of the loading than the file's.
        """
        buses, generators = self.network.buses, self.network.generators
        held = self.running & np.isin(self.kind[generators.bus], (BusKind.PV, BusKind.SLACK))
        magnitude = np.where(buses.v_pu > 0.0, buses.v_pu, generators.v_pu[held].mean())
        magnitude[generators.bus[held]] = generators.v_pu[held]
        angle = np.deg2rad(buses.angle_deg)
        if share != 1.0 or np.isnan(angle[self.live]).any():
            angle = self.linear_angles(np.nan_to_num(angle), share)
        return np.asarray(magnitude * np.exp(1j * angle), dtype=np.complex128)

    def linear_angles(self, given: Floats, share: float) -> Floats:
        """Angles in rad that active power would have if it flowed by angle differences alone; slack buses keep theirs.

        A branch conducts by its reactance; where that is small beside its resistance, by the size of its impedance. So do all where
        reactances cancel one another.
        """
        z_pu = self.network.branches.z_pu[self.on]
        size = np.abs(z_pu)
        for through in (np.where(np.abs(z_pu.imag) > 0.1 * size, z_pu.imag, size), size):
            try:
                angle = self._angles(given, share, through)
            except RuntimeError:  # SuperLU: the matrix is exactly singular
                continue
            if np.abs(angle).max() < _FAR_RAD:
                return angle
        return given

    def _angles(self, given: Floats, share: float, through: Floats) -> Floats:
        """As `linear_angles`, with branches in service that conduct by 1 / through."""
        branches, on = self.network.branches, self.on
        count = len(given)
        f, t = branches.from_bus[on], branches.to_bus[on]
        conducts = 1.0 / (through * np.abs(branches.ratio[on]))
        shift = np.angle(branches.ratio[on])
        data = np.concatenate([conducts, -conducts, -conducts, conducts])
        matrix = csr_matrix((data, (np.concatenate([f, f, t, t]), np.concatenate([f, t, f, t]))), shape=(count, count))
        power = (
            share * self.injections().at(np.ones(count)).real - self.network.buses.shunt_p_mw / self.network.base_mva
        )
        np.add.at(power, f, conducts * shift)
        np.add.at(power, t, -conducts * shift)
        free = np.flatnonzero(np.isin(self.kind, (BusKind.PV, BusKind.PQ)))
        held = np.flatnonzero(self.kind == BusKind.SLACK)
        angle = given.copy()
        if len(free):
            power = power[free] - matrix[free][:, held] @ angle[held]
            angle[free] = splu(matrix[free][:, free].tocsc(), permc_spec="MMD_AT_PLUS_A").solve(power)
        return angle

    def injections(self) -> Injections:
        """What generators feed in less what loads draw, per unit; the voltage's square is in the admittance matrix."""
        buses, generators = self.network.buses, self.network.generators
        power = (-buses.p_mw - 1j * buses.q_mvar).astype(np.complex128)
        np.add.at(power, generators.bus[self.running], self.generated()[self.running])
        current = (-buses.current_p_mw - 1j * buses.current_q_mvar).astype(np.complex128)
        return Injections(power / self.network.base_mva, current / self.network.base_mva)

    def generated(self) -> Complex:
        """(generators,) what each feeds in as far as it is given."""
        return np.asarray(self.network.generators.p_mw + 1j * self.given_mvar, dtype=np.complex128)

    def matrix(self) -> csr_matrix:
        """The admittance matrix, with every bus on its diagonal."""
        buses, branches, y = self.network.buses, self.network.branches, self.admittances
        count = len(buses.names)
        every = np.arange(count)
        shunt = np.where(self.live, (buses.shunt_p_mw - 1j * buses.shunt_q_mvar) / self.network.base_mva, 0.0)
        on = self.on
        f, t = branches.from_bus[on], branches.to_bus[on]
        data = np.concatenate([y.ff[on], y.ft[on], y.tf[on], y.tt[on], shunt])
        rows, columns = np.concatenate([f, f, t, t, every]), np.concatenate([f, t, f, t, every])
        return csr_matrix((data, (rows, columns)), shape=(count, count))

    def solve(self, start: Complex, share: float) -> Solution:
        """Newton's method at a share of the loading."""
        pv, pq = np.flatnonzero(self.kind == BusKind.PV), np.flatnonzero(self.kind == BusKind.PQ)
        return Newton(self.matrix(), pv, pq).solve(self.injections().scaled(share), start)

    def sweeps(self) -> Sweeps:
        """The network for the radial solver, or why it is none for it."""
        return Sweeps(self.network, self.kind, self.on)

    def sweep(self, sweeps: Sweeps) -> Solution:
        """The radial solver's solution, with what it leaves unbalanced."""
        injections = self.injections()
        slack = int(np.flatnonzero(self.kind == BusKind.SLACK)[0])
        source = self.start()[slack]
        v, iterations, converged = sweeps.solve(
            injections.power * self.network.base_mva, float(np.abs(source)), float(np.angle(source))
        )
        at = np.where(self.live, v, 0.0)
        excess = np.abs(at * (self.matrix() @ at).conj() - injections.power)
        excess[~self.live], excess[slack] = 0.0, 0.0
        return Solution(v, iterations, converged, float(excess.max()), int(excess.argmax()))

    def enforce_limits(self, solution: Solution) -> tuple[Solution, int, str]:
        """Solve again with generators beyond their reactive limits at them, until there is none.

        Also the iterations of all solutions, and what is known of the reason if there is none.
        """
        generators = self.network.generators
        iterations, trouble = solution.iterations, ""
        while solution.converged:
            q_mvar = self.outputs(solution.v).imag
            free = self.running & (self.limited == 0) & (self.kind[generators.bus] != BusKind.SLACK)
            high = free & (q_mvar > generators.q_max_mvar + _LIMIT_MVAR)
            low = free & (q_mvar < generators.q_min_mvar - _LIMIT_MVAR)
            if not (high | low).any():
                break
            self.limited[high], self.limited[low] = 1, -1
            q_mvar = np.where(high, generators.q_max_mvar, np.where(low, generators.q_min_mvar, q_mvar))
            there = np.isin(generators.bus, generators.bus[high | low])
            self.given_mvar = np.where(there & self.running, q_mvar, self.given_mvar)
            self.kind[generators.bus[there]] = BusKind.PQ
            solution = self.solve(solution.v, 1.0)
            if not solution.converged:
                solution, trouble = self.search(solution)
            iterations += solution.iterations
        return solution, iterations, trouble

    def outputs(self, v: Complex) -> Complex:
        """(generators,) complex MVA: of a bus that holds its voltage shared by the widths of the generators' reactive ranges."""
        network, generators = self.network, self.network.generators
        into = v * (self.matrix() @ v).conj() - self.injections().at(np.abs(v))
        output = np.where(self.running, self.generated(), 0.0)
        for kind in (BusKind.PV, BusKind.SLACK):
            mine = np.flatnonzero(self.running & (self.kind[generators.bus] == kind) & (self.limited == 0))
            at = generators.bus[mine]
            missing = into[at] * network.base_mva
            total = np.zeros(len(self.kind), dtype=np.complex128)
            np.add.at(total, at, output[mine])
            if kind == BusKind.SLACK:
                # The first generator of a slack bus balances its active power.
                first = mine[np.unique(at, return_index=True)[1]]
                output[first] += into[generators.bus[first]].real * network.base_mva
            needed = total[at].imag + missing.imag
            low, high = generators.q_min_mvar[mine], generators.q_max_mvar[mine]
            output[mine] = output[mine].real + 1j * _shared(at, needed, low, high, len(self.kind))
        return np.asarray(output, dtype=np.complex128)

    def flow(self, solver: str, solution: Solution, iterations: int, trouble: str) -> BalancedFlow:
        network, branches, y = self.network, self.network.branches, self.admittances
        v = solution.v if solution.converged else np.full(len(solution.v), complex(np.nan, np.nan))
        output = self.outputs(v)
        at_from, at_to = v[branches.from_bus], v[branches.to_bus]
        current_from, current_to = y.ff * at_from + y.ft * at_to, y.tf * at_from + y.tt * at_to
        losses = np.where(self.on, (at_from * current_from.conj() + at_to * current_to.conj()) * network.base_mva, 0.0)
        return BalancedFlow(
            solver=solver,
            converged=solution.converged,
            iterations=iterations,
            mismatch_mva=solution.mismatch_pu * network.base_mva,
            v=np.where(self.live, v, 0.0),
            is_live=self.live,
            current_from_pu=np.where(self.on, current_from, 0.0),
            current_to_pu=np.where(self.on, current_to, 0.0),
            losses_mva=losses,
            p_mw=output.real,
            q_mvar=output.imag,
            at_limit=self.limited,
            trouble=trouble,
        )

    def search(self, failed: Solution) -> tuple[Solution, str]:
        """A solution from other starts than the file's; or what failed there, and what is known of the reason.

        Behind branches of small impedance, ratios and shifts decide the voltages: the voltages without any load are near the solution.
        """
        start = self.without_load()
        solution = self.solve(start, 1.0)
        if solution.converged:
            return solution, ""
        carried, share = loading.raised(self.solve, start)
        if share == 1.0:
            return carried, ""
        return failed, loading.trouble(self.network, self.kind == BusKind.PQ, self.on, carried, share)

    def without_load(self) -> Complex:
        """Voltages of buses that nothing is drawn at and no current fed into, between those that hold theirs."""
        v = self.start(0.0)
        free = np.flatnonzero(self.kind == BusKind.PQ)
        held = np.flatnonzero(np.isin(self.kind, (BusKind.PV, BusKind.SLACK)))
        rows = self.matrix()[free]
        if len(free):
            try:
                found = splu(rows[:, free].tocsc(), permc_spec="MMD_AT_PLUS_A").solve(-(rows[:, held] @ v[held]))
            except RuntimeError:  # SuperLU: the matrix is exactly singular
                return v
            if np.isfinite(found).all() and (found != 0.0).all():
                v[free] = found
        return v


def _shared(at: Ints, needed: Floats, low: Floats, high: Floats, buses: int) -> Floats:
    """(generators,) their parts of what their bus needs, as far into the range of each as into the others'.

    A limit that is none counts as one that the bus cannot reach: what all limits there and its need come to together. Without ranges what
    is beyond the limits is shared equally. Source: `pfsoln` of MATPOWER.
    """

    def at_bus(values: Floats) -> Floats:
        total = np.zeros(buses)
        np.add.at(total, at, values)
        return total[at]

    count = at_bus(np.ones(len(at)))
    far = at_bus(
        np.abs(needed) / count + sum(np.where(np.isfinite(limit), np.abs(limit), 0.0) for limit in (low, high))
    )
    low, high = (np.where(np.isfinite(limit), limit, np.copysign(far, limit)) for limit in (low, high))
    beyond, width = needed - at_bus(low), at_bus(high - low)
    ranged = width > 0.0
    part = np.divide(beyond, width, out=np.zeros(len(at)), where=ranged)
    shared = low + np.where(ranged, part * (high - low), beyond / count)
    return np.where(count > 1, shared, needed)
