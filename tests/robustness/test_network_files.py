"""Whatever a MATPOWER, pandapower or OpenDSS file holds, it is solved with figures that add up, or refused with the file's name.

Files are changed at random, by a seed.
"""

from __future__ import annotations

import json
import math
import random
import re
import warnings
from pathlib import Path

import pytest

from heptagrid.foundation.errors import FileError, HeptagridError
from heptagrid.studies.flow.api import flow, inspect
from tests.flow.cases import RING

pytestmark = pytest.mark.long

NUMBERS = [
    *("nan", "inf", "-inf", "-1", "0", "-0", "1e-320", "1e-12", "1e9", "1e15", "1e300", "1e400", "9223372036854775808"),
    *("0.5", "1.5", "999999", "-999", "1" + "0" * 400, "x", "", "1e6,1e6", "ones(3)", "zeros(Inf)", "ones(1e6,1e6)"),
    *("@a", "0x10", "1d3", "(1 2 3)", "true", "<b>x</b>", "[" * 90, "(" * 3000),
]
VALUES = [
    *(None, True, "x", "", -1, 0, 1e300, 1e-320, math.nan, math.inf, -1e9, 10**30, [], {}, "<b>x</b>", 0.5, 999999),
    {"_module": "os", "_class": "system", "_object": "x"},
]


SCRIPT = (Path(__file__).parents[1] / "cases" / "lane" / "lane.dss").read_text()
LINES = [
    *("new load.z bus1=home1.1.2 kv=nan kw=1", "new load.z bus1=nowhere kv=0.24 kw=1", "batchedit load..* kw=-1e9"),
    *(
        "new load.z bus1=home1.1.2.3.4.5 kv=0.24 kw=1e30",
        "set loadmult=nan",
        "set loadmult=0",
        "edit circuit.lane pu=0",
    ),
    *(
        "new line.q bus1=mill bus2=mill length=0",
        "new reactor.q bus1=mill x=0 r=0",
        "open line.trunk1",
        "remove line.trunk1",
    ),
    *(
        "disable transformer.sub",
        "set frequency=0",
        "set basefrequency=-50",
        "solve mode=harmonics",
        "solve number=3 mode=daily",
    ),
    *(
        "new fault.f bus1=mill r=0",
        "set tolerance=0",
        "new transformer.t phases=3 windings=1000",
        "new linecode.lc nphases=50",
    ),
    *("clear", "clearall", "set voltagebases=[-1 0]", "calcv", "~ kw=3", "var @x=3", "edit load.home1 kw=@y", "reset"),
    *(
        "new xfmrcode.x phases=0",
        "select load.home1",
        "set class=zzz",
        "formedit x",
        "/* unfinished",
        "redirect lane.dss",
    ),
    *(
        "new vsource.v bus1=mill pu=nan",
        "new pvsystem.p bus1=mill kva=0 pmpp=0",
        "new storage.s bus1=mill kwrated=0 kwhrated=0",
    ),
    *(
        "new regcontrol.r transformer=nothing",
        "new invcontrol.i mode=voltvar",
        "solve mode=snap maxiter=0",
        "compile .",
    ),
    "new capcontrol.c capacitor=pond element=line.trunk1 type=kvar ptratio=0",
]


def changed_case(rng: random.Random) -> str:
    """The ring with one or two of its numbers, lines or signs changed."""
    return changed(RING, rng)


def changed_script(rng: random.Random) -> str:
    """The lane with one or two of its numbers, lines or signs changed, or with lines that fit ill."""
    text = changed(SCRIPT, rng) if rng.random() < 0.8 else SCRIPT
    if text is SCRIPT or rng.random() < 0.3:
        lines = text.splitlines()
        lines.insert(rng.randrange(len(lines) + 1), rng.choice(LINES))
        text = "\n".join(lines) + "\n"
    return text


def changed(text: str, rng: random.Random) -> str:
    """A text with one or two of its numbers, lines or signs changed."""
    for _ in range(rng.choice([1, 1, 2])):
        lines = text.splitlines()
        k = rng.randrange(len(lines))
        how = rng.choice(["number"] * 5 + ["drop", "double", "cut", "swap", "sign"])
        numbers = list(re.finditer(r"(?<![\w.])-?\d+\.?\d*", lines[k]))
        if how == "number" and numbers:
            at = rng.choice(numbers)
            lines[k] = lines[k][: at.start()] + rng.choice(NUMBERS) + lines[k][at.end() :]
        elif how == "drop":
            lines.pop(k)
        elif how == "double":
            lines.insert(k, lines[k])
        elif how == "swap":
            other = rng.randrange(len(lines))
            lines[k], lines[other] = lines[other], lines[k]
        text = "\n".join(lines) + "\n"
        if how == "cut":
            text = text[: rng.randrange(len(text))]
        elif how == "sign":
            at_sign = rng.randrange(len(text))
            text = text[:at_sign] + rng.choice("()[]{}'\"=;,:%!\\@~\0") + text[at_sign + 1 :]
    return text


@pytest.fixture(scope="module")
def network_text() -> str:
    """A small pandapower network with a transformer off its neutral tap."""
    pandapower = pytest.importorskip("pandapower")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net = pandapower.create_empty_network()
        for kv in (20.0, 20.0, 0.4):
            pandapower.create_bus(net, kv)
        pandapower.create_ext_grid(net, 0)
        pandapower.create_line(net, 0, 1, 1.0, "NA2XS2Y 1x185 RM/25 12/20 kV")
        pandapower.create_transformer(net, 1, 2, "0.4 MVA 20/0.4 kV", tap_pos=-1)
        pandapower.create_load(net, 2, 0.1, 0.02)
        pandapower.create_shunt(net, 1, -0.05)
        pandapower.create_switch(net, 0, 0, et="l")
        return str(pandapower.to_json(net))


def changed_network(text: str, rng: random.Random) -> str:
    """The network with one or two of its cells, columns, rows or tables changed."""
    content = json.loads(text)
    parts = content["_object"]
    for _ in range(rng.choice([1, 1, 2])):
        tables = [
            name
            for name, part in parts.items()
            if isinstance(part, dict) and isinstance(part.get("_object"), str) and '"data":[[' in part["_object"]
        ]
        how = rng.choice(["cell"] * 6 + ["without", "column", "row", "top"])
        if how == "top" or not tables:
            parts[rng.choice(list(parts))] = rng.choice(VALUES)
            continue
        name = rng.choice(tables)
        if how == "without":
            del parts[name]
            continue
        table = json.loads(parts[name]["_object"])
        row, column = rng.randrange(len(table["data"])), rng.randrange(len(table["columns"]))
        if how == "cell":
            table["data"][row][column] = rng.choice(VALUES)
        elif how == "column":
            del table["columns"][column]
            for one in table["data"]:
                del one[column]
        else:
            table["data"].append(table["data"][row])
            table["index"].append(rng.choice([table["index"][row], 10**9, -1]))
        parts[name]["_object"] = json.dumps(table)
    whole = json.dumps(content)
    return whole[: rng.randrange(len(whole))] if rng.random() < 0.05 else whole


def judge(path: Path, rng: random.Random) -> None:
    """Solved and in balance, without convergence, or refused with the file's name; nothing else."""
    found, refused = None, None
    try:
        if rng.random() < 0.3:
            inspect(str(path))
        else:
            found = flow(str(path))
    except HeptagridError as problem:
        refused = problem
    if refused is not None:
        assert str(path) in str(refused) or not isinstance(refused, FileError)
        assert str(refused).strip()
    if found is None:
        return
    if not found.converged:
        assert found.trouble
        return
    totals = found.totals
    figures = (totals.fed_in_kw, totals.taken_back_kw, totals.loads_kw, totals.shunts_kw, totals.losses_kw)
    assert all(map(math.isfinite, figures))
    drawn_kw = totals.taken_back_kw + totals.loads_kw + totals.shunts_kw + totals.losses_kw
    assert totals.fed_in_kw == pytest.approx(drawn_kw, rel=1e-5, abs=1e-3 + 1e-5 * sum(map(abs, figures)))


@pytest.mark.parametrize("seed", range(60))
def test_a_changed_case_is_solved_or_refused(tmp_path: Path, seed: int) -> None:
    _case(tmp_path, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(60, 4000))
def test_a_changed_case_is_solved_or_refused_at_length(tmp_path: Path, seed: int) -> None:
    _case(tmp_path, seed)


def _case(folder: Path, seed: int) -> None:
    rng = random.Random(seed)
    path = folder / "ring.m"
    path.write_text(changed_case(rng))
    judge(path, rng)


@pytest.mark.parametrize("seed", range(12))
def test_a_changed_network_is_solved_or_refused(tmp_path: Path, network_text: str, seed: int) -> None:
    _network(tmp_path, network_text, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12, 1000))
def test_a_changed_network_is_solved_or_refused_at_length(tmp_path: Path, network_text: str, seed: int) -> None:
    _network(tmp_path, network_text, seed)


def _network(folder: Path, text: str, seed: int) -> None:
    rng = random.Random(seed)
    path = folder / "net.json"
    path.write_text(changed_network(text, rng))
    judge(path, rng)


@pytest.mark.parametrize("seed", range(3))
def test_a_changed_script_is_solved_or_refused(tmp_path: Path, seed: int) -> None:
    _script(tmp_path, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3, 600))
def test_a_changed_script_is_solved_or_refused_at_length(tmp_path: Path, seed: int) -> None:
    _script(tmp_path, seed)


def _script(folder: Path, seed: int) -> None:
    pytest.importorskip("dss_python_backend")
    rng = random.Random(seed)
    path = folder / "lane.dss"
    path.write_text(changed_script(rng))
    judge(path, rng)
    assert [one.name for one in folder.iterdir()] == ["lane.dss"], "a script writes nothing beside itself"
