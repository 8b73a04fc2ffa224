"""A distribution grid as its file describes it: buses, lines, transformers, switches, loads, units.

Positions in the arrays are the ids; names live beside them. What the radial solver needs is derived
from this in `heptagrid.world.balanced.radial_network`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Names = npt.NDArray[np.str_]

HIGH_VOLTAGE_KV = 60.0  # the boundary of high voltage in German network levels


@dataclass(frozen=True)
class Buses:
    names: Names
    vn_kv: Floats
    longitude_deg: Floats
    latitude_deg: Floats


@dataclass(frozen=True)
class Lines:
    """Pi-model lines; an end whose switch is open is not connected, the other keeps its charging."""

    names: Names
    from_bus: Ints
    to_bus: Ints
    from_closed: Bools
    to_closed: Bools
    r_ohm: Floats
    x_ohm: Floats
    c_nf: Floats
    g_us: Floats
    max_i_ka: Floats
    length_km: Floats


@dataclass(frozen=True)
class Transformers:
    """Two-winding transformers; the tap is on the high-voltage side.

    has_controller: whether an automatic on-load tap changer acts; controller_v_pu: its target at the
    low-voltage bus (NaN without one).
    """

    names: Names
    hv_bus: Ints
    lv_bus: Ints
    sn_mva: Floats
    vn_hv_kv: Floats
    vn_lv_kv: Floats
    vk_percent: Floats
    vkr_percent: Floats
    pfe_kw: Floats
    i0_percent: Floats
    tap_neutral: Ints
    tap_min: Ints
    tap_max: Ints
    tap_step_percent: Floats
    tap_pos: Ints
    has_controller: Bools
    controller_v_pu: Floats


@dataclass(frozen=True)
class BusSwitches:
    """Zero-impedance couplings between two buses."""

    from_bus: Ints
    to_bus: Ints
    closed: Bools


@dataclass(frozen=True)
class Loads:
    """p_kw and q_kvar are ratings; the draw is rating times the columns of the profile table."""

    names: Names
    bus: Ints
    p_kw: Floats
    q_kvar: Floats
    p_profile: Ints
    q_profile: Ints
    profile_names: Names


@dataclass(frozen=True)
class Units:
    """Local generators; output (reported >= 0) is p_kw times the column of the profile table."""

    names: Names
    bus: Ints
    p_kw: Floats
    q_kvar: Floats
    profile: Ints
    kinds: Names


@dataclass(frozen=True)
class Grid:
    """All of it. stations: transformers where a concentrator stands and measures; None: every one to low voltage."""

    buses: Buses
    lines: Lines
    transformers: Transformers
    switches: BusSwitches
    loads: Loads
    units: Units
    infeed_bus: int
    infeed_v_pu: float
    frequency_hz: float = 50.0
    stations: Ints | None = None


@dataclass(frozen=True)
class Profiles:
    """A table of 15-minute means over a year, relative to each element's rating.

    millionths: (quarters, columns) int32, the value times 1e6, memory-mapped; start_ns: when the first
    quarter hour begins, UTC.
    """

    names: Names
    millionths: npt.NDArray[np.int32]
    start_ns: int

    @property
    def end_ns(self) -> int:
        return self.start_ns + int(self.millionths.shape[0]) * 900_000_000_000

    def at(self, ns: int) -> Floats:
        """The columns' values in the quarter hour that contains `ns`, (columns,)."""
        return np.asarray(self.millionths[(ns - self.start_ns) // 900_000_000_000] * 1e-6, dtype=np.float64)


def local_transformers(grid: Grid) -> Ints:
    """The transformers with a concentrator, mostly all to low voltage; each is a substation, numbered in this order."""
    if grid.stations is not None:
        return grid.stations
    return np.flatnonzero(grid.transformers.vn_hv_kv < HIGH_VOLTAGE_KV)
