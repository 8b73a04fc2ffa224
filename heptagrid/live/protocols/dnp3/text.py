"""Frames as a person reads them in a log."""

from __future__ import annotations

from contextlib import suppress

from heptagrid.live.protocols.dnp3.application import SEQUENCE, Function, Indications
from heptagrid.live.protocols.dnp3.link import LinkFrame, Primary, Secondary

_FIRST_SEGMENT = 0x40


def text_of(frame: LinkFrame) -> str:
    """What a frame says; of a fragment in several segments, the first tells what it is."""
    code = frame.function
    if not frame.is_primary:
        return f"link {_name(Secondary, code)}"
    if code not in (Primary.DATA, Primary.CONFIRMED_DATA) or len(frame.data) < 3 or not frame.data[0] & _FIRST_SEGMENT:
        return f"link {_name(Primary, code)}" + (f", {len(frame.data)} bytes" if frame.data else "")
    control, function = frame.data[1:3]
    said = f"{_name(Function, function)} {control & SEQUENCE}"
    if function < Function.RESPONSE:
        objects = frame.data[3:]
        return said + (f": object {objects[0]} variation {objects[1]}" if len(objects) >= 2 else "")
    indications = Indications(int.from_bytes(frame.data[3:5], "little") & 0x0FFF)
    return said + (f": {', '.join(one.name.lower() for one in indications if one.name)}" if indications else "")


def _name(of: type[Primary] | type[Secondary] | type[Function], code: int) -> str:
    with suppress(ValueError):
        return of(code).name.lower().replace("_", " ")
    return f"function {code}"
