"""The lane: a street of seventeen customers, small enough that a grid on it starts in seconds.

A regulated feeder of 12.47 kV with three pole transformers of 50 kVA, made for heptagrid's own tests (`tests/cases/lane/lane.dss` of its sources); people, weather and the
bulk system are the town's.
"""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import heptagrid.scenario
from heptagrid.foundation.output_file import whole_file

NETWORK = Path(__file__).parent / "lane"
TOWN = Path(heptagrid.scenario.__file__).parent / "data/town"


@cache
def lane_file() -> Path:
    """The scenario's file, in a folder that ends with this process."""
    folder = Path(_folder().name)
    network = folder / "network"
    network.mkdir()
    for source in (*sorted(NETWORK.glob("*.npz")), TOWN / "profiles.npy", TOWN / "weather.npy"):
        try:
            (network / source.name).symlink_to(source)
        except OSError:  # where links are not allowed
            shutil.copy(source, network / source.name)
    with whole_file(folder / "lane.toml") as writing:
        writing.write_text(f"name = 'lane'\nnetwork = '{network.as_posix()}'\n", encoding="utf-8")
    return folder / "lane.toml"


@cache
def _folder() -> TemporaryDirectory[str]:
    """Kept until the process ends."""
    return TemporaryDirectory(prefix="heptagrid-lane-", ignore_cleanup_errors=True)
