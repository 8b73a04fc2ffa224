"""What `--vary` understands, and what it refuses before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

import heptagrid
from heptagrid.foundation.errors import ScenarioError, UsageError
from heptagrid.scale.variants import variant_of
from heptagrid.scale.variations import declaration_of, points_of, read_variations, silenced, unresolved
from heptagrid.scenario.load import load


def values(text: str) -> tuple[object, ...]:
    (one,) = read_variations([text])
    return one.values


def test_a_range_is_decimal_and_holds_its_last_value_if_it_falls_on_it() -> None:
    assert values("messages.access.loss=0:1:0.1") == (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
    assert values("messages.access.loss=0:1:0.3") == (0.0, 0.3, 0.6, 0.9)
    assert values("messages.access.loss=1:0:-0.5") == (1.0, 0.5, 0.0)
    assert values("vehicles.share=0.2:0.2:0.1") == (0.2,)


def test_whole_numbers_stay_whole() -> None:
    found = values("messages.access.retries=0:6:3")
    assert found == (0, 3, 6)
    assert all(type(value) is int for value in found)


def test_values_are_typed_as_toml_and_words_need_no_quotes() -> None:
    assert values("vehicles.share=0.1,0.4") == (0.1, 0.4)
    assert values("messages.access.technology=nb-iot,lte-m") == ("nb-iot", "lte-m")
    assert values('run.zone="Europe/Berlin",UTC') == ("Europe/Berlin", "UTC")
    assert values("some.key=true,false") == (True, False)
    assert values("some.key=[1, 2],[3]") == ([1, 2], [3])


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ([], "nothing is varied"),
        (["loss=0:1:0.1"], "write section.key=values"),
        (["messages.access.loss"], "write section.key=values"),
        (["messages.access.loss="], "no value is given"),
        (["messages.access.loss=,"], "no value is given"),
        (["messages.access.loss=0:1:0"], "the step is zero"),
        (["messages.access.loss=0:1:-0.1"], "never leads from 0 to 1; turn its sign"),
        (["messages.access.loss=0:1:much"], "must be three numbers"),
        (["messages.access.loss=0:inf:1"], "must be finite"),
        (["vehicles.share=0:1"], "a range needs a step; write vehicles.share=first:last:step, such as 0:1:0.1"),
        (["messages.access.loss=0:1:0.00001"], "take a larger step"),
        (["messages.access.loss=0.1,0.1"], "0.1 stands there twice"),
        (["messages.access.loss=0,1", "messages.access.loss=0.5"], "varied twice"),
        (["a.b=0:999:1", "c.d=0:999:1"], "at most 10000 are swept"),
    ],
)
def test_what_cannot_be_understood_is_named(texts: list[str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read_variations(texts)


def test_several_keys_make_all_combinations() -> None:
    points = points_of(load("town"), read_variations(["vehicles.share=0.1,0.4", "break.access=0,1"]))
    assert [point.label for point in points] == [
        *("vehicles.share=0.1, break.access=0", "vehicles.share=0.1, break.access=1"),
        *("vehicles.share=0.4, break.access=0", "vehicles.share=0.4, break.access=1"),
    ]
    assert points[3].scenario.sections["vehicles"].share == 0.4
    assert points[3].broken == {"access": 1}


def test_all_that_is_wrong_is_listed_with_its_point_before_anything_runs(tmp_path: Path) -> None:
    vary = ["messages.access.loss=0:1.5:0.75", "vehicles.shar=0.1,0.2", "break.acces=0", "break.wan=2"]
    with pytest.raises(ScenarioError) as caught:
        heptagrid.sweep("town", vary, out=tmp_path / "sweep")
    text = "\n".join(caught.value.violations)
    assert len(caught.value.violations) == 4
    assert "messages.access.loss = 1.5: must lie from 0 to 1" in text
    assert "[at messages.access.loss=1.5, vehicles.shar=0.1" in text
    assert "did you mean vehicles.share?" in text
    assert "break.acces: there is no such link class; the classes are access, backhaul, wan" in text
    assert "break.wan = 2: a loss is a probability" in text
    assert not (tmp_path / "sweep").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"vary": ["run.seed=1,2"]}, "write --seeds N"),
        ({"vary": ["vehicles.share=0.1,0.2"], "settings": ["vehicles.share=0.3"]}, "--set sets it too"),
        ({"vary": ["run.step_s=60,300"], "step_s": 900}, "sets it too"),
        ({"vary": ["run.days=1,2"], "typical": True}, "it takes no run.days"),
        ({"vary": ["break.access=0,1"], "seeds": 0}, "at least one is needed"),
        ({"vary": ["break.access=0,1"], "workers": 0}, "at least one is needed"),
        ({"vary": {"break.access": []}}, "no value is given"),
    ],
)
def test_clashing_options_are_refused(options: dict[str, object], words: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=words):
        heptagrid.sweep("town", out=tmp_path / "sweep", **options)  # type: ignore[arg-type]


def test_a_latency_below_ten_steps_is_not_resolved() -> None:
    coarse = points_of(load("town", ["run.step_s=60"]), read_variations(["messages.access.delay_s=0,60"]))
    fine = points_of(load("town", ["run.step_s=5"]), read_variations(["messages.access.delay_s=0,49,50"]))
    assert [unresolved(point) for point in coarse] == [[], ["messages.access.delay_s"]]
    assert [bool(unresolved(point)) for point in fine] == [False, True, False]


def test_a_technology_is_held_against_the_same_grid_without_messages() -> None:
    key = "messages.access.technology"
    (point,) = points_of(load("town"), read_variations([f"{key}=lte-m", "break.wan=0.5"]))
    dead = silenced(point, key)
    assert dead is not None
    assert dead.broken == {"wan": 0.5, "access": 1.0, "backhaul": 1.0}
    assert dead.scenario == point.scenario
    assert silenced(point, "messages.access.loss") is silenced(point, "run.zone") is None


def test_keys_of_towns_and_companies_can_be_varied() -> None:
    scenario = load("two-towns")
    technology, share = "towns.west.messages.access.technology", "retailers.greenpower.share"
    points = points_of(scenario, read_variations([f"{technology}=nb-iot,lte", f"{share}=0.4:0.8:0.4"]))
    assert [one.scenario.towns[1].sections["messages.access"].technology for one in points] == ["nb-iot"] * 2 + [
        "lte"
    ] * 2
    assert [one.scenario.retailers[1].entry.share for one in points] == [0.4, 0.8, 0.4, 0.8]
    for key in (technology, share, "towns.west.bus", "aggregators.flexo.aggregator.valid_s"):
        known = declaration_of(key, scenario)
        assert known is not None, key
        assert known.info
    for key in ("towns.west.vehicles.share", "retailers.greenpower.aggregator.valid_s", "towns.west.colour"):
        assert declaration_of(key, scenario) is None, key


def test_points_that_differ_in_a_town_or_a_company_alone_are_other_runs(tmp_path: Path) -> None:
    scenario = load("two-towns")
    for vary in ("towns.west.messages.access.technology=nb-iot,lte", "retailers.greenpower.share=0.4,0.8"):
        names = {
            variant_of(point, scenario.seed, "smart", False, "data", tmp_path, False).name
            for point in points_of(scenario, read_variations([vary]))
        }
        assert len(names) == 2, vary
