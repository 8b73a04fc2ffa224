"""What a grid may not hold: every rule that its tables break, each by element, found and remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from heptagrid.world.grid import Grid, Lines, Transformers

_SHOWN = 6


def violations(grid: Grid) -> list[str]:
    """One sentence for each rule that is broken, the elements named; empty for a sound grid."""
    buses = len(grid.buses.names)
    found = [*_names(grid), *_places(grid, buses)]
    if not 0 <= grid.infeed_bus < buses:
        found.append(f"the infeed is at bus number {grid.infeed_bus}, but there are {buses} buses")
    if not (np.isfinite(grid.infeed_v_pu) and grid.infeed_v_pu > 0.0):
        found.append(f"the infeed holds {grid.infeed_v_pu} pu; a positive voltage is expected")
    if found:
        return found  # what follows looks at the elements' buses
    return [*_numbers(grid), *_lines(grid), *_transformers(grid), *_couplings(grid)]


def _names(grid: Grid) -> Iterator[str]:
    """Elements are named in results and errors, so a name stands for one of them; an empty one names nothing."""
    for kind, names in (
        *(("bus", grid.buses.names), ("line", grid.lines.names)),
        ("transformer", grid.transformers.names),
    ):
        unique, count = np.unique(names[names != ""], return_counts=True)
        twice = unique[count > 1]
        if len(twice):
            yield f"more than one {kind} is called {_listed(twice)}; give each a name of its own"


def _places(grid: Grid, buses: int) -> Iterator[str]:
    lines, transformers, switches = grid.lines, grid.transformers, grid.switches
    ends = (
        *(("line", "bus", lines.names, lines.from_bus), ("line", "bus", lines.names, lines.to_bus)),
        ("transformer", "high-voltage bus", transformers.names, transformers.hv_bus),
        ("transformer", "low-voltage bus", transformers.names, transformers.lv_bus),
        *((("switch", "bus", None, switches.from_bus)), ("switch", "bus", None, switches.to_bus)),
        *(("load", "bus", grid.loads.names, grid.loads.bus), ("unit", "bus", grid.units.names, grid.units.bus)),
    )
    for kind, end, names, bus in ends:
        wrong = np.flatnonzero((bus < 0) | (bus >= buses))
        if len(wrong):
            yield f"{_elements(kind, names, wrong)}: {end} number {bus[wrong[0]]} does not exist; there are {buses} buses"


def _numbers(grid: Grid) -> Iterator[str]:
    """Every figure that enters the solution is finite."""
    tables: tuple[tuple[str, npt.NDArray[np.str_], object, tuple[str, ...]], ...] = (
        ("bus", grid.buses.names, grid.buses, ("vn_kv",)),
        ("line", grid.lines.names, grid.lines, ("r_ohm", "x_ohm", "c_nf", "g_us", "length_km")),
        (
            *("transformer", grid.transformers.names, grid.transformers),
            (
                *("sn_mva", "vn_hv_kv", "vn_lv_kv", "vk_percent", "vkr_percent"),
                *("pfe_kw", "i0_percent", "tap_step_percent"),
            ),
        ),
        ("load", grid.loads.names, grid.loads, ("p_kw", "q_kvar")),
        ("unit", grid.units.names, grid.units, ("p_kw", "q_kvar")),
    )
    for kind, names, table, columns in tables:
        for column in columns:
            values = getattr(table, column)
            wrong = np.flatnonzero(~np.isfinite(values))
            if len(wrong):
                yield f"{_elements(kind, names, wrong)}: {column} is {values[wrong[0]]}; a finite number is expected"


def _broken(
    kind: str, table: Lines | Transformers, rules: tuple[tuple[str, str, Callable[[], npt.NDArray[np.bool_]]], ...]
) -> Iterator[str]:
    for column, words, is_wrong in rules:
        wrong = np.flatnonzero(is_wrong())
        if len(wrong):
            yield f"{_elements(kind, table.names, wrong)}: {column} is {getattr(table, column)[wrong[0]]:g}; {words}"


def _lines(grid: Grid) -> Iterator[str]:
    lines, kv = grid.lines, grid.buses.vn_kv
    yield from _broken(
        "line",
        lines,
        (
            ("length_km", "a length is not negative", lambda: lines.length_km < 0.0),
            ("r_ohm", "a line's resistance is not negative", lambda: lines.r_ohm < 0.0),
            ("c_nf", "a line's capacitance is not negative", lambda: lines.c_nf < 0.0),
            ("g_us", "a line's conductance is not negative", lambda: lines.g_us < 0.0),
        ),
    )
    wrong = np.flatnonzero(~(kv > 0.0))
    if len(wrong):
        yield f"{_elements('bus', grid.buses.names, wrong)}: vn_kv is {kv[wrong[0]]:g}; a nominal voltage is positive"
    joins = lines.from_closed & lines.to_closed & ~np.isclose(kv[lines.from_bus], kv[lines.to_bus], rtol=1e-6)
    wrong = np.flatnonzero(joins)
    if len(wrong):
        between = f"{kv[lines.from_bus[wrong[0]]]:g} and {kv[lines.to_bus[wrong[0]]]:g} kV"
        yield f"{_elements('line', lines.names, wrong)}: joins buses of {between}; only a transformer does that"


def _transformers(grid: Grid) -> Iterator[str]:
    t = grid.transformers
    yield from _broken(
        "transformer",
        t,
        (
            ("sn_mva", "a rating is positive", lambda: ~(t.sn_mva > 0.0)),
            ("vn_hv_kv", "a rated voltage is positive", lambda: ~(t.vn_hv_kv > 0.0)),
            ("vn_lv_kv", "a rated voltage is positive", lambda: ~(t.vn_lv_kv > 0.0)),
            (
                "vk_percent",
                "it cannot be below its resistive part vkr_percent",
                lambda: t.vk_percent < np.abs(t.vkr_percent),
            ),
            ("pfe_kw", "no-load losses are not negative", lambda: t.pfe_kw < 0.0),
            ("tap_step_percent", "at this tap the ratio is not positive", lambda: ~(_ratio(t) > 0.0)),
        ),
    )
    wrong = np.flatnonzero(t.hv_bus == t.lv_bus)
    if len(wrong):
        yield f"{_elements('transformer', t.names, wrong)}: both ends are at one bus"


def _ratio(t: Transformers) -> npt.NDArray[np.float64]:
    return np.asarray(1.0 + (t.tap_pos - t.tap_neutral) * t.tap_step_percent / 100.0)


def _couplings(grid: Grid) -> Iterator[str]:
    switches, kv, names = grid.switches, grid.buses.vn_kv, grid.buses.names
    joins = switches.closed & ~np.isclose(kv[switches.from_bus], kv[switches.to_bus], rtol=1e-6)
    for k in np.flatnonzero(joins)[:_SHOWN]:
        a, b = switches.from_bus[k], switches.to_bus[k]
        yield f"a closed switch joins bus {str(names[a])!r} of {kv[a]:g} kV and bus {str(names[b])!r} of {kv[b]:g} kV; open it"


def _elements(kind: str, names: npt.NDArray[np.str_] | None, which: npt.NDArray[np.int64]) -> str:
    if names is None or len(names) == 0:
        return f"{kind} number {_listed(which)}"
    return f"{kind} {_listed(names[which])}"


def _listed(things: npt.NDArray[np.str_] | npt.NDArray[np.int64]) -> str:
    shown = ", ".join(repr(str(one)) if things.dtype.kind == "U" else str(one) for one in things[:_SHOWN])
    return shown + (f" and {len(things) - _SHOWN} more" if len(things) > _SHOWN else "")
