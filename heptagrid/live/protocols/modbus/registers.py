"""The registers of all devices of a kind: solved states on demand, and over them what was written."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heptagrid.live.protocols.modbus.codec import Code, ExceptionResponse
from heptagrid.live.protocols.modbus.fleet import Kind, Rows
from heptagrid.live.protocols.modbus.image import Scales, put
from heptagrid.live.protocols.modbus.layout import BASE
from heptagrid.live.protocols.modbus.settings import Change, Settings, Writer
from heptagrid.live.state import State

Words = npt.NDArray[np.uint16]

TOGETHER = 128
"""Devices whose registers are made at once: so many cost little more than one."""


class _Part:
    """Devices in a row. big: their registers as bytes go out, (devices, registers)."""

    __slots__ = ("big", "registers", "rows", "scales", "state")

    def __init__(self, rows: Rows, registers: Words, scales: Scales) -> None:
        self.rows, self.registers, self.scales = rows, registers, scales
        self.state: State | None = None
        self.big = registers.astype(">u2")


class Registers:
    """What devices of a kind answer. settings: of those into which somebody wrote, by row."""

    def __init__(self, kind: Kind) -> None:
        self.kind, self.layout = kind, kind.layout
        self.settings: dict[int, Settings] = {}
        self._writer = Writer(kind.layout, kind.levers, is_least=kind.is_least)
        self._parts: dict[int, _Part] = {}

    def read(self, row: int, address: int, count: int, state: State, now_ns: int) -> bytes:
        """Registers from an address on, of a device in a state.

        Raises
        ------
        ExceptionResponse
            Illegal address: some of them do not exist.
        """
        at = address - BASE
        if at < 0 or at + count > len(self.layout):
            raise ExceptionResponse(Code.ILLEGAL_ADDRESS)
        part = self._part(row, state)
        found = part.big[row - part.rows.first, at : at + count].tobytes()
        if row in self.settings:
            return self._with_settings(self.settings[row], found, at, now_ns)
        return found

    def change(self, row: int, address: int, registers: bytes, state: State, now_ns: int) -> Change:
        """What a write makes of a device (`Writer.change`).

        Raises
        ------
        ExceptionResponse
        """
        at = address - BASE
        if at < 0 or at + len(registers) // 2 > len(self.layout):
            raise ExceptionResponse(Code.ILLEGAL_ADDRESS)
        before = self.read(row, BASE, len(self.layout), state, now_ns)
        return self._writer.change(
            self.settings.get(row, Settings()), before, at, registers, self.kind.rating(row), now_ns
        )

    def commit(self, row: int, change: Change) -> None:
        """Let a write hold."""
        settings = self.settings.setdefault(row, Settings())
        settings.words.update(change.words)
        settings.held = change.held

    def _with_settings(self, settings: Settings, found: bytes, at: int, now_ns: int) -> bytes:
        settings.settle(self.layout, self.kind.levers, now_ns)
        patched = bytearray(found)
        for place, word in settings.words.items():
            if at <= place < at + len(found) // 2:
                patched[2 * (place - at) : 2 * (place - at) + 2] = word.to_bytes(2, "big")
        return bytes(patched)

    def _part(self, row: int, state: State) -> _Part:
        number = row // TOGETHER
        part = self._parts.get(number)
        if part is None:
            first = number * TOGETHER
            rows = self.kind.rows.parted(first, min(first + TOGETHER, len(self.kind.rows)))
            part = self._parts[number] = _Part(rows, *self.kind.blank(rows))
        if part.state is not state:
            put(part.registers, self.layout, self.kind.measured(part.rows, state), part.scales)
            part.big[:] = part.registers
            part.state = state
        return part
