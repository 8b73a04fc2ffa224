"""What must hold between the settings of local markets and the coupling step."""

from __future__ import annotations

from typing import Any

from heptagrid.scenario.checks import Checks


def check_local_market(checks: Checks, parameters: Any, step_s: int) -> None:
    """Add what does not fit to the violations of `checks`."""
    period_s = parameters.period_s
    if not parameters.enabled:
        return
    if 3600 % period_s:
        checks.violations.append(
            f"local_market.period_s = {period_s}: intervals must divide an hour; write one such as 300 or 900"
        )
    elif period_s % step_s:
        checks.violations.append(
            f"local_market.period_s = {period_s}: an interval must be whole coupling steps, and run.step_s is {step_s}; "
            f"write run.step_s = {min(60, period_s)}, or a longer interval"
        )
