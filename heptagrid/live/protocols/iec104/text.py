"""Frames as a person reads them in a log."""

from __future__ import annotations

from heptagrid.live.protocols.iec104 import asdu
from heptagrid.live.protocols.iec104.apci import Information, MalformedError, Supervisory, decode


def text_of(apdu: bytes) -> str:
    """What a frame says."""
    try:
        frame = decode(apdu)
        if isinstance(frame, Information):
            return f"I {frame.send} {frame.receive}: {asdu.decode(frame.asdu).text}"
    except MalformedError as problem:
        return f"malformed: {problem}"
    if isinstance(frame, Supervisory):
        return f"S {frame.receive}"
    return f"U {frame.function.name}"
