"""What the interface of a live grid answers: declared once, for those who answer, those who ask, and the OpenAPI document.

Times that end in `_ns` are nanoseconds since 1970 UTC, simulated; `local` is the same as the scenario's clocks show it (ISO 8601).
"""

from heptagrid.live.answers.devices import (
    ActionsTold,
    ActionTold,
    ChangeShown,
    ChangesShown,
    DeviceClassShown,
    DeviceShown,
    DevicesShown,
    Fate,
    FieldShown,
)
from heptagrid.live.answers.money import Account, Accounts, Bill, BillLine, Money, Sum
from heptagrid.live.answers.outside import (
    DomainName,
    Dropped,
    Event,
    EventTold,
    FrameShown,
    FramesShown,
    KindName,
    MessagesTold,
    MessageTold,
    PeerShown,
    PeersShown,
    ProtocolShown,
    RoleShown,
    RolesShown,
)
from heptagrid.live.answers.state import Clock, Figures, Nodes, Number, Plants, Points, Substations

__all__ = [
    "Account",
    "Accounts",
    "ActionTold",
    "ActionsTold",
    "Bill",
    "BillLine",
    "ChangeShown",
    "ChangesShown",
    "Clock",
    "DeviceClassShown",
    "DeviceShown",
    "DevicesShown",
    "DomainName",
    "Dropped",
    "Event",
    "EventTold",
    "Fate",
    "FieldShown",
    "Figures",
    "FrameShown",
    "FramesShown",
    "KindName",
    "MessageTold",
    "MessagesTold",
    "Money",
    "Nodes",
    "Number",
    "PeerShown",
    "PeersShown",
    "Plants",
    "Points",
    "ProtocolShown",
    "RoleShown",
    "RolesShown",
    "Substations",
    "Sum",
]
