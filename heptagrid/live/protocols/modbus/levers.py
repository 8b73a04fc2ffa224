"""The points by which devices are controlled: what may be written into each, and what power it asks for.

Sources: SunSpec models 123, 124, 703 and 704. A limit of a generator is the highest power that it gives, one of a load the highest that it draws; a set-point
of a battery is the power that it draws, below 0 that it gives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

HUNDREDTHS = 10_000
"""Raw value of 100 % where the scale factor is -2, as it is of all percentages here."""
_LONGEST_S = range(0xFFFF)
_LONGEST_32_S = range(0xFFFF_FFFF)
_SWITCH = range(2)
_PERCENT = range(HUNDREDTHS + 1)
_BOTH_WAYS = range(-HUNDREDTHS, HUNDREDTHS + 1)

Get = Callable[[str], int]
"""The raw value of a point of the device."""


@dataclass(frozen=True)
class Asked:
    """What a lever asks for. for_s: how long, 0 until the grid's own time-out; after_kw: what then holds until that; None: nothing."""

    power_kw: float
    for_s: int = 0
    after_kw: float | None = None


@dataclass(frozen=True)
class Lever:
    """Points that belong together.

    allowed: the raw values that each of them takes; None: those within the device's rating, in W. asks: what they ask for, of a device of so many kW; None: nothing. released: what to set
    so that it asks for nothing. remaining: the point that counts down; reversion: the points that take over what other points hold when time is up.
    """

    allowed: Mapping[str, range | None]
    asks: Callable[[Get, float], Asked | None]
    released: Mapping[str, int]
    remaining: str = ""
    reversion: Mapping[str, str] = field(default_factory=dict)
    gives_only: bool = True

    def allows(self, name: str, raw: int, rated_kw: float) -> bool:
        """Whether a point takes a raw value."""
        values = self.allowed[name]
        if values is None:
            rated_w = round(rated_kw * 1000.0)
            values = range(0 if self.gives_only else -rated_w, rated_w + 1)
        return raw in values


def _connection(get: Get, rated_kw: float) -> Asked | None:
    return Asked(0.0, get("123.Conn_RvrtTms")) if get("123.Conn") == 0 else None


def _limit_of_123(get: Get, rated_kw: float) -> Asked | None:
    if get("123.WMaxLim_Ena") != 1:
        return None
    return Asked(get("123.WMaxLimPct") / HUNDREDTHS * rated_kw, get("123.WMaxLimPct_RvrtTms"))


def _service(get: Get, rated_kw: float) -> Asked | None:
    return Asked(0.0) if get("703.ES") == 0 else None


def _limit_of_704(get: Get, rated_kw: float) -> Asked | None:
    if get("704.WMaxLimPctEna") != 1:
        return None
    then = get("704.WMaxLimPctRvrt") / HUNDREDTHS * rated_kw if get("704.WMaxLimPctEnaRvrt") == 1 else None
    return Asked(get("704.WMaxLimPct") / HUNDREDTHS * rated_kw, get("704.WMaxLimPctRvrtTms"), then)


def _given_kw(get: Get, rated_kw: float, then: str) -> float:
    if get("704.WSetMod") == 1:
        return get(f"704.WSet{then}") / 1000.0
    return get(f"704.WSetPct{then}") / HUNDREDTHS * rated_kw


def _setpoint_of(sign: float) -> Callable[[Get, float], Asked | None]:
    def asks(get: Get, rated_kw: float) -> Asked | None:
        if get("704.WSetEna") != 1:
            return None
        then = sign * _given_kw(get, rated_kw, "Rvrt") if get("704.WSetEnaRvrt") == 1 else None
        return Asked(sign * _given_kw(get, rated_kw, ""), get("704.WSetRvrtTms"), then)

    return asks


CHARGE, DISCHARGE = 1, 2


def _storage(get: Get, rated_kw: float) -> Asked | None:
    mode, for_s = get("124.StorCtl_Mod"), get("124.InOutWRte_RvrtTms")
    drawn_kw = get("124.InWRte") / HUNDREDTHS * rated_kw
    given_kw = get("124.OutWRte") / HUNDREDTHS * rated_kw
    if mode == CHARGE:
        return Asked(drawn_kw, for_s)
    if mode == DISCHARGE:
        return Asked(-given_kw, for_s)
    if mode == CHARGE | DISCHARGE and (drawn_kw < 0.0 or given_kw < 0.0 or drawn_kw == given_kw == 0.0):
        # Both are limits then, and the nearest to nothing that lies within them is what a battery must do; a negative one forces the other direction.
        return Asked(min(max(0.0, -given_kw), drawn_kw), for_s)
    return None


_CONNECTION = Lever({"123.Conn": _SWITCH, "123.Conn_RvrtTms": _LONGEST_S}, _connection, {"123.Conn": 1})
_LIMIT_OF_123 = Lever(
    {
        "123.WMaxLimPct": _PERCENT,
        "123.WMaxLimPct_RvrtTms": _LONGEST_S,
        "123.WMaxLim_Ena": _SWITCH,
    },
    _limit_of_123,
    {"123.WMaxLim_Ena": 0},
)
_SERVICE = Lever({"703.ES": _SWITCH}, _service, {"703.ES": 1})
_LIMIT_OF_704 = Lever(
    {
        "704.WMaxLimPctEna": _SWITCH,
        "704.WMaxLimPct": _PERCENT,
        "704.WMaxLimPctRvrt": _PERCENT,
        "704.WMaxLimPctEnaRvrt": _SWITCH,
        "704.WMaxLimPctRvrtTms": _LONGEST_32_S,
    },
    _limit_of_704,
    {"704.WMaxLimPctEna": 0},
    "704.WMaxLimPctRvrtRem",
    {"704.WMaxLimPct": "704.WMaxLimPctRvrt"},
)


def _setpoint(sign: float, percent: range) -> Lever:
    return Lever(
        {
            "704.WSetEna": _SWITCH,
            "704.WSetMod": _SWITCH,
            "704.WSet": None,
            "704.WSetRvrt": None,
            "704.WSetPct": percent,
            "704.WSetPctRvrt": percent,
            "704.WSetEnaRvrt": _SWITCH,
            "704.WSetRvrtTms": _LONGEST_32_S,
        },
        _setpoint_of(sign),
        {"704.WSetEna": 0},
        "704.WSetRvrtRem",
        {"704.WSet": "704.WSetRvrt", "704.WSetPct": "704.WSetPctRvrt"},
        gives_only=sign > 0,
    )


_STORAGE = Lever(
    {
        "124.StorCtl_Mod": range(4),
        "124.OutWRte": _BOTH_WAYS,
        "124.InWRte": _BOTH_WAYS,
        "124.InOutWRte_RvrtTms": _LONGEST_S,
    },
    _storage,
    {"124.StorCtl_Mod": 0},
)

OF_INVERTERS = (_CONNECTION, _LIMIT_OF_123, _SERVICE, _LIMIT_OF_704, _setpoint(1.0, _PERCENT))
"""The least of what they ask for is the highest power of a local unit."""
OF_BATTERIES = (_STORAGE, _setpoint(-1.0, _BOTH_WAYS))
"""The last that is written holds, and switches the other off."""
OF_LOADS = (_LIMIT_OF_704,)
