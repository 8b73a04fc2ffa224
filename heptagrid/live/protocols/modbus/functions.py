"""The points by which the reactive power of inverters is controlled, and their active power by the voltage and the frequency.

Sources: SunSpec models 123, 126, 131, 132, 134, 704 to 706, 711 and 712. Of those that set vars the last that is written holds, and switches the others off. The sign of model 123's power factor is
EEI's: below 0 vars are injected (quadrant 1), above 0 absorbed (quadrant 4); the model files name EEI for models 120, 121 and 131, a manufacturer's manual says what that is
(docs/decisions/104). Model 704 says it in words.
"""

from __future__ import annotations

from collections.abc import Callable

from heptagrid.contracts.inverters import Mode
from heptagrid.live.inverter_functions import Wanted
from heptagrid.live.protocols.modbus import older_curves
from heptagrid.live.protocols.modbus.curves import ACTIVE, MODELS, REACTIVE, Model, of_kva
from heptagrid.live.protocols.modbus.droop import DROOP_OF_711
from heptagrid.live.protocols.modbus.levers import (
    BOTH_WAYS,
    HUNDREDTHS,
    LONGEST_32_S,
    LONGEST_RAMP_S,
    LONGEST_S,
    SWITCH,
    Adoption,
    Asked,
    Get,
    Lever,
    Sets,
)
from heptagrid.live.protocols.modbus.rating import Rating

OVER_EXCITED, UNDER_EXCITED = 0, 1
W_MAX, VAR_MAX, VA_MAX, VARS = 0, 1, 3, 4
"""What a var set-point of model 704 is of."""
_BASE_OF_123 = {1: W_MAX, 2: VAR_MAX}
_FACTORS_OF_123 = (*range(-100, -49), *range(50, 101))
_FACTORS_OF_704 = range(500, 1001)


def _factor_of_123(get: Get, rating: Rating) -> Asked | None:
    if get("123.OutPFSet_Ena") != 1:
        return None
    factor, for_s = Wanted(Mode.POWER_FACTOR, -get("123.OutPFSet") / 100.0), get("123.OutPFSet_RvrtTms")
    return Asked(factor, for_s, ramp_s=get("123.OutPFSet_RmpTms"), start=Wanted(Mode.POWER_FACTOR, 1.0))


def _vars_of_123(get: Get, rating: Rating) -> Asked | None:
    base = _BASE_OF_123.get(get("123.VArPct_Mod"))
    if get("123.VArPct_Ena") != 1 or base is None:
        return None
    share = get("123.VArWMaxPct" if base == W_MAX else "123.VArMaxPct") / HUNDREDTHS
    var, for_s = Wanted(Mode.VAR, of_kva(share, base, rating)), get("123.VArPct_RvrtTms")
    return Asked(var, for_s, ramp_s=get("123.VArPct_RmpTms"), start=Wanted(Mode.VAR))


def _factor_of(name: str, mode: Mode) -> Callable[[Get, Rating], Asked | None]:
    def asks(get: Get, rating: Rating) -> Asked | None:
        if get(f"704.{name}Ena") != 1:
            return None

        def of(group: str) -> Wanted:
            sign = 1.0 if get(f"704.{group}.Ext") == OVER_EXCITED else -1.0
            return Wanted(mode, sign * get(f"704.{group}.PF") / 1000.0)

        then = of(f"{name}Rvrt") if get(f"704.{name}EnaRvrt") == 1 else None
        return Asked(of(name), get(f"704.{name}RvrtTms"), then)

    return asks


def _vars_of_704(get: Get, rating: Rating) -> Asked | None:
    if get("704.VarSetEna") != 1:
        return None

    def of(then: str) -> Wanted:
        mode = get("704.VarSetMod")
        if mode == VARS:
            share = get(f"704.VarSet{then}") / 1000.0 / rating.kva if rating.kva else 0.0
        else:
            share = of_kva(get(f"704.VarSetPct{then}") / HUNDREDTHS, mode, rating)
        return Wanted(Mode.VAR, share, has_watt_priority=get("704.VarSetPri") == ACTIVE)

    return Asked(of(""), get("704.VarSetRvrtTms"), of("Rvrt") if get("704.VarSetEnaRvrt") == 1 else None)


_FACTOR_OF_123 = Lever(
    {
        "123.OutPFSet": _FACTORS_OF_123,
        "123.OutPFSet_RvrtTms": LONGEST_S,
        "123.OutPFSet_RmpTms": LONGEST_RAMP_S,
        "123.OutPFSet_Ena": SWITCH,
    },
    _factor_of_123,
    {"123.OutPFSet_Ena": 0},
    sets=Sets.VARS,
)
_VARS_OF_123 = Lever(
    {
        "123.VArWMaxPct": BOTH_WAYS,
        "123.VArMaxPct": BOTH_WAYS,
        "123.VArPct_RvrtTms": LONGEST_S,
        "123.VArPct_RmpTms": LONGEST_RAMP_S,
        "123.VArPct_Mod": tuple(_BASE_OF_123),
        "123.VArPct_Ena": SWITCH,
    },
    _vars_of_123,
    {"123.VArPct_Ena": 0},
    sets=Sets.VARS,
)


def _factor_lever(name: str, mode: Mode, sets: Sets) -> Lever:
    """Model 704's power factor in one direction of active power."""
    at = f"704.{name}"
    return Lever(
        {
            f"{at}Ena": SWITCH,
            f"{at}EnaRvrt": SWITCH,
            f"{at}RvrtTms": LONGEST_32_S,
            f"{at}.PF": _FACTORS_OF_704,
            f"{at}.Ext": SWITCH,
            f"{at}Rvrt.PF": _FACTORS_OF_704,
            f"{at}Rvrt.Ext": SWITCH,
        },
        _factor_of(name, mode),
        {f"{at}Ena": 0},
        f"{at}RvrtRem",
        {f"{at}.PF": f"{at}Rvrt.PF", f"{at}.Ext": f"{at}Rvrt.Ext"},
        sets,
        is_of_one_direction=True,
    )


GIVING, DRAWING = "PFWInj", "PFWAbs"
_FACTOR_OF_704 = _factor_lever(GIVING, Mode.POWER_FACTOR_GIVING, Sets.VARS)
FACTOR_WHILE_DRAWING = _factor_lever(DRAWING, Mode.POWER_FACTOR_DRAWING, Sets.DRAWN)
"""Of those that can draw."""
_VARS_OF_704 = Lever(
    {
        "704.VarSetEna": SWITCH,
        "704.VarSetMod": (W_MAX, VAR_MAX, VA_MAX, VARS),
        "704.VarSetPri": (ACTIVE, REACTIVE),
        "704.VarSet": lambda rating: rating.vars_both_ways,
        "704.VarSetRvrt": lambda rating: rating.vars_both_ways,
        "704.VarSetPct": BOTH_WAYS,
        "704.VarSetPctRvrt": BOTH_WAYS,
        "704.VarSetEnaRvrt": SWITCH,
        "704.VarSetRvrtTms": LONGEST_32_S,
    },
    _vars_of_704,
    {"704.VarSetEna": 0},
    "704.VarSetRvrtRem",
    {"704.VarSet": "704.VarSetRvrt", "704.VarSetPct": "704.VarSetPctRvrt"},
    Sets.VARS,
)


def _curve_of(model: Model) -> Callable[[Get, Rating], Asked | None]:
    def asks(get: Get, rating: Rating) -> Asked | None:
        if get(f"{model.number}.Ena") != 1:
            return None
        return Asked(Wanted(model.mode, 0.0, *model.in_force(get, rating)), get(f"{model.number}.RvrtTms"))

    return asks


def _lever_of(model: Model) -> Lever:
    number = model.number
    return Lever(
        model.allowed,
        _curve_of(model),
        {f"{number}.Ena": 0},
        f"{number}.RvrtRem",
        sets=Sets.LIMIT if model.mode is Mode.VOLT_WATT else Sets.VARS,
        adoption=Adoption(f"{number}.AdptCrvReq", f"{number}.AdptCrvRslt", model.can_be_adopted, model.adopted()),
    )


FUNCTIONS = (_FACTOR_OF_704, _VARS_OF_704, *(_lever_of(model) for model in MODELS), DROOP_OF_711, *older_curves.LEVERS)
"""Of all inverters."""
FUNCTIONS_OF_123 = (_FACTOR_OF_123, _VARS_OF_123)
