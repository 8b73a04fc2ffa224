"""Rebuild what `heptagrid validate` needs of RTS-GMLC, 3 to 19 July 2020, as one archive (development only).

python tools/build_rts_gmlc.py RTS_GMLC_FOLDER [heptagrid/validate/cases/commitment/rts-gmlc-july.zip]
"""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from heptagrid.importers.rts_gmlc import NEEDED

MONTH, DAYS = 7, range(3, 20)
EPOCH = (2020, 1, 1, 0, 0, 0)  # of every file, so that the archive is the same each time


def main(folder: Path, out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    files = {"NOTICE.md": (folder / "NOTICE.md").read_bytes()}
    for name, columns in NEEDED.items():
        files[f"SourceData/{name}.csv"] = table(folder / "SourceData" / f"{name}.csv", columns)
    for path in sorted((folder / "timeseries_data_files").glob("*/DAY_AHEAD_*.csv")):
        files[f"timeseries_data_files/{path.parent.name}/{path.name}"] = table(path)
    with ZipFile(out, "w", ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in files.items():
            entry = ZipInfo(name, EPOCH)
            entry.compress_type = ZIP_DEFLATED
            archive.writestr(entry, content)


def table(path: Path, columns: tuple[str, ...] = ()) -> bytes:
    """The columns, or all of them, of the rows of those days, if they have days."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    if "Month" in rows[0]:
        rows = [row for row in rows if int(row["Month"]) == MONTH and int(row["Day"]) in DAYS]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns or list(rows[0]), extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


if __name__ == "__main__":
    default = "heptagrid/validate/cases/commitment/rts-gmlc-july.zip"
    main(Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else default))
