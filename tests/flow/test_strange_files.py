"""Whatever a network file holds: it is read, or an error names file and place. Nothing that it names is imported or called."""

from __future__ import annotations

import json
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from heptagrid.foundation.errors import FileError, HeptagridError, NetworkError
from heptagrid.importers.matpower import read
from heptagrid.planes.power.balanced.bus_flow import solve
from heptagrid.studies.flow import balance, balanced
from heptagrid.studies.flow.api import flow
from tests.flow.cases import RING

pytestmark = pytest.mark.long


def case(folder: Path, text: str) -> str:
    path = folder / "ring.m"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("a = zeros(Inf);", "elements"),
        ("a = ones(1e6,1e6);", "makes a matrix of 1e+12 elements"),
        ("a = zeros(NaN);", "this call of zeros is not understood"),
        ("a = [1 ones(3)];", "parts side by side of 1 and 3 rows"),
        ("a = [[1; 2] [3; 4; 5]];", "parts side by side of 2 and 3 rows"),
        ("a = 1:1e12;", "elements"),
        ("a = 1:Inf;", "elements"),
        ("a = [1];\n" + "a = [a a; a a];\n" * 40, "elements"),
        ("a = ones(4000,1); b = a*a';", "elements"),
        ("a = ones(4000,1); b = max(a, a');", "elements"),
        ("a = ones(9000000,1);\n" + "".join(f"b{k} = a + 1;\n" for k in range(9)), "brings the variables to"),
        ("a = " + "[" * 3000 + "1" + "]" * 3000 + ";", "nested more than"),
        ("a = " + "(" * 3000 + "1" + ")" * 3000 + ";", "nested more than"),
        ("a = " + "-" * 3000 + "1;", "nested more than"),
        ("if 1\n" * 3000, "nested more than"),
        ("mpc.gencost = ones(1e6,1e6);", "elements"),
    ],
)
def test_values_too_large_and_nests_too_deep_are_refused_by_line(tmp_path: Path, statement: str, words: str) -> None:
    with pytest.raises(FileError) as raised:
        read(case(tmp_path, RING + statement))
    assert words in str(raised.value) and "line " in str(raised.value) and "ring.m" in str(raised.value)


@pytest.mark.parametrize(
    "statement",
    [
        "mpc.gencost = ones(3,1)*[2 0 0 3 0 1 0];",
        "mpc.gencost = repmat([2 0 0 3 0 1 0], 3, 1);",
        "mpc.gencost(:, 5:7) = rand(3);",
        "mpc.bus_name = cellfun(@(x) x, {'a'; 'b'}, 'UniformOutput', false);",
        "mpc.note.author = datestr(now);",
    ],
)
def test_what_a_field_without_effect_computes_does_not_stop_the_reading(tmp_path: Path, statement: str) -> None:
    plain, other = read(case(tmp_path, RING)), read(case(tmp_path, RING + statement + "\nmpc.bus(2, 3) = 85;\n"))
    assert other.buses.p_mw.tolist() == [0.0, 85.0, *plain.buses.p_mw[2:].tolist()]


@pytest.mark.parametrize("statement", ["mpc.bus = rand(5, 13);", "mpc.gen(:, 2) = repmat(1, 3, 1);"])
def test_what_a_field_with_effect_computes_does(tmp_path: Path, statement: str) -> None:
    with pytest.raises(FileError, match="is neither a variable of this file nor a function"):
        read(case(tmp_path, RING + statement))


def test_matrices_multiply(tmp_path: Path) -> None:
    """[1; 1; 1; 1; 1] times [85] is five times 85."""
    network = read(case(tmp_path, RING + "mpc.bus(:, 3:4) = ones(5,1)*[85 1];\n"))
    assert network.buses.p_mw.tolist() == [85.0] * 5 and network.buses.q_mvar.tolist() == [1.0] * 5


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be-bom"])
def test_a_case_is_read_in_utf_8_and_utf_16(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "ring.m"
    content = b"\xfe\xff" + RING.encode("utf-16-be") if encoding == "utf-16-be-bom" else RING.encode(encoding)
    path.write_bytes(content)
    assert read(str(path)).buses.p_mw.sum() == 80.0 + 120.0 + 90.0 + 40.0


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32"])
def test_a_text_of_wide_letters_without_its_mark_is_named_for_what_it_is(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "ring.m"
    path.write_bytes(RING.encode(encoding).removeprefix(b"\xff\xfe\0\0"))
    with pytest.raises(FileError, match="UTF-16 without a mark; save it as UTF-8"):
        read(str(path))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("mpc.bus(3, 5) = 1e308;", "shunt_p_mw is 1e+308"),
        ("mpc.bus(3, 3) = 1e300;", "p_mw is 1e+300"),
        ("mpc.branch(1, 3:4) = [0 1e-320];", "impedance of"),
        ("mpc.branch(1, 5) = 1e200;", "y_from_pu"),
    ],
)
def test_absurd_figures_are_refused_by_element(tmp_path: Path, line: str, words: str) -> None:
    with pytest.raises(FileError) as raised:
        flow(case(tmp_path, RING + line))
    assert words in str(raised.value)


def test_a_flow_is_balanced_or_says_that_it_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = flow(case(tmp_path, RING))
    drawn_kw = found.totals.loads_kw + found.totals.shunts_kw + found.totals.losses_kw
    assert found.totals.fed_in_kw == pytest.approx(drawn_kw, rel=1e-9)
    monkeypatch.setattr(balanced, "solve", lambda *a, **k: replace(one := solve(*a, **k), p_mw=one.p_mw * 1.001))
    with pytest.raises(NetworkError, match="does not balance"):
        flow(case(tmp_path, RING))


def test_losses_below_zero_that_rounding_explains_are_told_and_others_are_not(tmp_path: Path) -> None:
    """Two voltages of 1 pu with 16 digits, over 1e-8 pu: 2e-8 pu of current, or 2 W of 100 MVA; 64 such digits are 0.14 kW."""
    network = read(case(tmp_path, RING))
    solved = solve(network)
    z_pu, losses_mva = network.branches.z_pu.copy(), solved.losses_mva.copy()
    z_pu[3], losses_mva[[1, 3]] = 1e-8, -1e-5
    branches = replace(network.branches, z_pu=z_pu, z_back_pu=z_pu)
    network, flow_then = replace(network, branches=branches), replace(solved, losses_mva=losses_mva)
    told = balance.below_rounding(network, flow_then, balance.rounding_kw(network, flow_then))
    assert len(told) == 1 and "branch 4, down to -0.01 kW" in told[0]


# pandapower files

pandapower = pytest.importorskip("pandapower")


def network_text() -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net = pandapower.create_empty_network()
        for _ in range(2):
            pandapower.create_bus(net, 20.0, name="a")
        pandapower.create_ext_grid(net, 0)
        pandapower.create_line(net, 0, 1, 1.0, "NAYY 4x150 SE")
        return str(pandapower.to_json(net))


def changed(place: str, value: Any) -> str:
    content = json.loads(network_text())
    if place == "top":
        content["_object"]["extra"] = value
    elif place == "in text":
        content["_object"]["extra"] = json.dumps(value)
    else:
        table = json.loads(content["_object"]["bus"]["_object"])
        table["data"][0][table["columns"].index("name")] = json.dumps(value) if place == "cell's text" else value
        text = json.dumps(table)
        content["_object"]["bus"]["_object"] = text.replace("_module", "_\\u006dodule") if place == "escaped" else text
    return json.dumps(content)


EVIL = {"_module": "planted", "_class": "Planted", "_object": "touched"}


@pytest.mark.parametrize("place", ["top", "in text", "cell", "cell's text", "escaped"])
@pytest.mark.parametrize(
    "value",
    [
        EVIL,
        EVIL | {"_class": "function"},
        {"_module": "os", "_class": "system", "_object": "touch made"},
        {"_module": "subprocess", "_class": "Popen", "_object": ["touch", "made"]},
        {"_module": "builtins", "_class": "exec", "_object": "open('made', 'w')"},
        {"_module": "pandapower.io_utils", "_class": "os", "_object": "x"},
        {"_module": ["os"], "_class": "system", "_object": "x"},
        {"_module": "pandas.core.frame", "_class": "DataFrame", "_object": "/etc/hosts.json"},
        {"_module": "pandas", "_class": "read_pickle", "_object": "made.p"},
    ],
)
def test_what_a_pandapower_file_names_is_neither_imported_nor_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, value: dict[str, Any]
) -> None:
    (tmp_path / "planted.py").write_text("open('made', 'w').close()\nclass Planted:\n    pass\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "net.json").write_text(changed(place, value))
    with pytest.raises(FileError, match="names "):
        flow("net.json")
    assert not (tmp_path / "made").exists() and "planted" not in sys.modules


@pytest.mark.parametrize(
    "text",
    [
        '{"_module": "os", "_module": "pandapower.auxiliary", "_class": "pandapowerNet", "_object": {}}',
        '{"_class": "pandapowerNet", "_module": "pandapower.auxiliary", "_object": ' + "[" * 200 + "]" * 200 + "}",
        "[" * 200000,
        '{"_class": "pandapowerNet"',
    ],
)
def test_json_that_is_broken_nested_or_ambiguous_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "net.json").write_text(text)
    with pytest.raises(FileError):
        flow(str(tmp_path / "net.json"))


def test_a_pandapower_file_is_read_in_utf_16(tmp_path: Path) -> None:
    (tmp_path / "net.json").write_bytes(network_text().encode("utf-16"))
    assert flow(str(tmp_path / "net.json")).converged


@pytest.mark.parametrize("name", ["net.p", "net.pkl", "net.xlsx"])
def test_pickles_and_sheets_are_no_format_here(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"cos\nsystem\n(S'touch made'\ntR.")
    with pytest.raises(HeptagridError, match="in no format that is read here"):
        flow(str(tmp_path / name))


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("vk_percent", None, "vk_percent"),
        ("vn_lv_kv", None, "vn_lv_kv"),
        ("shift_degree", 1e309, "trafo"),
        ("vk_percent", 1e-300, "trafo"),
    ],
)
def test_a_transformer_without_a_figure_or_with_an_absurd_one_is_refused(
    tmp_path: Path, column: str, value: float | None, said: str
) -> None:
    net = pandapower.create_empty_network()
    for kv in (20.0, 0.4):
        pandapower.create_bus(net, kv)
    pandapower.create_ext_grid(net, 0)
    pandapower.create_transformer(net, 0, 1, "0.4 MVA 20/0.4 kV")
    if value is None:
        del net.trafo[column]
    else:
        net.trafo[column] = value
    path = tmp_path / "net.json"
    pandapower.to_json(net, str(path))
    with pytest.raises(HeptagridError, match=said) as raised:
        flow(str(path))
    assert "net.json" in str(raised.value)
