"""What the interface answers of the clock and the last solved state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Number = float | None
"""Null where there is no number."""


@dataclass
class Clock:
    """The clock. ns: nanoseconds since 1970 UTC, simulated; local: the same as the scenario's clocks show it; until_ns: how far time was let go, null without a limit.

    speed: simulated by real seconds, "max" as fast as it can; step_s: length of the present step; lag_s: how late the last step was, of the wall clock; forced: steps that were made longer to catch up.
    """

    ns: int
    local: str
    zone: str
    begins: str
    speed: float | Literal["max"]
    is_paused: bool
    until_ns: int | None
    step_s: int
    lag_s: float
    forced: int


@dataclass
class Figures:
    """The grid in one look. ns, until_ns: the step for which it was solved; age_s: of the wall clock since then. infeed_kw, infeed_kvar, busbar_v_pu: by town. devices_kw: drawn by each class of devices, below 0 given."""

    ns: int
    until_ns: int
    local: str
    age_s: float
    infeed_kw: list[Number]
    infeed_kvar: list[Number]
    busbar_v_pu: list[Number]
    customers_kw: float
    generated_kw: float
    losses_kw: float
    v_min_pu: Number
    v_max_pu: Number
    transformer_max_pct: Number
    line_max_pct: Number
    points: int
    points_supplied: int
    frequency_hz: float
    price_eur_per_mwh: float
    bulk_mw: float
    devices_kw: dict[str, float]


@dataclass
class Nodes:
    """A range of the network's nodes: voltage, and loading of the line above each, null where a transformer is."""

    ns: int
    total: int
    first: int
    v_pu: list[Number]
    line_pct: list[Number]


@dataclass
class Points:
    """A range of the metering points: net draw, voltage, supply, registers at the step's end, and the substation that feeds each."""

    ns: int
    total: int
    first: int
    p_kw: list[Number]
    q_kvar: list[Number]
    v_pu: list[Number]
    is_supplied: list[bool]
    import_kwh: list[Number]
    export_kwh: list[Number]
    substation: list[int]


@dataclass
class Substations:
    """A range of the substations: voltage at low voltage, loading and power of the transformer."""

    ns: int
    total: int
    first: int
    name: list[str]
    rated_kva: list[Number]
    v_pu: list[Number]
    loading_pct: list[Number]
    p_kw: list[Number]


@dataclass
class Plants:
    """A range of the bulk system's units: output, and whether each is on."""

    ns: int
    total: int
    first: int
    output_mw: list[Number]
    is_on: list[bool]
    p_max_mw: list[Number]
