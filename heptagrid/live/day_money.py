"""Money of the day so far: what all would owe one another if the day ended now, by the same rules that will post it tomorrow.

The ledger posts a day's payments on the next one. Until then this counts, step by step: bills from the energies that meters have counted, under each customer's
tariff and unrounded, under a monthly rate by what each full hour adds to the month in whole cents; fees, levies and taxes passed on; energy in the market at the hour's price; use of the transmission system and its peak. Not
in it: fuel, upkeep, pay for flexibility and relief, local markets, reserve, and rents and loss surplus of nodal prices, which are known at the day's end alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.arm import ArmGrid
from heptagrid.domains.providers.billing import Billing
from heptagrid.foundation.calendar import Calendar
from heptagrid.foundation.payments import Dates
from heptagrid.foundation.reasons import Reason
from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_QUARTER, NS_PER_S, S_PER_DAY, S_PER_QUARTER, Step
from heptagrid.live.monthly_day import MonthlyDay
from heptagrid.planes.money import postings, settlement
from heptagrid.planes.money.ledger import COLUMNS, MILLICENT_PER_EUR
from heptagrid.planes.money.tariffs import billing_rules, under_rate
from heptagrid.planes.money.tariffs.billing_rules import Bills
from heptagrid.planes.money.tariffs.tariff import Slots
from heptagrid.recording.bill_parts import BILL_PARTS, parts_of

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class MoneyState:
    """EUR since the local midnight.

    since_ns: that midnight, or when the count began. owed: (9, 9) what each of seven domains, outside and rest (`ledger.COLUMN_NAMES`) owes each. per_s: (9, 9) of a simulated
    second, in the last step. bill_parts: (parts, points) of each customer's bill (`bill_parts.BILL_PARTS`). posted: (9, 9) by the ledger since the start of the run.
    """

    since_ns: int
    owed: Floats
    per_s: Floats
    bill_parts: Floats
    posted: Floats


class _Sums:
    """A port of payments that adds up, by column of payer and payee."""

    def __init__(self, columns: Ints) -> None:
        self.eur = np.zeros((COLUMNS, COLUMNS))
        self._columns = columns

    def pay(
        self,
        reason: Reason,
        payer: npt.ArrayLike,
        payee: npt.ArrayLike,
        amount_eur: npt.ArrayLike,
        dates: Dates,
        cause: npt.ArrayLike = -1,
    ) -> None:
        """The payer owes the payee; all payers of a call are of one column, and all payees."""
        of_payer, of_payee = (self._columns[np.asarray(one).flat[0]] for one in (payer, payee))
        self.eur[of_payer, of_payee] += float(np.sum(amount_eur))

    def pass_on(
        self, reason: Reason, payer: int, through: int, payee: int, amount_eur: float, dates: Dates, cause: int = -1
    ) -> None:
        """The payer owes one who owes the payee the same."""
        self.pay(reason, payer, through, amount_eur, dates, cause)
        self.pay(reason, through, payee, amount_eur, dates, cause)


class DayMoney:
    """Counts; called by the simulation's thread in each step, once its flows are known."""

    def __init__(self, grid: ArmGrid) -> None:
        self._grid = grid
        points, towns = grid.world.points, len(grid.world.towns)
        self._columns = grid.ledger.accounts.columns
        self._import_kwh, self._export_kwh = np.zeros(points), np.zeros(points)
        self._infeed_kwh = np.zeros(towns)
        self._quarter_kwh, self._peaks_kw = np.zeros(towns), np.zeros(towns)
        self._monthly: dict[tuple[int, int], MonthlyDay] = {}  # by retailer and tariff
        self._counted_ns = 0
        self._rows_seen = 0
        self._posted = np.zeros((COLUMNS, COLUMNS))
        self.state = self._begun(0)

    def _begun(self, at_ns: int) -> MoneyState:
        nothing = np.zeros((COLUMNS, COLUMNS))
        return MoneyState(at_ns, nothing, nothing, np.zeros((len(BILL_PARTS), self._grid.world.points)), self._posted)

    def count(self, step: Step, is_wanted: bool) -> None:
        """Take in a step; what rests on all meters is counted where it is wanted, and at each quarter hour's end."""
        infeed_kwh = self._grid.terminals.infeed_p_kw * (step.dt_s / 3600.0)
        self._infeed_kwh += infeed_kwh
        self._quarter_kwh += infeed_kwh
        if is_wanted or step.ends_quarter:
            self._add(step)

    def _add(self, step: Step) -> None:
        grid, meters = self._grid, self._grid.customers.meters
        if step.day_start_ns > self.state.since_ns:
            begins_whole = self._counted_ns >= step.day_start_ns
            self.state = self._begun(step.day_start_ns if begins_whole or not self._counted_ns else self._counted_ns)
            self._peaks_kw[:] = 0.0
        import_kwh, export_kwh = meters.counted_import_kwh, meters.counted_export_kwh
        used, fed_in = import_kwh - self._import_kwh, export_kwh - self._export_kwh
        self._import_kwh, self._export_kwh = import_kwh, export_kwh
        begin_ns = self._counted_ns or step.start_ns
        self._counted_ns = step.end_ns
        sums, parts = _Sums(self._columns), self.state.bill_parts.copy()
        share = (step.end_ns - begin_ns) / NS_PER_S / S_PER_DAY
        dates = Dates(step.end_ns, step.day_start_ns)
        for number, one in enumerate(grid.bills.retailers):
            bills = self._bills(number, one, used[one.points], fed_in[one.points], begin_ns, share, step)
            postings.pay_bills(sums, one.account, one.points, bills, dates)
            postings.pass_fees_on(sums, one.account, bills, dates)
            parts[:, one.points] += parts_of(bills)
        self._add_market(sums, used - fed_in, begin_ns, share, dates)
        per_s = sums.eur / max((step.end_ns - begin_ns) / NS_PER_S, 1e-9)
        if step.ends_quarter:
            self._add_peak(sums, dates)
        self._infeed_kwh = np.zeros_like(self._infeed_kwh)
        self.state = MoneyState(self.state.since_ns, self.state.owed + sums.eur, per_s, parts, self._posted_by_now())

    def _bills(
        self, number: int, billing: Billing, used: Floats, fed_in: Floats, begin_ns: int, share: float, step: Step
    ) -> Bills:
        """The unrounded bills of a span within a quarter hour, the step's end its own; under a monthly rate, of the hour that it ends."""
        terms, grid = billing.terms, self._grid
        price = np.array([grid.markets.price_of_retailer(number, begin_ns // NS_PER_HOUR) / 1000.0])
        quarter_ns = begin_ns // NS_PER_QUARTER * NS_PER_QUARTER
        slots = Slots(price, Calendar.of(quarter_ns, 1, S_PER_QUARTER, billing.days.zone))
        energy_eur = terms.offers.energy_eur(terms.tariff_of, used[np.newaxis], slots, terms.supply)
        bills = billing_rules.bills(
            used[np.newaxis],
            fed_in[np.newaxis],
            price,
            energy_eur,
            terms.is_customer,
            terms.years * share,
            terms.supply,
            terms.fees,
        )
        for tariff, one in billing.monthly.items():
            day = self._monthly.setdefault((number, tariff), MonthlyDay(one))
            more = day.count(step.day_start_ns, begin_ns, step.end_ns, used[one.columns], fed_in[one.columns])
            bills = under_rate.put(bills, one.columns, more)
        return bills

    def _add_market(self, sums: _Sums, net_kwh: Floats, begin_ns: int, share: float, dates: Dates) -> None:
        """Energy bought day ahead, imbalance and losses, and the use of the transmission system."""
        grid, hour = self._grid, begin_ns // NS_PER_HOUR
        retailers = grid.bills.retailers
        fees = retailers[0].terms.fees
        bought = grid.markets.position_mwh.get(hour, np.zeros(len(retailers)))
        settled_mwh = np.array([float(net_kwh[one.points].sum()) / 1000.0 for one in retailers])
        wholesale = settlement.wholesale(
            np.array([grid.markets.price(hour)]),
            bought[np.newaxis] * (share * S_PER_DAY / 3600.0),
            settled_mwh[np.newaxis],
            np.array([float(self._infeed_kwh.sum()) / 1000.0]),
            fees,
        )
        postings.pay_wholesale(sums, np.array([one.account for one in retailers]), wholesale, dates)
        use_eur = settlement.use_of_system_eur(self._infeed_kwh[np.newaxis] / 1000.0, fees)
        postings.pay_transmission(sums, use_eur, 0.0, dates)

    def _add_peak(self, sums: _Sums, dates: Dates) -> None:
        """What a new highest quarter hour adds to the charge for power."""
        terms = self._grid.bills.retailers[0].terms
        peaks_kw = np.maximum(self._peaks_kw, settlement.metered_peak_kw(self._quarter_kwh[np.newaxis] / 1000.0))
        before_eur, now_eur = (
            settlement.peak_demand_eur(one, terms.years, terms.fees) for one in (self._peaks_kw, peaks_kw)
        )
        postings.pay_transmission(sums, 0.0, now_eur - before_eur, dates)
        self._peaks_kw, self._quarter_kwh = peaks_kw, np.zeros_like(peaks_kw)

    def _posted_by_now(self) -> Floats:
        """What the ledger holds."""
        ledger = self._grid.ledger
        if len(ledger) > self._rows_seen:
            rows, new = ledger.rows(), slice(self._rows_seen, len(ledger))
            posted = self._posted.copy()
            payer, payee = self._columns[rows["payer"][new]], self._columns[rows["payee"][new]]
            np.add.at(posted, (payer, payee), rows["amount_millicent"][new] / MILLICENT_PER_EUR)
            self._posted, self._rows_seen = posted, len(ledger)
        return self._posted
