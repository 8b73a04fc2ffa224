"""Frames of other programs: what crosses the network between a device and whoever speaks to it in a protocol of its own.

The bytes stay with the protocol's adapter; what travels is their number, and their size counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from heptagrid.contracts.protection import CONTROL_CENTRE, CUSTOMER_CONTROL, HIGH_SPEED
from heptagrid.foundation.contract import Contract, each
from heptagrid.foundation.domains import Domain, Kind

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Frame:
    """A frame of a protocol. number: counted over all that came from outside or answered it."""

    number: Ints = each("", "int64")


_PAIRS = (
    (Domain.OPERATIONS, Domain.CUSTOMERS, CUSTOMER_CONTROL),
    (Domain.PROVIDERS, Domain.CUSTOMERS, CUSTOMER_CONTROL),
    (Domain.OPERATIONS, Domain.DISTRIBUTION, HIGH_SPEED),
    (Domain.OPERATIONS, Domain.TRANSMISSION, HIGH_SPEED),
    (Domain.OPERATIONS, Domain.GENERATION, HIGH_SPEED),
    (Domain.OPERATIONS, Domain.PROVIDERS, CONTROL_CENTRE),
)
FRAMES: dict[tuple[Domain, Domain], Contract[Frame]] = {
    (sender, receiver): Contract(
        Frame, Kind.TELEMETRY, "frame", sender, receiver, "when another program asks or answers (`serve`)", protection
    )
    for sender, receiver, protection in chain.from_iterable(((a, b, c), (b, a, c)) for a, b, c in _PAIRS)
}
"""The contract of frames from one domain to another."""
