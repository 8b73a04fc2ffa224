"""Figures over seeds, curves, and the cheapest technology."""

from __future__ import annotations

from typing import Any

import pytest

from heptagrid.report.curves import Curve, curve_chart
from heptagrid.scale.figures import MEANINGS, over_seeds
from heptagrid.scale.technologies import cheapest


def point(name: str, net_eur: float, telecom_eur: float) -> dict[str, Any]:
    figures: dict[str, Any] = {"npv_eur": None, "missed_pct": {"mean": 1.0}}
    figures |= {"total_benefit_eur": {"mean": net_eur}, "telecom_eur": {"mean": telecom_eur}}
    return {"at": {"messages.access.technology": name}, "figures": figures}


def test_the_cheapest_that_keeps_95_percent_is_chosen_before_telecom_cost() -> None:
    # Before telecom cost: 1000, 960 and 900; the second keeps 96 % of the best at less cost.
    points = [point("lte-m", 600.0, 400.0), point("wi-sun", 860.0, 100.0), point("lora", 890.0, 10.0)]
    found = cheapest("messages.access.technology", points)
    assert [row["keeps"] for row in found["rows"]] == [True, True, False]
    assert found["chosen"] == "wi-sun"
    assert found["over"] == "run"


def test_nothing_is_chosen_where_there_is_no_benefit() -> None:
    assert cheapest("messages.access.technology", [point("lte-m", -600.0, 400.0)])["chosen"] is None


def test_figures_over_seeds() -> None:
    found = over_seeds([{"peak_kw": 1.0, "npv_eur": None}, {"peak_kw": 3.0, "npv_eur": None}])
    assert found == {"peak_kw": {"mean": 2.0, "min": 1.0, "max": 3.0}, "npv_eur": None}


def test_every_figure_is_explained() -> None:
    for name, one in MEANINGS.items():
        assert one.title and one.definition.endswith("."), name


@pytest.mark.parametrize("x", [[0.0], [0.0, 1.0], [1.0, 1e6], [5.0, 1.0, 3.0]])
def test_a_curve_is_drawn_inside_its_picture(x: list[float]) -> None:
    y: list[float | None] = [float(k) for k in range(len(x))]
    drawn = curve_chart("Peak", "kW", "a key", x, [Curve("smart", "smart", y, y, y)], [True] * len(x))
    assert "nan" not in drawn
    assert drawn.count("<circle") == len(x)
    assert 'class="hatch"' in drawn


def test_an_unknown_figure_is_not_drawn() -> None:
    assert curve_chart("Value", "EUR", "a key", [0.0, 1.0], [Curve("smart", "smart", *([[None, None]] * 3))]) == ""
