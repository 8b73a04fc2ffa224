"""What the interface answers of devices, of what was asked for, and of changes that can be made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

Fate = Literal["under way", "done", "lost", "refused", "wrong", "abandoned"]


@dataclass
class DeviceClassShown:
    """A class of devices. one: what one is called; can_be_ordered: whether its power can be ordered."""

    name: str
    one: str
    domain: str
    count: int
    can_be_ordered: bool


@dataclass
class DeviceShown:
    """A device. point: its metering point, null if it stands at none; power_kw: drawn, below 0 given; given_kvar: reactive power that its inverter gives, below 0 takes, null without one; content_kwh: what its battery holds; ordered_kw: what an order says, while one holds."""

    name: str
    device_class: str
    number: int
    point: int | None
    substation: int | None
    rated_kw: float
    power_kw: float | None = None
    given_kvar: float | None = None
    content_kwh: float | None = None
    is_home: bool | None = None
    ordered_kw: float | None = None
    ordered_until_ns: int | None = None


@dataclass
class DevicesShown:
    """A page of devices. total: that fit the filter; next_first: for the next page, null at the end."""

    ns: int
    total: int
    next_first: int | None
    devices: list[DeviceShown]


@dataclass
class ActionTold:
    """Something that was asked for. fate: "done" when its message has arrived or the change is made; fate_ns: simulated, when."""

    STATUSES: ClassVar[tuple[int, ...]] = (200, 202)

    number: int
    what: str
    by: str
    asked_ns: int
    fate: Fate
    fate_ns: int | None
    detail: str

    @property
    def http_status(self) -> int:
        """202 while it is under way."""
        return 202 if self.fate == "under way" else 200


@dataclass
class ActionsTold:
    """The last actions, the youngest first."""

    actions: list[ActionTold]


@dataclass
class FieldShown:
    """A field of a change. json_type: string, number, integer or boolean; low, high: its range."""

    name: str
    json_type: str
    info: str
    is_required: bool
    unit: str = ""
    default: Any = None
    low: float | None = None
    high: float | None = None
    choices: list[str] | None = None


@dataclass
class ChangeShown:
    """A change that can be made. title: for people; info: what it does."""

    what: str
    title: str
    info: str
    fields: list[FieldShown]


@dataclass
class ChangesShown:
    """All changes that can be made."""

    changes: list[ChangeShown]
