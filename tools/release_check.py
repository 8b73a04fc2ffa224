"""Build the source distribution and the wheel without network, and look into them: `make release-check`."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "heptagrid"
BESIDE = (
    "CHANGELOG.md",
    "CITATION.cff",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "NOTICE",
    "README.md",
    "pyproject.toml",
)
FOLDERS = ("benchmarks", "docs", "examples", "heptagrid", "tests", "tools")
MOST_BYTES = 10_000_000  # of the wheel; package indexes take a hundred times as much, readers' patience does not


def build(folder: Path) -> tuple[Path, Path]:
    """The source distribution, made of the tree, and the wheel, made of the source distribution."""
    subprocess.run([sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)], check=True)
    (source,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return source, wheel


def problems_of_source(source: Path) -> list[str]:
    """What the source distribution lacks of the tree, or holds beyond it."""
    with tarfile.open(source) as archive:
        found = {name.partition("/")[2] for name in archive.getnames()}
    expected = set(BESIDE).union(*(_files(ROOT / folder) for folder in FOLDERS))
    missing = [f"{source.name} lacks {name}" for name in sorted(expected - found)]
    return missing + [
        f"{source.name} holds {name}" for name in sorted(found) if name.startswith((".ci", ".venv", "site/", "runs/"))
    ]


def problems_of_wheel(wheel: Path) -> list[str]:
    """What the wheel lacks of the package, or holds beyond it."""
    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if not name.endswith("/")}
    package = {name for name in found if ".dist-info/" not in name}
    about = {name.rpartition("/")[2] for name in found - package}
    problems = [f"{wheel.name} lacks {name}" for name in sorted(_files(PACKAGE) - package)]
    problems += [f"{wheel.name} holds {name}" for name in sorted(package - _files(PACKAGE))]
    problems += [
        f"{wheel.name} lacks {name}" for name in ("LICENSE", "NOTICE", "entry_points.txt") if name not in about
    ]
    if wheel.stat().st_size > MOST_BYTES:
        problems.append(f"{wheel.name} has {wheel.stat().st_size} bytes; more than {MOST_BYTES} are too many")
    return problems


def problems_in_use(wheel: Path, folder: Path) -> list[str]:
    """What is wrong when the wheel's content stands alone on the path: its data and its entry points are to be found."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    program = (
        "import heptagrid; from pathlib import Path; scenario = heptagrid.load('town', ['messages.backhaul.technology=fibre']); "
        "print(Path(heptagrid.__file__).parent, len(scenario.sections), (scenario.folder / 'grid.npz').exists())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        return [f"{wheel.name} cannot be used: {done.stderr}"]
    where, sections, is_there = done.stdout.split()
    if Path(where).resolve() != (folder / "heptagrid").resolve():
        return [f"{wheel.name} was not what was used, but {where}"]
    return (
        []
        if int(sections) > 20 and is_there == "True"
        else [f"{wheel.name} finds {sections} sections; grid: {is_there}"]
    )


def _files(folder: Path) -> set[str]:
    """The files in a folder of the tree, but for what Python leaves there."""
    found = (
        path
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    )
    return {path.relative_to(ROOT).as_posix() for path in found}


if __name__ == "__main__":
    target = Path(sys.argv[1])
    source_distribution, built_wheel = build(target)
    problems = [
        *problems_of_source(source_distribution),
        *problems_of_wheel(built_wheel),
        *problems_in_use(built_wheel, target / "unpacked"),
    ]
    print("\n".join(problems) or f"{source_distribution.name} and {built_wheel.name} hold what they should")
    sys.exit(bool(problems))
