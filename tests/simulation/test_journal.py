"""Journals that are read again: those of today are taken, those that another version wrote are refused in a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from heptagrid.contracts.outside import FRAMES, Frame
from heptagrid.foundation.errors import OutputError
from heptagrid.simulation.journal import Entry, Journal, Recorded, entered


def written(path: Path) -> list[dict[str, Any]]:
    """A journal with an entry of each form; its entries."""
    contract = next(iter(FRAMES.values()))
    ends = np.array([3, 4]), np.array([1, 1])
    journal = Journal(path)
    journal.length(10, 60)
    journal.message(0, contract.wave(Frame(np.array([7, 8])), *ends, 12, size=40))
    journal.note(1, Entry("tap", {"town": 0}, "somebody"))
    journal.close()
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_journal_of_today_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    assert len(written(path)) == 3
    Recorded(path)
    assert entered(path) == {"shortest_step_s": 60, "longest_step_s": 60, "messages": 2, "changes": 1}


@pytest.mark.parametrize(
    ("line", "field", "value", "said"),
    [
        (2, "payload", ["AAAAAAAAAAA=", "AAAAAAAAAAA="], "line 2: this entry has not the form"),
        (2, "payload", "AQAAA", "line 2: its payload is not written in base 64"),
        (
            2,
            "contract",
            [99, "frame", 6, 3],
            r"line 2: this version of heptagrid has no contract \[99, 'frame', 6, 3\]",
        ),
        (1, "step_s", "60", "line 1: this entry has not the form"),
        (3, "hand", "left", "line 3: this entry has not the form"),
    ],
)
def test_a_journal_of_another_version_is_refused_in_a_sentence(
    tmp_path: Path, line: int, field: str, value: object, said: str
) -> None:
    path = tmp_path / "journal.jsonl"
    entries = written(path)
    entries[line - 1][field] = value
    path.write_text("".join(json.dumps(one) + "\n" for one in entries), encoding="utf-8")
    with pytest.raises(OutputError, match=f"journal.jsonl, {said}.*replay it with the version of heptagrid"):
        Recorded(path)
