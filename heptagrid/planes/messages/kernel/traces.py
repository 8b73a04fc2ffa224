"""What is seen of a watched message: each of its copies, hop by hop."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class HopTrace:
    """One hop of one copy; times in nanoseconds, None for what has not come to pass.

    node_from, node_to: places. method: of access (`tables.CARRIER_SENSE` ...), -1 on a link of its own.
    arrived_ns: at the port. begin_ns: taken in hand, after the copies before it. air_ns: being sent, all attempts
    together. sent: how many times. back_offs: looks at a busy medium, or calls for a grant. out_ns: at the far end.
    lost: the cause's number.
    """

    port: int
    node_from: int
    node_to: int
    link_class: int
    method: int
    rate_bps: float
    arrived_ns: int
    begin_ns: int | None = None
    air_ns: int = 0
    sent: int = 0
    back_offs: int = 0
    travel_ns: int = 0
    out_ns: int | None = None
    lost: int | None = None

    @property
    def queue_ns(self) -> int | None:
        """How long it waited behind others."""
        return None if self.begin_ns is None else self.begin_ns - self.arrived_ns

    @property
    def access_ns(self) -> int | None:
        """How long it was in hand and not being sent: contention, back-off, waiting for a slot or a grant."""
        if self.begin_ns is None or self.out_ns is None:
            return None
        return self.out_ns - self.travel_ns - self.air_ns - self.begin_ns


@dataclass
class CopyTrace:
    """One copy of a message, or of its acknowledgement; `is_duplicate`: another had arrived before."""

    number: int
    is_ack: bool
    sent_ns: int
    hops: list[HopTrace] = field(default_factory=list)
    arrived_ns: int | None = None
    lost_ns: int | None = None
    lost: int | None = None
    is_duplicate: bool = False
    hops_done: int = 0
    due_ns: int = 0


@dataclass
class MessageTrace:
    """What became of a watched message; `lost` is the cause's number."""

    id: int
    source: int
    destination: int
    kind: int
    bytes: int
    ack_bytes: int
    number: int
    sent_ns: int
    deadline_ns: int
    timeout_ns: int
    retries: int
    is_acknowledged: bool
    copies: list[CopyTrace] = field(default_factory=list)
    delivered_ns: int | None = None
    acknowledged_ns: int | None = None
    lost: int | None = None
    is_over: bool = False
