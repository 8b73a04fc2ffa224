"""What heat pumps and air conditioners give and draw by outdoor temperature, and what ice on the outdoor coil takes.

Capacity and performance are the curves of GridLAB-D's house (residential/house_e.cpp, heating_cap_curve, heating_cop_curve, cooling_cap_curve and cooling_cop_curve
DEFAULT), in its degrees Fahrenheit: those of single-speed air-source units, relative to the rating at 47 F (8.3 C) and 95 F (35 C). Defrosting is that of EnergyPlus 22.2
(Engineering Reference, 15.2.11.5 and 15.2.11.6, reverse cycle, timed), after EPRI EM-4226 and DOE-2.1E.
"""

from __future__ import annotations

import math
from typing import NamedTuple

_HOTTEST_F = 80.0  # beyond which the performance in heating rises no more
_COLDEST_F = 40.0  # below which the performance in cooling rises no more
_NO_ICE_C = 5.0


class Rating(NamedTuple):
    """A unit at an outdoor temperature: heat to the house relative to its rated capacity, below 0 for cooling, and what it draws relative to that capacity."""

    heat: float
    draw: float


def fahrenheit(celsius: float) -> float:
    return 32.0 + 1.8 * celsius


def heat_pump(outside_c: float, performance: float, humidity: float = 0.0, defrost_share: float = 0.0) -> Rating:
    """A heat pump of that rated performance, which thaws its coil for a share of the time where it is 5 C or colder."""
    at_f = fahrenheit(outside_c)
    heat = 0.34148808 + at_f * (0.00894102 + 0.00010787 * at_f)
    warm_f = min(at_f, _HOTTEST_F)
    less = 2.03914613 - warm_f * (0.03906753 - warm_f * (0.00045617 - 0.00000203 * warm_f))
    draw = heat * less / performance
    if defrost_share == 0.0 or outside_c >= _NO_ICE_C:
        return Rating(heat, draw)

    frost = max(humidity * _saturated(outside_c) - _saturated(0.82 * outside_c - 8.589), 1e-6)
    works, thaws = 1.0 - defrost_share, defrost_share / 1.01667
    taken = thaws * 0.01 * (7.222 - outside_c)  # from the house
    return Rating(
        works * heat * (0.909 - 107.33 * frost) - taken, works * draw * (0.9 - 36.45 * frost) + thaws * 0.1528
    )


def air_conditioner(outside_c: float, performance: float, humidity: float, latent_share: float) -> Rating:
    """An air conditioner; part of its capacity condenses water: 0.1 of what is left, and of `latent_share` the more the more humid it is outside."""
    at_f = fahrenheit(outside_c)
    capacity = 1.48924533 - 0.00514995 * at_f
    less = -0.01363961 + 0.01066989 * max(at_f, _COLDEST_F)
    sensible = 1.0 + 0.1 + latent_share / (1.0 + math.exp(4.0 - 10.0 * humidity))
    return Rating(-capacity / sensible, capacity * less / performance)


def _saturated(celsius: float) -> float:
    """Humidity ratio of saturated air at sea level, by the Magnus formula over water or ice (Alduchov and Eskridge 1996)."""
    base_pa, slope, offset_c = (610.94, 17.625, 243.04) if celsius >= 0.0 else (611.21, 22.587, 273.86)
    vapour_pa = base_pa * math.exp(slope * celsius / (offset_c + celsius))
    return 0.62198 * vapour_pa / (101325.0 - vapour_pa)
