"""What the server keeps: end devices, programmes with their controls and curves, mirrored meters, responses."""

from __future__ import annotations

from dataclasses import dataclass, field

from heptagrid.live.inventory import Device
from heptagrid.live.protocols.sep2.identity import sfdi_of
from heptagrid.live.protocols.sep2.xml import Element, MalformedError, leaf, of

PEN = 37_250
"""The provider in the least significant bits of an mRID: assumption, any number that is not a real provider's here."""
SCHEDULED, ACTIVE, CANCELLED, SUPERSEDED = 0, 1, 2, 4
MOST_CONTROLS = 1_000
MOST_MIRRORS = 1_000
MOST_RESPONSES = 10_000


@dataclass
class EndDevice:
    """A device of a client. device: of the grid, for which it stands, None: none. kept: what it put, by the last part of the path. since_s: when it was registered."""

    number: int
    lfdi: str
    name: str
    device: Device | None
    since_s: int
    is_operator: bool = False
    kept: dict[str, Element] = field(default_factory=dict)

    @property
    def sfdi(self) -> int:
        return sfdi_of(self.lfdi)


@dataclass
class Control:
    """A DER control. number: within its programme; base: its `DERControlBase`; made_s, begin_s, end_s: seconds since 1970; cancelled_s: None while it is not."""

    number: int
    mrid: str
    description: str
    base: Element
    made_s: int
    begin_s: int
    end_s: int
    cancelled_s: int | None = None

    def status(self, now_s: int, superseded: bool) -> tuple[int, int]:
        """Its status, and since when."""
        if self.cancelled_s is not None:
            return CANCELLED, self.cancelled_s
        if superseded and now_s < self.end_s:
            return SUPERSEDED, max(self.made_s, self.begin_s)
        return (ACTIVE, self.begin_s) if self.begin_s <= now_s else (SCHEDULED, self.made_s)


@dataclass
class Program:
    """A DER programme. primacy: the lower number goes before. targets: whom it is for, as names of classes, devices and areas; empty: all. of: the end device that it is for alone."""

    number: int
    name: str
    primacy: int
    targets: tuple[str, ...] = ()
    of: int | None = None
    default: Element | None = None
    default_s: int = 0
    controls: dict[int, Control] = field(default_factory=dict)
    curves: dict[int, Element] = field(default_factory=dict)
    made: int = 0

    @property
    def mrid(self) -> str:
        return mrid(1, self.number)

    def alive(self, now_s: int) -> list[Control]:
        """Controls that are not over, in the order of the standard: by begin, then the younger first."""
        alive = [one for one in self.controls.values() if one.end_s > now_s or one.cancelled_s is not None]
        return sorted(alive, key=lambda one: (one.begin_s, -one.made_s, one.mrid))

    def is_superseded(self, control: Control) -> bool:
        """Whether a younger control of this programme overlaps one."""
        return any(
            other.cancelled_s is None
            and (other.made_s, other.number) > (control.made_s, control.number)
            and other.begin_s < control.end_s
            and control.begin_s < other.end_s
            for other in self.controls.values()
        )


@dataclass
class Mirror:
    """A mirrored meter of a client. usage: the `MirrorUsagePoint` that it posted, without readings; types: of readings, by the mRID of their meter reading."""

    number: int
    lfdi: str
    usage: Element
    types: dict[str, Element] = field(default_factory=dict)


def mrid(kind: int, *numbers: int) -> str:
    """An mRID of ours: 96 bits of numbers, 32 of the provider."""
    unique = kind
    for one in numbers:
        unique = unique * 1_000_003 + one
    return f"{unique & (2**96 - 1):024X}{PEN:08X}"


def control_from(given: Element, number: int, made: str, now_s: int) -> Control:
    """The control that an operator posted. made: its mRID if it brings none; without a start, or with 0, it begins now.

    Raises
    ------
    MalformedError
    """
    base, duration_s = given.find("DERControlBase"), given.whole("interval", "duration")
    if given.tag != "DERControl" or base is None:
        raise MalformedError("a DERControl with a DERControlBase is expected")
    if duration_s is None or not 0 < duration_s < 2**32:
        raise MalformedError("interval: a duration in seconds is expected")
    start_s = given.whole("interval", "start") or now_s
    if not 0 < start_s < 2**33:
        raise MalformedError("interval: a start in seconds since 1970 is expected")
    checked_base(base)
    own = (given.value("mRID") or "").upper()
    is_own = len(own) == 32 and all(one in "0123456789ABCDEF" for one in own)
    description = (given.value("description") or "")[:32]
    return Control(number, own if is_own else made, description, base, now_s, start_s, start_s + duration_s)


def checked_base(base: Element) -> None:
    """Refuse a `DERControlBase` whose modes of active power cannot be read.

    Raises
    ------
    MalformedError
    """
    for tag, least in (("opModFixedW", -10_000), ("opModMaxLimW", 0)):
        value = base.whole(tag)
        if value is not None and not least <= value <= 10_000:
            raise MalformedError(f"{tag}: hundredths of a percent from {least} to 10000 are expected")
    ramp = base.whole("rampTms")
    if ramp is not None and not 0 <= ramp <= 65_535:
        raise MalformedError("rampTms: hundredths of a second from 0 to 65535 are expected")
    for tag in ("opModConnect", "opModEnergize"):
        base.boolean(tag)
    if base.find("opModTargetW") is not None:
        power_w(base.find("opModTargetW"))


def power_w(element: Element | None) -> float | None:
    """The watts of an `ActivePower`.

    Raises
    ------
    MalformedError
    """
    if element is None:
        return None
    value, multiplier = element.whole("value"), element.whole("multiplier")
    if value is None or multiplier is None or not -9 <= multiplier <= 9 or not -32768 <= value <= 32767:
        raise MalformedError(f"{element.tag}: a value and a multiplier from -9 to 9 are expected")
    return float(value * 10.0**multiplier)


def event_status(status: int, since_s: int, is_superseded: bool) -> Element:
    """An `EventStatus`."""
    return of(
        "EventStatus",
        leaf("currentStatus", status),
        leaf("dateTime", since_s),
        leaf("potentiallySuperseded", is_superseded),
    )
