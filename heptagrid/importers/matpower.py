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
from heptagrid.importers.importer import Importer, Reading, unsupported
from heptagrid.importers.matlab.values import Matrix
from heptagrid.importers.matpower_tables import COLUMNS, check_places, check_version, fields_of, numbers_of, tables_of
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
    mpc = fields_of(source)
    name = Path(source).stem
    counting = {field: [f"(mpc.{field})"] for field in mpc if field in _UNSUPPORTED}
    ignored = unsupported(source, counting, reading.ignore, frozenset({*_UNSUPPORTED, *_WITHOUT_EFFECT, *mpc}))
    others = [field for field in mpc if field not in (*COLUMNS, *_UNSUPPORTED, "version", "baseMVA")]
    check_version(source, mpc)
    base_mva, tables = tables_of(source, mpc)
    buses, generators, branches = tables["bus"], tables["gen"], tables["branch"]
    number = numbers_of(source, buses)
    check_places(source, tables, number)
    position = {number: k for k, number in enumerate(number.tolist())}

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
