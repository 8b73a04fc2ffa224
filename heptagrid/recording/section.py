"""What a scenario says of what a run keeps of every node, meter and transformer: the section `record`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.parameters import parameter

VOLTAGES = {"all": ("v_min_pu", "v_mean_pu", "v_max_pu"), "extremes": ("v_min_pu", "v_max_pu"), "none": ()}
"""Columns of the table `nodes` by what is kept of each quarter hour."""


@dataclass(frozen=True)
class Parameters:
    """What is kept, and how finely; what a run computes, bills and sends does not depend on it."""

    voltages: str = parameter(
        "all",
        info="what is kept of each node's voltage in a quarter hour: least, mean and greatest (all), least and greatest (extremes), or no table",
        choices=tuple(VOLTAGES),
        source="assumption: all of it, where there is room",
    )
    voltage_step_pu: float = parameter(
        0.0,
        info="to which multiple the voltages of nodes are rounded; 0: as solved, in 32 bits",
        unit="pu",
        low=0.0,
        high=0.01,
        source="assumption: as solved; a class A instrument measures to 0.001 of the declared voltage (IEC 61000-4-30)",
    )
    read_step_wh: float = parameter(
        0.0,
        info="to which multiple the energies of meters are rounded in the table of reads; 0: as counted, in 32 bits",
        unit="Wh",
        low=0.0,
        high=1000.0,
        source="assumption: as counted; meters tell whole Wh (IEC 62056-6-1)",
    )
    transformers: str = parameter(
        "steps",
        info="how often the loading of transformers is kept: at every step, or the highest of each quarter hour, or not",
        choices=("steps", "quarters", "none"),
        source="assumption: every step, where there is room",
    )
    sample_share: float = parameter(
        0.0,
        info="share of nodes and of customers, drawn at random, that are followed at every step; of each 24 at least",
        unit="1",
        low=0.0,
        high=1.0,
        source="assumption: 24 show what a step looks like",
    )


def rounded(values: npt.NDArray[np.floating[Any]], step: float) -> npt.NDArray[np.float32]:
    """Values as multiples of a step, in 32 bits; as they are where it is 0."""
    return (np.rint(values / step) * step if step else values).astype(np.float32, copy=False)
