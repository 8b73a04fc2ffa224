"""The bytes that came in are kept with their nanosecond, and are read back."""

from __future__ import annotations

from pathlib import Path

import pytest

from heptagrid.foundation.errors import OutputError
from heptagrid.live import wire
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


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="not run: there is no /dev/full")
def test_a_full_disk_ends_the_file_and_is_said() -> None:
    log = WireLog(Path("/dev/full"))
    for _ in range(10_000):
        log.write(*PIECES[2])
    log.close()
    assert log.problem == "wire.bin ends early: it cannot be written: No space left on device"
    assert log.pieces == 10_000, "they are counted all the same"


def test_the_file_has_a_largest_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MOST_BYTES", 5 << 20)
    log = WireLog(tmp_path / "wire.bin")
    for _ in range(100):
        log.write(1, "modbus", "127.0.0.1:5", bytes(1 << 20))
    assert log.problem == "wire.bin ends early: more than 5 MB have come in"
    assert (tmp_path / "wire.bin").stat().st_size < 6.1 * (1 << 20)
    assert len(list(read_wire(tmp_path / "wire.bin"))) == 5


def test_clients_from_ever_new_addresses_do_not_fill_the_memory(tmp_path: Path) -> None:
    log, sent = WireLog(tmp_path / "wire.bin"), []
    for k in range(10_000):
        sent.append(Piece(k, "modbus", f"127.0.0.1:{k}", b"a"))
        log.write(*sent[-1])
        sent.append(Piece(k, "modbus", "127.0.0.1:0", b"b"))
        log.write(*sent[-1])
        assert len(log._peers) <= 4096
    log.close()
    assert list(read_wire(tmp_path / "wire.bin")) == sent


def test_without_a_file_nothing_is_kept() -> None:
    log = WireLog()
    log.write(*PIECES[0])
    log.close()
    assert log.pieces == 1
