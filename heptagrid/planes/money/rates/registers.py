"""Registers as meters have them: they count up, begin again at 0 when their digits are used up, and end with their meter.

A reading says how far a register has come. What was used between two readings is their difference; where a register shows less than before it has
rolled over, if its digits are known and what that makes of it is possible. The energy between two readings is spread evenly over it. An estimated
reading stands until a measured one follows: then only the measured ones count.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from heptagrid.foundation.calendar import Bools, Floats, Ints
from heptagrid.foundation.errors import UsageError
from heptagrid.foundation.time import NS_PER_S

MOST_KW = 1000.0
"""What a register without another limit may count on average after a rollover: assumption, a large customer's connection."""


@dataclass(frozen=True)
class Register:
    """Readings of one direction, (n,): their times in ns since 1970 UTC, what the register showed in kWh, the number of the meter that it is of.

    digits: before the point, None for a register that never rolls over. is_estimated : (n,), no meter showed it.
    """

    at_ns: Ints
    shown_kwh: Floats
    meter: Ints
    is_estimated: Bools
    digits: int | None = None
    most_kw: float = MOST_KW

    def advances(self) -> Floats:
        """(n - 1,) the kWh from each reading to the next.

        Raises
        ------
        UsageError
            For a register that went back without a rollover, or that rolled over to more than a connection can carry; the text begins with
            the number of the later reading.
        """
        change = np.diff(self.shown_kwh)
        same = np.diff(self.meter) == 0
        change = np.where(same, change, 0.0)
        hours = np.diff(self.at_ns) / (3600.0 * NS_PER_S)
        for k in np.flatnonzero(change < 0.0):
            if self.is_estimated[k] or self.is_estimated[k + 1]:
                continue
            text = (
                f"reading {k + 2}: the register went back from {self.shown_kwh[k]:g} to {self.shown_kwh[k + 1]:g} kWh"
            )
            if self.digits is None:
                raise UsageError(
                    f"{text}; say how many digits it has if it rolled over, or name the new meter in a column meter"
                )
            change[k] += 10.0**self.digits
            if not 0.0 <= change[k] <= self.most_kw * max(hours[k], 1.0):
                raise UsageError(
                    f"{text}, which with {self.digits} digits would be {change[k]:g} kWh in {hours[k]:g} h, above {self.most_kw:g} kW; "
                    "correct the reading, the digits or the meter's name"
                )
        return np.asarray(change)

    def known(self) -> Register:
        """The register without the estimates that a measured reading of the same meter follows."""
        keep = ~self.is_estimated
        for meter in np.unique(self.meter):
            rows = np.flatnonzero(self.meter == meter)
            measured = rows[~self.is_estimated[rows]]
            last = measured[-1] if len(measured) else -1
            keep[rows[rows > last]] = True
        return Register(
            self.at_ns[keep], self.shown_kwh[keep], self.meter[keep], self.is_estimated[keep], self.digits, self.most_kw
        )

    def by_slot(self, begin_ns: int, slots: int, slot_s: int) -> Floats:
        """(slots,) the energy of each slot, spread evenly between readings; a slot before the first or after the last reading has none."""
        come_kwh = np.concatenate([[0.0], np.cumsum(self.advances())])
        borders_ns = begin_ns + np.arange(slots + 1, dtype=np.int64) * slot_s * NS_PER_S
        # Times as seconds from the begin: a float64 holds them exactly.
        at_s, borders_s = (self.at_ns - begin_ns) / NS_PER_S, (borders_ns - begin_ns) / NS_PER_S
        return np.diff(np.interp(borders_s, at_s, come_kwh))
