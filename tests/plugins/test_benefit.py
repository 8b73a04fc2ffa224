"""A benefit that another package brings: found through its entry point, counted, drawn and shown like those there are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from heptagrid.foundation.registry import benefits
from tests.documents.pages import DOCS, blocks
from tests.plugins.extras import PACKAGE, python

FILE = PACKAGE / "heptagrid_extras/call_centre.py"
COUNT = """
import json
from heptagrid.foundation.registry import benefits
from heptagrid.planes.money.appraisal.appraise import Plan, appraise
from heptagrid.planes.money.appraisal.rules import Rules
from heptagrid.planes.money.appraisal.uncertainty import tornado
from heptagrid.planes.money.benefits.observed import ArmYear, Observed
found = benefits()
plan = Plan(found, {name: one.parameters() for name, one in found.items()}, Rules())
observed = Observed(ArmYear(), ArmYear(), customers=1000, meters=1000)
keys = [one.of.key for one in tornado(observed, plan)]
print(json.dumps({"npv": appraise(observed, plan).npv_of("call_centre"), "keys": keys}))
"""


def test_it_counts_and_is_uncertain(site: Path) -> None:
    found = json.loads(python(site, "-c", COUNT))
    assert found["npv"] == pytest.approx(1000 * 0.1 * 4.0 * 11.5174, rel=1e-5)
    assert {"benefits.call_centre.calls_per_customer_year", "benefits.call_centre.eur_per_call"} <= set(found["keys"])


def test_its_section_is_in_new_scenarios(site: Path) -> None:
    python(site, "-m", "heptagrid", "new", "calls")
    written = (site / "calls.toml").read_text(encoding="utf-8")
    assert "[benefits.call_centre]" in written and "likely 2 to 8" in written


def test_without_the_package_it_is_not_there() -> None:
    assert "call_centre" not in benefits()


def test_an_entry_point_of_another_name_is_named(tmp_path: Path) -> None:
    installed = tmp_path / "wrong-1.dist-info"
    installed.mkdir()
    (installed / "entry_points.txt").write_text("[heptagrid.benefits]\ncalls = heptagrid_extras.call_centre:BENEFIT\n")
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: wrong\nVersion: 1\n")
    with pytest.raises(AssertionError, match=r"calls of heptagrid\.benefits is .* a Benefit of that name is expected"):
        python(tmp_path, "-m", "heptagrid", "new", "mine")


def test_the_guide_shows_the_very_file() -> None:
    assert blocks(DOCS / "business-case.md", "python") == [FILE.read_text(encoding="utf-8")]
