"""The page that follows a reading through the code names files that are there, at most eight, and never upward."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def named() -> list[str]:
    return re.findall(r"^\d\. `(heptagrid/[\w/]+\.py)`", (ROOT / "docs/walk.md").read_text(encoding="utf-8"), re.M)


def test_a_readings_way_takes_at_most_eight_files_that_are_there() -> None:
    files = named()
    assert 5 < len(files) <= 8 and len(set(files)) == len(files)
    assert all((ROOT / one).is_file() for one in files)


def test_none_of_them_imports_a_layer_above_its_own() -> None:
    """Contracts lie below all others, so that both ends of a message may read them."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    [layers] = [one["layers"] for one in settings["tool"]["importlinter"]["contracts"] if one["type"] == "layers"]
    height = {name.strip(): -k for k, row in enumerate(layers) for name in row.split(":")}
    for one in named():
        own = one.split("/")[1]
        for package in re.findall(r"^from heptagrid\.(\w+)", (ROOT / one).read_text(encoding="utf-8"), re.M):
            assert height[package] <= height[own], f"{one} imports {package}"
