"""Of a network that exports, what is fed in and what its source takes back are two figures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from heptagrid.cli import main
from heptagrid.studies.flow.api import flow
from heptagrid.studies.flow.snapshot import fed_and_taken

EXPORTING = """function mpc = exporting
mpc.version = '2';
mpc.baseMVA = 100;
mpc.bus = [1 3 0 0 0 0 1 1 0 110 1 1.1 .9; 2 1 30 0 0 0 1 1 0 110 1 1.1 .9];
mpc.gen = [1 0 0 900 -900 1 100 1 900 -900; 2 100 0 0 0 1 100 1 900 0];
mpc.branch = [1 2 0.05 0 0 0 0 0 0 0 1 -360 360];
"""


def test_a_slack_that_takes_power_feeds_none_in(tmp_path: Path) -> None:
    """By hand, per unit: 0.7 comes through r = 0.05 from v to 1: v (v - 1) / r = 0.7, of which (v - 1)^2 / r are lost."""
    path = tmp_path / "exporting.m"
    path.write_text(EXPORTING)
    totals = flow(str(path)).totals
    v = 0.5 + np.sqrt(0.25 + 0.05 * 0.7)
    lost_kw = 1e5 * (v - 1.0) ** 2 / 0.05
    assert (totals.fed_in_kw, totals.loads_kw) == pytest.approx((100e3, 30e3), rel=1e-9)
    assert totals.losses_kw == pytest.approx(lost_kw, rel=1e-6)
    assert totals.taken_back_kw == pytest.approx(70e3 - lost_kw, rel=1e-6)
    done = CliRunner().invoke(main, ["flow", str(path)])
    assert "taken back" in done.stdout and f"{lost_kw / 1e5:.2%}".replace("%", " %") in done.stdout


def test_a_source_behind_a_generator_takes_back(tmp_path: Path) -> None:
    """90 kW of 0.23094 kV three times over, 30 kW drawn: 60 kW less what 0.01 ohm loses in each phase go back."""
    pytest.importorskip("dss", reason="reading OpenDSS scripts needs dss-python")
    path = tmp_path / "back.dss"
    path.write_text(
        "Clear\nNew Circuit.back basekv=.4 bus1=src pu=1 r1=0 x1=1e-6 r0=0 x0=1e-6\n"
        "New Line.l bus1=src bus2=end phases=3 r1=.01 x1=0 r0=.01 x0=0 c1=0 c0=0 length=1\n"
        "New Generator.g bus1=end phases=3 kv=.4 kw=90 pf=1\nNew Load.d bus1=end phases=3 kv=.4 kw=30 pf=1\n"
        "Set voltagebases=[.4]\nCalcv\nSolve\n"
    )
    done = CliRunner().invoke(main, ["flow", str(path), "--json"])
    found = json.loads(done.stdout)
    source_v = 400.0 / np.sqrt(3.0)
    v = 0.5 * source_v + np.sqrt(0.25 * source_v**2 + 0.01 * 20e3)
    lost_kw = 3e-3 * (v - source_v) ** 2 / 0.01
    assert (found["fed_in_kw"], found["loads_kw"]) == pytest.approx((90.0, 30.0), rel=1e-6)
    assert found["losses_kw"] == pytest.approx(lost_kw, rel=1e-5)
    assert found["taken_back_kw"] == pytest.approx(60.0 - lost_kw, rel=1e-6)


def test_rounding_takes_nothing_back() -> None:
    fed_in, taken_back = fed_and_taken(np.array([1e6 + 2e5j, -1e-7 + 3e4j, -50.0 - 4.0j]))
    assert fed_in == pytest.approx(1e6 + 2.3e5j) and taken_back == 50.0 + 4.0j


def test_a_source_of_hardly_any_impedance_feeds_in_what_is_drawn_and_lost(tmp_path: Path) -> None:
    """By Kirchhoff's law; 1e12 MVA are 5e-11 ohm, across which 3 A are less than the last digit of 7,200 V."""
    pytest.importorskip("dss", reason="reading OpenDSS scripts needs dss-python")
    path = tmp_path / "stiff.dss"
    path.write_text(
        "Clear\nNew Circuit.stiff basekv=7.2 bus1=src mvasc1=1e12 mvasc3=1e12\n"
        "New Line.l bus1=src bus2=end phases=3 r1=1 x1=1 r0=1 x0=1 c1=0 c0=0 length=1\n"
        "New Load.d bus1=end phases=3 kv=7.2 kw=30 pf=1\nSet voltagebases=[7.2]\nCalcv\nSolve\n"
    )
    totals = flow(str(path)).totals
    assert totals.loads_kw == pytest.approx(30.0, rel=1e-6) and totals.losses_kw > 0.0
    assert totals.fed_in_kw == pytest.approx(totals.loads_kw + totals.losses_kw, rel=1e-9)
