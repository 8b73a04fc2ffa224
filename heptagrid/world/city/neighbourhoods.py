"""The kinds of neighbourhoods: SimBench's six low-voltage networks, how dense each is, and how streets run there.

Metres of line and loads per local substation are those of SimBench's networks 1-LV-rural1 to 1-LV-urban6 (Meinecke et al., "SimBench: a benchmark
dataset of electric power systems to compare innovative solutions based on power flow analysis", Energies 13(12), 3290, 2020). The distance between
streets and the share of each kind of area are assumptions; `heptagrid inspect city` sets what comes of them beside published figures.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A neighbourhood. network: SimBench's, whose loads and units stand there. line_m: of line for each load; loads: behind each local substation; street_m: from street to street."""

    network: int
    line_m: float
    loads: int
    street_m: float


KINDS = (
    Kind(1, 43.0, 13, 200.0),
    Kind(2, 15.0, 99, 120.0),
    Kind(3, 20.0, 118, 120.0),
    Kind(4, 18.0, 41, 100.0),
    Kind(5, 17.0, 104, 90.0),
    Kind(6, 10.0, 58, 75.0),
)

AREAS = {
    "urban": (0.45, (0.0, 0.0, 0.0, 0.15, 0.25, 0.60)),
    "suburban": (0.35, (0.0, 0.05, 0.10, 0.35, 0.35, 0.15)),
    "rural": (0.20, (0.12, 0.33, 0.30, 0.15, 0.10, 0.0)),
}
"""Of all areas of primary substations the share of each character, and of its customers the share of each kind."""
