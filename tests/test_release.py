"""What a release is made of: one version, a citation file, hooks that check what `make lint` checks, archives with everything in them."""

from __future__ import annotations

import re
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

sys.path.insert(0, str(ROOT / "tools"))
import release_check  # noqa: E402

# Citation File Format 1.2.0, guide to its schema (doi 10.5281/zenodo.5171937).
CITATION_REQUIRED = {"cff-version", "message", "title", "authors"}
CITATION_KNOWN = CITATION_REQUIRED | {
    *("abstract", "commit", "contact", "date-released", "doi", "identifiers", "keywords", "license", "license-url"),
    *(
        "preferred-citation",
        "references",
        "repository",
        "repository-artifact",
        "repository-code",
        "type",
        "url",
        "version",
    ),
}


def test_the_citation_file_is_valid_and_of_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert set(citation) >= CITATION_REQUIRED
    assert set(citation) <= CITATION_KNOWN
    assert citation["cff-version"] == "1.2.0"
    assert citation["type"] == "software"
    assert citation["authors"] == PROJECT["authors"]
    assert (citation["version"], citation["license"]) == (PROJECT["version"], PROJECT["license"])


def test_the_version_stands_in_one_place_of_the_sources_and_leads_the_changelog() -> None:
    version = PROJECT["version"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\S+)", changelog, re.M)[0] == version
    for path in [*(ROOT / "heptagrid").rglob("*.py"), ROOT / "docs/conf.py"]:
        assert not re.search(rf"version\S* = [\"']{re.escape(version)}", path.read_text(encoding="utf-8")), path


def test_hooks_before_a_commit_check_what_make_lint_checks() -> None:
    hooks = [
        hook
        for repo in yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
        for hook in repo["hooks"]
    ]
    rule = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\nlint:")[2].partition("\n\n")[0]
    linted = [line.split() for line in rule.replace("$(BIN)", ".venv/bin").splitlines()[1:]]
    hooked = [[word for word in hook["entry"].split() if word != "--force-exclude"] for hook in hooks]
    assert [[word for word in words if word != "."] for words in linted] == hooked


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return release_check.build(tmp_path_factory.mktemp("dist"))


def test_source_distribution_and_wheel_hold_what_they_should(archives: tuple[Path, Path], tmp_path: Path) -> None:
    source, wheel = archives
    assert release_check.problems_of_source(source) == []
    assert release_check.problems_of_wheel(wheel) == []
    assert release_check.problems_in_use(wheel, tmp_path) == []


def test_a_wheel_without_its_data_or_with_tests_is_found_out(archives: tuple[Path, Path], tmp_path: Path) -> None:
    poor = tmp_path / archives[1].name
    with zipfile.ZipFile(archives[1]) as whole, zipfile.ZipFile(poor, "w", zipfile.ZIP_DEFLATED) as changed:
        for name in whole.namelist():
            if not name.endswith(("grid.npz", "entry_points.txt")):
                changed.writestr(name, whole.read(name))
        changed.writestr("tests/conftest.py", "")
    assert {problem.partition(".whl ")[2] for problem in release_check.problems_of_wheel(poor)} == {
        "lacks heptagrid/scenario/data/town/grid.npz",
        "lacks heptagrid/testing/lane/grid.npz",
        "lacks heptagrid/validate/cases/levels/grid.npz",
        "lacks entry_points.txt",
        "holds tests/conftest.py",
    }
    assert "cannot be used" in release_check.problems_in_use(poor, tmp_path / "unpacked")[0]
