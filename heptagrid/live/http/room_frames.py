"""The control room's binary frames: a header in JSON, and after it arrays of the last solved state, as the scene says.

A frame is: length of the header as uint32, the header, nothing to three zeros up to a multiple of four, and, if the header's `has_state` says so, the arrays in
the order of the layout, each from a multiple of four on. All little-endian.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.time import NS_PER_S
from heptagrid.live.grid import LiveGrid
from heptagrid.live.state import State
from heptagrid.planes.money.ledger import COLUMNS
from heptagrid.recording.step_extremes import split

V_SCALE = 20_000.0
PCT_SCALE = 50.0
SILENT_MIN = 254
"""Minutes of silence are told up to here; 255: nobody there, or never heard."""
DOMAINS = 7


def layout_of(grid: LiveGrid) -> list[dict[str, Any]]:
    """Name, kind of number, count and scale of each array."""
    world = grid.inventory.world
    nodes, substations, towns = world.network.nodes, len(world.substations.node), len(world.towns)
    return [
        {"name": name, "type": kind, "count": count, "scale": scale}
        for name, kind, count, scale in (
            ("node_v_pu", "Uint16", nodes, 1.0 / V_SCALE),
            ("branch_pct", "Uint16", nodes, 1.0 / PCT_SCALE),
            ("silent_min", "Uint8", nodes, 1.0),
            ("substation_v_pu", "Float32", substations, 1.0),
            ("substation_pct", "Float32", substations, 1.0),
            ("substation_kw", "Float32", substations, 1.0),
            ("substation_off", "Uint16", substations, 1.0),
            ("transformer_pct", "Float32", len(world.grid.transformers.names), 1.0),
            ("busbar_v_pu", "Float32", towns, 1.0),
            ("busbar_target_pu", "Float32", towns, 1.0),
            ("tap", "Float32", towns, 1.0),
            ("infeed_kw", "Float32", towns, 1.0),
            ("infeed_kvar", "Float32", towns, 1.0),
            ("power_kw", "Float32", DOMAINS * DOMAINS, 1.0),
            ("delivered_per_s", "Float32", DOMAINS * DOMAINS, 1.0),
            ("lost_per_s", "Float32", DOMAINS * DOMAINS, 1.0),
            ("eur_per_s", "Float32", COLUMNS * COLUMNS, 1.0),
            ("eur_today", "Float32", COLUMNS * COLUMNS, 1.0),
            ("eur_posted", "Float32", COLUMNS * COLUMNS, 1.0),
        )
    ]


def power_between(state: State) -> npt.NDArray[np.float64]:
    """(7, 7) kW from domain to domain: generation, transmission, distribution, customers, in both directions."""
    power = np.zeros((DOMAINS, DOMAINS))
    drawn_kw, fed_in_kw = split(state.point_p_kw)
    power[0, 1] = state.fleet_kw
    power[1, 2] = np.maximum(state.infeed_kw, 0.0).sum()
    power[2, 1] = np.maximum(-state.infeed_kw, 0.0).sum()
    power[2, 3], power[3, 2] = drawn_kw, fed_in_kw
    return power


class StateFrames:
    """Makes the arrays of states."""

    def __init__(self, grid: LiveGrid) -> None:
        world = grid.inventory.world
        self._node, self._substation = world.point_node, world.substation_of
        self._nodes, self._substations = world.network.nodes, len(world.substations.node)
        self._kinds = [np.dtype(one["type"].lower()).newbyteorder("<") for one in layout_of(grid)]

    def arrays(self, state: State) -> bytes:
        """All arrays of a state, in the order of the layout."""
        off = np.flatnonzero(~state.point_is_supplied)
        v_pu = state.node_v_pu.copy()
        v_pu[self._node[off]] = 0.0
        values = (
            np.clip(v_pu * V_SCALE, 0.0, 65535.0),
            np.clip(state.branch_pct * PCT_SCALE, 0.0, 65535.0),
            self._silent_min(state),
            state.substation_v_pu,
            state.substation_pct,
            state.substation_kw,
            np.bincount(self._substation[off], minlength=self._substations),
            state.transformer_pct,
            state.busbar_v_pu,
            state.busbar_target_pu,
            state.tap,
            state.infeed_kw,
            state.infeed_kvar,
            power_between(state),
            state.traffic.delivered_per_s,
            state.traffic.lost_per_s,
            state.money.per_s,
            state.money.owed,
            state.money.posted,
        )
        parts = (value.astype(kind).tobytes() for value, kind in zip(values, self._kinds, strict=True))
        return b"".join(part + bytes(-len(part) % 4) for part in parts)

    def _silent_min(self, state: State) -> npt.NDArray[np.float64]:
        """(nodes,) minutes since the gateway at a node that has been silent longest was heard."""
        heard_ns = state.traffic.heard_ns
        minutes = np.minimum((state.at_ns - heard_ns) / (60.0 * NS_PER_S), float(SILENT_MIN))
        silent = np.full(self._nodes, -1.0)
        known = heard_ns > 0
        np.maximum.at(silent, self._node[known], np.maximum(minutes[known], 0.0))
        return np.where(silent < 0.0, 255.0, silent)


def framed(header: Mapping[str, Any], arrays: bytes | None) -> bytes:
    """One frame."""
    text = json.dumps(dict(header) | {"has_state": arrays is not None}, allow_nan=False).encode()
    return len(text).to_bytes(4, "little") + text + bytes(-len(text) % 4) + (arrays or b"")
