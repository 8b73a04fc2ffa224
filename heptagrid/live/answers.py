"""What the interface of a live grid answers: declared once, for those who answer, those who ask, and the OpenAPI document.

Times that end in `_ns` are nanoseconds since 1970 UTC, simulated; `local` is the same as the scenario's clocks show it (ISO 8601).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from heptagrid.contracts.desks import Role
from heptagrid.foundation.domains import DOMAIN_NAMES, KIND_NAMES

Number = float | None
"""Null where there is no number."""
Fate = Literal["under way", "done", "lost", "refused", "wrong", "abandoned"]
Event = Literal["sent", "delivered", "lost", "refused"]
KindName = Literal[KIND_NAMES]  # type: ignore[valid-type]
DomainName = Literal[DOMAIN_NAMES]  # type: ignore[valid-type]


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
    branch_max_pct: Number
    points: int
    points_supplied: int
    frequency_hz: float
    price_eur_per_mwh: float
    bulk_mw: float
    devices_kw: dict[str, float]


@dataclass
class Nodes:
    """A range of the network's nodes: voltage, and loading of the branch above each."""

    ns: int
    total: int
    first: int
    v_pu: list[Number]
    branch_pct: list[Number]


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


@dataclass
class DeviceClassShown:
    """A class of devices. one: what one is called; can_be_ordered: whether its power can be ordered."""

    name: str
    one: str
    domain: str
    count: int
    can_be_ordered: bool


@dataclass
class DeviceShown:
    """A device. point: its metering point, null if it stands at none; power_kw: drawn, below 0 given; content_kwh: what its battery holds; ordered_kw: what an order says, while one holds."""

    name: str
    device_class: str
    number: int
    point: int | None
    substation: int | None
    rated_kw: float
    power_kw: float | None = None
    content_kwh: float | None = None
    is_home: bool | None = None
    ordered_kw: float | None = None
    ordered_until_ns: int | None = None


@dataclass
class DevicesShown:
    """A page of devices. total: that fit the filter; next_first: for the next page, null at the end."""

    ns: int
    total: int
    next_first: int | None
    devices: list[DeviceShown]


@dataclass
class ActionTold:
    """Something that was asked for. fate: "done" when its message has arrived or the change is made; fate_ns: simulated, when."""

    STATUSES: ClassVar[tuple[int, ...]] = (200, 202)

    number: int
    what: str
    by: str
    asked_ns: int
    fate: Fate
    fate_ns: int | None
    detail: str

    @property
    def http_status(self) -> int:
        """202 while it is under way."""
        return 202 if self.fate == "under way" else 200


@dataclass
class ActionsTold:
    """The last actions, the youngest first."""

    actions: list[ActionTold]


@dataclass
class FieldShown:
    """A field of a change. json_type: string, number, integer or boolean; low, high: its range."""

    name: str
    json_type: str
    info: str
    is_required: bool
    unit: str = ""
    default: Any = None
    low: float | None = None
    high: float | None = None
    choices: list[str] | None = None


@dataclass
class ChangeShown:
    """A change that can be made. title: for people; info: what it does."""

    what: str
    title: str
    info: str
    fields: list[FieldShown]


@dataclass
class ChangesShown:
    """All changes that can be made."""

    changes: list[ChangeShown]


@dataclass
class MessageTold:
    """A message. source, destination: endpoints of the communication network in words; delay_s: since it was sent; cause: why it was lost."""

    id: int
    source: str
    destination: str
    at_ns: int
    delay_s: float
    cause: str | None = None


@dataclass
class EventTold:
    """What happened to messages of a wave. at_ns: of the first and the last of them; size_bytes: of each, before the envelope; causes: of those lost, how many by each; messages: one by one where that was asked for."""

    number: int
    event: Event
    kind: KindName
    topic: str
    sender: DomainName
    receiver: DomainName
    count: int
    size_bytes: int
    at_ns: tuple[int, int]
    local: str
    least_delay_s: float
    mean_delay_s: float
    longest_delay_s: float
    causes: dict[str, int]
    messages: list[MessageTold]


@dataclass
class Dropped:
    """In a stream: so many events were dropped because they were not read in time."""

    dropped: int


@dataclass
class MessagesTold:
    """The last events, the oldest first."""

    events: list[EventTold]


@dataclass
class PeerShown:
    """Somebody outside. frames, bytes: in both directions; refused: what it was not allowed."""

    protocol: str
    address: str
    role: str
    device: str
    since_ns: int
    frames: int
    bytes: int
    refused: int


@dataclass
class ProtocolShown:
    """A protocol that is served."""

    name: str
    title: str
    port: int


@dataclass
class PeersShown:
    """Who is connected; counts: what was refused or malformed, by word."""

    protocols: list[ProtocolShown]
    peers: list[PeerShown]
    counts: dict[str, int]
    subscribers: int


@dataclass
class FrameShown:
    """A frame. is_inward: whether it came from outside; delay_s: that the network added, null if it was lost."""

    ns: int
    local: str
    protocol: str
    address: str
    device: str
    is_inward: bool
    size_bytes: int
    text: str
    delay_s: float | None


@dataclass
class FramesShown:
    """The last frames, the youngest first."""

    frames: list[FrameShown]


@dataclass
class RoleShown:
    """A desk. player: the program that was declared for it, or "built in"; plays: who acts now, which is "built in" while the program is silent; silent_after_s: simulated seconds without a sign after which it is taken to be gone."""

    role: Role
    title: str
    player: str
    plays: str
    since_ns: int | None
    heard_ns: int | None
    is_silent: bool
    silent_after_s: float


@dataclass
class RolesShown:
    """All desks that a program can play."""

    roles: list[RoleShown]


@dataclass
class Sum:
    """What was paid by one to another for a reason."""

    reason: str
    payer: str
    payee: str
    amount_eur: float


@dataclass
class Money:
    """The ledger so far, and the day that it has not posted yet. by_domain_eur: received less paid; sum_eur: of all accounts, always 0; transfers: rows of the ledger.

    today_eur: since `today_since_ns`, what each would receive less what it would pay if the day ended now.
    """

    ns: int
    transfers: int
    by_domain_eur: dict[str, float]
    paid: list[Sum]
    sum_eur: float
    today_since_ns: int
    today_eur: dict[str, float]


@dataclass
class Account:
    """An account: received less paid."""

    number: int
    name: str
    domain: str
    balance_eur: float


@dataclass
class Accounts:
    """A page of accounts. next_first: for the next page, null at the end."""

    total: int
    next_first: int | None
    accounts: list[Account]


@dataclass
class BillLine:
    """What a customer owes for a reason, below 0 where it is paid back; transfers: how many it was paid in."""

    reason: str
    amount_eur: float
    transfers: int


@dataclass
class Bill:
    """A customer's bill so far: what has been billed, which happens after each day's end, what the day comes to if it ended now, and the registers. price_eur_per_mwh: day-ahead, now."""

    ns: int
    local: str
    point: int
    retailer: str
    tariff: str
    lines: list[BillLine]
    total_eur: float
    today: dict[str, float]
    today_eur: float
    import_kwh: float
    export_kwh: float
    price_eur_per_mwh: float
