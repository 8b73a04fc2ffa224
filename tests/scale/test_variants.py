"""Arms are run once for all points that differ in nothing that they read."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from heptagrid.foundation.parameters import declarations
from heptagrid.scale.variants import LAYING_OUT, UNBROKEN, UNTOUCHED_BY, read_record, run_variant, variant_of
from heptagrid.scale.variations import Point, points_of, read_variations
from heptagrid.scenario.load import load
from heptagrid.scenario.schema import Scenario

pytestmark = pytest.mark.long


def never(_: int) -> bool:
    return False


def changed(scenario: Scenario, names: set[str]) -> Scenario:
    """Every number of some sections moved within its range, every choice made otherwise."""
    sections = dict(scenario.sections)
    for name in names:
        moved = {}
        for key, _, _, declared in declarations(type(sections[name])):
            value = getattr(sections[name], key)
            if declared.choices and (name, key) not in LAYING_OUT:
                moved[key] = next(one for one in declared.choices if one != value)
            if isinstance(value, bool) or not isinstance(value, int | float):
                continue
            other = type(value)(value * 0.5) if value else type(value)(1)
            if (declared.low is None or other >= declared.low) and (declared.high is None or other <= declared.high):
                moved[key] = other
        assert moved, name
        sections[name] = replace(sections[name], **moved)
    return replace(scenario, sections=sections)


def test_what_is_said_not_to_touch_the_conventional_arm_does_not(tmp_path: Path) -> None:
    scenario = load("town", ["run.step_s=900"])
    points = [
        Point({}, scenario, {}),
        Point({}, changed(scenario, UNTOUCHED_BY["conventional"]), dict.fromkeys(UNBROKEN["conventional"], 1.0)),
    ]
    summaries = []
    for k, point in enumerate(points):
        # Run the very arm of the point, not the one that stands for it.
        variant = variant_of(point, 1, "conventional", False, "data", tmp_path / str(k), False)
        losses = (point.broken.get("access", 0.0), point.broken.get("backhaul", 0.0), 0.0)
        variant = replace(variant, arm=replace(variant.arm, break_loss=losses))
        assert run_variant(variant, never)
        summaries.append(read_record(variant))
    assert summaries[0].summary == summaries[1].summary
    assert asdict(points[0].scenario.sections["scada"]) != asdict(points[1].scenario.sections["scada"])
    for one, other in zip(summaries[0].books, summaries[1].books, strict=True):
        assert (one.by_domain_eur == other.by_domain_eur).all()
    assert (summaries[0].transformer_peak_pct == summaries[1].transformer_peak_pct).all()
    assert summaries[0].state_eur == summaries[1].state_eur


def names(vary: str, arm: str) -> list[str]:
    points = points_of(load("town"), read_variations([vary]))
    return [variant_of(one, 1, arm, False, "data", Path("x"), False).name for one in points]


def test_points_share_the_arms_that_they_do_not_touch() -> None:
    for vary in ("messages.access.loss=0,0.5,1", "break.backhaul=0,0.5,1", "gateways.enrolled_share=0.1,0.5,0.8"):
        assert len(set(names(vary, "conventional"))) == 1, vary
        assert len(set(names(vary, "smart"))) == 3, vary
    assert len({*names("business.horizon_years=10,20", "smart")}) == 1, "the case is made from what the arms came to"


def test_the_bulk_system_speaks_over_the_wan_in_both_arms() -> None:
    for vary in (
        *("messages.wan.loss=0,0.5,1", "break.wan=0,0.5,1", "telecom.plain_meter_capex_eur=10,20,30"),
        "messages.access.technology=wi-sun-50k,lte-m,lorawan",  # links are numbered otherwise: other luck on the WAN
    ):
        assert len(set(names(vary, "conventional"))) == 3, vary


def test_an_arm_is_named_by_seed_days_step_and_data() -> None:
    def name(*settings: str, seed: int = 1, data: str = "data", **more: Any) -> str:
        point = Point({}, load("town", settings), {})
        return variant_of(point, seed, "smart", more.get("typical", False), data, Path("x"), False).name

    others = [name(seed=2), name("run.step_s=30"), name("run.days=2"), name("run.zone=UTC"), name(data="other")]
    others += [name(typical=True)]
    assert len({name(), *others}) == 1 + len(others)
