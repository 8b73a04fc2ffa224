"""What a run makes of ratings: panels at night, loads that feed in, generators that draw, and rated voltages that are slips."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("dss", reason="reading OpenDSS scripts needs dss-python")

import heptagrid
from heptagrid.assembly.own_feeder import read_feeder
from heptagrid.foundation.errors import NetworkError
from heptagrid.importers.extract import read_profiles
from heptagrid.importers.feeder import grid_of
from heptagrid.importers.opendss import read
from heptagrid.scenario.load import DATA, load
from heptagrid.studies.flow.api import flow
from heptagrid.world.grid import Grid

pytestmark = pytest.mark.long

STREET = """Clear
Set DefaultBaseFrequency=50
New Circuit.street basekv=11 bus1=src mvasc3=200 mvasc1=200
New Transformer.t windings=2 buses=[src lv.1.2.3.0] conns=[delta wye] kvs=[11 .4] kvas=[250 250] xhl=4 %loadloss=1
New Line.l bus1=lv bus2=a r1=.2 x1=.08 r0=.6 x0=.3 c1=0 c0=0 length=.1 units=km
New Load.h1 bus1=a.1 phases=1 kv=.23 kw=5 pf=.95
New Load.h2 bus1=a.2 phases=1 kv=.23 kw=5 pf=.95
{more}
Set voltagebases=[11 .4]
Calcv
Solve
"""


def _script(folder: Path, more: str) -> Path:
    path = folder / "street.dss"
    path.write_text(STREET.format(more=more), encoding="utf-8")
    return path


def _grid(folder: Path, more: str) -> Grid:
    return grid_of(read(str(_script(folder, more))), read_profiles(DATA / "town").names, seed=1)


def test_panels_have_their_rating_whatever_the_sun_of_the_snapshot(tmp_path: Path) -> None:
    """Pmpp times %Pmpp, no more than kVA; at 20 % irradiance the third is below its inverter's cut-in, where it feeds nothing."""
    panels = [
        ("kva=6 pmpp=5 irradiance=1", 5.0),
        ("kva=6 pmpp=5 irradiance=0", 5.0),
        ("kva=6 pmpp=5 irradiance=.2", 5.0),
        ("kva=3 pmpp=5 irradiance=.8", 3.0),
        ("kva=6 pmpp=5 %pmpp=80 irradiance=.5", 4.0),
    ]
    lines = [f"New PVSystem.p{k} bus1=a.1 phases=1 kv=.23 {words}" for k, (words, _) in enumerate(panels)]
    units = _grid(tmp_path, "\n".join(lines)).units
    assert units.p_kw.tolist() == pytest.approx([kw for _, kw in panels], rel=1e-6)
    assert (units.kinds == "PV").all()


def test_a_load_that_feeds_in_is_generation_and_a_generator_that_draws_a_customer(tmp_path: Path) -> None:
    more = (
        "New Load.roof bus1=a.3 phases=1 kv=.23 kw=-7 pf=1\nNew Generator.mill bus1=a phases=3 kv=.4 kw=30 pf=1\n"
        "New Generator.pump bus1=a phases=3 kv=.4 kw=-12 pf=1"
    )
    grid = _grid(tmp_path, more)
    assert dict(zip(grid.loads.names.tolist(), grid.loads.p_kw.tolist(), strict=True)) == pytest.approx(
        {"load.h1": 5.0, "load.h2": 5.0, "generator.pump": 12.0}
    )
    assert dict(zip(grid.units.names.tolist(), grid.units.p_kw.tolist(), strict=True)) == pytest.approx(
        {"load.roof": 7.0, "generator.mill": 30.0}
    )
    told = " ".join(_remarks(_script(tmp_path, more)))
    assert "load.roof: below 0 kW, so it is local generation and no customer" in told
    assert "generator.pump: below 0 kW, so it is a customer and no generation" in told


def _remarks(path: Path) -> list[str]:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        read_feeder(load("town"), path)
    return [str(one.message) for one in told]


def test_a_slip_in_a_rated_voltage_changes_no_flow_and_is_told(tmp_path: Path) -> None:
    """The right flow is that of the same street with its 230 V spelled out: customers draw their power whatever their file's kv."""

    def run(kv: str) -> heptagrid.Run:
        folder = tmp_path / kv
        folder.mkdir()
        path = _script(folder, f"New Load.h3 bus1=a.3 phases=1 kv={kv} kw=5 pf=.95")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return heptagrid.run(feeder=path, step_s=900, single="conventional", out=folder / "run", threads=1)

    right = run(".23")
    for slip in ("12.47", ".05"):
        found = run(slip)
        energy = found.summary["arms"]["conventional"]["energy_mwh"]
        assert abs(energy["residual"]) < 1e-6 * energy["imported"]
        theirs = right.summary["arms"]["conventional"]["energy_mwh"]
        assert energy["lost"] == pytest.approx(theirs["lost"], rel=1e-6)
        assert energy["consumed"] == theirs["consumed"]
    told = _remarks(tmp_path / "12.47/street.dss")
    assert any("do not fit those across load.h3 (12.47 kV where there are 0.23" in one for one in told), told
    assert not any("rated voltages" in one for one in _remarks(tmp_path / ".23/street.dss"))


def test_what_cannot_be_drawn_is_no_broken_law(tmp_path: Path) -> None:
    """Behind a wye one of whose phases is open a load in wye floats on two equal voltages: its phases cannot each hold a third of its power."""
    path = tmp_path / "open.dss"
    path.write_text(
        "New Circuit.open basekv=115 bus1=src\n"
        "New Transformer.t windings=2 buses=[src.1.2.4 lv] conns=[wye delta] kvs=[115 12.47] kvas=[1000 1000]\n"
        "New Line.l bus1=lv bus2=a phases=3 length=.1\nNew Load.shop bus1=a phases=3 kv=12.47 kw=1000 pf=.95\n"
        "Set voltagebases=[115 12.47]\nCalcv\nSolve\n"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(NetworkError, match=r"the voltage at load\.shop is below 0\.5 or above 2 of what it is"):
            heptagrid.run(feeder=path, step_s=900, single="conventional", out=tmp_path / "run", threads=1)


def test_a_base_voltage_that_does_not_fit_leaves_nobody_in_the_dark(tmp_path: Path) -> None:
    """Of one base alone, 11 kV, the 0.4 kV buses get that too: 230 V to ground are 0.036 of it, and feed all the same."""
    path = _script(tmp_path, "")
    path.write_text(path.read_text().replace("[11 .4]\n", "[11]\n"))
    told = _remarks(path)
    assert not any("no source feeds" in one for one in told)
    assert any("base voltages do not fit" in one for one in told)
    found = flow(str(path))
    assert found.summary()["de_energised_nodes"] == 0 and found.summary()["not_served_kw"] == 0.0
    low = np.array(found.nodes.v_pu)[-3:]
    assert (low > 0.034).all() and (low < 0.038).all()
