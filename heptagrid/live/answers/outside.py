"""What the interface answers of messages, of those who are connected, and of who plays whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from heptagrid.contracts.desks import Role
from heptagrid.foundation.domains import DOMAIN_NAMES, KIND_NAMES

Event = Literal["sent", "delivered", "lost", "refused"]
KindName = Literal[KIND_NAMES]  # type: ignore[valid-type]
DomainName = Literal[DOMAIN_NAMES]  # type: ignore[valid-type]


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
