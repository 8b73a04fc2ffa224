"""The package of docs/extend.md, put together as the page says and found through its entry points."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.documents.pages import DOCS, blocks

pytestmark = pytest.mark.long

PAGE = DOCS / "extend.md"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder on the path that holds the package as an installer leaves it, and the file that it reads."""
    folder = tmp_path_factory.mktemp("site")
    ((project,), (copper, street), (houses,)) = (blocks(PAGE, language) for language in ("toml", "python", "json"))
    package = folder / "streetgrid"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "copper.py").write_text(copper, encoding="utf-8")
    (package / "street.py").write_text(street, encoding="utf-8")
    about = tomllib.loads(project)["project"]
    lines = []
    for group, points in about["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in points.items())]
    installed = folder / f"{about['name']}-{about['version']}.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {about['name']}\nVersion: {about['version']}\n")
    (installed / "entry_points.txt").write_text("\n".join(lines) + "\n")
    (folder / "elm.street").write_text(houses, encoding="utf-8")
    return folder


def python(site: Path, *words: str) -> str:
    path = os.pathsep.join([str(site), *(one for one in [os.environ.get("PYTHONPATH")] if one)])
    done = subprocess.run(
        [sys.executable, *words], cwd=site, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_technology_is_known_by_its_name(site: Path) -> None:
    setting = "messages.backhaul.technology=copper-pair"
    said = python(
        site, "-c", f"import heptagrid; print(heptagrid.load('town', [{setting!r}]).sections['messages.backhaul'])"
    )
    assert "copper-pair" in said


def test_the_importer_reads_what_it_claims(site: Path) -> None:
    solved = json.loads(python(site, "-m", "heptagrid", "flow", "elm.street", "--json"))
    assert solved["converged"] and solved["format"] == "street (.street)"
    assert solved["loads_kw"] == pytest.approx(6.0 + 4.5 + 9.0)
    assert solved["least_v_node"] == "house 2"
    assert "elm.street" in python(site, "-m", "heptagrid", "inspect", "elm.street")


def test_what_is_wrong_with_a_file_is_named(site: Path) -> None:
    (site / "oak.street").write_text('{"houses": [{"m": 40, "kw": 600.0}]}')
    with pytest.raises(AssertionError, match=r"oak\.street.*\n.*house 0: draws 600\.0 kW"):
        python(site, "-m", "heptagrid", "flow", "oak.street")
