"""What the grid tells the control centre: units, flows, frequency, substations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.contracts.protection import HIGH_SPEED
from heptagrid.foundation.contract import Contract, each, shared
from heptagrid.foundation.domains import Domain, Kind

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Unit:
    """A unit's output, whether it is connected, and whether it has failed."""

    unit: Ints = each("", "int64")
    output_mw: Floats = each("MW")
    is_on: Bools = each("", "bool")
    has_failed: Bools = each("", "bool")


@dataclass(frozen=True)
class Flows:
    """A transmission substation's load, and the highest loading of a branch that leaves it; the infeeds of the towns.

    infeed_mwh: the infeeds' registers at that time.
    """

    bus: Ints = each("", "int64")
    load_mw: Floats = each("MW")
    highest_loading: Floats = each("1")
    infeed_mw: Floats = shared("MW", "float64", "towns")
    infeed_mwh: Floats = shared("MWh", "float64", "towns")
    at_ns: int = shared("ns")


@dataclass(frozen=True)
class Frequency:
    """The deviation from the nominal frequency."""

    deviation_hz: Floats = each("Hz")


@dataclass(frozen=True)
class Substation:
    """What a substation measures at its transformer."""

    substation: Ints = each("", "int64")
    v_pu: Floats = each("pu")
    loading_pct: Floats = each("%")
    p_kw: Floats = each("kW")


@dataclass(frozen=True)
class SubstationAlarm:
    """A substation's voltage or loading has crossed a limit."""

    substation: Ints = each("", "int64")
    v_pu: Floats = each("pu")
    loading_pct: Floats = each("%")


UNIT = Contract(Unit, Kind.TELEMETRY, "unit", Domain.GENERATION, Domain.OPERATIONS, "each minute", HIGH_SPEED)
FLOWS = Contract(Flows, Kind.TELEMETRY, "flows", Domain.TRANSMISSION, Domain.OPERATIONS, "each minute", HIGH_SPEED)
FREQUENCY = Contract(
    Frequency,
    Kind.TELEMETRY,
    "frequency",
    Domain.TRANSMISSION,
    Domain.OPERATIONS,
    "each `agc.period_s`, where the frequency is followed",
    HIGH_SPEED,
)
SUBSTATION = Contract(
    Substation, Kind.TELEMETRY, "substation", Domain.DISTRIBUTION, Domain.OPERATIONS, "each minute", HIGH_SPEED
)
SUBSTATION_ALARM = Contract(
    SubstationAlarm, Kind.ALARM, "substation", Domain.DISTRIBUTION, Domain.OPERATIONS, "on a new crossing", HIGH_SPEED
)
