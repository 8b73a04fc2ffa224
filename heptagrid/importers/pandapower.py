"""Reads a pandapower network (JSON) as pandapower itself understands it: its own converter fills the arrays, nothing is solved by it.

pandapower's elements (transformers with their taps and tables, three-winding transformers, wards, switches, motors, ...) have
meanings that only its converter states fully. It is asked for a power flow of no iterations, with its own defaults and the options that the
file brings, and what it would have solved is taken over: decision 011 says why.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from heptagrid.foundation.errors import FileError
from heptagrid.foundation.input_files import MOST_NETWORK_BYTES, UnreadableError, read_text
from heptagrid.importers.importer import Importer, MissingPackageError, Reading, unsupported
from heptagrid.importers.pandapower_checks import UNSUPPORTED, called, nonsense, not_tables, numbers, without_effect
from heptagrid.importers.pandapower_classes import forbidden
from heptagrid.importers.pandapower_taps import Shifters, in_service, phase_shifters, settle
from heptagrid.world.balanced.network import (
    WARD,
    BalancedBranches,
    BalancedBuses,
    BalancedGenerators,
    BalancedNetwork,
    BalancedNodes,
    BusKind,
    Complex,
    Floats,
    Ints,
    Names,
    in_complex,
)

_OPTIONS = {
    "distributed_slack": "shares the slack among generators",
    "tdpf": "lets conductors' temperature follow their currents",
}

# Others say how pandapower would come to its solution.
_OF_THE_SOLVER = ("algorithm", "init", "init_vm_pu", "init_va_degree")

_KINDS = {
    "line": "line",
    "trafo": "transformer",
    "trafo3w": "transformer",
    "impedance": "impedance",
    "xward": WARD,
    "switch": "switch",
}

# Columns of pandapower's internal arrays (pandapower.pypower.idx_bus, idx_brch, idx_gen).
_BUS = {"kind": 1, "p": 2, "q": 3, "g": 4, "b": 5, "kv": 9, "ci_p": 13, "cz_p": 14, "ci_q": 16, "cz_q": 17}
_BRANCH = {
    **{"from": 0, "to": 1, "r": 2, "x": 3, "b": 4, "rating": 5, "tap": 8, "shift": 9, "on": 10},
    **{"r_asym": 21, "x_asym": 22, "g": 23, "g_asym": 24, "b_asym": 25},
}
_GEN = {"bus": 0, "p": 1, "q": 2, "q_max": 3, "q_min": 4, "v": 5, "on": 7}
_LARGE = 5000  # buses
_NO_LIMIT_MVAR = 1e9  # pandapower's way to say that there is none


def read(source: str, reading: Reading | None = None) -> BalancedNetwork:
    """Read a file that `pandapower.to_json` wrote.

    Raises
    ------
    FileError
        If it cannot be read, is no pandapower network, or holds elements that cannot be represented, each named.
    MissingPackageError
        If pandapower is not installed.
    """
    with quiet():
        pandapower = package("a pandapower network", "pandapower")
        try:
            text = read_text(Path(source), MOST_NETWORK_BYTES)
            content = json.loads(text)
        except UnreadableError as problem:
            raise FileError(source, [str(problem)]) from problem
        except (ValueError, RecursionError) as problem:
            what = "nested too deep" if isinstance(problem, RecursionError) else str(problem)
            raise FileError(source, [f"is no JSON: {what}"]) from problem
        if not isinstance(content, dict) or content.get("_class") != "pandapowerNet":
            raise FileError(source, [_no_network(content)])
        try:
            named = forbidden(text)
        except ValueError as problem:
            raise FileError(source, [str(problem)]) from problem
        if named:
            raise FileError(source, named)
        try:
            net = pandapower.from_json_string(text, convert=False)
            shifters = phase_shifters(net)
            pandapower.convert_format(net)
        except Exception as problem:
            raise FileError(source, [f"pandapower cannot read it: {_said(problem)}"]) from problem
    return convert(net, source, reading or Reading(), shifters)


def _no_network(content: Any) -> str:
    """What JSON is that is no network as it is written today."""
    if isinstance(content, dict) and {"bus", "ext_grid", "version"} <= content.keys():
        return (
            f"is a network in the form of pandapower {str(content['version'])[:10]}, which is not read here: read it with pandapower.from_json and "
            "save it with pandapower.to_json"
        )
    return "is JSON, but no pandapower network: pandapower.to_json writes one"


def convert(net: Any, source: str, reading: Reading, shifters: Shifters | None = None) -> BalancedNetwork:
    """The network in a `pandapowerNet`, which is changed where elements are left out and taps get a type; `source` names it in errors.

    shifters: of a file of an earlier version, which transformers it calls phase shifters.

    Raises
    ------
    FileError
        As `read`; and what pandapower itself refuses, in its words.
    """
    broken = list(not_tables(net))
    if broken:
        raise FileError(source, broken)
    elements = {
        kind: [f"{called(net[kind], index)}" for index in net[kind].index[in_service(net[kind])]]
        for kind in UNSUPPORTED
        if kind in net and len(net[kind]) and (kind != "controller" or reading.controls)
    }
    elements = {kind: lines for kind, lines in elements.items() if lines}
    elements |= {
        name: [f"(an option of the file) {what}"]
        for name, what in _OPTIONS.items()
        if net.get("user_pf_options", {}).get(name)
    }
    remarks = unsupported(source, elements, reading.ignore, frozenset({*UNSUPPORTED, *_OPTIONS}))
    for kind in elements:
        if kind in net and "in_service" in net[kind]:
            net[kind]["in_service"] = False
    problems = list(nonsense(net))
    concluded, undecided = settle(net, shifters) if not problems else ([], [])
    if problems or undecided:
        raise FileError(source, [*problems, *undecided])
    _fill(net, source, reading)
    with np.errstate(
        invalid="ignore", over="ignore"
    ):  # what is no finite number is told with the network's other figures
        return _network(net, source, (*remarks, *concluded, *without_effect(net, reading)))


def _fill(net: Any, source: str, reading: Reading) -> None:
    """Have pandapower set up its equations in `net._ppc`, and solve nothing."""
    from pandapower import LoadflowNotConverged, runpp

    # What is passed as pandapower's default gives way to the file's options: what is decided here has to be taken out of these.
    stored = net.get("user_pf_options", {})
    options = {**dict.fromkeys(_OPTIONS, False), "enforce_q_lims": reading.q_limits}
    with quiet():
        try:
            net["user_pf_options"] = {
                name: value for name, value in stored.items() if name not in (*options, *_OF_THE_SOLVER)
            }
            # Its compiled functions take seconds to start, and save more than that in large networks.
            runpp(
                net,
                init="flat",
                max_iteration=0,
                numba=len(net.bus) > _LARGE,
                lightsim2grid=False,
                **options,
            )
        except LoadflowNotConverged:
            pass
        except FloatingPointError as problem:
            # Mostly an impedance of zero, which is told below by its element.
            if np.ndim(net._ppc["gen"]) < 2:
                raise FileError(source, [f"pandapower cannot set up its equations: {_said(problem)}"]) from problem
        except Exception as problem:
            raise FileError(source, [f"pandapower refuses it: {_said(problem)}"]) from problem
        finally:
            net["user_pf_options"] = stored


def _network(net: Any, source: str, remarks: tuple[str, ...]) -> BalancedNetwork:
    ppc, lookup = net._ppc, net._pd2ppc_lookups
    table = np.real(ppc["bus"])
    names = node_names(net.bus)
    bus_of_node = lookup["bus"][net.bus.index.to_numpy()].astype(np.int64)
    buses = _buses(net, table, names, bus_of_node)
    network = BalancedNetwork(
        name=net.name or Path(source).stem,
        base_mva=float(ppc["baseMVA"]),
        nodes=BalancedNodes(names, bus_of_node),
        buses=buses,
        branches=_branches(net, ppc["branch"], names, buses.names),
        generators=_generators(ppc["gen"], buses),
        left_out=remarks,
    )
    violations = network.violations()
    if violations:
        raise FileError(source, violations)
    return network


def node_names(table: Any) -> Names:
    """The names of a table's rows as a result may call them: the name where no other row has it, else the index.

    If an index so used is another row's name, all rows are called by their index.
    """
    index = table.index.astype(str).to_numpy()
    given = (
        table["name"].astype(object).where(table["name"].notna(), "").astype(str).str.strip()
        if "name" in table
        else None
    )
    if given is None:
        return np.array(index, dtype=str)
    alone = (given != "") & ~given.duplicated(keep=False)
    names = np.where(alone.to_numpy(), given.to_numpy(), index)
    return np.array(names if len(set(names)) == len(names) else index, dtype=str)


def _buses(net: Any, table: Floats, names: Names, bus_of_node: Ints) -> BalancedBuses:
    count = len(table)
    called = np.array([f"inside {k}" for k in range(count)], dtype=object)
    called[bus_of_node[::-1]] = names[::-1]
    x, y = np.full(count, np.nan), np.full(count, np.nan)
    x[bus_of_node], y[bus_of_node] = _coordinates(net)
    p, q = table[:, _BUS["p"]], table[:, _BUS["q"]]
    ci_p, cz_p, ci_q, cz_q = (table[:, _BUS[name]] for name in ("ci_p", "cz_p", "ci_q", "cz_q"))
    # At a bus that nothing supplies pandapower's figures are net of generation, or none; what is not served there is its loads.
    dead = table[:, _BUS["kind"]] == BusKind.ISOLATED
    loads = _loads_mva(net, bus_of_node, count)
    p, q = np.where(dead, loads.real, p), np.where(dead, loads.imag, q)
    ci_p, cz_p, ci_q, cz_q = (np.where(dead, 0.0, share) for share in (ci_p, cz_p, ci_q, cz_q))
    return BalancedBuses(
        names=np.array(called, dtype=str),
        kind=table[:, _BUS["kind"]].astype(np.int64),
        v_base_kv=table[:, _BUS["kv"]],
        p_mw=p * (1.0 - ci_p - cz_p),
        q_mvar=q * (1.0 - ci_q - cz_q),
        current_p_mw=p * ci_p,
        current_q_mvar=q * ci_q,
        shunt_p_mw=table[:, _BUS["g"]] + p * cz_p,
        shunt_q_mvar=-table[:, _BUS["b"]] + q * cz_q,
        v_pu=np.full(count, np.nan),
        angle_deg=np.where(table[:, _BUS["kind"]] == BusKind.SLACK, table[:, 8], np.nan),
        x=x,
        y=y,
    )


def _loads_mva(net: Any, bus_of_node: Ints, count: int) -> Complex:
    """(buses,) what the loads, motors and wards in service at each are set to draw."""
    at = dict(zip(net.bus.index.tolist(), bus_of_node.tolist(), strict=True))
    total = np.zeros(count, dtype=np.complex128)
    for kind in ("load", "asymmetric_load", "motor", "ward", "xward"):
        rows = net[kind][in_service(net[kind])]
        if not len(rows):
            continue
        if kind == "motor":  # as pandapower has it: what turns its shaft, with its losses
            p_mw = numbers(rows["pn_mech_mw"]) * numbers(rows["loading_percent"]) / numbers(rows["efficiency_percent"])
            drawn = in_complex(p_mw, p_mw * np.tan(np.arccos(numbers(rows["cos_phi"]))))
        else:
            parts = [in_complex(numbers(rows[p]), numbers(rows[q])) for p, q in _DRAWN[kind]]
            drawn = np.sum(parts, axis=0)
        if "scaling" in rows:
            drawn = drawn * numbers(rows["scaling"])
        np.add.at(total, [at[bus] for bus in rows["bus"].tolist()], drawn)
    return total


_DRAWN = {
    "load": [("p_mw", "q_mvar")],
    "asymmetric_load": [("p_a_mw", "q_a_mvar"), ("p_b_mw", "q_b_mvar"), ("p_c_mw", "q_c_mvar")],
    "ward": [("ps_mw", "qs_mvar")],
    "xward": [("ps_mw", "qs_mvar")],
}


def _branches(net: Any, table: Any, names: Names, bus_names: Names) -> BalancedBranches:
    real = {name: np.real(table[:, column]) for name, column in _BRANCH.items()}
    at_from, at_to = real["from"].astype(np.int64), real["to"].astype(np.int64)
    z = in_complex(real["r"], real["x"])
    y_from = in_complex(real["g"], real["b"])
    ratio = np.where(real["tap"] == 0.0, 1.0, real["tap"]) * np.exp(1j * np.deg2rad(real["shift"]))
    called, kinds = np.empty(len(table), dtype=object), np.empty(len(table), dtype=object)
    from_names, to_names = bus_names[at_from].astype(object), bus_names[at_to].astype(object)
    node = dict(zip(net.bus.index.tolist(), names.tolist(), strict=True))
    for kind, (first, last) in net._pd2ppc_lookups["branch"].items():
        rows = net[kind]
        if kind == "switch":
            rows = rows[net._impedance_bb_switches]
        own = [
            f"{kind} {index}" if name == str(index) else name
            for name, index in zip(node_names(rows), rows.index, strict=True)
        ]
        if kind == "trafo3w":
            # One after another the parts of the high, the middle and the low voltage, from or to the star point within.
            called[first:last] = [f"{name} {side}" for side in ("hv", "mv", "lv") for name in own]
            ends = [rows[f"{side}_bus"].map(node).to_list() for side in ("hv", "mv", "lv")]
            from_names[first:last] = ends[0] + [""] * (2 * len(own))
            to_names[first:last] = [""] * len(own) + ends[1] + ends[2]
        else:
            called[first:last] = own
            one, other = {"trafo": ("hv_bus", "lv_bus"), "xward": ("bus", None), "switch": ("bus", "element")}.get(
                kind, ("from_bus", "to_bus")
            )
            from_names[first:last] = rows[one].map(node).to_list()
            to_names[first:last] = rows[other].map(node).to_list() if other else ""
        kinds[first:last] = _KINDS[kind]
    return BalancedBranches(
        names=np.array(called, dtype=str),
        kinds=np.array(kinds, dtype=str),
        from_bus=at_from,
        to_bus=at_to,
        from_names=np.array(from_names, dtype=str),
        to_names=np.array(to_names, dtype=str),
        z_pu=z,
        z_back_pu=z + in_complex(real["r_asym"], real["x_asym"]),
        y_from_pu=0.5 * y_from,
        y_to_pu=0.5 * (y_from + in_complex(real["g_asym"], real["b_asym"])),
        ratio=ratio,
        in_service=real["on"] > 0.0,
        rated_mva=np.where(real["rating"] > 0.0, real["rating"], np.nan),
    )


def _generators(table: Any, buses: BalancedBuses) -> BalancedGenerators:
    real = {name: np.real(table[:, column]).astype(np.float64) for name, column in _GEN.items()}
    bus = real["bus"].astype(np.int64)
    # External grids have no limits in pandapower's power flow, and what holds the slack keeps it.
    free = buses.kind[bus] == BusKind.SLACK
    low = np.where(free | (real["q_min"] <= -_NO_LIMIT_MVAR), -np.inf, real["q_min"])
    high = np.where(free | (real["q_max"] >= _NO_LIMIT_MVAR), np.inf, real["q_max"])
    return BalancedGenerators(
        names=np.array([f"at {buses.names[one]}" for one in bus], dtype=str),
        bus=bus,
        p_mw=np.where(free, 0.0, real["p"]),
        q_mvar=np.zeros(len(bus)),
        v_pu=real["v"],
        q_min_mvar=low,
        q_max_mvar=high,
        in_service=real["on"] > 0.0,
    )


def _coordinates(net: Any) -> tuple[Floats, Floats]:
    """(nodes,) each, from the GeoJSON points at the buses; NaN without one."""
    x, y = np.full(len(net.bus), np.nan), np.full(len(net.bus), np.nan)
    if "geo" in net.bus:
        for k, point in enumerate(net.bus["geo"].to_list()):
            if isinstance(point, str) and point:
                try:
                    x[k], y[k] = json.loads(point)["coordinates"][:2]
                except (ValueError, KeyError, TypeError):
                    continue
    return x, y


def package(format: str, name: str) -> Any:
    from importlib import import_module

    try:
        return import_module(name)
    except ModuleNotFoundError as problem:
        raise MissingPackageError(format, name) from problem


def _said(problem: Exception) -> str:
    return f"{str(problem).strip() or type(problem).__name__}"


@contextmanager
def quiet() -> Iterator[None]:
    """Without the warnings and log lines of other people's packages: what matters of them is found out by what they return."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


PANDAPOWER = Importer(
    "pandapower",
    "pandapower network (.json)",
    BalancedNetwork,
    claims=lambda source: source.lower().endswith(".json"),
    read=read,
)
