"""What meters tell the head end: readings, registers, and that supply is gone or back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.contracts.protection import METERING
from heptagrid.foundation.contract import Contract, each, shared
from heptagrid.foundation.domains import Domain, Kind

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Floats32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Reading:
    """Energies of a quarter hour, and the registers at its end.

    moved_kwh: register of what devices drew less on request than they would have by themselves; asked_by: the last set-point, -1 if none came.
    """

    meter: Ints = each("", "int64")
    import_kwh: Floats32 = each("kWh", "float32")
    export_kwh: Floats32 = each("kWh", "float32")
    import_register_kwh: Floats = each("kWh")
    export_register_kwh: Floats = each("kWh")
    moved_kwh: Floats = each("kWh")
    asked_by: Ints = each("message", "int64")
    quarter: int = shared("quarter hours since 1970")


@dataclass(frozen=True)
class Missed:
    """A reading that could not be sent in its time; of_ns: when supply came back."""

    meter: Ints = each("", "int64")
    import_kwh: Floats32 = each("kWh", "float32")
    export_kwh: Floats32 = each("kWh", "float32")
    import_register_kwh: Floats = each("kWh")
    export_register_kwh: Floats = each("kWh")
    moved_kwh: Floats = each("kWh")
    asked_by: Ints = each("message", "int64")
    quarter: int = shared("quarter hours since 1970")
    of_ns: int = shared("ns")


@dataclass(frozen=True)
class Registers:
    """The registers as they stand; of_ns: when they were asked for."""

    meter: Ints = each("", "int64")
    import_kwh: Floats = each("kWh")
    export_kwh: Floats = each("kWh")
    of_ns: int = shared("ns")


@dataclass(frozen=True)
class Supply:
    """A meter has lost its supply or has it again, since of_ns."""

    meter: Ints = each("", "int64")
    of_ns: int = shared("ns")


_READING = (Domain.CUSTOMERS, Domain.OPERATIONS)

READING = Contract(
    Reading,
    Kind.METER_READING,
    "reading",
    *_READING,
    "each quarter hour, at the meter's own offset within 840 s",
    METERING,
)
MISSED = Contract(
    Missed,
    Kind.METER_READING,
    "missed",
    *_READING,
    "when supply is back, over 840 s: what could not be sent",
    METERING,
)
ON_DEMAND = Contract(
    Registers, Kind.METER_READING, "on_demand", *_READING, "at an event `read_all`: the registers", METERING
)
LAST_GASP = Contract(
    Supply, Kind.ALARM, "last_gasp", *_READING, "30 s after supply was lost, if it is not back", METERING
)
RESTORED = Contract(
    Supply, Kind.ALARM, "restored", *_READING, "when supply is back after a last gasp or a silence, over 60 s", METERING
)
