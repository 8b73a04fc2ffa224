"""A package of somebody else's, found through its entry points, and a run of the small feeder with it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import heptagrid
from tests.plugins.extras import LANE, PROJECT, python


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package's metadata, as an installer leaves it, and results beside it."""
    folder = tmp_path_factory.mktemp("site")
    about = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    installed = folder / f"{about['name'].replace('-', '_')}-{about['version']}.dist-info"
    installed.mkdir()
    lines = []
    for group, points in about["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in points.items())]
    (installed / "entry_points.txt").write_text("\n".join(lines) + "\n")
    (installed / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {about['name']}\nVersion: {about['version']}\n")
    return folder


@pytest.fixture(scope="session")
def run(site: Path) -> heptagrid.Run:
    pytest.importorskip("dss", reason="reading OpenDSS scripts needs dss-python")
    words = "run --single smart --step 900 --threads 1 --out run --set water_heaters.share=1 --set gateways.enrolled_share=1 --set tariffs.night_saver.share=0.4"
    python(site, "-m", "heptagrid", *words.split(), "--feeder", str(LANE))
    return heptagrid.open_run(site / "run")
