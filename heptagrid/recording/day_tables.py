"""The series of a day: kept step by step and quarter hour by quarter hour, and written when the day is over, or before where a city has too much of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from heptagrid.assembly.arm import ArmGrid
from heptagrid.foundation.domains import KIND_NAMES
from heptagrid.foundation.time import NS_PER_QUARTER, Step
from heptagrid.planes.power.balanced.ac import AcFlow
from heptagrid.recording.node_quarters import NodeQuarters
from heptagrid.recording.section import Parameters
from heptagrid.recording.spool import Named, Text
from heptagrid.recording.tables import TableWriter, blocks, long_table

_MOST_ROWS = 2**19  # of a table that are made at once


def totals_of(devices: Iterable[str]) -> tuple[str, ...]:
    """The columns of the table of totals, beside time; devices: the names of the classes."""
    return (
        *("import_kw", "export_kw", "base_kw", *(f"{name}_kw" for name in devices), "generated_kw"),
        *("consumed_kw", "lost_kw", "v_min_pu", "v_max_pu", "price_eur_per_mwh", "outside_c", "transformer_max_pct"),
        *("line_max_pct", "customer_v_min_pu", "customer_v_max_pu"),
    )


class DayTables:
    """Keeps one arm's series, and writes them as parts of tables."""

    def __init__(self, grid: ArmGrid, writer: TableWriter, parameters: Parameters) -> None:
        self._grid, self._writer, self._parameters = grid, writer, parameters
        network = grid.world.network
        self._busbars = network.busbars
        self._nodes = NodeQuarters(network.nodes, parameters)
        self._highest_pct = np.zeros(len(network.node_of_transformer))  # since the last quarter hour
        self._open()

    @property
    def is_empty(self) -> bool:
        """Whether no step has been kept since the last day was written."""
        return not self._times

    def follow(self, step: Step) -> None:
        """Take in what quarter hours come to, of a step."""
        flow = self._grid.distribution.flow
        assert flow is not None
        self._nodes.follow(flow.v_pu, step.dt_s)
        if self._parameters.transformers == "quarters":
            np.maximum(self._highest_pct, flow.transformer_loading_pct, out=self._highest_pct)

    def keep_step(self, step: Step, totals: tuple[float, ...]) -> None:
        """Keep a step's values; totals: in the order of `totals_of`."""
        grid, flow = self._grid, self._grid.distribution.flow
        assert flow is not None
        self._times.append(step.start_ns)
        self._totals.append(totals)
        infeeds = np.empty((len(self._busbars), 3))
        infeeds[:, 0], infeeds[:, 1] = grid.terminals.infeed_p_kw, grid.terminals.infeed_q_kvar
        infeeds[:, 2] = flow.v_pu[self._busbars]
        self._infeeds.append(infeeds)
        if self._parameters.transformers == "steps":
            self._loaded.append(step.start_ns)
            self._loading.append(flow.transformer_loading_pct.astype(np.float32))
        bulk = grid.transmission.flow
        if isinstance(bulk, AcFlow):
            self._bulk.append((bulk.v_pu.astype(np.float32), bulk.angle_deg.astype(np.float32)))
        self._sampled_v.append(flow.v_pu[grid.world.sample_nodes].astype(np.float32))
        self._sampled_kw.append(grid.terminals.point_p_kw[grid.world.sample_customers].astype(np.float32))

    def keep_quarter(self, step: Step) -> None:
        """A quarter hour ends with a step: keep what it came to."""
        quarter = step.end_ns // NS_PER_QUARTER - 1
        self._nodes.keep(quarter, self._writer)
        if self._parameters.transformers == "quarters":
            self._loaded.append(quarter * NS_PER_QUARTER)
            self._loading.append(self._highest_pct.astype(np.float32))
            self._highest_pct[:] = 0.0
        taken = self._grid.transport.take_quarter()
        if len(taken["kind"]):
            self._messages.append({"quarter": np.full(len(taken["kind"]), quarter), **taken})
        if sum(len(rows["kind"]) for rows in self._messages) >= _MOST_ROWS:
            self._write_messages()

    def write(self) -> int:
        """Write the day's tables as parts, at its end or when the run is stopped; returns the day's first instant."""
        grid, write = self._grid, self._writer.write
        times = np.array(self._times)
        totals = np.array(self._totals, dtype=np.float32)
        names = totals_of(grid.customers.devices)
        write("totals", {"time_ns": times, **{name: totals[:, k] for k, name in enumerate(names)}})
        infeeds = np.stack(self._infeeds).astype(np.float32)
        series_of = {name: infeeds[:, :, k].ravel() for k, name in enumerate(("p_kw", "q_kvar", "busbar_pu"))}
        towns = np.tile(np.arange(infeeds.shape[1], dtype=np.int32), len(times))
        write("infeeds", {"time_ns": np.repeat(times, infeeds.shape[1]), "town": towns} | series_of)
        self._write_loading()
        write("sample_nodes", long_table(times, np.stack(self._sampled_v), "node", grid.world.sample_nodes, "v_pu"))
        write(
            "sample_customers",
            long_table(times, np.stack(self._sampled_kw), "customer", grid.world.sample_customers, "p_kw"),
        )
        self._nodes.write_day(self._writer)
        self._write_messages()
        if self._bulk:
            v_pu, angle_deg = (np.stack(column) for column in zip(*self._bulk, strict=True))
            columns = long_table(times, v_pu, "bus", grid.world.bulk.bus_numbers, "v_pu")
            write("bulk_buses", columns | {"angle_deg": np.ascontiguousarray(angle_deg.T).ravel()})
        self._open()
        return int(times[0])

    def _write_loading(self) -> None:
        """Write the loading of the transformers, one after another."""
        if not self._loading:
            return
        times = np.array(self._loaded)
        for some in blocks(len(self._highest_pct), max(_MOST_ROWS // len(times), 1)):
            loading_pct = np.stack([one[some] for one in self._loading])
            ids = np.arange(some.start, some.stop)
            self._writer.write("transformers", long_table(times, loading_pct, "transformer", ids, "loading_pct"))

    def _write_messages(self) -> None:
        if self._messages:
            columns: dict[str, Any] = {
                name: np.concatenate([rows[name] for rows in self._messages]) for name in self._messages[0]
            }
            columns["kind"] = Named(Text(KIND_NAMES), columns["kind"])
            self._writer.write("messages", columns)
        self._messages: list[dict[str, np.ndarray]] = []

    def _open(self) -> None:
        self._times: list[int] = []
        self._totals: list[tuple[float, ...]] = []
        self._infeeds: list[np.ndarray] = []
        self._loaded: list[int] = []
        self._loading: list[np.ndarray] = []
        self._sampled_v: list[np.ndarray] = []
        self._sampled_kw: list[np.ndarray] = []
        self._bulk: list[tuple[np.ndarray, np.ndarray]] = []
        self._messages = []
