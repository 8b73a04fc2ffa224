"""What distribution pays: transmission for energy and power, operations for smart meters, outside for its own devices."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.payments import PaidDays, Payments
from heptagrid.foundation.time import Step
from heptagrid.planes.money import postings, settlement
from heptagrid.planes.money.tariffs import network_fees
from heptagrid.planes.money.upkeep import PAY_HOUR, DailyUpkeep

Floats = npt.NDArray[np.float64]


class Charges:
    """Meters the infeeds, and pays for each day an hour after its end.

    peaks_kw: by the first instant of each day, the power that was charged for at each infeed, (towns,).
    """

    def __init__(
        self,
        fees: network_fees.Parameters,
        days: PaidDays,
        years: float,
        smart_meters: int,
        payments: Payments,
        upkeep: DailyUpkeep,
    ) -> None:
        """Set up; `years` is what a day is of a year, `smart_meters` how many distribution pays its part for."""
        self.peaks_kw: dict[int, Floats] = {}
        self._fees, self._days, self._years, self._smart_meters = fees, days, years, smart_meters
        self._payments, self._upkeep = payments, upkeep
        self._infeed_mwh: dict[int, Floats] = {}  # by quarter hour, (towns,)
        self._whole_day = np.zeros((0, 0))  # (quarters, towns)

    def meter(self, step: Step, infeed_kw: Floats) -> None:
        """Count the step's energy at the infeeds, (towns,)."""
        quarter = step.quarter
        self._infeed_mwh[quarter] = self._infeed_mwh.get(quarter, 0.0) + infeed_kw * (step.dt_s / 3600.0) / 1000.0
        if step.ends_day:
            self._whole_day = np.array([self._infeed_mwh[one] for one in sorted(self._infeed_mwh)])
            self._infeed_mwh = {}

    def work(self, step: Step) -> None:
        """Pay when it is time."""
        dates, fees = self._days.yesterday(step), self._fees
        if dates is None or not step.passes_hour(PAY_HOUR):
            return
        peaks_kw = settlement.metered_peak_kw(self._whole_day)
        self.peaks_kw[dates.of_ns] = peaks_kw
        use_of_system_eur = settlement.use_of_system_eur(self._whole_day, fees)
        peak_demand_eur = settlement.peak_demand_eur(peaks_kw, self._years, fees)
        postings.pay_transmission(self._payments, use_of_system_eur, peak_demand_eur, dates)
        if self._smart_meters:
            smart_metering_eur = settlement.smart_metering_eur(self._smart_meters, self._years, fees)
            postings.pay_smart_metering(self._payments, smart_metering_eur, dates)
        self._upkeep.pay(step)
