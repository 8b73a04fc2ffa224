"""Report control blocks (IEC 61850-7-2, clause 17; mapped as in IEC 61850-8-1, 17.2): what a device tells a client that has asked for it. Here is what all have, and the unbuffered ones.

Of a block's times, BufTm and IntgPd are of the wall clock, as a client's time-outs are; the instants in reports are simulated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from heptagrid.live.protocols.mms.ber import encoded
from heptagrid.live.protocols.mms.data import (
    BOOLEAN,
    ENTRY_NUMBER,
    ENTRY_TIME,
    OPTIONS,
    REFERENCE,
    TRIGGERS,
    UINT8,
    UINT16,
    UINT32,
    AccessError,
    Bits,
    Failure,
)
from heptagrid.live.protocols.mms.nodes import Branch, Leaf
from heptagrid.live.protocols.mms.pdu import information_report, named_by_server

if TYPE_CHECKING:
    from heptagrid.live.protocols.mms.ied import Client, Ied

NODE = "LLN0"
CHANGE, QUALITY_CHANGE, INTEGRITY, INTERROGATION = 1, 2, 4, 5
"""Places of triggers, and of reasons for inclusion."""
_SEQUENCE, _TIME, _REASON, _SET, _REFERENCE, _OVERFLOW, _ENTRY, _REVISION, _SEGMENTED = range(1, 10)
"""Places of optional fields."""
_LIST = named_by_server("RPT")
_FRAME_BYTES = 64
"""Room for what is around the fields of a report in a PDU."""


Member = tuple[int, int, str, bytes]


@dataclass(frozen=True)
class Entry:
    """A report before it is sent. members: place in the data set, reason, reference and value of each. count: of members that the data set has. number: by which a client names it; instant: simulated ns."""

    members: Sequence[Member]
    count: int
    instant: int
    number: int = 0


class Report:
    """One block, unbuffered. name: such as Measurements01. client: who has reserved it; None: nobody. data_set: its name in the logical node; empty for none. sequence: of the next report."""

    constraint = "RP"
    sequence_type = UINT8
    not_shown: ClassVar[tuple[int, ...]] = (0, _OVERFLOW, _ENTRY)
    """Places of optional fields that such a block does not have."""

    def __init__(self, ied: Ied, name: str, data_set: str) -> None:
        self._ied, self.name = ied, name
        self.client: Client | None = None
        self.is_enabled = False
        self.data_set, self.revision = data_set, 1
        self.identifier = self.reference
        self.options, self.triggers = "0111110010", "011001"
        self.buffer_ms = self.period_ms = self.sequence = 0
        self._is_reserved = False
        self._waiting: dict[int, Member] = {}  # as they were when they changed
        self._since = 0
        self._told_at = self._due_at = 0.0

    @property
    def reference(self) -> str:
        return f"{self._ied.domain}/{NODE}${self.constraint}${self.name}"

    @property
    def set_reference(self) -> str:
        return f"{self._ied.domain}/{NODE}${self.data_set}" if self.data_set else ""

    def write(self, attribute: str, client: Client, value: Any) -> None:
        """A client writes an attribute.

        Raises
        ------
        AccessError
            If another one has reserved the block, it is enabled, or the value cannot be.
        """
        if self.client not in (None, client):
            raise AccessError(Failure.TEMPORARILY_UNAVAILABLE)
        if self.is_enabled and attribute not in ("RptEna", "GI"):
            raise AccessError(Failure.TEMPORARILY_UNAVAILABLE)
        self._write(attribute, client, value)

    def release(self) -> None:
        """Its client is gone."""
        self.client, self.is_enabled, self._is_reserved = None, False, False
        self._forget()

    @property
    def is_watching(self) -> bool:
        """Whether it takes note of what changes."""
        return self.is_enabled

    def changed(self, members: Mapping[str, int], now: float) -> None:
        """Points have changed; members: by point, the trigger: `CHANGE` or `QUALITY_CHANGE`."""
        if not self.is_watching:
            return
        points = self._ied.members_of(self.data_set)
        found = {
            place: trigger
            for place, (_, point) in enumerate(points)
            if (trigger := members.get(point)) is not None and self.triggers[trigger] == "1"
        }
        if not found:
            return
        if self._waiting.keys() & found.keys():  # each change is told, so what waits goes first
            self._tell_waiting()
        if not self._waiting:
            self._due_at, self._since = now + self.buffer_ms / 1000.0, abs(self._ied.instant())
        self._waiting |= {member[0]: member for member in self._members(found)}
        self.tick(now)

    def tick(self, now: float) -> None:
        """Tell what is due."""
        if self._waiting and now >= self._due_at:
            self._tell_waiting()
        if not self.is_enabled:
            return
        if self.period_ms and self.triggers[INTEGRITY] == "1" and now >= self._told_at + self.period_ms / 1000.0:
            self._told_at = max(self._told_at + self.period_ms / 1000.0, now - self.period_ms / 1000.0)
            self._tell_all(INTEGRITY)

    def _tell_waiting(self) -> None:
        waiting, self._waiting = sorted(self._waiting.values()), {}
        if waiting:
            self._take(Entry(waiting, len(self._ied.members_of(self.data_set)), self._since))

    def _tell_all(self, reason: int) -> None:
        self._tell_waiting()
        count = len(self._ied.members_of(self.data_set))
        members = self._members(dict.fromkeys(range(count), reason))
        self._take(Entry(members, count, abs(self._ied.instant())))

    def _members(self, reasons: Mapping[int, int]) -> list[Member]:
        """Members of the data set as they are now, with why each is told."""
        ied = self._ied
        names = ied.members_of(self.data_set)
        return [
            (place, reason, f"{ied.domain}/{names[place][0]}", ied.encoded(names[place][0]))
            for place, reason in reasons.items()
        ]

    def _take(self, entry: Entry) -> None:
        """Send a report."""
        self._send(entry)

    def _send(self, entry: Entry) -> None:
        """Send a report in as many segments as it takes."""
        client, ied = self.client, self._ied
        assert client is not None
        room = client.largest_pdu - sum(map(len, self._head(entry, 0))) - _FRAME_BYTES
        segments = _cut(entry.members, room, self._has(_REFERENCE))
        for number, segment in enumerate(segments):
            has_more = number < len(segments) - 1
            fields = self._head(entry, number, has_more, is_cut=len(segments) > 1)
            places = {place for place, _, _, _ in segment}
            word = "".join("1" if place in places else "0" for place in range(entry.count))
            fields.append(Bits(entry.count).encode(word))
            if self._has(_REFERENCE):
                fields += [REFERENCE.encode(reference) for _, _, reference, _ in segment]
            fields += [value for _, _, _, value in segment]
            if self._has(_REASON):
                fields += [TRIGGERS.encode(_only(reason)) for _, reason, _, _ in segment]
            client.inform(ied, information_report(_LIST, fields))
        self.sequence = (self.sequence + 1) % (256 if self.sequence_type is UINT8 else 65_536)

    def _head(self, entry: Entry, segment: int, has_more: bool = False, is_cut: bool = False) -> list[bytes]:
        """What stands before the inclusion."""
        options = self.options if not is_cut else self.options[:_SEGMENTED] + "1"
        shown = "".join("0" if place in self.not_shown else one for place, one in enumerate(options))
        optional: Mapping[int, Callable[[], list[bytes]]] = {
            _SEQUENCE: lambda: [self.sequence_type.encode(self.sequence)],
            _TIME: lambda: [ENTRY_TIME.encode(entry.instant)],
            _SET: lambda: [REFERENCE.encode(self.set_reference)],
            _OVERFLOW: lambda: [BOOLEAN.encode(self.has_overflown)],
            _ENTRY: lambda: [ENTRY_NUMBER.encode(entry_number(entry.number))],
            _REVISION: lambda: [UINT32.encode(self.revision)],
            _SEGMENTED: lambda: [UINT16.encode(segment), BOOLEAN.encode(has_more)],
        }
        fields = [REFERENCE.encode(self.identifier), OPTIONS.encode(shown)]
        for place, made in optional.items():
            if shown[place] == "1":
                fields += made()
        return fields

    has_overflown = False

    def _forget(self) -> None:
        """What waits is not told any more."""
        self._waiting.clear()

    def _has(self, option: int) -> bool:
        return self.options[option] == "1"

    def _write_enabled(self, client: Client, value: bool) -> None:
        if value and not self.data_set:
            raise AccessError(Failure.ATTRIBUTE_INCONSISTENT)
        if value and not self.is_enabled:
            self.client, self.sequence = client, 0
            self._told_at = self._ied.now()
            self._ied.begin_to_listen()
        if value != self.is_enabled:
            self._forget()
        self.is_enabled = value
        if not value and not self._is_reserved:
            self.client = None

    def _write(self, attribute: str, client: Client, value: Any) -> None:
        _WRITES[attribute](self, client, value)

    def _write_reserved(self, client: Client, value: bool) -> None:
        self.client, self._is_reserved = client if value else None, value

    def _write_interrogation(self, client: Client, value: bool) -> None:
        if not value:
            return
        if not self.is_enabled or self.triggers[INTERROGATION] != "1":
            raise AccessError(Failure.TEMPORARILY_UNAVAILABLE)
        self._ied.after_answer(self._interrogated)

    def _interrogated(self) -> None:
        if self.is_enabled:
            self._tell_all(INTERROGATION)

    def _write_set(self, client: Client, value: str) -> None:
        before, _, name = value.partition(f"/{NODE}$")
        if value and (before != self._ied.domain or not self._ied.has_set(name)):
            raise AccessError(Failure.VALUE_INVALID)
        if name != self.data_set:
            self.data_set, self.revision = name, self.revision + 1

    def _write_identifier(self, client: Client, value: str) -> None:
        self.identifier = value or self.reference


def _set(name: str) -> Callable[[Report, Any, Any], None]:
    return lambda report, client, value: setattr(report, name, value)


_WRITES: Mapping[str, Callable[[Report, Any, Any], None]] = {
    "RptID": Report._write_identifier,
    "RptEna": Report._write_enabled,
    "Resv": Report._write_reserved,
    "DatSet": Report._write_set,
    "OptFlds": _set("options"),
    "BufTm": _set("buffer_ms"),
    "TrgOps": _set("triggers"),
    "IntgPd": _set("period_ms"),
    "GI": Report._write_interrogation,
}


def writes(name: str, attribute: str) -> Callable[[Ied, Client, Any], None]:
    """How a client writes an attribute of a block."""
    return lambda ied, client, value: ied.reports[name].write(attribute, client, value)


def block(name: str) -> Branch:
    """The attributes of an unbuffered block, in their order (IEC 61850-8-1, table 38)."""

    def write(attribute: str) -> Callable[[Ied, Client, Any], None]:
        return writes(name, attribute)

    return Branch(
        {
            "RptID": Leaf(REFERENCE, lambda ied: ied.reports[name].identifier, write("RptID")),
            "RptEna": Leaf(BOOLEAN, lambda ied: ied.reports[name].is_enabled, write("RptEna")),
            "Resv": Leaf(BOOLEAN, lambda ied: ied.reports[name].client is not None, write("Resv")),
            "DatSet": Leaf(REFERENCE, lambda ied: ied.reports[name].set_reference, write("DatSet")),
            "ConfRev": Leaf(UINT32, lambda ied: ied.reports[name].revision),
            "OptFlds": Leaf(OPTIONS, lambda ied: ied.reports[name].options, write("OptFlds")),
            "BufTm": Leaf(UINT32, lambda ied: ied.reports[name].buffer_ms, write("BufTm")),
            "SqNum": Leaf(UINT8, lambda ied: ied.reports[name].sequence),
            "TrgOps": Leaf(TRIGGERS, lambda ied: ied.reports[name].triggers, write("TrgOps")),
            "IntgPd": Leaf(UINT32, lambda ied: ied.reports[name].period_ms, write("IntgPd")),
            "GI": Leaf(BOOLEAN, lambda ied: False, write("GI")),
        }
    )


def entry_number(number: int) -> bytes:
    """The identification of an entry."""
    return number.to_bytes(8, "big")


def _only(place: int) -> str:
    return "".join("1" if each == place else "0" for each in range(6))


def _cut(told: Sequence[Member], room: int, has_references: bool) -> list[list[Member]]:
    """Members of a report in segments that have so many bytes of room."""
    segments: list[list[Member]] = [[]]
    taken = 0
    for one in told:
        size = len(one[3]) + 4 + (len(encoded(0x8A, one[2].encode())) if has_references else 0)
        if segments[-1] and taken + size > room:
            segments.append([])
            taken = 0
        segments[-1].append(one)
        taken += size
    return segments
