"""Where the package of somebody else's stands, and Python as its users have it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.documents.pages import ROOT

PACKAGE = ROOT / "tests/plugin_package"
PROJECT = PACKAGE / "pyproject.toml"
LANE = ROOT / "tests/cases/lane/lane.dss"


def python(site: Path, *words: str) -> str:
    path = os.pathsep.join([str(site), str(PACKAGE), *(one for one in [os.environ.get("PYTHONPATH")] if one)])
    done = subprocess.run(
        [sys.executable, *words], cwd=site, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
