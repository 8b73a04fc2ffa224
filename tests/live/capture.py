"""What crossed a connection as a capture file, and what tshark reads in it."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

_RAW_IP = 101
_PIECE = 1400


def write_capture(path: Path, port: int, packets: Sequence[tuple[bool, bytes]]) -> None:
    """A capture of a TCP connection to a port: (whether from the server, bytes) one after another, with their sequence numbers."""
    sent = [1000, 2000]  # by the client, by the server
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, _RAW_IP))
        at = 0
        for from_server, data in packets:
            for start in range(0, len(data), _PIECE):
                piece = data[start : start + _PIECE]
                ports = (port, 50_000) if from_server else (50_000, port)
                tcp = struct.pack(
                    ">HHIIBBHHH", *ports, sent[from_server], sent[not from_server], 0x50, 0x18, 8192, 0, 0
                )
                ip = struct.pack(
                    ">BBHHHBBH4s4s",
                    0x45,
                    0,
                    40 + len(piece),
                    at,
                    0,
                    64,
                    6,
                    0,
                    bytes((127, 0, 0, 1)),
                    bytes((127, 0, 0, 1)),
                )
                packet = ip + tcp + piece
                file.write(struct.pack("<IIII", at // 1000, at % 1000 * 1000, len(packet), len(packet)) + packet)
                sent[from_server] += len(piece)
                at += 1


def dissected(path: Path, port: int, protocol: str, *fields: str) -> list[list[str]]:
    """The fields that tshark finds in the packets of a capture, by packet; skips where there is no tshark."""
    tshark = shutil.which("tshark")
    if tshark is None:
        pytest.skip("not run: tshark is not installed (Debian package tshark)")
    chosen = [word for field in fields for word in ("-e", field)]
    done = subprocess.run(
        [tshark, "-r", str(path), "-d", f"tcp.port=={port},{protocol}", "-T", "fields", "-E", "separator=|", *chosen],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return [line.split("|") for line in done.stdout.splitlines()]
