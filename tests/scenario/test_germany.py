"""The built-in programme that does not pay says so, in the terminal, on the page and in JSON."""

from __future__ import annotations

from html import unescape
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import heptagrid
from heptagrid.assembly.world import build_world
from heptagrid.cli import main
from heptagrid.planes.money.prices import eur_2024
from heptagrid.scenario.load import DATA, builtin_scenarios, load

NAME = "germany-2013"


def test_it_is_listed() -> None:
    assert "did not recommend" in builtin_scenarios()[NAME]


def test_its_numbers_are_those_that_its_comments_derive() -> None:
    """1.5 % of the households' part of the town's energy; a MWh of 2013 in prices of 2024."""
    scenario = load(NAME)
    world = build_world(scenario)
    loads = world.grid.loads
    energy = loads.p_kw * world.profiles.millionths.mean(axis=0)[loads.p_profile]
    is_household = np.char.startswith(loads.profile_names, "H0")
    share = energy[is_household].sum() / energy.sum()
    feedback = scenario.sections["benefits.feedback"]
    assert share == pytest.approx(0.389, abs=5e-4)
    assert feedback.share == pytest.approx(0.015 * share, abs=5e-5)
    assert feedback.energy_eur_per_mwh == pytest.approx(eur_2024(37.78, "EUR", 2013), abs=0.05)
    assert not world.owned.enrolled.any() and not any(len(owners) for owners in world.owned.devices.values())


@pytest.mark.long
def test_its_run_says_plainly_that_it_does_not_pay_and_why(tmp_path: Path) -> None:
    """On one of the typical days, for the whole year."""
    text = (DATA / f"{NAME}.toml").read_text(encoding="utf-8")
    scenario = tmp_path / f"{NAME}.toml"
    scenario.write_text(f'typical_days = "days.csv"\n{text}', encoding="utf-8")
    (tmp_path / "days.csv").write_text("date,weight\n2016-01-27,366\n", encoding="utf-8")
    words = ["run", str(scenario), "--typical", "--step", "900", "--threads", "2", "--out", str(tmp_path / "out")]
    printed = CliRunner().invoke(main, words)
    assert printed.exit_code == 0, printed.output
    run = heptagrid.open_run(tmp_path / "out")
    society = run.summary["business"]["appraisal"]["society"]
    assert society["pays"] is False and society["npv_eur"] < 0.0
    for said in (" ".join(printed.stdout.split()), unescape(run.report.read_text(encoding="utf-8"))):
        assert "Does it pay, and for whom?" in said
        assert "For society it does not pay: over 20 years costs of" in said
        assert "(meters, sensors and control boxes" in said, "the largest cost"
        assert "It would pay if" in said and "the nearest break-even, beyond its likely range" in said
