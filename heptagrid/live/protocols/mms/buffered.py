"""Buffered report control blocks: what has happened while no client listened is told to the one that comes (IEC 61850-7-2, 17.2.2).

A block takes note from the first time on that a client enables it. What it has sent it keeps too, for a client that names the last entry that it has got.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from heptagrid.live.protocols.mms.data import (
    BOOLEAN,
    ENTRY_NUMBER,
    ENTRY_TIME,
    OPTIONS,
    REFERENCE,
    TRIGGERS,
    UINT16,
    UINT32,
    AccessError,
    Failure,
)
from heptagrid.live.protocols.mms.nodes import Branch, Leaf
from heptagrid.live.protocols.mms.reports import Entry, Report, entry_number, writes

if TYPE_CHECKING:
    from heptagrid.live.protocols.mms.ied import Client, Ied


class BufferedReport(Report):
    """One block. most: entries that it keeps. last: the entry that was told last. has_overflown: whether entries were dropped that no report tells."""

    constraint = "BR"
    sequence_type = UINT16
    not_shown = (0,)

    def __init__(self, ied: Ied, name: str, data_set: str, most: int) -> None:
        super().__init__(ied, name, data_set)
        self.options = "0111111110"
        self.last = Entry((), 0, 0)
        self.has_overflown = False
        self._entries: deque[Entry] = deque(maxlen=most)
        self._number = 0
        self._is_armed = False

    @property
    def is_watching(self) -> bool:
        return self._is_armed

    def _take(self, entry: Entry) -> None:
        """Keep a report, and send it if a client listens."""
        self._number += 1
        is_full = len(self._entries) == self._entries.maxlen
        if is_full and self._entries[0].number > self.last.number:
            self.has_overflown = True
        self._entries.append(replace(entry, number=self._number))
        if self.is_enabled:
            self._send_waiting()

    def _send_waiting(self) -> None:
        """Send what was not sent."""
        for entry in list(self._entries):
            if entry.number > self.last.number and self.is_enabled:
                self._send(entry)
                self.last, self.has_overflown = entry, False

    def _forget(self) -> None:
        """What waits to be told with other changes is kept."""

    def _purge(self) -> None:
        self._entries.clear()
        self._waiting.clear()
        self.last, self.has_overflown = Entry((), 0, 0, self._number), False

    def _write(self, attribute: str, client: Client, value: Any) -> None:
        if attribute == "PurgeBuf":
            if value:
                self._purge()
        elif attribute == "EntryID":
            self._go_on_after(value)
        else:
            before = self._meaning
            super()._write(attribute, client, value)
            if self._meaning != before:
                self._purge()
        if attribute == "RptEna" and value:
            self._is_armed = True
            self._ied.after_answer(self._send_waiting)

    @property
    def _meaning(self) -> tuple[object, ...]:
        """What makes another block of it, so that what was kept is none of it."""
        return self.identifier, self.data_set, self.buffer_ms, self.triggers, self.period_ms

    def _go_on_after(self, value: bytes) -> None:
        """A client names the last entry that it has got; zeros: none."""
        if not any(value):
            self.last = Entry((), 0, 0)
            return
        known = [entry for entry in self._entries if entry_number(entry.number) == value]
        if not known:
            raise AccessError(Failure.VALUE_INVALID)
        self.last = known[0]


def buffered_block(name: str) -> Branch:
    """The attributes of a buffered block, in their order (IEC 61850-8-1, table 37)."""

    def write(attribute: str) -> Callable[[Ied, Client, Any], None]:
        return writes(name, attribute)

    def of(ied: Ied) -> BufferedReport:
        report = ied.reports[name]
        assert isinstance(report, BufferedReport)
        return report

    return Branch(
        {
            "RptID": Leaf(REFERENCE, lambda ied: of(ied).identifier, write("RptID")),
            "RptEna": Leaf(BOOLEAN, lambda ied: of(ied).is_enabled, write("RptEna")),
            "DatSet": Leaf(REFERENCE, lambda ied: of(ied).set_reference, write("DatSet")),
            "ConfRev": Leaf(UINT32, lambda ied: of(ied).revision),
            "OptFlds": Leaf(OPTIONS, lambda ied: of(ied).options, write("OptFlds")),
            "BufTm": Leaf(UINT32, lambda ied: of(ied).buffer_ms, write("BufTm")),
            "SqNum": Leaf(UINT16, lambda ied: of(ied).sequence),
            "TrgOps": Leaf(TRIGGERS, lambda ied: of(ied).triggers, write("TrgOps")),
            "IntgPd": Leaf(UINT32, lambda ied: of(ied).period_ms, write("IntgPd")),
            "GI": Leaf(BOOLEAN, lambda ied: False, write("GI")),
            "PurgeBuf": Leaf(BOOLEAN, lambda ied: False, write("PurgeBuf")),
            "EntryID": Leaf(ENTRY_NUMBER, lambda ied: entry_number(of(ied).last.number), write("EntryID")),
            "TimeOfEntry": Leaf(ENTRY_TIME, lambda ied: of(ied).last.instant),
        }
    )
