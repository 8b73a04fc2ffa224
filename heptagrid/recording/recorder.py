"""The recorder: follows one arm step by step, adds up, keeps series, and writes each day's tables."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from heptagrid.assembly.arm import ArmGrid
from heptagrid.assembly.happenings import Happening
from heptagrid.assembly.span import Phase, Span
from heptagrid.foundation.contract import Wave
from heptagrid.foundation.domains import DOMAIN_NAMES, KIND_NAMES
from heptagrid.foundation.errors import ConservationError
from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_S, Step
from heptagrid.foundation.transport import Listener
from heptagrid.recording.arm_result import ArmResult
from heptagrid.recording.day_log import DayLog
from heptagrid.recording.day_tables import DayTables
from heptagrid.recording.event_log import EventLog
from heptagrid.recording.extremes import SupplyVoltages
from heptagrid.recording.frequency_log import FrequencyLog
from heptagrid.recording.local_market_log import LocalMarketLog
from heptagrid.recording.market_log import MarketLog
from heptagrid.recording.monthly_bills import write_monthly_bills
from heptagrid.recording.spool import IntLists
from heptagrid.recording.step_extremes import extent, follow_nodes, split
from heptagrid.recording.system_peak import SystemPeak
from heptagrid.recording.tables import TableWriter
from heptagrid.recording.totals import Extremes, TownFigures
from heptagrid.scenario.schema import Scenario

PARTS = ("devices", "power", "sensors", "sub-steps", "messages", "actors", "recorder")
"""Where a step's time goes, as a result's `seconds` name it."""
WAVE_COLUMNS = (
    *("first_id", "messages", "first_sent_ns", "last_sent_ns", "kind", "sender", "receiver", "topic"),
    *("cause", "causes"),
)
MOST_WAVES = 100_000
"""Waves that wait to be written until midnight; of more, as clients of a live grid send hundreds a second, a part is written at once."""
ENERGY_TOLERANCE = 1e-6  # of generated + imported, design section 6


class Recorder(Listener):
    """Notes every counted step of one arm; `finish` gives the result."""

    def __init__(
        self, scenario: Scenario, grid: ArmGrid, run_day: int, span: Span, parts: Path | None, spools: bool = False
    ) -> None:
        """Set up; parts, spools: where parts of tables go, None nowhere, and as what (`TableWriter`)."""
        arm, world = grid.arm, grid.world
        nodes = world.network.nodes
        self._grid = grid
        self._span = span
        self._writer = TableWriter(parts, f"{arm.name}.{run_day:03d}", {"arm": arm.name, "run_day": run_day}, spools)
        record = scenario.sections["record"]
        self._tables = DayTables(grid, self._writer, record)
        self._days = DayLog(grid, span, record.read_step_wh)
        self._market = MarketLog(grid, span)
        self._pct_per_pu = world.branch_pct_per_pu
        self._is_line = world.network.line_of_node >= 0
        self.result = ArmResult(arm.name, run_day)
        transformers = len(world.network.node_of_transformer)
        self.result.extremes = Extremes.none(nodes, transformers, world.customers_count)
        self.result.towns = TownFigures.none(len(world.towns))
        self._supply = SupplyVoltages(world.customers_count)
        self._system_peak = SystemPeak()
        self._counting = False
        self._sent: list[tuple[int, Wave]] = []  # and not looked at yet
        self._waves: list[tuple[Any, ...]] = []
        grid.transport.listen(self)
        self._frequency = FrequencyLog(grid)
        self._local_markets = LocalMarketLog(grid)
        self._events = EventLog(grid, self._frequency)
        self._comfort_before: dict[str, float] = {}
        self._stored_before = 0.0
        self._heat_before = 0.0
        self._consumed_before = 0.0

    def begin(self) -> None:
        """The warm-up is over: count from here."""
        self._counting = True
        grid = self._grid
        self._stored_before = grid.customers.stored_kwh
        self._heat_before = grid.customers.stored_heat_kwh
        self._consumed_before = self._consumed_so_far = grid.customers.consumed_kwh
        self._noted_ns = self._span.start_ns
        self._comfort_before = grid.customers.comfort()
        self._market.begin()
        grid.transport.begin_counting()

    def note_flows(self, phase: Phase, step: Step) -> None:
        """Take in what was used, generated and carried in a step, and what was sent before; its messages may still be under way."""
        self._note_waves()
        if len(self._waves) >= MOST_WAVES:
            self._write_waves()
        if phase is not Phase.COUNTED:
            return
        self.result.steps += 1
        self.result.counted_s += step.dt_s
        self._add_up(step)
        if self._span.is_noted(step):
            self._keep_series(step)

    def note(self, phase: Phase, step: Step) -> None:
        """Take in a step that has just been run, after `note_flows`."""
        flow = self._grid.distribution.flow
        assert flow is not None
        if phase is not Phase.CLOSING and len(flow.held) == 0:
            self._grid.distribution.remember()
        self._days.note(self._writer)
        self._events.note(phase, step)
        if phase is not Phase.COUNTED:
            return
        self._local_markets.note(step)
        if step.ends_quarter:
            self._tables.keep_quarter(step)
        if step.end_ns == self._span.end_ns:
            self._keep_messages()
        if step.ends_day:
            self._write_day()

    def note_finely(self, phase: Phase, substep: Step) -> None:
        """Take in a sub-step that has just been run."""
        if phase is Phase.COUNTED:
            self._frequency.note(substep)

    def write_to(self, parts: Path) -> None:
        """Write the parts of tables to another folder from now on, where those written so far stand."""
        self._writer.write_to(parts)

    def expect(self, event: Happening | None) -> None:
        """Another event is coming, or supply will be switched off by hand."""
        if event is None:
            self._events.follow()
        else:
            self._events.expect(event)

    def stop(self, step: Step) -> None:
        """The run was interrupted after `step`: keep what there is."""
        self.result.stopped_ns = step.end_ns
        if not self._tables.is_empty:
            self._write_day()

    def finish(self, seconds: dict[str, float], peak_rss_mb: float) -> ArmResult:
        """Add up, assert the conservation laws, and hand over.

        A run that was interrupted in its warm-up counted nothing: it comes to zero throughout.
        """
        if not self._counting:
            self.begin()
        result, customers = self.result, self._grid.customers
        if result.steps:  # else it was stopped in its warm-up, and nothing counts
            result.energy.stored = customers.stored_kwh - self._stored_before
            result.energy.stored_heat = customers.stored_heat_kwh - self._heat_before
            result.energy.consumed = customers.consumed_kwh - self._consumed_before
        extremes, supply = result.extremes, self._supply
        extremes.outside_s, extremes.customer_outside_s = supply.total_s, supply.outside_s
        extremes.customer_v_min, extremes.customer_v_max = supply.v_min_pu, supply.v_max_pu
        result.system_peak = self._system_peak.found()
        if result.messages is None:
            self._keep_messages()
        result.comfort = (
            {name: value - self._comfort_before.get(name, 0.0) for name, value in customers.comfort().items()}
            if result.steps
            else {}
        )
        self._days.finish(result)
        write_monthly_bills(self._grid.bills, self._writer)
        result.market = self._market.finish()
        result.refused = dict(self._grid.transport.refused)
        result.desks = {desk.name: dict(desk.figures()) for desk in self._grid.desks}
        self._write_waves()
        result.frequency = self._frequency.found()
        result.local_market = self._local_markets.found()
        result.events, result.interruptions = self._events.found(), self._events.interruptions()
        result.outages = self._events.outages()
        self._writer.wait()
        result.seconds, result.peak_rss_mb, result.process = seconds, peak_rss_mb, os.getpid()
        self._check()
        return result

    def _check(self) -> None:
        """The laws of energy and messages; the ledger checks its own."""
        energy, counts = self.result.energy, self.result.messages
        through = energy.generated + energy.imported
        if abs(energy.residual) > ENERGY_TOLERANCE * max(through, 1.0) and not self.result.held:
            raise ConservationError(
                f"arm {self.result.arm!r}: {energy.residual:.6f} kWh of {through:.1f} kWh are unaccounted for"
            )
        if abs(energy.bulk_residual) > ENERGY_TOLERANCE * max(energy.fleet, 1.0):
            raise ConservationError(
                f"arm {self.result.arm!r}: {energy.bulk_residual:.6f} kWh of the {energy.fleet:.1f} kWh that the bulk system's "
                "units gave are unaccounted for"
            )
        assert counts is not None
        if counts.residual != 0:
            raise ConservationError(f"arm {self.result.arm!r}: {counts.residual} messages are unaccounted for")

    def _add_up(self, step: Step) -> None:
        grid, result, flow = self._grid, self.result, self._grid.distribution.flow
        assert flow is not None
        energy, extremes = result.energy, result.extremes
        hours = step.dt_s / 3600.0
        infeed_kw = grid.terminals.infeed_p_kw
        self._import_kw = float(np.maximum(infeed_kw, 0.0).sum())
        self._export_kw = float(np.maximum(-infeed_kw, 0.0).sum())
        energy.imported += self._import_kw * hours
        energy.exported += self._export_kw * hours
        losses_kw = np.array([one.losses_kw for one in grid.distribution.lines.flows])
        result.towns.follow(infeed_kw, losses_kw, hours, step.start_ns)
        energy.generated += grid.customers.generated_kw * hours
        energy.lost += flow.losses_kw * hours
        drawn_kw, fed_in_kw = split(grid.terminals.point_p_kw)
        energy.points_drawn += drawn_kw * hours
        energy.points_fed_in += fed_in_kw * hours
        energy.fleet += grid.generation.given_mw * 1000.0 * hours
        energy.transmission_lost += grid.transmission.loss_mw * 1000.0 * hours
        energy.rest += grid.transmission.rest_mw * 1000.0 * hours
        if grid.generation.swing is not None:
            energy.damped += grid.generation.swing.damped_mws / 3.6
            energy.kinetic += grid.generation.swing.kinetic_mws / 3.6
        if flow.infeed_p_kw > extremes.peak_kw:
            extremes.peak_kw, extremes.peak_ns = flow.infeed_p_kw, step.start_ns
        np.maximum(extremes.transformer_peak_pct, flow.transformer_loading_pct, out=extremes.transformer_peak_pct)
        self._v_min, self._v_max, self._line_max_pct = follow_nodes(
            flow.v_pu,
            flow.current_re,
            flow.current_im,
            self._pct_per_pu,
            self._is_line,
            extremes.node_v_min,
            extremes.node_v_max,
            extremes.branch_peak_pct,
        )
        extremes.v_min_pu = min(extremes.v_min_pu, self._v_min)
        extremes.v_max_pu = max(extremes.v_max_pu, self._v_max)
        supply_v_pu = grid.terminals.point_v_pu[: grid.world.customers_count]
        self._supply.follow(supply_v_pu, step.dt_s)
        self._system_peak.follow(grid.transmission.rest_mw, float(infeed_kw.sum()) / 1000.0, supply_v_pu, step)
        self._tables.follow(step)
        for feeder in flow.held:
            steps, first_ns = result.held.get(int(feeder), (0, step.start_ns))
            result.held[int(feeder)] = (steps + 1, first_ns)
        for control in flow.hunting:
            steps, first_ns = result.hunting.get(control, (0, step.start_ns))
            result.hunting[control] = (steps + 1, first_ns)

    def _keep_series(self, step: Step) -> None:
        grid, flow, customers = self._grid, self._grid.distribution.flow, self._grid.customers
        assert flow is not None
        consumed_kwh = customers.consumed_kwh
        consumed_kw = (consumed_kwh - self._consumed_so_far) / ((step.end_ns - self._noted_ns) / NS_PER_S / 3600.0)
        self._consumed_so_far, self._noted_ns = consumed_kwh, step.end_ns
        price = grid.price_at(step.start_ns)
        if step.start_ns % NS_PER_HOUR == 0:
            self.result.price_eur_per_mwh.append(price)
        totals = (
            *(self._import_kw, self._export_kw),
            *(customers.base_kw, *(one.total_kw for one in customers.devices.values())),
            *(customers.generated_kw, consumed_kw, flow.losses_kw, self._v_min, self._v_max, price),
            *(grid.world.weather.outside_c_at(step.start_ns), float(flow.transformer_loading_pct.max())),
            *(self._line_max_pct, self._supply.step_min_pu, self._supply.step_max_pu),
        )
        self._tables.keep_step(step, totals)

    def _keep_messages(self) -> None:
        transport = self._grid.transport
        self.result.messages, self.result.places = transport.counts(), transport.counts_by_place()
        self.result.crossed, self.result.busy_s = transport.crossed(), transport.busy_s()

    def _write_day(self) -> None:
        """Write the day's tables as parts; called at its end, or when the run is stopped."""
        first_ns = self._tables.write()
        self._market.write_day(first_ns, self._writer)
        self._write_waves()
        self._frequency.write(self._writer)
        self._local_markets.write(self._writer)

    def sent(self, first: int, wave: Wave) -> None:
        """Keep a wave; the warm-up's too, for the first day's prices are made there."""
        self._sent.append((first, wave))

    def _note_waves(self) -> None:
        """Note what the waves were that have been sent, and what caused them."""
        for first, wave in self._sent:
            first_ns, last_ns, apart = extent(wave.sent_ns, wave.cause)
            cause = int(wave.cause[0])
            self._waves.append(
                (
                    *(first, len(wave.source), first_ns, last_ns),
                    *(KIND_NAMES[wave.kind], DOMAIN_NAMES[wave.sender], DOMAIN_NAMES[wave.receiver], wave.topic),
                    *(-1 if apart else cause, wave.cause.tolist() if apart else None),
                )
            )
        self._sent = []

    def _write_waves(self) -> None:
        """Write the waves sent since the last call."""
        self._note_waves()
        if self._waves:
            columns: dict[str, Any] = dict(zip(WAVE_COLUMNS, map(list, zip(*self._waves, strict=True)), strict=True))
            columns["causes"] = IntLists(columns["causes"])
            self._writer.write("waves", columns)
        self._waves = []
