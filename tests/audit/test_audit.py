"""An audit finds whatever was changed in a run's folder, and says where."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

import heptagrid
from heptagrid.cli import main
from heptagrid.foundation.errors import OutputError
from heptagrid.inquiry.audit import audit
from heptagrid.recording.ledger_chain import chain_of, first_broken
from heptagrid.recording.results import Run
from heptagrid.recording.seal import vouching
from heptagrid.world.accounts import COLUMN_NAMES, Accounts, column_of

pytestmark = pytest.mark.long


@pytest.fixture
def copied(lane_day: Run, tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    shutil.copytree(lane_day.folder, folder)
    return folder


def rewritten(folder: Path) -> None:
    """Make the manifest vouch for the files as they are now, as somebody who knows how would."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    files = [folder / name for name in manifest["contents"]]
    (folder / "manifest.json").write_text(json.dumps(vouching(manifest, files)), encoding="utf-8")


def test_an_untouched_run_stands(lane_day: Run) -> None:
    found = audit(lane_day)
    assert not found.problems
    assert found.head == lane_day.manifest["ledger_chain"][-1]["hash"]
    assert CliRunner().invoke(main, ["audit", str(lane_day.folder)]).exit_code == 0


@pytest.mark.parametrize("column", ["amount_millicent", "cause", "at_ns"])
def test_a_changed_row_breaks_the_chain_though_the_manifest_vouches_for_the_file(copied: Path, column: str) -> None:
    ledger = pl.read_parquet(copied / "ledger.parquet")
    row = len(ledger) // 2
    changed = ledger.with_columns(
        pl.when(pl.int_range(pl.len()) == row).then(pl.col(column) + 1).otherwise(pl.col(column)).alias(column)
    )
    changed.write_parquet(copied / "ledger.parquet")
    rewritten(copied)
    problems = audit(heptagrid.open_run(copied)).problems
    arm = ledger["arm"][row]
    assert any(f"breaks within the {arm} arm's payments" in one for one in problems)


def test_rows_that_are_swapped_taken_out_or_added_break_the_chain(lane_day: Run) -> None:
    ledger = lane_day.ledger
    links = chain_of(ledger)
    assert first_broken(ledger, links) is None
    order = list(range(len(ledger)))
    order[3], order[4] = order[4], order[3]
    assert first_broken(ledger[order], links) == links[0]
    assert first_broken(ledger[:-1], links) == links[-1]
    assert first_broken(pl.concat([ledger, ledger[-1:]]), links) == links[-1]
    assert first_broken(ledger[:0], links) == links[0]


def test_every_flipped_bit_of_the_ledgers_file_is_found(copied: Path) -> None:
    whole = (copied / "ledger.parquet").read_bytes()
    for at in range(7, len(whole), len(whole) // 23):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << (at % 8)
        (copied / "ledger.parquet").write_bytes(damaged)
        assert audit(heptagrid.open_run(copied)).problems, at


def test_a_summary_that_tells_other_sums_is_found(copied: Path) -> None:
    summary = json.loads((copied / "summary.json").read_text(encoding="utf-8"))
    summary["arms"]["smart"]["money_eur"]["by_reason"][0]["amount_eur"] += 0.00001
    (copied / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    rewritten(copied)
    assert any("by the summary" in one for one in audit(heptagrid.open_run(copied)).problems)


def test_a_missing_file_is_named_and_the_rest_is_looked_at(copied: Path) -> None:
    (copied / "totals.parquet").unlink()
    result = CliRunner().invoke(main, ["audit", str(copied), "--json"])
    found = json.loads(result.stdout)
    assert not found["sound"]
    assert [one["what"] for one in found["findings"] if one["problem"]] == ["totals.parquet"]
    assert result.exit_code != 0


def test_a_stopped_run_vouches_for_nothing(copied: Path) -> None:
    manifest = json.loads((copied / "manifest.json").read_text(encoding="utf-8"))
    (copied / "manifest.json").write_text(json.dumps(vouching(manifest | {"partial": True})), encoding="utf-8")
    with pytest.raises(OutputError, match="vouches for nothing"):
        audit(heptagrid.open_run(copied))


def test_every_account_has_its_column_by_name() -> None:
    accounts = Accounts(3, ("a", "b"), ("c",))
    names = [COLUMN_NAMES[column] for column in accounts.columns]
    assert [column_of(name) for name in accounts.names] == names
