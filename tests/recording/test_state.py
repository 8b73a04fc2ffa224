"""What the state receives more in a year, as a run's summary tells it."""

from datetime import date
from types import SimpleNamespace
from typing import Any, cast

import pytest

from heptagrid.recording.joined import Joined
from heptagrid.recording.summary import _state
from heptagrid.scenario.schema import Scenario

WINTER, SUMMER = date(2016, 1, 27), date(2016, 7, 4)


def arm(winter_eur: float, summer_eur: float) -> Joined:
    """An arm of two spans of a day each; the ledger counts thousandths of a cent."""
    spans = [
        SimpleNamespace(days=[SimpleNamespace(day=day)], money=SimpleNamespace(state=round(100_000 * eur)))
        for day, eur in ((WINTER, winter_eur), (SUMMER, summer_eur))
    ]
    return cast(Joined, SimpleNamespace(results=spans))


@pytest.mark.parametrize(("typical", "eur"), [(True, 1.0 * -10.0 + 365.0 * 2.0), (False, -10.0 + 2.0)])
def test_each_typical_day_counts_as_often_as_it_stands_for(typical: bool, eur: float) -> None:
    scenario: Any = SimpleNamespace(typical_days=((WINTER, 1.0), (SUMMER, 365.0)))
    arms = {"smart": arm(90.0, 52.0), "conventional": arm(100.0, 50.0)}
    assert _state(cast(Scenario, scenario), typical, arms) == pytest.approx(eur)
