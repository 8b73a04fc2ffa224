"""What must hold between the settings of frequency, load shedding and events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from heptagrid.scenario.checks import Checks
from heptagrid.scenario.events import Event

DISTURBANCES = ("unit_trip", "blackout")


def check_frequency(checks: Checks, sections: Mapping[str, Any], events: Sequence[Event]) -> None:
    """Add what does not fit to the violations of `checks`."""
    shedding, frequency = sections["load_shedding"], sections["frequency"]
    stages, shares = len(shedding.below_hz), len(shedding.share)
    if stages != shares:
        checks.violations.append(
            f"load_shedding.share has {shares} entries and load_shedding.below_hz {stages}: give each stage one of both"
        )
    if sum(shedding.share) > 1.0:
        checks.violations.append(
            f"load_shedding.share sums to {sum(shedding.share):g}: the stages cannot shed more than all load, 1"
        )
    disturbed = any(event.kind in DISTURBANCES for event in events)
    if frequency.enabled and frequency.follow == "disturbances" and not disturbed:
        checks.violations.append(
            "frequency.enabled = true: there is no disturbance to follow; add one, such as [[events]] with "
            'kind = "unit_trip", or set frequency.follow = "always"'
        )
