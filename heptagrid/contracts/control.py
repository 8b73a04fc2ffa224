"""What the control centre asks of plants, networks and meters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.contracts.protection import CUSTOMER_CONTROL, HIGH_SPEED
from heptagrid.foundation.contract import Contract, each, shared
from heptagrid.foundation.domains import Domain, Kind

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Target:
    """What a unit shall give."""

    unit: Ints = each("", "int64")
    target_mw: Floats = each("MW")


@dataclass(frozen=True)
class InfeedVoltage:
    """The voltage that transmission shall hold at a town's infeed."""

    town: Ints = each("", "int64")
    infeed_v_pu: Floats = each("pu")


@dataclass(frozen=True)
class BusbarVoltage:
    """The voltage that a town's tap changer shall hold at the busbar of its primary substation."""

    town: Ints = each("", "int64")
    target_pu: Floats = each("pu")


@dataclass(frozen=True)
class Block:
    """A block of a firmware image."""

    meter: Ints = each("", "int64")
    block: int = shared("")
    rollout: int = shared("")


SET_POINT = Contract(
    Target, Kind.DISPATCH, "set-point", Domain.OPERATIONS, Domain.GENERATION, "every five minutes", HIGH_SPEED
)
AGC = Contract(
    Target,
    Kind.DISPATCH,
    "agc",
    Domain.OPERATIONS,
    Domain.GENERATION,
    "each `agc.period_s`, where the frequency is followed",
    HIGH_SPEED,
)
INFEED = Contract(
    InfeedVoltage, Kind.DISPATCH, "infeed", Domain.OPERATIONS, Domain.TRANSMISSION, "each hour", HIGH_SPEED
)
BUSBAR = Contract(
    BusbarVoltage, Kind.DISPATCH, "busbar", Domain.OPERATIONS, Domain.DISTRIBUTION, "each quarter hour", HIGH_SPEED
)
FIRMWARE = Contract(
    Block,
    Kind.FIRMWARE,
    "firmware",
    Domain.OPERATIONS,
    Domain.CUSTOMERS,
    "in an event `firmware`: a block at an even rate",
    CUSTOMER_CONTROL,
)
