"""The tables of a MATPOWER case file (`.m`, version 2), and what the file computes at its end.

Source: MATPOWER's manual, appendix B (`caseformat`), and its idx_bus, idx_gen, idx_brch and idx_cost.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.errors import FileError
from heptagrid.foundation.input_files import MOST_NETWORK_BYTES, UnreadableError, read_text
from heptagrid.importers.matlab.program import run
from heptagrid.importers.matlab.tokens import MatlabError
from heptagrid.importers.matlab.values import Matrix, Value
from heptagrid.world.balanced.network import BusKind

Ints = npt.NDArray[np.int64]

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

COLUMNS = {"bus": 13, "branch": 11, "gen": 10}


def fields_of(source: str, counting: frozenset[str] = frozenset()) -> dict[str, Value]:
    """The fields of the struct that the file returns.

    counting: fields that count beside `bus`, `gen` and `branch`; what any other is given may be beyond what is understood here.

    Raises
    ------
    FileError
        If it cannot be read, is no case of version 2, or computes what is not understood here (with the line).
    """
    try:
        text = read_text(Path(source), MOST_NETWORK_BYTES, errors="surrogateescape")
    except UnreadableError as problem:
        raise FileError(source, [str(problem)]) from problem
    try:
        returned, variables = run(text, NAMES, frozenset({*COLUMNS, *counting, "version", "baseMVA"}))
    except MatlabError as problem:
        raise FileError(source, [str(problem)]) from problem
    fields = {name.partition(".")[2]: value for name, value in variables.items() if name.startswith(f"{returned}.")}
    if not fields:
        raise FileError(source, [f"sets no field of {returned}, such as {returned}.bus: is it a case of version 2?"])
    return fields


def check_version(source: str, mpc: dict[str, Value]) -> None:
    """Refuse a case of another version than 2.

    Raises
    ------
    FileError
        Naming the version.
    """
    version = mpc.get("version")
    if version != "2":
        found = version if isinstance(version, str) else "unknown"
        raise FileError(source, [f"is a case of version {found}; mpc.version = '2' is expected"])


def check_places(source: str, tables: dict[str, Matrix], number: Ints) -> None:
    """Refuse generators and branches at buses that there are not.

    Raises
    ------
    FileError
        Naming each.
    """
    ends = (("generator", tables["gen"], 0), ("branch", tables["branch"], 0), ("branch", tables["branch"], 1))
    problems = [
        f"{kind} {row + 1}: its bus {table[row, column]:g} is not in mpc.bus"
        for kind, table, column in ends
        for row in np.flatnonzero(~np.isin(table[:, column], number))
    ]
    if problems:
        raise FileError(source, problems)


def tables_of(source: str, mpc: dict[str, Value]) -> tuple[float, dict[str, Matrix]]:
    """The power base in MVA, and the tables `bus`, `gen` and `branch`.

    Raises
    ------
    FileError
        If one is missing, or has too few columns.
    """
    problems = []
    base = mpc.get("baseMVA")
    if not isinstance(base, np.ndarray) or base.shape != (1, 1) or not 0.0 < base.item() < np.inf:
        problems.append("mpc.baseMVA must be a number above zero")
    tables = {}
    for field, columns in COLUMNS.items():
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


def numbers_of(source: str, buses: Matrix) -> Ints:
    """The buses' numbers, each once, (buses,).

    Raises
    ------
    FileError
        For numbers that are none or stand twice, and types that there are not.
    """
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
