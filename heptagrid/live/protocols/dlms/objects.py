"""The COSEM objects of a meter (IEC 62056-6-1 and 6-2): what each is called, and how each attribute is made from a reading.

The same objects stand for every meter; a meter of its own is no more than its reading at the moment when it is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum

from heptagrid.live.protocols.dlms import data
from heptagrid.live.protocols.dlms.acse import Context, Mechanism
from heptagrid.live.protocols.dlms.profile import CAPTURED, CLOCK, PERIOD_S, PROFILE, SELECTORS, Buffer, obis
from heptagrid.live.protocols.dlms.services import Access, Selection

DATA, REGISTER, PROFILE_GENERIC, CLOCK_CLASS, ASSOCIATION_CLASS, SAP_CLASS, SECURITY_CLASS, DISCONNECT_CLASS = (
    1,
    3,
    7,
    8,
    15,
    17,
    64,
    70,
)
WATT, VAR, WATT_HOUR, VOLT, HERTZ = 27, 29, 30, 35, 44
"""Units (IEC 62056-6-2, table 4)."""


ASSOCIATION = obis("0.0.40.0.0.255")
DISCONNECT = obis("0.0.96.3.10.255")
_SAPS, _NAME, _SECURITY = obis("0.0.41.0.0.255"), obis("0.0.42.0.0.255"), obis("0.0.43.0.0.255")


class Rights(IntEnum):
    """What an association may do: read what anybody may, read all, or write and act too."""

    PUBLIC = 0
    READ = 1
    WRITE = 2


@dataclass(frozen=True)
class Reading:
    """What a meter shows at a moment. now: of its clock; summer_time: when it begins and ends this year, as local time on the wall before each; saps: the logical devices at this address, by access point."""

    name: str
    serial: str
    firmware: str
    now: datetime
    summer_time: tuple[datetime, datetime] | None
    import_wh: int
    export_wh: int
    active_w: int
    reactive_var: int
    decivolts: int
    centihertz: int
    buffer: Buffer
    saps: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Seat:
    """The association through which somebody reads. counter: the highest invocation counter that the meter has taken."""

    client: int
    server: int
    context: Context
    mechanism: Mechanism
    conformance: int
    longest: tuple[int, int]
    client_title: bytes
    title: bytes
    counter: int
    rights: Rights


@dataclass(frozen=True)
class View:
    """A meter as an association sees it."""

    reading: Reading
    seat: Seat
    objects: Mapping[bytes, CosemObject]


Getter = Callable[[View], bytes]


@dataclass(frozen=True)
class CosemObject:
    """An object of an interface class. attributes: how each but the logical name is made; selectors: of those that are read in part; writable, methods: by number; is_public: whether anybody may read it."""

    interface: int
    version: int
    name: bytes
    attributes: Mapping[int, Getter]
    selectors: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    writable: frozenset[int] = frozenset()
    methods: tuple[int, ...] = ()
    is_public: bool = False

    def get(self, number: int, selection: Selection | None, view: View) -> bytes | Access:
        """An attribute, or why it is not read."""
        if view.seat.rights is Rights.PUBLIC and not self.is_public:
            return Access.READ_WRITE_DENIED
        if number == 1:
            return data.octets(self.name)
        if number not in self.attributes:
            return Access.OBJECT_UNAVAILABLE
        if selection is not None:
            if selection.selector not in self.selectors.get(number, ()):
                return Access.OTHER_REASON
            return view.reading.buffer.selected(selection)
        return self.attributes[number](view)

    def entry(self, rights: Rights) -> bytes:
        """Itself in the list of an association's objects."""
        may_write = rights is Rights.WRITE
        attributes = (
            data.structure(
                data.i8(number),
                data.enum(3 if may_write and number in self.writable else 1),
                data.array(map(data.i8, self.selectors[number])) if number in self.selectors else data.NULL,
            )
            for number in (1, *self.attributes)
        )
        methods = (
            data.structure(data.i8(number), data.enum(int(may_write or self.is_public))) for number in self.methods
        )
        rights_of = data.structure(data.array(attributes), data.array(methods))
        return data.structure(data.u16(self.interface), data.u8(self.version), data.octets(self.name), rights_of)


def _data(name: str, getter: Callable[[Reading], bytes], *, is_public: bool = False) -> CosemObject:
    return CosemObject(DATA, 0, obis(name), {2: lambda view: getter(view.reading)}, is_public=is_public)


def _register(name: str, getter: Callable[[Reading], bytes], unit: int, scaler: int = 0) -> CosemObject:
    scaled = data.structure(data.i8(scaler), data.enum(unit))
    return CosemObject(REGISTER, 0, obis(name), {2: lambda view: getter(view.reading), 3: lambda view: scaled})


def _association() -> CosemObject:
    return CosemObject(
        ASSOCIATION_CLASS,
        1,
        ASSOCIATION,
        {
            2: lambda view: data.array(_visible(view)),
            3: lambda view: data.structure(data.i8(view.seat.client & 0x7F), data.u16(view.seat.server)),
            4: lambda view: _identifier(1, view.seat.context),
            5: _context_information,
            6: lambda view: _identifier(2, view.seat.mechanism),
            8: lambda view: data.enum(2),
            9: lambda view: data.octets(_SECURITY),
        },
        methods=(1,),
        is_public=True,
    )


def _visible(view: View) -> Iterable[bytes]:
    rights = view.seat.rights
    return (one.entry(rights) for one in view.objects.values() if one.is_public or rights is not Rights.PUBLIC)


def _identifier(arc: int, number: int) -> bytes:
    """A context (arc 1) or a mechanism (2) as the structure of its arcs."""
    return data.structure(*map(data.u8, (2, 16)), data.u16(756), *map(data.u8, (5, 8, arc, number)))


def _context_information(view: View) -> bytes:
    seat = view.seat
    receives, sends = seat.longest
    return data.structure(
        data.bits(seat.conformance, 24), data.u16(receives), data.u16(sends), data.u8(6), data.i8(0), data.octets(b"")
    )


def _security() -> CosemObject:
    return CosemObject(
        SECURITY_CLASS,
        0,
        _SECURITY,
        {
            2: lambda view: data.enum(3 if view.seat.context is Context.CIPHERED else 0),
            3: lambda view: data.enum(0),
            4: lambda view: data.octets(view.seat.client_title),
            5: lambda view: data.octets(view.seat.title),
        },
    )


def _clock() -> CosemObject:
    return CosemObject(
        CLOCK_CLASS,
        0,
        CLOCK,
        {
            2: lambda view: data.octets(data.moment(view.reading.now)),
            3: lambda view: data.i16(-_standard_minutes(view.reading)),
            4: lambda view: data.u8(data.SUMMER if view.reading.now.dst() else 0),
            5: lambda view: data.octets(_change_of(view.reading, 0)),
            6: lambda view: data.octets(_change_of(view.reading, 1)),
            7: lambda view: data.i8(_summer_minutes(view.reading)),
            8: lambda view: data.boolean(view.reading.summer_time is not None),
            9: lambda view: data.enum(1),
        },
        writable=frozenset((2,)),
        is_public=True,
    )


def _standard_minutes(reading: Reading) -> int:
    """Of the zone's standard time, east of Greenwich."""
    offset = (reading.now.utcoffset() or timedelta()) - (reading.now.dst() or timedelta())
    return round(offset.total_seconds() / 60)


def _summer_minutes(reading: Reading) -> int:
    """By how much summer time is ahead."""
    return 60 if reading.summer_time else 0


def _change_of(reading: Reading, number: int) -> bytes:
    """When summer time begins (0) or ends (1), this year; not specified where there is none."""
    if reading.summer_time is None:
        return b"\xff" * 9 + b"\x80\x00\xff"
    return data.moment(reading.summer_time[number])[:-1] + bytes((data.SUMMER if number else 0,))


def _profile() -> CosemObject:
    return CosemObject(
        PROFILE_GENERIC,
        1,
        PROFILE,
        {
            2: lambda view: view.reading.buffer.whole(),
            3: lambda view: data.array(one.definition() for one in CAPTURED),
            4: lambda view: data.u32(PERIOD_S),
            5: lambda view: data.enum(1),
            6: lambda view: CAPTURED[0].definition(),
            7: lambda view: data.u32(len(view.reading.buffer)),
            8: lambda view: data.u32(view.reading.buffer.capacity),
        },
        selectors={2: SELECTORS},
    )


def _disconnect() -> CosemObject:
    """Mode 0 of the standard: always connected, and no method changes that."""
    return CosemObject(
        DISCONNECT_CLASS,
        0,
        DISCONNECT,
        {2: lambda view: data.boolean(True), 3: lambda view: data.enum(1), 4: lambda view: data.enum(0)},
        methods=(1, 2),
    )


def _saps() -> CosemObject:
    listed: Getter = lambda view: data.array(  # noqa: E731
        data.structure(data.u16(sap), data.octets(name.encode())) for sap, name in view.reading.saps
    )
    return CosemObject(SAP_CLASS, 0, _SAPS, {2: listed}, is_public=True)


def _counter() -> CosemObject:
    getter: Getter = lambda view: data.u32(view.seat.counter)  # noqa: E731
    return CosemObject(DATA, 0, obis("0.0.43.1.0.255"), {2: getter}, is_public=True)


def _by_name(objects: Iterable[CosemObject]) -> dict[bytes, CosemObject]:
    return {one.name: one for one in objects}


DIRECTORY: Mapping[bytes, CosemObject] = _by_name(
    (
        _association(),
        _saps(),
        _data("0.0.42.0.0.255", lambda reading: data.octets(reading.name.encode()), is_public=True),
        _counter(),
    )
)
"""Objects of the logical device that tells which others there are."""

METER: Mapping[bytes, CosemObject] = _by_name(
    (
        *DIRECTORY.values(),
        _security(),
        _clock(),
        _data("0.0.96.1.0.255", lambda reading: data.octets(reading.serial.encode())),
        _data("1.0.0.2.0.255", lambda reading: data.octets(reading.firmware.encode())),
        _register("1.0.1.8.0.255", lambda reading: data.u32(reading.import_wh), WATT_HOUR),
        _register("1.0.2.8.0.255", lambda reading: data.u32(reading.export_wh), WATT_HOUR),
        _register("1.0.1.7.0.255", lambda reading: data.u32(max(reading.active_w, 0)), WATT),
        _register("1.0.2.7.0.255", lambda reading: data.u32(max(-reading.active_w, 0)), WATT),
        _register("1.0.16.7.0.255", lambda reading: data.i32(reading.active_w), WATT),
        _register("1.0.3.7.0.255", lambda reading: data.u32(max(reading.reactive_var, 0)), VAR),
        _register("1.0.4.7.0.255", lambda reading: data.u32(max(-reading.reactive_var, 0)), VAR),
        _register("1.0.32.7.0.255", lambda reading: data.u16(reading.decivolts), VOLT, -1),
        _register("1.0.14.7.0.255", lambda reading: data.u16(reading.centihertz), HERTZ, -2),
        _profile(),
        _disconnect(),
    )
)
"""Objects of a meter."""
