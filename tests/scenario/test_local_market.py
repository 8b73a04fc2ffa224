"""What a scenario may say of local markets."""

from __future__ import annotations

import pytest

import heptagrid
from heptagrid.foundation.errors import ScenarioError


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["local_market.period_s=700"], "local_market.period_s = 700: intervals must divide an hour"),
        (
            ["run.step_s=900"],
            "local_market.period_s = 300: an interval must be whole coupling steps, and run.step_s is 900",
        ),
        (["local_market.period_s=60", "run.step_s=45"], "write run.step_s = 60"),
        (["local_market.price_cap_eur_per_kwh=0"], "local_market.price_cap_eur_per_kwh = 0"),
        (["local_market.heat_pumps.ramp=0"], "local_market.heat_pumps.ramp = 0"),
        (["local_market.ramp=1"], "did you mean local_market.heat_pumps.ramp"),
    ],
)
def test_what_cannot_be_is_refused(settings: list[str], said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        heptagrid.load("town", ["local_market.enabled=true", *settings])


def test_nothing_is_asked_of_a_scenario_without_one() -> None:
    heptagrid.load("town", ["run.step_s=900"])
