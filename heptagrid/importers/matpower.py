"""Reads a MATPOWER case file (`.m`, version 2): buses, branches and generators, and what the file computes at its end.

Source: MATPOWER's manual, appendix B (`caseformat`), and its idx_bus, idx_gen and idx_brch. Generators that are on at a PQ bus feed in what
they are set to; a PV bus without one that is on is a PQ bus. Lines for direct current (`mpc.dcline`) are listed and left out, as
MATPOWER leaves them out unless they are switched on by a call outside the file.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from heptagrid.foundation.errors import FileError
from heptagrid.foundation.input_files import MOST_NETWORK_BYTES, UnreadableError, read_text
from heptagrid.importers.importer import Importer, Reading, unsupported
from heptagrid.importers.matlab.program import run
from heptagrid.importers.matlab.tokens import MatlabError
from heptagrid.importers.matlab.values import Matrix, Value
from heptagrid.world.balanced.network import (
    BalancedBranches,
    BalancedBuses,
    BalancedGenerators,
    BalancedNetwork,
    BalancedNodes,
    BusKind,
    Ints,
    Names,
    in_complex,
)

_BUS = (
    *(
        "PQ",
        "PV",
        "REF",
        "NONE",
        "BUS_I",
        "BUS_TYPE",
        "PD",
        "QD",
        "GS",
        "BS",
        "BUS_AREA",
        "VM",
        "VA",
        "BASE_KV",
        "ZONE",
        "VMAX",
    ),
    *("VMIN", "LAM_P", "LAM_Q", "MU_VMAX", "MU_VMIN"),
)
_BRANCH = (
    *(
        "F_BUS",
        "T_BUS",
        "BR_R",
        "BR_X",
        "BR_B",
        "RATE_A",
        "RATE_B",
        "RATE_C",
        "TAP",
        "SHIFT",
        "BR_STATUS",
        "PF",
        "QF",
        "PT",
        "QT",
    ),
    *("MU_SF", "MU_ST", "ANGMIN", "ANGMAX", "MU_ANGMIN", "MU_ANGMAX"),
)
_GEN = (
    *(
        "GEN_BUS",
        "PG",
        "QG",
        "QMAX",
        "QMIN",
        "VG",
        "MBASE",
        "GEN_STATUS",
        "PMAX",
        "PMIN",
        "MU_PMAX",
        "MU_PMIN",
        "MU_QMAX",
        "MU_QMIN",
    ),
    *("PC1", "PC2", "QC1MIN", "QC1MAX", "QC2MIN", "QC2MAX", "RAMP_AGC", "RAMP_10", "RAMP_30", "RAMP_Q", "APF"),
)
_COST = ("PW_LINEAR", "POLYNOMIAL", "MODEL", "STARTUP", "SHUTDOWN", "NCOST", "COST")


def _numbered(names: tuple[str, ...], numbers: list[int]) -> list[tuple[str, float]]:
    return list(zip(names, map(float, numbers), strict=True))


# The order in which MATPOWER's functions return them, and their values: column numbers from 1.
NAMES = {
    "idx_bus": _numbered(_BUS, [1, 2, 3, 4, *range(1, 18)]),
    "idx_brch": _numbered(_BRANCH, [*range(1, 12), 14, 15, 16, 17, 18, 19, 12, 13, 20, 21]),
    "idx_gen": _numbered(_GEN, [*range(1, 11), 22, 23, 24, 25, *range(11, 22)]),
    "idx_cost": _numbered(_COST, [1, 2, 1, 2, 3, 4, 5]),
}
NAMES["define_constants"] = [pair for pairs in list(NAMES.values()) for pair in pairs]

_MOST_NUMBER = 2.0**53  # to which every whole number is itself

_COLUMNS = {"bus": 13, "branch": 11, "gen": 10}

# Fields that hold nothing that a power flow takes, and what to call them.
_WITHOUT_EFFECT = {
    "gencost": "costs of generators",
    "areas": "areas",
    "bus_name": "names of buses",
    "gentype": "types of generators",
    "genfuel": "fuels of generators",
    "reserves": "reserves",
    "if": "interface limits",
    "iflims": "interface limits",
    "softlims": "soft limits",
    "dcline": "direct-current lines, which MATPOWER takes only after toggle_dcline",
    "dclinecost": "costs of direct-current lines",
    "contingencies": "contingencies",
}

# Fields of MATPOWER's relatives whose elements do count there.
_UNSUPPORTED = ("userfcn", "storage", "switch", "busdc", "convdc", "branchdc")


def read(source: str, reading: Reading | None = None) -> BalancedNetwork:
    """Read a case file.

    Raises
    ------
    FileError
        If it cannot be read, is no case of version 2, computes what is not understood here (with the line), or holds wrong data
        (all of it, bus by bus, branch by branch).
    """
    reading = reading or Reading()
    mpc = _fields(source)
    name = Path(source).stem
    counting = {field: [f"(mpc.{field})"] for field in mpc if field in _UNSUPPORTED}
    ignored = unsupported(source, counting, reading.ignore, frozenset({*_UNSUPPORTED, *_WITHOUT_EFFECT, *mpc}))
    others = [field for field in mpc if field not in (*_COLUMNS, *_UNSUPPORTED, "version", "baseMVA")]
    version = mpc.get("version")
    if version != "2":
        raise FileError(
            source,
            [
                f"is a case of version {version if isinstance(version, str) else 'unknown'}; mpc.version = '2' is expected"
            ],
        )
    base_mva, tables = _tables(source, mpc)
    buses, generators, branches = tables["bus"], tables["gen"], tables["branch"]
    number = _numbers(source, buses)
    position = {number: k for k, number in enumerate(number.tolist())}
    problems = [
        f"{kind} {row + 1}: its bus {bus:g} is not in mpc.bus"
        for kind, table, column in (("generator", generators, 0), ("branch", branches, 0), ("branch", branches, 1))
        for row, bus in enumerate(table[:, column].tolist())
        if bus not in position
    ]
    if problems:
        raise FileError(source, problems)

    def at(column: Matrix) -> Ints:
        return np.array([position[one] for one in column.tolist()], dtype=np.int64)

    names = number.astype(str)
    network = BalancedNetwork(
        name=name,
        base_mva=base_mva,
        nodes=BalancedNodes(names, np.arange(len(names))),
        buses=_buses(buses, names),
        branches=_branches(branches, names, at),
        generators=_generators(generators, names, at),
        left_out=(
            *ignored,
            *(
                f"{_WITHOUT_EFFECT.get(field, 'a field of its own')} (mpc.{field}): without effect here"
                for field in others
            ),
            *_different_set_points(buses, generators),
        ),
    )
    violations = network.violations()
    if violations:
        raise FileError(source, violations)
    return network


def _fields(source: str) -> dict[str, Value]:
    """The fields of the struct that the file returns."""
    try:
        text = read_text(Path(source), MOST_NETWORK_BYTES, errors="surrogateescape")
    except UnreadableError as problem:
        raise FileError(source, [str(problem)]) from problem
    try:
        returned, variables = run(text, NAMES, frozenset({*_COLUMNS, "version", "baseMVA"}))
    except MatlabError as problem:
        raise FileError(source, [str(problem)]) from problem
    fields = {name.partition(".")[2]: value for name, value in variables.items() if name.startswith(f"{returned}.")}
    if not fields:
        raise FileError(source, [f"sets no field of {returned}, such as {returned}.bus: is it a case of version 2?"])
    return fields


def _tables(source: str, mpc: dict[str, Value]) -> tuple[float, dict[str, Matrix]]:
    problems = []
    base = mpc.get("baseMVA")
    if not isinstance(base, np.ndarray) or base.shape != (1, 1) or not 0.0 < base.item() < np.inf:
        problems.append("mpc.baseMVA must be a number above zero")
    tables = {}
    for field, columns in _COLUMNS.items():
        table = mpc.get(field)
        if not isinstance(table, np.ndarray) or (table.size and table.shape[1] < columns):
            problems.append(f"mpc.{field} must be a matrix of {columns} columns or more")
        else:
            tables[field] = table if table.size else np.zeros((0, columns))
    if "bus" in tables and not len(tables["bus"]):
        problems.append("mpc.bus has no rows")
    if problems:
        raise FileError(source, problems)
    assert isinstance(base, np.ndarray)
    return float(base.item()), tables


def _numbers(source: str, buses: Matrix) -> Ints:
    """The buses' numbers, each once."""
    given = buses[:, 0]
    problems = [
        f"row {k + 1} of mpc.bus: {given[k]:g} is no bus number"
        for k in np.flatnonzero(~((given >= 1) & (given <= _MOST_NUMBER)) | (np.floor(given) != given))
    ]
    number, count = np.unique(given, return_counts=True)
    problems += [f"bus {number[k]:g} stands {count[k]} times in mpc.bus" for k in np.flatnonzero(count > 1)]
    problems += [
        f"bus {given[k]:g}: its type {buses[k, 1]:g} is none of 1 (PQ), 2 (PV), 3 (slack), 4 (isolated)"
        for k in np.flatnonzero(~np.isin(buses[:, 1], list(BusKind)))
    ]
    if problems:
        raise FileError(source, problems)
    return given.astype(np.int64)


def _buses(table: Matrix, names: Names) -> BalancedBuses:
    nothing, unknown = np.zeros(len(table)), np.full(len(table), np.nan)
    return BalancedBuses(
        names=names,
        kind=table[:, 1].astype(np.int64),
        v_base_kv=table[:, 9].copy(),
        p_mw=table[:, 2].copy(),
        q_mvar=table[:, 3].copy(),
        current_p_mw=nothing,
        current_q_mvar=nothing,
        shunt_p_mw=table[:, 4].copy(),
        shunt_q_mvar=-table[:, 5],
        v_pu=table[:, 7].copy(),
        angle_deg=table[:, 8].copy(),
        x=unknown,
        y=unknown,
    )


def _branches(table: Matrix, names: Names, at: Callable[[Matrix], Ints]) -> BalancedBranches:
    from_bus, to_bus = at(table[:, 0]), at(table[:, 1])
    with np.errstate(invalid="ignore"):  # an angle that is no number is told with the other figures
        ratio = np.where(table[:, 8] == 0.0, 1.0, table[:, 8]) * np.exp(1j * np.deg2rad(table[:, 9]))
    z_pu = in_complex(table[:, 2], table[:, 3])
    half = in_complex(np.zeros(len(table)), 0.5 * table[:, 4])
    return BalancedBranches(
        names=np.arange(1, len(table) + 1).astype(str),
        kinds=np.where((table[:, 8] != 0.0) | (table[:, 9] != 0.0), "transformer", "line"),
        from_bus=from_bus,
        to_bus=to_bus,
        from_names=names[from_bus],
        to_names=names[to_bus],
        z_pu=z_pu,
        z_back_pu=z_pu,
        y_from_pu=half,
        y_to_pu=half,
        ratio=ratio,
        in_service=table[:, 10] > 0.0,
        rated_mva=np.where(table[:, 5] > 0.0, table[:, 5], np.nan),
    )


def _generators(table: Matrix, names: Names, at: Callable[[Matrix], Ints]) -> BalancedGenerators:
    bus = at(table[:, 0])
    return BalancedGenerators(
        names=np.array([f"{k + 1} at bus {names[one]}" for k, one in enumerate(bus)], dtype=str),
        bus=bus,
        p_mw=table[:, 1].copy(),
        q_mvar=table[:, 2].copy(),
        v_pu=table[:, 5].copy(),
        q_min_mvar=table[:, 4].copy(),
        q_max_mvar=table[:, 3].copy(),
        in_service=table[:, 7] > 0.0,
    )


def _different_set_points(buses: Matrix, generators: Matrix) -> list[str]:
    """Buses whose generators are to hold different voltages."""
    held = buses[np.isin(buses[:, 1], (BusKind.PV, BusKind.SLACK)), 0]
    table = generators[(generators[:, 7] > 0.0) & np.isin(generators[:, 0], held)]
    found = []
    for bus in np.unique(table[:, 0]):
        points = table[table[:, 0] == bus, 5]
        if (points != points[-1]).any():
            words = ", ".join(f"{point:g}" for point in points)
            found.append(f"generators at bus {bus:g} are to hold {words} pu: the last one counts, as in MATPOWER")
    return found


MATPOWER = Importer(
    "matpower", "MATPOWER case (.m)", BalancedNetwork, claims=lambda source: source.lower().endswith(".m"), read=read
)
