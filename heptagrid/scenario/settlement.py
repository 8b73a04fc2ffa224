"""What must hold between the settlement runs of a day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from heptagrid.scenario.checks import Checks


def check_settlement(checks: Checks, sections: Mapping[str, Any]) -> None:
    """Add what does not fit to the violations of `checks`."""
    ages = sections["settlement"]
    if ages.final_days <= ages.second_days:
        checks.violations.append(
            f"settlement.final_days = {ages.final_days}: the final run comes after the second one, at settlement.second_days = {ages.second_days}; "
            f"write {ages.second_days + 1} or more"
        )
