"""Figures over seeds, curves, and the cheapest technology."""

from __future__ import annotations

from typing import Any

import pytest

from heptagrid.report import sweep_requirements
from heptagrid.report.curves import Curve, curve_chart
from heptagrid.scale.figures import MEANINGS, over_seeds
from heptagrid.scale.technologies import cheapest


def point(name: str, net_eur: float, telecom_eur: float, missed: float = 0.0) -> dict[str, Any]:
    figures: dict[str, Any] = {"npv_eur": None, "missed_pct": {"mean": 1.0}, "requirements_missed": {"max": missed}}
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


def test_against_silence_a_technology_is_chosen_though_the_smart_grid_does_not_pay() -> None:
    # Before telecom cost: -127, -127 and -172; without messages -171 each. Messages are worth 44, 44 and less than nothing.
    points = [point("wi-sun", -206.0, 79.0), point("nb-iot", -596.0, 469.0), point("lora", -224.0, 52.0)]
    silent = [point("wi-sun", -250.0, 79.0), point("nb-iot", -640.0, 469.0), point("lora", -223.0, 52.0)]
    found = cheapest("messages.access.technology", points, silent)
    assert [row["silent_eur"] for row in found["rows"]] == [-171.0, -171.0, -171.0]
    assert [row["worth_eur"] for row in found["rows"]] == [44.0, 44.0, -1.0]
    assert [row["keeps"] for row in found["rows"]] == [True, True, False]
    assert found["chosen"] == "wi-sun"
    assert found["against_silence"]


def test_the_cheapest_that_meets_every_requirement_is_named_whatever_the_benefit() -> None:
    points = [point("lte-m", -600.0, 400.0), point("wi-sun", -300.0, 100.0), point("lora", -200.0, 10.0, missed=2.0)]
    assert cheapest("messages.access.technology", points)["chosen_meeting"] == "wi-sun"
    assert cheapest("messages.access.technology", points[2:])["chosen_meeting"] is None


def swept(values: list[Any], missed: list[list[float | None]]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What a sweep of one key holds of applications; `missed` is of meter readings and prices at each value."""
    parts = ["meter_reading", "price"]
    points = [
        {
            "at": {"a.key": value},
            "figures": {
                f"requirements_missed.{name}": None if one is None else {"mean": one, "min": one, "max": one}
                for name, one in zip(parts, each, strict=True)
            },
        }
        for value, each in zip(values, missed, strict=True)
    ]
    varied = [{"key": "a.key", "is_number": not isinstance(values[0], str)}]
    return {"varied": varied, "figures": {"requirements_missed": {"parts": parts}}, "points": points}, points


def test_a_sweep_says_from_where_on_which_application_misses_its_requirement() -> None:
    values, missed = [0.0, 0.25, 0.5, 0.75, 1.0], [[0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
    said = sweep_requirements.sentence(*swept(values, list(missed)))
    assert "at a.key=0 to 0.5 none missed it" in said
    assert "at a.key=0.75 these kinds of messages missed it: price;" in said
    assert said.endswith("at a.key=1 these kinds of messages missed it: meter reading, price.")
    assert sweep_requirements.sentence(*swept([0.0, 1.0], [[0.0, 0.0], [0.0, None]])) == (
        "No application misses its published requirement at any of these points."
    )


def test_choices_are_set_against_the_applications() -> None:
    content, points = swept(["lte-m", "lora"], [[0.0, None], [1.0, None]])
    found = dict(sweep_requirements.by_choice(content, points))
    assert [[words for _, words in verdicts if words] for verdicts in found.values()] == [["not missed", "missed"]]
    assert "price" not in found, "nothing was sent"


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
