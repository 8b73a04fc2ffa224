"""Whatever a results folder holds, what reads it says which file does not fit; it never ends in a traceback or a wrong figure."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars
import pytest
from click.testing import CliRunner

import heptagrid
from heptagrid.cli import main
from heptagrid.foundation.errors import OutputError
from heptagrid.inquiry.explain import explain
from heptagrid.inquiry.trace import trace
from heptagrid.recording.results import Run
from heptagrid.recording.seal import is_sealed, sealed, vouching


@pytest.fixture
def folder(day: Run, tmp_path: Path) -> Path:
    """A copy of a day's run; a file is written anew where it is changed, so that the run itself stays."""
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in day.folder.iterdir():
        if path.is_file():
            os.link(path, copy / path.name)
    return copy


def replace_with(content: bytes | None) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        path.unlink()
        if content is not None:
            path.write_bytes(content)

    return change


def as_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def cut(path: Path) -> None:
    content = path.read_bytes()
    replace_with(content[: len(content) // 2])(path)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    replace_with(bytes(content))(path)


DAMAGE: dict[str, Callable[[Path], None]] = {
    "missing": replace_with(None),
    "empty": replace_with(b""),
    "a folder": as_folder,
    "cut": cut,
    "one bit flipped": flip,
    "not a word": replace_with(b"\x00\xff\x1b[31m" * 100),
    "a list": replace_with(b"[1, 2]"),
    "null": replace_with(b"null"),
    "nested too deeply": replace_with(b"[" * 100_000),
    "a number of 5,000 digits": replace_with(b'{"seed": ' + b"1" * 5000 + b"}"),
    "UTF-16": replace_with("{}".encode("utf-16")),
    "of a web application": replace_with(b'{"name": "shop", "start_url": "/", "icons": []}'),
}


@pytest.mark.parametrize("name", ["manifest.json", "summary.json"])
@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_description_is_refused_by_name(kind: str, name: str, folder: Path, day: Run) -> None:
    DAMAGE[kind](folder / name)
    for read in (
        lambda: heptagrid.open_run(folder),
        lambda: trace(folder, 1),
        lambda: explain(folder, 17),
        lambda: heptagrid.compare(folder, folder, out=folder.parent / "compared"),
    ):
        if name == "manifest.json" and kind == "missing" and read.__code__.co_names[0] == "heptagrid":
            continue  # without a mark a name is a scenario's
        with pytest.raises(OutputError, match=name.replace(".", r"\.")):
            read()


@pytest.mark.parametrize("kind", ["empty", "a folder", "cut", "one bit flipped", "not a word"])
def test_a_damaged_table_is_refused_by_name(kind: str, folder: Path) -> None:
    DAMAGE[kind](folder / "ledger.parquet")
    run = heptagrid.open_run(folder)
    assert len(run.bills) > 0, "other tables are read"
    with pytest.raises(OutputError, match=r"ledger\.parquet"):
        _ = run.ledger
    with pytest.raises(OutputError, match=r"ledger\.parquet"):
        explain(folder, 17)


def test_a_ledger_that_was_tripled_explains_no_bill(folder: Path) -> None:
    path = folder / "ledger.parquet"
    ledger = polars.read_parquet(path)
    path.unlink()
    polars.concat([ledger] * 3).write_parquet(path)
    said = CliRunner().invoke(main, ["explain", str(folder), "--bill", "17"])
    assert said.exit_code == 5
    assert "ledger.parquet is not as the run wrote it" in said.output


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"format_version": 99}, "in version 99 of the format of results"),
        ({"format": "heptagrid sweep"}, "by another program"),
        ({"seed": 7}, "changed or damaged"),
        ({"dates": 3}, "changed or damaged"),
        ({"seal": None}, "changed or damaged"),
    ],
)
def test_a_manifest_of_another_version_or_run_is_told_apart(folder: Path, changed: dict[str, Any], said: str) -> None:
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    replace_with(json.dumps({**manifest, **changed}).encode())(path)
    with pytest.raises(OutputError, match=said):
        heptagrid.open_run(folder)


def test_a_damaged_part_of_a_killed_run_is_refused_by_name(folder: Path, day: Run) -> None:
    for path in folder.iterdir():
        path.unlink()
    (folder / "manifest.json").write_text(json.dumps(vouching({**day.manifest, "partial": True})), encoding="utf-8")
    (folder / "parts").mkdir()
    (folder / "parts" / "totals.smart-0.0000.part").write_bytes(b"PAR1 no")
    run = heptagrid.open_run(folder)
    assert run.partial
    with pytest.raises(OutputError, match=r"0000\.part is not a table that can be read"):
        _ = run.totals


def test_a_seal_covers_every_value_and_nothing_but_them() -> None:
    manifest = sealed({"a": 1, "b": [1, 2]})
    assert is_sealed(manifest) and is_sealed(dict(reversed(manifest.items())))
    assert is_sealed(json.loads(json.dumps(manifest)))
    assert not is_sealed({**manifest, "a": 2}) and not is_sealed({**manifest, "c": 2}) and not is_sealed({"a": 1})
