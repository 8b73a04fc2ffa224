"""Copies published DC optima of PGLib-OPF systems, and case files: record.py FOLDER, a checkout of pglib-opf."""

from __future__ import annotations

import re
import sys
import zipfile
from pathlib import Path

from heptagrid.validate.case import DATA

ARCHIVE = DATA / "pglib"

# Those that the meshed cases carry already, and larger ones.
MESHED = ("case5_pjm", "case14_ieee", "case24_ieee_rts", "case30_ieee", "case57_ieee", "case118_ieee")
LARGER = ("case39_epri", "case73_ieee_rts", "case300_ieee")


def optimum(baseline: str, system: str) -> str:
    """The first table holds the typical operating conditions; the third column the DC optimum."""
    published = re.search(rf"\| pglib_opf_{system} \|[^|]*\|[^|]*\| (\S+) \|", baseline)
    assert published, f"the baseline has no {system}"
    return published.group(1)


def main(folder: Path) -> None:
    """Write the optima, and the files of the larger systems."""
    baseline = (folder / "BASELINE.md").read_text(encoding="utf-8")
    files = {system: folder / f"pglib_opf_{system}.m" for system in LARGER}
    with zipfile.ZipFile(ARCHIVE / "larger.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in files.values():
            archive.write(path, path.name)
    optima = [f"{system},{optimum(baseline, system)}" for system in (*MESHED, *LARGER)]
    (ARCHIVE / "dc.csv").write_text("\n".join(["system,dc_usd_per_h", *optima]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
