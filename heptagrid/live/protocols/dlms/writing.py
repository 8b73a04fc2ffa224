"""What clients may change in a meter: its clock. All else is refused, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from heptagrid.live.protocols.dlms.data import MalformedError, moment_of
from heptagrid.live.protocols.dlms.objects import DISCONNECT_CLASS
from heptagrid.live.protocols.dlms.profile import CLOCK
from heptagrid.live.protocols.dlms.services import Access, Action, Set

if TYPE_CHECKING:
    from heptagrid.live.protocols.dlms.association import LogicalDevice


@dataclass(frozen=True)
class Change:
    """A meter's clock is set; by_s: how far from what it shows."""

    by_s: float


def changed(device: LogicalDevice, request: Set) -> Change | Access:
    """What writing an attribute changes, or why it does not."""
    target = request.target
    if target.number not in device.objects[target.name].writable:
        return Access.READ_WRITE_DENIED
    assert target.name == CLOCK, "nothing else is writable"
    now = device.read().now
    try:
        asked = moment_of(request.value, now.tzinfo or UTC)
    except MalformedError:
        return Access.TYPE_UNMATCHED
    return Change((asked - now).total_seconds())


def invoked(device: LogicalDevice, request: Action) -> Change | Access:
    """What a method changes, or why it does not; a switch that is always connected (mode 0) refuses both its methods."""
    target = request.target
    found = device.objects[target.name]
    if target.number not in found.methods:
        return Access.OBJECT_UNAVAILABLE
    if found.interface == DISCONNECT_CLASS:
        return Access.READ_WRITE_DENIED
    return Access.OTHER_REASON  # a proof that nobody asked for
