"""Copies units, load and published DC optimum of PGLib-OPF systems, and case files: record.py FOLDER, a checkout of pglib-opf."""

from __future__ import annotations

import re
import sys
import zipfile
from pathlib import Path

import numpy as np

from heptagrid.validate.money_dispatch import ARCHIVE

# Dispatch knows no network: these are the systems whose DC optimum no branch limits.
SYSTEMS = ("case14_ieee", "case24_ieee_rts", "case57_ieee", "case73_ieee_rts")

# On their networks: those that the meshed cases carry already, and larger ones.
MESHED = ("case5_pjm", "case14_ieee", "case24_ieee_rts", "case30_ieee", "case57_ieee", "case118_ieee")
LARGER = ("case39_epri", "case73_ieee_rts", "case300_ieee")


def optimum(baseline: str, system: str) -> str:
    """The first table holds the typical operating conditions; the third column the DC optimum."""
    published = re.search(rf"\| pglib_opf_{system} \|[^|]*\|[^|]*\| (\S+) \|", baseline)
    assert published, f"the baseline has no {system}"
    return published.group(1)


def table(text: str, name: str) -> np.ndarray:
    """A matrix of a MATPOWER case."""
    found = re.search(rf"mpc\.{name}\s*=\s*\[(.*?)\];", text, re.S)
    assert found, f"the case has no {name}"
    lines = (line.split("%")[0].replace(";", " ").split() for line in found.group(1).splitlines())
    return np.array([[float(figure) for figure in line] for line in lines if line])


def main(folder: Path) -> None:
    """Write one file of units that are on for each system, and one of loads and optima."""
    baseline = (folder / "BASELINE.md").read_text(encoding="utf-8")
    rows = ["system,load_mw,dc_usd_per_h"]
    for system in SYSTEMS:
        text = (folder / f"pglib_opf_{system}.m").read_text(encoding="utf-8")
        bus, unit, cost = (table(text, name) for name in ("bus", "gen", "gencost"))
        on = unit[:, 7] > 0
        columns = np.column_stack([unit[on, 9], unit[on, 8], cost[on, 4], cost[on, 5], cost[on, 6]])
        header = "p_min_mw,p_max_mw,cost_2,cost_1,cost_0"
        np.savetxt(ARCHIVE / f"{system}.csv", columns, "%.10g", ",", header=header, comments="")
        rows.append(f"{system},{bus[:, 2].sum() + bus[:, 4].sum():.10g},{optimum(baseline, system)}")
    files = {system: folder / f"pglib_opf_{system}.m" for system in LARGER}
    with zipfile.ZipFile(ARCHIVE / "larger.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in files.values():
            archive.write(path, path.name)
    optima = [f"{system},{optimum(baseline, system)}" for system in (*MESHED, *LARGER)]
    (ARCHIVE / "dc.csv").write_text("\n".join(["system,dc_usd_per_h", *optima]) + "\n", encoding="utf-8")
    (ARCHIVE / "systems.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
