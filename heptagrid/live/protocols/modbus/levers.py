"""The points by which devices are controlled: what may be written into each, and what power it asks for.

Sources: SunSpec models 123, 124, 703 and 704. A limit of a generator is the highest power that it gives, one of a load the highest that it draws; a set-point
of a battery is the power that it draws, below 0 that it gives.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from heptagrid.live.inverter_functions import Wanted
from heptagrid.live.protocols.modbus.rating import Rating

HUNDREDTHS = 10_000
"""Raw value of 100 % where the scale factor is -2, as it is of all percentages here."""
LONGEST_S = range(0xFFFF)
LONGEST_RAMP_S = range(3601)
"""Assumption: a ramp within the 75 minutes that an order without an end holds."""
LONGEST_32_S = range(0xFFFF_FFFF)
SWITCH = range(2)
BOTH_WAYS = range(-HUNDREDTHS, HUNDREDTHS + 1)
_PERCENT = range(HUNDREDTHS + 1)

Get = Callable[[str], int]
"""The raw value of a point of the device."""


class Sets(Enum):
    """What a lever sets: the active power, the vars, the most active power by the voltage, what it answers to the frequency, or vars while power is drawn."""

    POWER = 0
    VARS = 1
    LIMIT = 2
    FREQUENCY = 3
    DRAWN = 4


@dataclass(frozen=True)
class Asked:
    """What a lever asks for: a power in kW, or a function. for_s: how long, 0 until the grid's own time-out; then: what then holds until that; None: nothing.

    ramp_s: in which it is reached from what the lever asked for before, or from `start` where that was nothing.
    """

    what: float | Wanted
    for_s: int = 0
    then: float | Wanted | None = None
    ramp_s: int = 0
    start: float | Wanted | None = None


class Adoption(NamedTuple):
    """How written points take the place of those in force. request, result: the points that ask for it and say how it went; is_whole: whether they can; copies: source by target."""

    request: str
    result: str
    is_whole: Callable[[Get], bool]
    copies: Mapping[str, str]


@dataclass(frozen=True)
class Lever:
    """Points that belong together.

    allowed: the raw values that each of them takes, or what makes them of the device's rating. asks: what they ask for, of a device so rated; None: nothing. released: what to set
    so that it asks for nothing. remaining: the point that counts down; reversion: the points that take over what other points hold when time is up. is_of_one_direction: whether it sets a power factor for
    power that is given, or for power that is drawn; both hold beside one another.
    """

    allowed: Mapping[str, Container[int] | Callable[[Rating], range]]
    asks: Callable[[Get, Rating], Asked | None]
    released: Mapping[str, int]
    remaining: str = ""
    reversion: Mapping[str, str] = field(default_factory=dict)
    sets: Sets = Sets.POWER
    adoption: Adoption | None = None
    is_of_one_direction: bool = False

    def excludes(self, other: Lever) -> bool:
        """Whether only one of both holds."""
        if self.sets is other.sets:
            return True
        are_vars = {self.sets, other.sets} == {Sets.VARS, Sets.DRAWN}
        return are_vars and not (self.is_of_one_direction and other.is_of_one_direction)

    def allows(self, name: str, raw: int, rating: Rating) -> bool:
        """Whether a point takes a raw value."""
        values = self.allowed[name]
        return raw in (values(rating) if callable(values) else values)


def _connection(get: Get, rating: Rating) -> Asked | None:
    return Asked(0.0, get("123.Conn_RvrtTms")) if get("123.Conn") == 0 else None


def _limit_of_123(get: Get, rating: Rating) -> Asked | None:
    if get("123.WMaxLim_Ena") != 1:
        return None
    limit_kw, for_s = get("123.WMaxLimPct") / HUNDREDTHS * rating.kw, get("123.WMaxLimPct_RvrtTms")
    return Asked(limit_kw, for_s, ramp_s=get("123.WMaxLimPct_RmpTms"), start=rating.kw)


def _service(get: Get, rating: Rating) -> Asked | None:
    return Asked(0.0) if get("703.ES") == 0 else None


def _limit_of_704(get: Get, rating: Rating) -> Asked | None:
    if get("704.WMaxLimPctEna") != 1:
        return None
    then = get("704.WMaxLimPctRvrt") / HUNDREDTHS * rating.kw if get("704.WMaxLimPctEnaRvrt") == 1 else None
    return Asked(get("704.WMaxLimPct") / HUNDREDTHS * rating.kw, get("704.WMaxLimPctRvrtTms"), then)


def _given_kw(get: Get, rating: Rating, then: str) -> float:
    if get("704.WSetMod") == 1:
        return get(f"704.WSet{then}") / 1000.0
    return get(f"704.WSetPct{then}") / HUNDREDTHS * rating.kw


def _setpoint_of(sign: float) -> Callable[[Get, Rating], Asked | None]:
    def asks(get: Get, rating: Rating) -> Asked | None:
        if get("704.WSetEna") != 1:
            return None
        then = sign * _given_kw(get, rating, "Rvrt") if get("704.WSetEnaRvrt") == 1 else None
        return Asked(sign * _given_kw(get, rating, ""), get("704.WSetRvrtTms"), then)

    return asks


CHARGE, DISCHARGE = 1, 2


def _storage(get: Get, rating: Rating) -> Asked | None:
    mode, for_s = get("124.StorCtl_Mod"), get("124.InOutWRte_RvrtTms")
    drawn_kw = get("124.InWRte") / HUNDREDTHS * rating.kw
    given_kw = get("124.OutWRte") / HUNDREDTHS * rating.kw
    if mode == CHARGE:
        return Asked(drawn_kw, for_s)
    if mode == DISCHARGE:
        return Asked(-given_kw, for_s)
    if mode == CHARGE | DISCHARGE and (drawn_kw < 0.0 or given_kw < 0.0 or drawn_kw == given_kw == 0.0):
        # Both are limits then, and the nearest to nothing that lies within them is what a battery must do; a negative one forces the other direction.
        return Asked(min(max(0.0, -given_kw), drawn_kw), for_s)
    return None


_CONNECTION = Lever({"123.Conn": SWITCH, "123.Conn_RvrtTms": LONGEST_S}, _connection, {"123.Conn": 1})
_LIMIT_OF_123 = Lever(
    {
        "123.WMaxLimPct": _PERCENT,
        "123.WMaxLimPct_RvrtTms": LONGEST_S,
        "123.WMaxLimPct_RmpTms": LONGEST_RAMP_S,
        "123.WMaxLim_Ena": SWITCH,
    },
    _limit_of_123,
    {"123.WMaxLim_Ena": 0},
)
_SERVICE = Lever({"703.ES": SWITCH}, _service, {"703.ES": 1})
_LIMIT_OF_704 = Lever(
    {
        "704.WMaxLimPctEna": SWITCH,
        "704.WMaxLimPct": _PERCENT,
        "704.WMaxLimPctRvrt": _PERCENT,
        "704.WMaxLimPctEnaRvrt": SWITCH,
        "704.WMaxLimPctRvrtTms": LONGEST_32_S,
    },
    _limit_of_704,
    {"704.WMaxLimPctEna": 0},
    "704.WMaxLimPctRvrtRem",
    {"704.WMaxLimPct": "704.WMaxLimPctRvrt"},
)


def _setpoint(sign: float, percent: range, watts: Callable[[Rating], range]) -> Lever:
    return Lever(
        {
            "704.WSetEna": SWITCH,
            "704.WSetMod": SWITCH,
            "704.WSet": watts,
            "704.WSetRvrt": watts,
            "704.WSetPct": percent,
            "704.WSetPctRvrt": percent,
            "704.WSetEnaRvrt": SWITCH,
            "704.WSetRvrtTms": LONGEST_32_S,
        },
        _setpoint_of(sign),
        {"704.WSetEna": 0},
        "704.WSetRvrtRem",
        {"704.WSet": "704.WSetRvrt", "704.WSetPct": "704.WSetPctRvrt"},
    )


_STORAGE = Lever(
    {
        "124.StorCtl_Mod": range(4),
        "124.OutWRte": BOTH_WAYS,
        "124.InWRte": BOTH_WAYS,
        "124.InOutWRte_RvrtTms": LONGEST_S,
    },
    _storage,
    {"124.StorCtl_Mod": 0},
)

OF_INVERTERS = (
    _CONNECTION,
    _LIMIT_OF_123,
    _SERVICE,
    _LIMIT_OF_704,
    _setpoint(1.0, _PERCENT, lambda rating: rating.watts),
)
"""The least of what they ask for is the highest power of a local unit."""
OF_BATTERIES = (_STORAGE, _setpoint(-1.0, BOTH_WAYS, lambda rating: rating.watts_both_ways))
"""The last that is written holds, and switches the other off."""
OF_LOADS = (_LIMIT_OF_704,)
