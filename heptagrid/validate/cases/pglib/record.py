"""Copies units, load and published DC optimum of PGLib-OPF systems: record.py FOLDER, a checkout of pglib-opf."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np

from heptagrid.validate.money_dispatch import ARCHIVE

# Dispatch knows no network: these are the systems whose DC optimum no branch limits.
SYSTEMS = ("case14_ieee", "case24_ieee_rts", "case57_ieee", "case73_ieee_rts")


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
        # The first table holds the typical operating conditions; the third column the DC optimum.
        published = re.search(rf"\| pglib_opf_{system} \|[^|]*\|[^|]*\| (\S+) \|", baseline)
        assert published, f"the baseline has no {system}"
        rows.append(f"{system},{bus[:, 2].sum() + bus[:, 4].sum():.10g},{published.group(1)}")
    (ARCHIVE / "systems.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
