"""Bills one meter's readings by a rate of OpenEI's database, month by month."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import numpy as np

from heptagrid.foundation.calendar import Calendar
from heptagrid.foundation.errors import UsageError
from heptagrid.planes.money.cents import CENT_PER_EUR
from heptagrid.planes.money.rates.bill import RateBill
from heptagrid.planes.money.rates.bill import bill as billed
from heptagrid.planes.money.rates.demand import Demand
from heptagrid.planes.money.rates.export import DECEMBER
from heptagrid.planes.money.rates.net_metering import NetMetering
from heptagrid.planes.money.rates.rate import Rate
from heptagrid.planes.money.rates.taxes import Tax
from heptagrid.planes.money.rates.urdb import read_urdb
from heptagrid.planes.money.rates.use import Use
from heptagrid.studies.bill.readings_file import Readings, read_readings


@dataclass(frozen=True)
class Billed:
    """The bills of one meter; `remarks` say what the files hold that has no effect, and what was assumed."""

    tariff: str
    meter: str
    bill: RateBill
    use: Use
    remarks: tuple[str, ...]

    @property
    def total(self) -> float:
        """All bills together, in the rate's currency, taxes included."""
        return float(self.bill.in_cents.total.sum()) / CENT_PER_EUR

    def summary(self) -> dict[str, Any]:
        """Each month's lines, taxes and total, and all together, in the rate's currency."""
        calendar = self.bill.calendar
        return {
            "tariff": self.bill.rate.name,
            "currency": self.bill.rate.currency,
            "zone": calendar.zone.key,
            "slot_s": calendar.slot_s,
            "slots": calendar.slots,
            "months": [self._month(m) for m in range(len(calendar.months))],
            "import_kwh": float(self.use.import_kwh.sum()),
            "export_kwh": float(self.use.export_kwh.sum()),
            "total": self.total,
            "remarks": list(self.remarks),
        }

    def _month(self, m: int) -> dict[str, Any]:
        bill, calendar = self.bill, self.bill.calendar
        cents, of_month = bill.in_cents, calendar.month == m
        lines = []
        for k, one in enumerate(bill.lines):
            quantity = None if one.quantity is None else float(one.quantity[m, 0])
            if quantity or cents.lines[k, m, 0]:
                lines.append(
                    {
                        "rule": one.rule,
                        "line": one.name,
                        "quantity": quantity,
                        "unit": one.unit,
                        "price": one.price,
                        "amount": cents.lines[k, m, 0] / CENT_PER_EUR,
                    }
                )
        year, month = calendar.months[m]
        return {
            "month": f"{year}-{month:02}",
            "days": float(calendar.days[m]),
            "import_kwh": float(self.use.import_kwh[of_month].sum()),
            "export_kwh": float(self.use.export_kwh[of_month].sum()),
            "lines": lines,
            "rounding": cents.rounding[m, 0] / CENT_PER_EUR,
            "net": cents.net[m, 0] / CENT_PER_EUR,
            "taxes": [
                {"tax": one.name, "share": one.share, "amount": cents.taxes[k, m, 0] / CENT_PER_EUR}
                for k, one in enumerate(bill.rate.taxes)
            ],
            "total": cents.total[m, 0] / CENT_PER_EUR,
        }


def bill(
    tariff: str | Path,
    meter: str | Path,
    *,
    zone: str = "UTC",
    tax: float = 0.0,
    digits: int | None = None,
    carry: Literal["kwh", "money"] = "kwh",
    true_up_month: int = DECEMBER,
    true_up_price: float = 0.0,
) -> Billed:
    """Bill the readings in `meter` by the rate in `tariff`; local months and hours are those of `zone`.

    tax: a share, on all lines. digits: of the meter's registers. carry, true_up_month, true_up_price: of net metering.

    Raises
    ------
    FileError
        If one of the files breaks a rule.
    UsageError
        For a time zone that there is not, or readings that are too coarse for the rate.
    """
    try:
        local = ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise UsageError(f"{zone!r} is no time zone; write one such as America/Denver") from None
    read, readings = read_urdb(tariff), read_readings(meter, local, digits)
    rate = read.rate
    if isinstance(rate.export, NetMetering):
        terms = replace(rate.export, carry=carry, true_up_month=true_up_month, true_up_price=true_up_price)
        rate = replace(rate, export=terms)
    if tax:
        rate = replace(rate, taxes=(Tax("tax", tax),))
    calendar = Calendar.of(readings.begin_ns, len(readings.import_kwh), readings.slot_s, local)
    use = Use(calendar, readings.import_kwh[:, np.newaxis], readings.export_kwh[:, np.newaxis])
    remarks = (*read.remarks, *_remarks(rate, readings, use))
    return Billed(str(tariff), str(meter), billed(rate, use), use, remarks)


def _remarks(rate: Rate, readings: Readings, use: Use) -> list[str]:
    """What is assumed of readings, or said of the rate."""
    found = []
    if readings.spread_s > use.calendar.slot_s:
        if any(isinstance(one, Demand) for one in rate.elements):
            raise UsageError(
                "the rate charges the highest power, which registers read so seldom do not tell; give energies by interval"
            )
        if len(rate.energy.periods) > 1:
            found.append("the energy between two readings of the register is spread evenly over the rate's periods")
    estimated = float(readings.import_kwh[readings.is_estimated].sum())
    if estimated:
        found.append(f"{estimated:,.3f} kWh are estimated; a measured reading settles them")
    if readings.replaced:
        found.append(f"{readings.replaced} estimated readings are replaced by the measured ones that follow them")
    if type(rate.export).__name__ == "NoExport" and use.export_kwh.any():
        found.append("the rate has no rule for what is fed in (dgrules): it earns nothing")
    return found
