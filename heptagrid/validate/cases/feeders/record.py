"""Packs the feeders' files out of a folder of OpenDSS's test cases, and records OpenDSS's answers to them.

    python heptagrid/validate/cases/feeders/record.py FOLDER

FOLDER holds `13Bus`, `34Bus` and so on, beside `IEEELineCodes.DSS` and `License.txt`.
"""

from __future__ import annotations

import sys
import zipfile
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np

from heptagrid.validate.peers.dss_python import solved
from heptagrid.validate.power_feeders import ANSWERS, FEEDERS, Feeder, unpacked

SHARED = ("IEEELineCodes.DSS", "License.txt")
MADE = (1980, 1, 1, 0, 0, 0)  # a fixed time, so that packing again gives the same file


def pack(feeder: Feeder, folder: Path) -> None:
    """Write the feeder's archive."""
    files = [folder / name for name in SHARED]
    for path in sorted((folder / feeder.folder).rglob("*")):
        if path.is_file() and any(fnmatchcase(path.name.lower(), pattern) for pattern in feeder.files):
            files.append(path)
    with zipfile.ZipFile(feeder.archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in files:
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), MADE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())


def main() -> None:
    """Pack and record."""
    folder = Path(sys.argv[1])
    arrays: dict[str, Any] = {}
    for feeder in {one.archive: one for one in FEEDERS}.values():
        pack(feeder, folder)
    for feeder in FEEDERS:
        with unpacked(feeder) as script:
            answer = solved(script)
        arrays[f"{feeder.name}_v"] = answer.v[np.argsort(answer.nodes)].astype(np.complex64)
        arrays[f"{feeder.name}_losses_kw"] = np.array(answer.losses_kw)
        arrays[f"{feeder.name}_taps"] = answer.taps.astype(np.int16)
        arrays[f"{feeder.name}_capacitors"] = answer.capacitors.astype(np.int8)
        print(feeder.name, len(answer.nodes), round(answer.losses_kw, 3), answer.taps, answer.capacitors)
    np.savez_compressed(ANSWERS, **arrays)


if __name__ == "__main__":
    main()
