"""The harness for tests of other software, and its tutorial, tried as written."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import heptagrid
from heptagrid.assembly.own_feeder import on_feeder, read_feeder
from heptagrid.foundation.errors import HeptagridError, UsageError
from heptagrid.testing import live_grid
from heptagrid.testing.lane_scenario import NETWORK, lane_file
from tests.conftest import LANE, heed_interrupts

PAGE = Path(__file__).parents[2] / "docs/live/testing.md"


def test_the_lane_is_what_the_importer_makes_of_its_script(tmp_path: Path) -> None:
    town = heptagrid.load("town")
    made = on_feeder(town, read_feeder(town, LANE), LANE, tmp_path).folder
    for name in ("grid.npz", "circuit.npz"):
        ours, theirs = np.load(NETWORK / name, allow_pickle=False), np.load(made / name, allow_pickle=False)
        assert set(ours.files) == set(theirs.files)
        for key in ours.files:
            if ours[key].dtype.kind in "fc":  # whose last bits are the processor's
                np.testing.assert_allclose(ours[key], theirs[key], rtol=1e-12, err_msg=f"{name}: {key}")
            else:
                np.testing.assert_array_equal(ours[key], theirs[key], err_msg=f"{name}: {key}")
    assert heptagrid.load(lane_file()).name == "lane"


@pytest.mark.long
def test_the_tutorial_holds_as_written(tmp_path: Path) -> None:
    files = dict(re.findall(r"`(\w+\.py)`:\n\n```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))
    assert files.keys() == {"csms.py", "test_overload.py"}
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    session = next(
        one
        for one in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
        if "heptagrid_grid" in one
    )
    (tmp_path / "test_session.py").write_text(session, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nheptagrid_scenario = lane\n", encoding="utf-8")
    without = [word for name in ("cacheprovider", "xdist", "schemathesis") for word in ("-p", f"no:{name}")]
    command = [sys.executable, "-m", "pytest", "-q", *without]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=900, preexec_fn=heed_interrupts
    )
    assert "3 passed" in done.stdout, done.stdout + done.stderr


def test_the_plug_in_imports_nothing_until_it_is_asked() -> None:
    said = subprocess.run(
        [sys.executable, "-c", "import sys, heptagrid.testing.plugin; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert not {"numpy", "numba", "polars", "starlette", "heptagrid.live"} & set(said)


def test_a_grid_that_cannot_start_says_why() -> None:
    with pytest.raises(UsageError, match="there is no such protocol"), live_grid("lane", protocols=["telepathy"]):
        pass
    with pytest.raises(HeptagridError, match="vehicles"), live_grid("lane", settings=["vehicles.share=7"]):
        pass
