"""What is wrong with a pandapower network's tables, and what of them is without effect; before pandapower itself takes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from heptagrid.importers.importer import Reading
from heptagrid.importers.pandapower_taps import in_service, tables_in_use
from heptagrid.world.balanced.network import Floats

# Elements whose equations are beyond a balanced AC network.
UNSUPPORTED = (
    *("svc", "tcsc", "ssc", "vsc", "vsc_stacked", "vsc_bipolar", "bus_dc", "line_dc", "load_dc", "source_dc"),
    "controller",
)
SUPPORTED = (
    *(
        "bus",
        "line",
        "trafo",
        "trafo3w",
        "impedance",
        "switch",
        "ext_grid",
        "gen",
        "dcline",
        "load",
        "sgen",
        "storage",
        "motor",
    ),
    *("asymmetric_load", "asymmetric_sgen", "shunt", "ward", "xward"),
)

# Options that a file may bring along and that change the equations.

_ENDS = ("bus", "from_bus", "to_bus", "hv_bus", "mv_bus", "lv_bus")
_FIGURES = {
    "bus": ("vn_kv",),
    "line": ("length_km", "r_ohm_per_km", "x_ohm_per_km", "c_nf_per_km"),
    "trafo": ("sn_mva", "vn_hv_kv", "vn_lv_kv", "vk_percent", "vkr_percent", "pfe_kw", "i0_percent"),
    "load": ("p_mw", "q_mvar", "scaling"),
    "sgen": ("p_mw", "q_mvar", "scaling"),
    "storage": ("p_mw", "q_mvar"),
    "gen": ("p_mw", "vm_pu"),
    "ext_grid": ("vm_pu",),
    "shunt": ("p_mw", "q_mvar"),
    "impedance": ("rft_pu", "xft_pu"),
}


def not_tables(net: Any) -> Iterator[str]:
    """Elements that the file holds otherwise than in a table, and options that are none."""
    import pandas

    for kind in (*SUPPORTED, *UNSUPPORTED):
        if kind in net and not isinstance(net[kind], pandas.DataFrame):
            yield f"{kind} is not a table: {str(net[kind])[:40]!r}"
    if "bus" not in net:
        yield "has no table of buses"
    if not isinstance(net.get("user_pf_options", {}), dict):
        yield f"user_pf_options are none: {str(net['user_pf_options'])[:40]!r}"


def nonsense(net: Any) -> Iterator[str]:
    """What pandapower would take without a word: figures that are none, lengths below zero, ends at buses that there are not."""
    known = set(net.bus.index.tolist())
    if net.bus.index.has_duplicates:
        yield f"buses {net.bus.index[net.bus.index.duplicated()].unique().tolist()} stand there twice"
    for kind in SUPPORTED:
        rows = net.get(kind, ())
        if not len(rows):
            continue
        on = in_service(rows)
        for column in [name for name in rows if name in _ENDS]:
            for index in rows.index[~rows[column].isin(known)]:
                yield f"{kind} {called(rows, index)}: its {column} {rows[column][index]} is not among the buses"
        for column in [name for name in _FIGURES.get(kind, ()) if name not in rows]:
            yield f"{kind} has no column {column}"
        for column in [name for name in _FIGURES.get(kind, ()) if name in rows]:
            for index in rows.index[on & ~np.isfinite(numbers(rows[column]))]:
                yield f"{kind} {called(rows, index)}: {column} is {rows[column][index]}"
        for column in [
            name
            for name in ("length_km", "vn_kv", "sn_mva", "parallel")
            if kind in ("bus", "line", "trafo") and name in rows
        ]:
            for index in rows.index[on & (numbers(rows[column]) <= 0.0)]:
                yield f"{kind} {called(rows, index)}: {column} is {rows[column][index]}; it must be above zero"
        if kind == "trafo" and {"vk_percent", "vkr_percent"} <= set(rows):
            vk, vkr = numbers(rows["vk_percent"]), numbers(rows["vkr_percent"])
            # A negative one is the capacitive branch of a star that stands for three windings.
            for index in rows.index[on & ((vk == 0.0) | (np.abs(vkr) > np.abs(vk)))]:
                yield f"trafo {called(rows, index)}: vk_percent must not be zero, and no less than vkr_percent"


def without_effect(net: Any, reading: Reading) -> Iterator[str]:
    """Tables that pandapower's power flow takes nothing of, and what it would take but is asked for here by a switch."""
    import pandas

    known = {*SUPPORTED, *UNSUPPORTED, *tables_in_use(net)}
    for kind, rows in net.items():
        is_table = isinstance(rows, pandas.DataFrame) and len(rows) and not kind.startswith(("_", "res_"))
        if is_table and (kind not in known or (kind == "controller" and not reading.controls)):
            yield f"{kind}: {len(rows)} {'row' if len(rows) == 1 else 'rows'} without effect here"
        elif is_table and kind.startswith("asymmetric"):
            yield f"{kind}: {len(rows)} {'row' if len(rows) == 1 else 'rows'} counted as balanced, with the sum of the phases"
    if net.get("user_pf_options", {}).get("enforce_q_lims") and not reading.q_limits:
        yield "enforce_q_lims (an option of the file): reactive limits hold only with --q-limits"


def numbers(column: Any) -> Floats:
    """The figures of a column, NaN where there is something else."""
    import pandas

    return np.asarray(pandas.to_numeric(column, errors="coerce"), dtype=np.float64)


def called(rows: Any, index: Any) -> str:
    name = rows["name"][index] if "name" in rows and not rows.index.has_duplicates else None
    if name is None and "object" in rows:
        name = type(rows["object"][index]).__name__
    return f"{index} ({name})" if isinstance(name, str) and name else str(index)
