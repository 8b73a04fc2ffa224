"""A run on a feeder with a neutral, a section that is switched off, and a customer one of whose phases is open."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

pytest.importorskip("dss", reason="reading OpenDSS scripts needs dss-python")

import heptagrid
from heptagrid.importers.network_folder import read_network

pytestmark = pytest.mark.long

STREET = """Clear
Set DefaultBaseFrequency=50
New Circuit.street basekv=11 bus1=src pu=1.0
New Transformer.t phases=3 windings=2 buses=[src lv.1.2.3.0] conns=[delta wye] kvs=[11 .4] kvas=[100 100] xhl=4 %rs=[.6 .6]
New Linecode.c nphases=4 units=km rmatrix=[.3|.05 .3|.05 .05 .3|.05 .05 .05 .3] xmatrix=[.3|.2 .3|.2 .2 .3|.2 .2 .2 .3]
New Line.l1 bus1=lv.1.2.3.0 bus2=b1.1.2.3.4 linecode=c length=.1 units=km
New Line.l2 bus1=b1.1.2.3.4 bus2=b2.1.2.3.4 linecode=c length=.1 units=km enabled=no
New Line.l3 bus1=b1.1.2.3.4 bus2=b3.1.2.3.4 linecode=c length=.1 units=km
New Load.h1 bus1=b1.1.4 phases=1 kv=.23 kw=4 pf=.97
New Load.h2 bus1=b1.2.4 phases=1 kv=.23 kw=4 pf=.97
New Load.dark bus1=b2.3.4 phases=1 kv=.23 kw=4 pf=.97
New Load.two bus1=b3.1.2.3.4 phases=3 kv=.4 kw=6 pf=.97
New Load.one bus1=b3.3.4 phases=1 kv=.23 kw=2 pf=.97
Set voltagebases=[11 .4]
Calcv
open line.l3 1 3
Solve
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> heptagrid.Run:
    folder = tmp_path_factory.mktemp("street")
    (folder / "street.dss").write_text(STREET)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = heptagrid.run(feeder=folder / "street.dss", step_s=900, single="smart", out=folder / "run", threads=1)
    words = " ".join(str(one.message) for one in told)
    assert "no source feeds these loads: their customers are without power all the time: load.dark, load.one" in words
    return found


def test_customers_without_power_draw_nothing_and_their_meters_are_silent(run: heptagrid.Run) -> None:
    """By name: h1, h2, dark, two, one are customers 0 to 4."""
    energy = run.summary["arms"]["smart"]["energy_mwh"]
    assert abs(energy["residual"]) < 1e-6 * energy["imported"]
    assert run.summary["arms"]["smart"]["messages"]["residual"] == 0
    meters = run.meters.sort("meter")
    drawn = meters["import_kwh"].list.sum().to_numpy()
    assert (drawn[[2, 4]] == 0.0).all() and (drawn[[0, 1, 3]] > 0.5).all()
    quarters = [set(status) for status in meters["status"].to_list()]
    assert all(received == ({1} if k in (2, 4) else {0}) for k, received in enumerate(quarters)), (
        "1: estimated, as none came"
    )
    assert run.summary["customers_without_power"] == 2


def test_the_least_voltage_is_a_customers_and_no_neutrals(run: heptagrid.Run) -> None:
    voltage = run.summary["arms"]["smart"]["voltage"]
    assert 0.9 < voltage["min_pu"] < 1.0
    network, circuit = read_network(run.folder / "network")
    assert circuit is not None
    least = run.nodes.sort("node")["v_min_pu"].list.min().to_numpy()
    names = circuit.buses.names[circuit.nodes.bus[network.circuit_node]]
    number = circuit.nodes.number[network.circuit_node]
    without = (names == "b2") | (number == 4) | ((names == "b3") & (number == 3))
    assert (least[without] == 0.0).all() and (least[~without] > 0.9).all()
    assert np.isfinite(least).all()


def test_the_page_counts_the_nodes_that_its_voltages_leave_out(run: heptagrid.Run) -> None:
    """By name: dead are b2.3 and b2.4, where load.dark hangs (the line that is off has no ends), and b3.3; neutrals are b1.4 and b3.4.

    Of phases src, lv, b1 and b3 have 3 + 3 + 3 + 2.
    """
    counts = run.summary["conductors"]
    assert counts == {"phases": 11, "neutrals": 2, "de_energised": 3, "between_phases": 0}
    page = (run.folder / "report.html").read_text()
    assert (
        "Voltages are those of 11 energised phase conductors; 2 neutral and 3 de-energised nodes are left out." in page
    )
