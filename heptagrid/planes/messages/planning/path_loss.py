"""Path loss of a plan: the technology's own budget, or Hata's formula as a budget, whose loss grows with the logarithm of the distance too."""

from __future__ import annotations

import math
from dataclasses import replace

from heptagrid.foundation.errors import UsageError
from heptagrid.planes.messages.planning.section import OWN, Parameters
from heptagrid.planes.messages.technology import LinkBudget, Technology

MESH_DB, MAST_DB, LINE_DB = 7.8, 6.0, 6.0
"""Standard deviations of shadowing; sources in the section `plan`."""
METER_M = 1.5
"""Height of a meter, for Hata's formula, which holds from 1 to 10 m."""


def is_line(facts: Technology) -> bool:
    """Whether its signals go along the power line."""
    return facts.budget is not None and facts.budget.exponent == 0.0


def has_mast(facts: Technology) -> bool:
    """Whether its sites are base stations or gateways."""
    return facts.medium is not None and facts.medium.has_base


def shadowing_db(facts: Technology, given: Parameters) -> float:
    """Standard deviation of the shadowing."""
    if given.shadowing_db != OWN:
        return given.shadowing_db
    return LINE_DB if is_line(facts) else MAST_DB if has_mast(facts) else MESH_DB


def budget_of(facts: Technology, given: Parameters) -> LinkBudget:
    """The link budget that a plan takes.

    Raises
    ------
    UsageError
        For Hata's formula where no mast stands above the roofs.
    """
    assert facts.budget is not None
    budget = facts.budget
    if given.path_loss == "hata":
        if not has_mast(facts):
            raise UsageError(
                f"plan.path_loss = hata: the formula is of antennas above the roofs, and {facts.name} has none; take technology"
            )
        loss_1m_db, exponent = hata(given.frequency_mhz, given.antenna_m, METER_M, given.clutter)
        budget = replace(budget, loss_1m_db=loss_1m_db, exponent=exponent)
    return replace(budget, loss_1m_db=budget.loss_1m_db + given.penetration_db)


def hata(frequency_mhz: float, antenna_m: float, meter_m: float, clutter: str) -> tuple[float, float]:
    """Loss at 1 m in dB and exponent of Hata's formula; above 1500 MHz COST 231's. It holds from 1 to 20 km.

    Source: Hata (1980), as in Rappaport, Wireless Communications, section 4.10.3; a small or medium-sized city.
    """
    log_f, log_h = math.log10(frequency_mhz), math.log10(antenna_m)
    of_meter = (1.1 * log_f - 0.7) * meter_m - (1.56 * log_f - 0.8)
    slope = 44.9 - 6.55 * log_h
    first = 69.55 + 26.16 * log_f if frequency_mhz <= 1500.0 else 46.3 + 33.9 * log_f
    at_1km = first - 13.82 * log_h - of_meter
    if clutter == "suburban":
        at_1km -= 2.0 * math.log10(frequency_mhz / 28.0) ** 2 + 5.4
    elif clutter == "open":
        at_1km -= 4.78 * log_f**2 - 18.33 * log_f + 40.94
    return at_1km - 3.0 * slope, slope / 10.0
