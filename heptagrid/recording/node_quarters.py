"""Voltages of all nodes by quarter hour: pieces of a day are written as they come, and put together when the run is over.

A day of all nodes is more than a city's run has memory for. So a piece is written at the end of an hour once it is of some size, as a part of the table
`nodes`, and the pieces of a day become its rows when the parts are joined, a block of nodes after another. A town's day is one piece; of a live grid,
whose memory is to stay where it is from morning to evening, a piece is four hours.
"""

from __future__ import annotations

import numpy as np

from heptagrid.recording.extremes import Floats, QuarterVoltages
from heptagrid.recording.pieces import PIECED
from heptagrid.recording.section import VOLTAGES, Parameters, rounded
from heptagrid.recording.tables import TableWriter

_PIECE = 2**20  # quarter hours of nodes
_LIVE_PIECE = 2**17


class NodeQuarters:
    """Follows the voltages of all nodes, keeps them by quarter hour, and writes pieces of a day."""

    def __init__(self, nodes: int, parameters: Parameters) -> None:
        self._parameters = parameters
        self._columns = VOLTAGES[parameters.voltages]
        self._running = QuarterVoltages(nodes)
        self._kept: list[tuple[np.ndarray, ...]] = []
        self._first: int | None = None  # quarter hour of the day

    def follow(self, v_pu: Floats, dt_s: float) -> None:
        """Take in the voltages of a step, (nodes,)."""
        if self._columns:
            self._running.follow(v_pu, dt_s)

    def keep(self, quarter: int, writer: TableWriter) -> None:
        """A quarter hour is over: keep what it came to, and write a piece if it is time to."""
        if not self._columns:
            return
        self._first = quarter if self._first is None else self._first
        of_name = dict(zip(VOLTAGES["all"], self._running.take(), strict=True))
        step_pu = self._parameters.voltage_step_pu
        self._kept.append(tuple(rounded(of_name[name], step_pu) for name in self._columns))
        piece = _LIVE_PIECE if writer.spools else _PIECE
        if (quarter + 1) % 4 == 0 and len(self._kept) * len(self._kept[0][0]) >= piece:
            self._write(writer)

    def write_day(self, writer: TableWriter) -> None:
        """The day is over, or the run was stopped: write what has not been written."""
        self._write(writer)
        self._first = None

    def _write(self, writer: TableWriter) -> None:
        if self._kept:
            of_columns = [np.stack(column, axis=1) for column in zip(*self._kept, strict=True)]
            self._kept = []
            nodes = len(of_columns[0])
            ids = {"node": np.arange(nodes), "first_quarter": np.full(nodes, self._first)}
            writer.write(PIECED, ids | dict(zip(self._columns, of_columns, strict=True)))
