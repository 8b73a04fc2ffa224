"""Records PYPOWER's and pandapower's complex voltages; reads MATPOWER files by itself, since the importer is what is tested."""

from __future__ import annotations

import re
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from pypower.api import ppoption, runpf

from heptagrid.validate.peers import matpower, pandapower
from heptagrid.validate.power_meshed import ANSWERS, CASES, MATPOWER, PANDAPOWER, PGLIB, SIMBENCH, picked

WIDTH = {"bus": 13, "gen": 21, "branch": 13}


def pypower_case(text: str) -> dict[str, object]:
    """The plain matrices of a case that computes nothing."""
    text = re.sub(r"%.*", "", text)
    base = re.search(r"mpc\.baseMVA\s*=\s*([\d.eE+]+)", text)
    assert base
    case: dict[str, object] = {"version": "2", "baseMVA": float(base.group(1))}
    for name, width in WIDTH.items():
        found = re.search(rf"mpc\.{name}\s*=\s*\[(.*?)\]", text, re.DOTALL)
        assert found
        rows = [[float(word) for word in row.split()] for row in re.split(r"[;\n]", found.group(1)) if row.strip()]
        table = np.zeros((len(rows), width))
        given = np.array(rows)[:, :width]
        table[:, : given.shape[1]] = given
        case[name] = table
    return case


def voltages(text: str) -> np.ndarray:
    """PYPOWER's complex voltages, (buses,)."""
    result, done = runpf(pypower_case(text), ppoption(VERBOSE=0, OUT_ALL=0, PF_TOL=1e-10, PF_MAX_IT=30))
    assert done
    return np.asarray(result["bus"][:, 7] * np.exp(1j * np.deg2rad(result["bus"][:, 8])))


def main(pglib: Path) -> None:
    """Write the archive of PGLib's files in the folder `pglib`, and all answers."""
    answers: dict[str, Any] = {}
    with zipfile.ZipFile(CASES, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in PGLIB:
            path = pglib / f"pglib_opf_{name}.m"
            archive.write(path, path.name)
            answers[f"pglib {name}"] = voltages(path.read_text(encoding="utf-8"))
    for name in MATPOWER:
        answers[f"matpower {name}"] = picked(voltages((matpower.DATA / f"{name}.m").read_text(encoding="utf-8")))
    for name in PANDAPOWER:
        answers[f"pandapower {name}"] = pandapower.solved(pandapower.network(name))
    for code in SIMBENCH:
        answers[f"simbench {code}"] = pandapower.solved(pandapower.simbench(code))
    np.savez_compressed(ANSWERS, **answers)
    print(f"{ANSWERS.stat().st_size} and {CASES.stat().st_size} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
