"""Puts transmission together: the network, and the relays where the frequency is followed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from heptagrid.domains.transmission.actor import Transmission
from heptagrid.foundation.windows import Windows
from heptagrid.planes.power.dynamics.load_shedding import Relays
from heptagrid.world.bulk import BulkSystem
from heptagrid.world.endpoints import Endpoints
from heptagrid.world.terminals import Terminals

Ints = npt.NDArray[np.int64]


def transmission(
    sections: Mapping[str, Any],
    zone: ZoneInfo,
    bulk: BulkSystem,
    endpoints: Endpoints,
    town_buses: Ints,
    terminals: Terminals,
    windows: Windows,
    scan_ns: int,
) -> Transmission:
    """The actor of one arm; `town_buses` are the buses that feed the towns, `windows` say when the frequency is followed, `scan_ns` how often it is reported then."""
    relays = Relays(sections["load_shedding"]) if windows.spans_ns else None
    return Transmission(sections["transmission"], terminals, bulk, endpoints, zone, town_buses, relays, scan_ns)
