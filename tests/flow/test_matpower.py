"""MATPOWER cases: what is read, what is computed, and what is refused by line or element."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from heptagrid.cli import main
from heptagrid.foundation.errors import FileError, NetworkError
from heptagrid.importers.importer import Reading
from heptagrid.importers.matpower import read
from heptagrid.planes.power.balanced.bus_flow import solve
from heptagrid.studies.flow.api import flow
from heptagrid.world.balanced.network import BalancedNetwork
from tests.flow.cases import RING

KILOWATTS = """
%% convert branch impedances from Ohms to p.u.
[PQ, PV, REF, NONE, BUS_I, BUS_TYPE, PD, QD, GS, BS, BUS_AREA, VM, ...
    VA, BASE_KV, ZONE, VMAX, VMIN, LAM_P, LAM_Q, MU_VMAX, MU_VMIN] = idx_bus;
[F_BUS, T_BUS, BR_R, BR_X, BR_B, RATE_A, RATE_B, RATE_C, ...
    TAP, SHIFT, BR_STATUS, PF, QF, PT, QT, MU_SF, MU_ST, ...
    ANGMIN, ANGMAX, MU_ANGMIN, MU_ANGMAX] = idx_brch;
Vbase = mpc.bus(1, BASE_KV) * 1e3;      %% in Volts
Sbase = mpc.baseMVA * 1e6;              %% in VA
mpc.branch(:, [BR_R BR_X]) = mpc.branch(:, [BR_R BR_X]) / (Vbase^2 / Sbase);

%% convert loads from kW to MW
mpc.bus(:, [PD, QD]) = mpc.bus(:, [PD, QD]) / 1e3;
pf = 0.85;
mpc.bus(:, QD) = mpc.bus(:, PD) * sin(acos(pf));
mpc.bus(:, PD) = mpc.bus(:, PD) * pf;
"""


def case(folder: Path, text: str = RING, reading: Reading | None = None) -> BalancedNetwork:
    path = folder / "ring.m"
    path.write_text(text, encoding="latin-1")
    return read(str(path), reading)


def test_what_a_file_computes_is_computed(tmp_path: Path) -> None:
    plain, computed = case(tmp_path), case(tmp_path, RING + KILOWATTS)
    z_base_ohm = 230.0**2 / 100.0
    assert computed.branches.z_pu == pytest.approx(plain.branches.z_pu / z_base_ohm)
    assert computed.buses.p_mw == pytest.approx(plain.buses.p_mw / 1e3 * 0.85)
    assert computed.buses.q_mvar == pytest.approx(plain.buses.p_mw / 1e3 * np.sqrt(1.0 - 0.85**2))


def test_define_constants_names_all_columns(tmp_path: Path) -> None:
    more = "define_constants;\nmpc.branch(:, BR_STATUS) = 1; mpc.gen(2:3, QMAX) = [11; 12]; mpc.bus(5, PD) = 2 * mpc.bus(4, PD) - 1e1^2;"
    found = case(tmp_path, RING + more)
    assert found.branches.in_service.all()
    assert found.generators.q_max_mvar.tolist() == [300.0, 11.0, 12.0]
    assert found.buses.p_mw[4] == 2 * 90.0 - 100.0


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("\t2 2  80 30   0  0", "2, 2, 80, 30, 0, 0"),
        ("\t2 2  80 30   0  0", "+2 2 8e1 3.0E+1 -0 0."),
        ("\t2 2  80 30   0  0", "2 2 160/2 60 / 2 1-1 0"),
        ("\t2 2  80 30   0  0", "2 2 ... % goes on\n 80 30 0 0"),
        ("mpc.baseMVA = 100;", "mpc.baseMVA=(50+50) % MVA\n"),
        ("mpc.baseMVA = 100;", "base = 1e2; mpc.baseMVA = base;"),
        ("mpc.baseMVA = 100;", "%{\nmpc.baseMVA = 7;\n%}\nmpc.baseMVA = 100;"),
        ("mpc.baseMVA = 100;", "if 1 > 2\n mpc.baseMVA = rubbish(1, end);\nelse\n mpc.baseMVA = 100;\nend"),
        ("mpc.version = '2';", "mpc.version = \"2\"; mpc.bus_name = {'it''s one'; 'two % 3'; 'x'; 'y'; 'z'};"),
        ("function mpc = ring", "\n% first\nfunction mpc = ring()"),
        ("mpc", "s"),
    ],
)
def test_another_way_to_write_the_same_is_the_same(tmp_path: Path, written: str, meant: str) -> None:
    plain, other = case(tmp_path), case(tmp_path, RING.replace(written, meant))
    assert np.abs(solve(other).v - solve(plain).v).max() < 1e-12


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("mpc = scale_load(1.1, mpc);", "scale_load"),
        ("mpc.bus(:, 3) = mpc.bus(:, 3) * rand(5, 1);", "rand"),
        ("for k = 1:5, mpc.bus(k, 3) = 0; end", "for"),
        ("mpc.bus(end, 3) = 0;", "end"),
        ("mpc.bus(:, 3) *= 2;", "mpc.bus"),
        ("mpc.branch(:, 3) = mpc.branch(:, 3) / mpc.branch(:, 4);", "'/'"),
        ("mpc.bus(6, 3) = 1;", "1 to 5"),
        ("mpc.bus(:, 3) = [1 2 3];", "sizes do not fit"),
        ("if unknown, mpc.bus(:, 3) = 0; end", "unknown"),
        ("!rm", "'!'"),
        ("mpc.gen = [1 2; 3 4 5];", "columns"),
    ],
)
def test_a_statement_that_is_not_understood_stops_it_with_its_line(tmp_path: Path, more: str, words: str) -> None:
    with pytest.raises(FileError) as found:
        case(tmp_path, RING + more + "\n")
    assert f"line {RING.count(chr(10)) + 1}" in str(found.value) and words in str(found.value), str(found.value)


@pytest.mark.parametrize(
    ("written", "wrong", "words"),
    [
        ("3 1 120", "2 1 120", "bus 2 stands 2 times"),
        ("2 3 0.02", "2 33 0.02", "bus 33 is not in mpc.bus"),
        ("\t2 90 0", "\t22 90 0", "generator 2: its bus 22"),
        ("3 4 0    0.08", "3 4 0    0.00", "branch 3 (3 to 4): its impedance is zero"),
        ("3 4 0    0.08", "3 3 0    0.08", "both ends are at the same bus"),
        ("3 1 120 40", "3 1 NaN 40", "bus 3: p_mw is nan"),
        ("3 1 120 40", "3 7 120 40", "its type 7"),
        ("0.02 0.12 0.02", "0.02 Inf 0.02", "branch 2"),
        ("1.01 100 1", "0 100 1", "holds a voltage of 0 pu"),
        ("60  -60", "-60  60", "least reactive power is above its most"),
        ("mpc.baseMVA = 100;", "mpc.baseMVA = 0;", "baseMVA"),
        ("mpc.version = '2';", "mpc.version = '1';", "version 1"),
        ("mpc.version = '2';", "mpc.version = '2'; mpc.storage = [1 2];", "mpc.storage"),
        ("mpc.branch", "mpc.branches", "mpc.branch must be a matrix"),
        ("function mpc = ring", "function [baseMVA, bus] = ring", "version 1"),
        ("function mpc = ring", "mpc = 3", "function mpc = name"),
        ("];\nmpc.branch", "\nmpc.branch", "line"),
    ],
)
def test_wrong_data_are_named(tmp_path: Path, written: str, wrong: str, words: str) -> None:
    assert written in RING
    with pytest.raises(FileError) as found:
        case(tmp_path, RING.replace(written, wrong, 1))
    assert words in str(found.value), str(found.value)


def test_a_field_of_its_own_is_listed(tmp_path: Path) -> None:
    found = case(tmp_path, RING + "mpc.owner = [1 2];\n")
    assert any("mpc.owner" in line for line in found.left_out)


def test_storage_may_be_ignored(tmp_path: Path) -> None:
    text = RING + "mpc.storage = [1 2];\n"
    found = case(tmp_path, text, Reading(frozenset({"storage"})))
    assert any("storage" in line for line in found.left_out)


def test_no_slack_and_two_slacks(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match="no slack bus"):
        solve(case(tmp_path, RING.replace("1 3   0", "1 2   0")))
    two = solve(case(tmp_path, RING.replace("2 2  80 30   0  0  1 1 0", "2 3  80 30   0  0  1 1 4")))
    assert two.converged and np.rad2deg(np.angle(two.v[1])) == pytest.approx(4.0)


def test_what_open_branches_cut_off_is_de_energised_and_the_rest_is_solved(tmp_path: Path) -> None:
    """Bus 3 without its branches is as bus 3 declared isolated, but for the label."""
    cut = RING
    for row in ("2 3 0.02 0.12 0.02 250 250 250 0    0 1", "0.98 5 1"):
        assert row in cut
        cut = cut.replace(row, row[:-1] + "0")
    flow = solve(case(tmp_path, cut))
    declared = solve(case(tmp_path, cut.replace("3 1 120", "3 4 120")))
    assert flow.converged and flow.v[2] == 0.0 and not flow.is_live[2]
    np.testing.assert_allclose(flow.v, declared.v, rtol=1e-12)
    path = tmp_path / "cut.m"
    path.write_text(cut)
    done = CliRunner().invoke(main, ["flow", str(path), "--json"])
    summary = json.loads(done.stdout)
    assert summary["loads_not_served"] == 1 and summary["not_served_kw"] == pytest.approx(120e3)
    assert summary["least_v_node"] != "3" and "bus 3 is de-energised; its load of 120 MW" in done.stderr


def test_an_isolated_bus_has_no_voltage_and_its_load_is_listed(tmp_path: Path) -> None:
    path = tmp_path / "ring.m"
    path.write_text(RING.replace("mpc.bus = [", "mpc.bus = [ 77 4 12 3 0 0 1 1 0 230 1 1.1 0.9;"))
    done = CliRunner().invoke(main, ["flow", str(path), "--out", str(tmp_path / "v.csv")])
    assert done.exit_code == 0
    assert (tmp_path / "v.csv").read_text().splitlines()[
        1
    ] == "77,0,0.00000000000,0.00000000000,de-energised,0.00000000000"
    assert "bus 77 is de-energised; its load of 12 MW and 3 Mvar is not served" in done.stderr


def test_pv_bus_without_generator_is_a_pq_bus(tmp_path: Path) -> None:
    off = solve(case(tmp_path, RING.replace("1.03 100 1", "1.03 100 0")))
    assert off.converged and abs(off.v[4]) != pytest.approx(1.03, abs=1e-3)


NO_GENERATOR_AT_THE_SLACK = """function mpc = unfed
mpc.version = '2';
mpc.baseMVA = 100;
mpc.bus = [
1 3 20 0 0 0 1 1.00 0 110 1 1.1 0.9;
2 1 30 10 0 0 1 1.00 0 110 1 1.1 0.9;
3 2 0 0 0 0 1 1.00 5 110 1 1.1 0.9;
4 2 0 0 0 0 1 1.00 0 110 1 1.1 0.9;
];
mpc.gen = [
1 60 0 100 -100 1.00 100 0 100 0;
4 25 0 100 -100 1.01 100 1 100 0;
3 25 0 100 -100 1.02 100 1 100 0;
];
mpc.branch = [
1 2 0.01 0.10 0 0 0 0 0 0 1 -360 360;
2 3 0.01 0.10 0 0 0 0 0 0 1 -360 360;
3 4 0.01 0.10 0 0 0 0 0 0 1 -360 360;
];
"""


def test_the_first_held_bus_is_the_slack_where_the_declared_one_is_not_fed(tmp_path: Path) -> None:
    """As in bustypes.m: bus 3 is the first PV bus in mpc.bus, though bus 4's generator comes first in mpc.gen; it keeps its 5 degrees.

    By hand: what bus 4 feeds in arrives at bus 3, so bus 3 gives 50 MW and losses less 25 MW.
    """
    case = tmp_path / "unfed.m"
    case.write_text(NO_GENERATOR_AT_THE_SLACK)
    found = flow(str(case))
    assert found.converged
    by_name = dict(zip(found.nodes.node, zip(found.nodes.v_pu, found.nodes.angle_deg, strict=True), strict=True))
    assert by_name["3"] == pytest.approx((1.02, 5.0)) and by_name["4"][0] == pytest.approx(1.01)
    assert found.totals.fed_in_kw == pytest.approx(50e3 + found.totals.losses_kw)
    assert "slack bus 1 has no generator in service, so it is a PQ bus" in found.remarks
    assert any(line.startswith("bus 3 is the slack in its place") for line in found.remarks)


def test_reactive_limits_that_are_passed_are_told_of(tmp_path: Path) -> None:
    case = tmp_path / "unfed.m"
    case.write_text(NO_GENERATOR_AT_THE_SLACK.replace("4 25 0 100 -100 1.01", "4 25 0 100 -1 1.01"))
    found = flow(str(case))
    remark = next(line for line in found.remarks if "beyond" in line)
    # By hand: r P + x Q over 0.01 + 0.1j pu is the difference -0.01 * 1.02, so Q is about (-0.0102 - 0.0025) / 0.1 pu, -12.7 Mvar of -1.
    assert remark.startswith("1 generator is beyond its reactive limits (farthest: 2 at bus 4, by ")
    assert float(remark.split(" by ")[1].split(" Mvar")[0]) == pytest.approx(11.7, abs=0.6)
    held = flow(str(case), q_limits=True)
    assert not any("beyond" in line for line in held.remarks)
    assert any(line.startswith("generator 2 at bus 4 is at its least reactive power, -1 Mvar") for line in held.remarks)
