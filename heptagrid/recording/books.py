"""The books of an arm: each day's payments, posted an hour after its end, when the reads are in, with true-ups of earlier days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from heptagrid.assembly.build import ArmGrid
from heptagrid.assembly.span import Phase, Span
from heptagrid.domains.operations.meter_store import ReadStatus
from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_QUARTER, Step, midnight_ns
from heptagrid.planes.money import postings, settlement, tariffs, telecom
from heptagrid.planes.money.ledger import Ledger, Totals, eur
from heptagrid.planes.money.markets.dispatch import dispatch
from heptagrid.planes.money.reasons import REASON_NAMES
from heptagrid.planes.money.true_up import BilledDay, Terms
from heptagrid.recording.corrections import Corrections
from heptagrid.recording.standing_estimates import Standing
from heptagrid.recording.tables import TableWriter
from heptagrid.recording.totals import DayBooks
from heptagrid.scenario.schema import Scenario
from heptagrid.world.accounts import Accounts

if TYPE_CHECKING:
    from heptagrid.recording.recorder import ArmResult

CLOSE_AFTER_NS = NS_PER_HOUR
FUEL_EVERY_NS = 300_000_000_000  # as often as the fleet is dispatched


@dataclass(frozen=True)
class SettledDay:
    """What a day's bills were made of.

    price_eur_per_mwh: (quarters,); import_kwh, export_kwh, status: (quarters, points) as the retailer knew them;
    message: that told the retailer, -1 if none did.
    """

    day: date
    first_quarter: int
    price_eur_per_mwh: np.ndarray
    import_kwh: np.ndarray
    export_kwh: np.ndarray
    status: np.ndarray
    bills: tariffs.Bills
    message: int


class Books:
    """Collects what the day's settlement needs and posts it."""

    def __init__(self, scenario: Scenario, grid: ArmGrid, span: Span) -> None:
        self.ledger = Ledger(Accounts(grid.world.points))
        self.days: list[DayBooks] = []
        self.bills_eur = np.zeros(grid.world.customers_count)
        self.traded_mwh: dict[str, float] = {}
        self.standing = Standing(grid.world.points)
        self.settled: SettledDay | None = None
        self._sections, self._grid, self._span = scenario.sections, grid, span
        self._days_in_year = 366 if span.first.year % 4 == 0 else 365
        self.corrections = Corrections(self._terms(), self.standing)
        self._infeed_mwh: dict[int, float] = {}
        self._reads: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self._fuel_usd: dict[date, np.ndarray] = {}
        self._rest_eur: dict[date, float] = {}
        self._moved_kwh: dict[date, np.ndarray] = {}
        self._relief_kwh: dict[date, float] = {}
        self._steered_by: dict[date, np.ndarray] = {}
        self._moved_before = np.zeros(grid.world.points)
        self._relief_before = 0.0

    def begin(self) -> None:
        """The warm-up is over."""
        self._moved_before = self._grid.customers.moved_kwh()
        self._relief_before = self._grid.operations.asked_relief_kwh

    def _terms(self) -> Terms:
        """By what the points are billed for a day; nobody has the dynamic tariff without a smart grid."""
        world = self._grid.world
        on_dynamic = np.zeros(world.points, dtype=bool)
        if self._grid.arm.smart:
            on_dynamic[: world.customers_count] = world.owned.dynamic
        return Terms(
            on_dynamic=on_dynamic,
            is_customer=np.arange(world.points) < world.customers_count,
            years=1.0 / self._days_in_year,
            supply=self._sections["tariffs"],
            fees=self._sections["network_fees"],
        )

    def note(self, phase: Phase, step: Step, writer: TableWriter) -> None:
        """Take in a step; close the day before once its reads are in."""
        if phase is Phase.COUNTED:
            self._collect(step)
        closing_ns = step.day_start_ns + CLOSE_AFTER_NS
        yesterday = step.day - timedelta(days=1)
        if step.start_ns < closing_ns <= step.end_ns and yesterday in self._moved_kwh:
            self._close(yesterday, step.end_ns, writer)

    def _collect(self, step: Step) -> None:
        grid = self._grid
        quarter = step.quarter
        infeed_kw = grid.wires.infeed_p_kw
        hours = step.dt_s / 3600.0
        self._infeed_mwh[quarter] = self._infeed_mwh.get(quarter, 0.0) + infeed_kw * hours / 1000.0
        rest_mwh = grid.transmission.rest_mw * hours
        self._rest_eur[step.day] = self._rest_eur.get(step.day, 0.0) + rest_mwh * grid.price_at(step.start_ns)
        if step.start_ns % FUEL_EVERY_NS == 0:
            length_h = max(FUEL_EVERY_NS, step.end_ns - step.start_ns) / NS_PER_HOUR
            spent = self._fuel_usd.setdefault(step.day, np.zeros(2))
            spent += self._fuel_usd_per_h(infeed_kw / 1000.0) * length_h
        if step.ends_quarter:
            meters = grid.customers.meters
            self._reads[quarter] = meters.import_kwh.copy(), meters.export_kwh.copy()
        if step.ends_day:
            moved, relief = grid.customers.moved_kwh(), grid.operations.asked_relief_kwh
            self._moved_kwh[step.day] = moved - self._moved_before
            self._relief_kwh[step.day] = relief - self._relief_before
            self._steered_by[step.day] = grid.customers.steered_by.copy()
            self._moved_before, self._relief_before = moved, relief

    def _fuel_usd_per_h(self, town_mw: float) -> np.ndarray:
        """Cost of the units that are on, dispatched at least cost, with the town and without it."""
        units, on = self._grid.fleet.units, self._grid.fleet.on
        low, high = np.where(on, units.p_min_mw, 0.0), np.where(on, units.p_max_mw, 0.0)
        load_mw = float(self._grid.wires.unit_output_mw.sum())
        both = (dispatch(load, low, high, units.cost_1, units.cost_2)[0] for load in (load_mw, load_mw - town_mw))
        return np.array([units.cost_usd_per_h(p_mw, on) for p_mw in both])

    def _close(self, day: date, at_ns: int, writer: TableWriter) -> None:
        """Post everything that concerns `day`."""
        grid, sections, ledger = self._grid, self._sections, self.ledger
        zone = self._span.zone
        first = midnight_ns(day, zone) // NS_PER_QUARTER
        last = midnight_ns(day + timedelta(days=1), zone) // NS_PER_QUARTER
        quarters = np.arange(first, last)
        reads = [self._reads.pop(int(quarter)) for quarter in quarters]
        true_import, true_export = (np.stack(column) for column in zip(*reads, strict=True))
        import_kwh, export_kwh, status, cause = self._known(first, true_import, true_export)
        price = np.array([grid.exchange.price(int(quarter) // 4) for quarter in quarters])
        position = np.array([grid.exchange.town_position_mwh.get(int(q) // 4, 0.0) / 4.0 for q in quarters])
        infeed = np.array([self._infeed_mwh.pop(int(quarter)) for quarter in quarters])
        fees, supply = sections["network_fees"], sections["tariffs"]
        world, smart, years = grid.world, grid.arm.smart, self.corrections.terms.years
        bills = self.corrections.terms.bills(import_kwh, export_kwh, price)
        billed = BilledDay(price, position, infeed, import_kwh, export_kwh, bills)
        for name, each in settlement.traded_mwh(position, settlement.net_use_mwh(import_kwh, export_kwh)).items():
            self.traded_mwh[name] = self.traded_mwh.get(name, 0.0) + each
        since = len(ledger)
        self.settled = SettledDay(day, first, price, import_kwh, export_kwh, status, bills, cause)
        postings.post_bills(ledger, bills, at_ns, cause)
        postings.post_wholesale(ledger, billed.wholesale(fees), at_ns, self._price_message(first))
        postings.post_rest(ledger, self._rest_eur.pop(day), at_ns)
        with_town, without_town = self._fuel_usd.pop(day) * sections["market"].eur_per_usd
        postings.post_fuel(ledger, with_town, without_town, at_ns)
        peak_kw = settlement.metered_peak_kw(infeed)
        postings.post_transmission(
            ledger,
            settlement.use_of_system_eur(infeed, fees),
            settlement.peak_demand_eur(peak_kw, years, fees),
            at_ns,
        )
        flexibility_eur = settlement.flexibility_eur(self._moved_kwh.pop(day), supply)
        postings.post_flexibility(ledger, flexibility_eur, at_ns, self._steered_by.pop(day))
        postings.post_relief(ledger, settlement.relief_eur(self._relief_kwh.pop(day), fees), at_ns)
        if smart:
            postings.post_smart_metering(ledger, settlement.smart_metering_eur(world.points, years, fees), at_ns)
        counts = world.device_counts(smart)
        postings.post_upkeep(ledger, telecom.opex_eur(counts, world.device_prices(sections["telecom"]), years), at_ns)
        corrected_eur = np.zeros(world.points)
        for one in self.corrections.post(ledger, grid.providers.retailer, at_ns):
            corrected_eur[one.points] += one.owed_eur
        true_kwh = true_import.astype(import_kwh.dtype), true_export.astype(export_kwh.dtype)
        owed_eur = self.corrections.terms.bills(*true_kwh, price).net if smart else bills.net
        error_kwh = self.standing.bill(status, (import_kwh, export_kwh, bills.net), (*true_kwh, owed_eur))
        if smart:
            self.corrections.keep(day, first, billed, status, error_kwh)
        self.bills_eur += (bills.net - flexibility_eur + corrected_eur)[: world.customers_count]
        self._write(first, true_import, true_export, status, since, writer)
        self.days.append(DayBooks(day, eur(ledger.totals(since).by_domain), peak_kw))

    def _known(
        self, first: int, true_import: np.ndarray, true_export: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
        """The energies that the retailer bills by, the status of each read, (quarters, points), and who told it."""
        if not self._grid.arm.smart:
            return true_import, true_export, np.full(true_import.shape, ReadStatus.NOT_READ, dtype=np.uint8), -1
        quarters = len(true_import)
        for known in self._grid.providers.retailer.known_days.values():
            skip = first - known.first_quarter
            if skip >= 0 and skip + quarters <= len(known.import_kwh):
                rows = slice(skip, skip + quarters)
                return known.import_kwh[rows], known.export_kwh[rows], known.status[rows], known.message
        # The day's reads never reached the retailer: it bills by operations' own store when asked on paper.
        desk = self._grid.operations.customers_desk
        assert desk is not None
        return *desk.store.day(first, quarters), -1

    def _price_message(self, first_quarter: int) -> int:
        """The message that told the retailer the day's prices."""
        return self._grid.providers.retailer.price_message.get(first_quarter // 4, -1)

    def _write(
        self,
        first: int,
        true_import: np.ndarray,
        true_export: np.ndarray,
        status: np.ndarray,
        since: int,
        writer: TableWriter,
    ) -> None:
        points = true_import.shape[1]
        writer.write(
            "meters",
            {
                "meter": np.arange(points, dtype=np.int32),
                "first_quarter": np.full(points, first),
                "import_kwh": true_import.T.astype(np.float32),
                "export_kwh": true_export.T.astype(np.float32),
                "status": np.ascontiguousarray(status.T),
            },
        )
        rows = {name: column[since:] for name, column in self.ledger.rows().items()}
        names = np.array(self.ledger.accounts.names)
        writer.write(
            "ledger",
            {
                "at_ns": rows["at_ns"],
                "payer": names[rows["payer"]].tolist(),
                "payee": names[rows["payee"]].tolist(),
                "amount_millicent": rows["amount_millicent"],
                "reason": np.array(REASON_NAMES)[rows["reason"]].tolist(),
                "cause": rows["cause"],
            },
        )

    def finish(self, result: ArmResult) -> None:
        """Check that the ledger balances, and hand over."""
        totals: Totals = self.ledger.totals()
        totals.check()
        result.money, result.days, result.bills_eur = totals, self.days, self.bills_eur
        result.traded_mwh = self.traded_mwh
        result.delivered_kwh, result.billed_kwh = self.standing.delivered_kwh, self.standing.billed_kwh
        if self._grid.arm.smart:
            result.metering = self.standing.summary()
