"""The bytes that came in are kept with their nanosecond, and are read back."""

from __future__ import annotations

from pathlib import Path

import pytest

from heptagrid.foundation.errors import OutputError
from heptagrid.live.wire import Piece, WireLog, read_wire

PIECES = [
    Piece(5, "modbus", "127.0.0.1:5", b"\x00\x01"),
    Piece(7, "ocpp", "127.0.0.1:9", b""),
    Piece(9, "modbus", "127.0.0.1:5", bytes(300)),
]


def written(path: Path) -> Path:
    log = WireLog(path)
    for one in PIECES:
        log.write(*one)
    log.close()
    assert (log.pieces, log.bytes) == (3, 302)
    return path


def test_what_came_in_is_read_back(tmp_path: Path) -> None:
    assert list(read_wire(written(tmp_path / "wire.bin"))) == PIECES


def test_a_file_that_was_cut_off_gives_what_is_whole(tmp_path: Path) -> None:
    path = written(tmp_path / "wire.bin")
    for cut in range(1, 310, 7):
        content = path.read_bytes()[:-cut]
        (tmp_path / "cut.bin").write_bytes(content)
        assert list(read_wire(tmp_path / "cut.bin")) == PIECES[: 2 if cut <= 316 else 1]


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"PK")
    with pytest.raises(OutputError, match="holds no bytes of a live run"):
        list(read_wire(tmp_path / "other"))
    with pytest.raises(OutputError, match="cannot be read"):
        list(read_wire(tmp_path / "none"))


def test_without_a_file_nothing_is_kept() -> None:
    log = WireLog()
    log.write(*PIECES[0])
    log.close()
    assert log.pieces == 1
