"""`heptagrid clear` on cases: rows, figures, exit codes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import heptagrid
from heptagrid.cli import main
from tests.clear.cases import LOOP, one_bus


@pytest.fixture
def loop(tmp_path: Path) -> Path:
    path = tmp_path / "loop.m"
    path.write_text(LOOP)
    return path


def call(*words: object) -> Result:
    return CliRunner().invoke(main, ["clear", *map(str, words)])


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_loop_flow_makes_a_price_negative(loop: Path, tmp_path: Path) -> None:
    done = call(
        loop,
        "--out",
        tmp_path / "p.csv",
        "--quantities",
        tmp_path / "q.csv",
        "--branches",
        tmp_path / "b.csv",
        "--json",
    )
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert said["status"] == "optimal" and said["total_cost"] == pytest.approx(5100.0)
    assert said["gap"] < 1e-9 and said["bound"] == pytest.approx(5100.0)
    assert said["congestion_rent"] == pytest.approx(2400.0)
    assert [(row["bus"], float(row["price"])) for row in rows(tmp_path / "p.csv")] == [
        ("1", pytest.approx(10.0)),
        ("2", pytest.approx(-30.0)),
        ("3", pytest.approx(50.0)),
    ]
    assert [float(row["mw"]) for row in rows(tmp_path / "q.csv")] == pytest.approx([60.0, 90.0])
    branches = rows(tmp_path / "b.csv")
    assert [float(row["flow_mw"]) for row in branches] == pytest.approx([20.0, 40.0, 20.0])
    assert float(branches[2]["shadow_price"]) == pytest.approx(120.0)
    assert sum(float(row["rent"]) for row in branches) == pytest.approx(2400.0)


def test_without_a_network_one_price_holds_everywhere(loop: Path) -> None:
    said = json.loads(call(loop, "--network", "none", "--json").stdout)
    assert said["total_cost"] == pytest.approx(1500.0)
    assert [row["price"] for row in said["prices"]] == pytest.approx([10.0, 10.0, 10.0])
    assert said["branches"] == []


def test_the_terminal_says_what_binds(loop: Path) -> None:
    done = call(loop)
    assert done.exit_code == 0
    assert "5,100.0000" in done.stdout and "branch 3 (2 to 3) carries 20.000 MW" in done.stdout


def test_what_cannot_be_served_is_named_and_has_no_cost(loop: Path, tmp_path: Path) -> None:
    loop.write_text(LOOP.replace("3 0 0 0 0 1 100 1 300 0", "3 0 0 0 0 1 100 1 80 0"))
    done = call(loop, "--out", tmp_path / "p.csv", "--json")
    assert done.exit_code == 9
    said = json.loads(done.stdout)
    assert said["status"] == "infeasible" and said["total_cost"] is None and said["gap"] is None
    assert said["reasons"] == ["bus 3 lacks 10 MW", "branch 3 (2 to 3) lets 20 MW through: its rating"]
    assert "bus 3 lacks 10 MW" in done.stderr and not (tmp_path / "p.csv").exists()
    assert "cost" not in call(loop).stdout


@pytest.mark.parametrize(
    ("branch", "what"),
    [
        ("1 2 0 0.1 0 40 40 40 0 0 1 -360 1", "lets 17.4533 MW through: its limit of angle"),
        ("2 1 0 0.1 0 40 40 40 0 0 1 -1 360", "lets 17.4533 MW through: its limit of angle"),
        ("2 1 0 0.1 0 15 15 15 0 0 1 -360 1", "lets 15 MW through: its rating"),
    ],
)
def test_the_limit_in_the_flows_direction_is_blamed(tmp_path: Path, branch: str, what: str) -> None:
    """A degree of 0.1 pu at 100 MVA is 17.4533 MW; the other direction's limit, of angle or rating, does not bind."""
    path = tmp_path / "two.m"
    path.write_text(
        "function mpc = two\nmpc.version = '2';\nmpc.baseMVA = 100;\n"
        "mpc.bus = [1 3 0 0 0 0 1 1 0 345 1 1.1 0.9; 2 1 30 0 0 0 1 1 0 345 1 1.1 0.9];\n"
        "mpc.gen = [1 0 0 0 0 1 100 1 90 0];\nmpc.gencost = [2 0 0 2 10 0];\n"
        f"mpc.branch = [{branch}];\n"
    )
    reasons = json.loads(call(path, "--json").stdout)["reasons"]
    assert reasons[-1].endswith(what) and len(reasons) == 2


def test_too_few_units_and_too_much_least_output_are_told_in_mw(tmp_path: Path) -> None:
    path = tmp_path / "one.m"
    path.write_text(one_bus(100.0, [(0.0, 60.0)], ["2 0 0 2 1 0"]))
    assert "100 MW are needed, and the units give 60 MW at most" in call(path).stderr
    path.write_text(one_bus(100.0, [(160.0, 200.0)], ["2 0 0 2 1 0"]))
    assert "100 MW are needed, and the units give 160 MW at least" in call(path).stderr


def test_what_is_no_market_is_refused_with_the_formats(tmp_path: Path, loop: Path) -> None:
    assert call(tmp_path / "none.m").exit_code == 3
    unknown = call(tmp_path)
    assert unknown.exit_code == 2 and "MATPOWER" in unknown.stderr
    other = call(loop, "--rule", "lottery")
    assert other.exit_code == 2 and "dc-opf" in other.stderr
    assert call(loop, "--out", loop).exit_code == 5


def test_from_python_the_figures_are_those_of_the_command(loop: Path) -> None:
    found = heptagrid.clear(str(loop))
    found.check()
    assert found.summary()["total_cost"] == pytest.approx(5100.0)
    assert found.outcome.certificate is not None and found.outcome.certificate.primal_residual < 1e-9


def test_bent_costs_meet_at_one_slope(tmp_path: Path) -> None:
    """By hand: 10 + 0.1 p = 20 + 0.04 (200 - p), p = 18 / 0.14."""
    path = tmp_path / "one.m"
    path.write_text(one_bus(200.0, [(0.0, 200.0)] * 2, ["2 0 0 3 0.05 10 0", "2 0 0 3 0.02 20 0"]))
    said = json.loads(call(path, "--json").stdout)
    assert [row["mw"] for row in said["quantities"]] == pytest.approx([18.0 / 0.14, 200.0 - 18.0 / 0.14], abs=1e-9)
    assert said["prices"][0]["price"] == pytest.approx(10.0 + 1.8 / 0.14, abs=1e-9)
    assert said["total_cost"] == pytest.approx(3642.857142857, rel=1e-11)


def test_pieces_are_taken_in_their_order(tmp_path: Path) -> None:
    """By hand: of 100 MW the first unit's cheap piece gives 50, the second's 40 at 20, then 10 at 25 of the first."""
    path = tmp_path / "one.m"
    gencost = ["1 0 0 3 0 0 50 500 100 1750", "1 0 0 2 0 0 40 800 0 0"]
    path.write_text(one_bus(100.0, [(0.0, 100.0), (0.0, 40.0)], gencost))
    said = json.loads(call(path, "--json").stdout)
    assert [row["mw"] for row in said["quantities"]] == pytest.approx([60.0, 40.0])
    assert said["prices"][0]["price"] == pytest.approx(25.0)
    assert said["total_cost"] == pytest.approx(500.0 + 250.0 + 800.0)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("2 0 0 3 -0.05 10 0", "rises ever slower"),
        ("1 0 0 3 0 0 50 500 100 600", "rises ever slower"),
        ("1 0 0 2 50 0 0 500 0 0", "in rising order of MW"),
        ("3 0 0 2 1 0 0", "of model 3"),
        ("2 0 0 9 1 0 0", "n = 9"),
        ("2 0 0 2 NaN 0 0", "no number"),
        ("2 0 0 2 1e300 0 0", "beyond 1e+12"),
        ("1 0 0 2 0 0 50 1e300 0 0", "in rising order of MW"),
    ],
)
def test_costs_that_no_price_can_hold_are_refused_by_generator(tmp_path: Path, row: str, said: str) -> None:
    path = tmp_path / "one.m"
    path.write_text(one_bus(50.0, [(0.0, 100.0)], [row]))
    done = call(path)
    assert done.exit_code == 3
    assert "generator 1" in done.stderr and said in done.stderr


def test_a_case_without_costs_says_so(loop: Path) -> None:
    loop.write_text(LOOP[: LOOP.index("mpc.gencost")])
    done = call(loop)
    assert done.exit_code == 3 and "mpc.gencost" in done.stderr


@pytest.mark.parametrize(
    ("old", "new", "code", "said"),
    [
        (
            "1 100 1 300 0;\n\t3",
            "1 100 1 300 400;\n\t3",
            3,
            "generator 1 at bus 1: its lower bound 400 is above its upper bound 300",
        ),
        ("1 100 1 300 0;\n\t3", "1 100 1 NaN 0;\n\t3", 3, "generator 1 at bus 1: PMAX is nan"),
        ("3 2 150", "3 2 NaN", 3, "bus 3: Pd + Gs is nan"),
        ("2 3 0 0.1 0 20", "2 3 0 0.1 0 -20", 3, "branch 3: RATE_A is -20"),
        ("2 3 0 0.1 0 20", "2 3 0 0 0 20", 3, "branch 3: its impedance is zero"),
        ("2 3 0 0.1 0 20", "2 3 0 1e-300 0 20", 4, "impedances below 1e-10 pu"),
        ("2 3 0 0.1 0 20", "2 7 0 0.1 0 20", 3, "branch 3: its bus 7 is not in mpc.bus"),
        (
            "1 -360 360;\n];",
            "1 30 -30;\n];",
            3,
            "branch 3: its lower bound 0.523599 is above its upper bound -0.523599",
        ),
        ("mpc.gencost = [", "mpc.dcline = [1 9 1];\nmpc.gencost = [", 3, "mpc.dcline must be a matrix of 17 columns"),
        (
            "mpc.gencost = [",
            "mpc.storage = [1 9 1];\nmpc.gencost = [",
            3,
            "storage (mpc.storage); it cannot be represented",
        ),
        ("mpc.version = '2'", "mpc.version = '1'", 3, "is a case of version 1"),
        ("2 0 0 2 50 0;\n", "", 3, "mpc.gencost has 1 rows for 2 generators"),
    ],
)
def test_what_is_wrong_with_a_case_is_told(loop: Path, old: str, new: str, code: int, said: str) -> None:
    assert LOOP.count(old) == 1, old
    loop.write_text(LOOP.replace(old, new))
    done = call(loop)
    assert done.exit_code == code, done.output
    assert said in done.stderr and "Traceback" not in done.output


def test_what_is_out_of_service_is_left_out(loop: Path) -> None:
    """Without the limited line there is no loop: the cheap unit serves all."""
    loop.write_text(LOOP.replace("20 0 0 0 0 1 -360", "20 0 0 0 0 0 -360"))
    said = json.loads(call(loop, "--json").stdout)
    assert said["total_cost"] == pytest.approx(1500.0) and len(said["branches"]) == 2
    isolated = LOOP.replace("2 1   0 0", "2 4   0 0")
    loop.write_text(isolated)
    said = json.loads(call(loop, "--json").stdout)
    assert [row["bus"] for row in said["prices"]] == ["1", "3"] and said["total_cost"] == pytest.approx(1500.0)


def test_the_models_differ_by_taps_and_shifts_and_resistance(loop: Path) -> None:
    """By hand: a shift of the limited line lets the cheap unit give more (or less); only the model of MATPOWER knows it."""
    loop.write_text(LOOP.replace("20 0 0 0 0 1 -360", "20 0 0 0 1 1 -360"))
    costs = [
        json.loads(call(loop, "--json", "--dc-model", model).stdout)["total_cost"]
        for model in ("powermodels", "matpower")
    ]
    # The shift of 1 degree drives 1000 * (pi / 180) / 3 MW round the loop, against the flow from 2 to 3: 20 + s = p1 / 3.
    relief_mw = 1000.0 * 3.141592653589793 / 180.0 / 3.0
    assert costs[0] == pytest.approx(5100.0)
    assert costs[1] == pytest.approx(5100.0 - 40.0 * 3.0 * relief_mw)


def test_direct_current_lines_are_served_by_one_model_and_left_out_by_the_other(loop: Path) -> None:
    """By hand: 30 MW from bus 1 to 3 beside the loop, less 1 MW and a tenth; the network lets 60 MW through as before."""
    line = "1 3 1 0 0 0 0 1 1 0 30 0 0 0 0 1 0.1"
    loop.write_text(LOOP.replace("mpc.gencost", f"mpc.dcline = [{line}];\nmpc.gencost"))
    served = json.loads(call(loop, "--json").stdout)
    assert [row["mw"] for row in served["quantities"]] == pytest.approx([90.0, 150.0 - 60.0 - 26.0])
    assert served["payments"] == pytest.approx(served["revenues"] + served["congestion_rent"])
    left_out = call(loop, "--json", "--dc-model", "matpower")
    assert json.loads(left_out.stdout)["total_cost"] == pytest.approx(5100.0)
    assert "1 direct-current lines (mpc.dcline): left out" in left_out.stderr
