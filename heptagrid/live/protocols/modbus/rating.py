"""What a device's inverter is made for."""

from __future__ import annotations

from typing import NamedTuple


class Rating(NamedTuple):
    """kw: the most that it draws or gives. kva, inject_kvar, absorb_kvar: of its inverter, 0 of a device without one."""

    kw: float
    kva: float = 0.0
    inject_kvar: float = 0.0
    absorb_kvar: float = 0.0

    @property
    def watts(self) -> range:
        """Powers that are given, in W."""
        return range(round(self.kw * 1000.0) + 1)

    @property
    def watts_both_ways(self) -> range:
        """Powers that are given, or below 0 drawn, in W."""
        rated_w = round(self.kw * 1000.0)
        return range(-rated_w, rated_w + 1)

    @property
    def vars_both_ways(self) -> range:
        """Vars that are injected, or below 0 absorbed."""
        return range(-round(self.absorb_kvar * 1000.0), round(self.inject_kvar * 1000.0) + 1)
