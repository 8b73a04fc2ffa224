"""Curves of the older SunSpec models: volt-var 126, watt-power factor 131, volt-watt 132, frequency-watt 134.

There is one curve of up to 20 points, which can be written while it is off; while it is in force (`ActCrv` = 1, `ModEna` = 1) a write holds at once, and one that leaves no curve is refused.
"""

from __future__ import annotations

import math
from collections.abc import Container
from dataclasses import dataclass
from itertools import pairwise

from heptagrid.contracts.inverters import Mode
from heptagrid.live.inverter_functions import Wanted, vars_by_factors
from heptagrid.live.protocols.modbus.codec import Code, ExceptionResponse
from heptagrid.live.protocols.modbus.curves import VAR_MAX, W_MAX, of_kva
from heptagrid.live.protocols.modbus.image import Values
from heptagrid.live.protocols.modbus.levers import BOTH_WAYS, LONGEST_S, SWITCH, Asked, Get, Lever, Sets
from heptagrid.live.protocols.modbus.rating import Rating
from heptagrid.planes.power.controls.ieee1547 import CAPABILITY, FREQUENCY_DROOP, VOLT_VAR, VOLT_WATT, Category

COUNTS = {"curve": 1}
POINTS = 20
_CURVE = "curve[0]"
_BASES = {1: W_MAX, 2: VAR_MAX}
_TO_95 = math.log(20.0) / math.log(10.0)
"""A first-order lag reaches 95 % of a step in so many of the times in which it reaches 90 %."""
_COS_PHI_P = ((0.0, 50.0, 100.0), (1.0, 1.0, 0.9))
"""VDE-AR-N 4105, 5.7.2.4, above 4.6 kVA; in EEI's notation a factor above 0 absorbs."""


@dataclass(frozen=True)
class OlderModel:
    """A model of curves. x, y: its points' coordinates; allowed_x, allowed_y: their raw values; bases: what y may be of, by `DeptRef`, empty without one; response: the point with the time to 95 % of a step, empty without one."""

    number: int
    mode: Mode
    sets: Sets
    x: str
    y: str
    allowed_x: range
    allowed_y: Container[int]
    bases: tuple[int, ...]
    response: str
    scales: tuple[tuple[str, int], ...]

    @property
    def lever(self) -> Lever:
        """Its points as one lever."""
        at = f"{self.number}.{_CURVE}"
        allowed: dict[str, Container[int]] = {
            f"{self.number}.ActCrv": SWITCH,
            f"{self.number}.ModEna": SWITCH,
            f"{self.number}.RvrtTms": LONGEST_S,
            f"{at}.ActPt": range(2, POINTS + 1),
        }
        if self.bases:
            allowed[f"{at}.DeptRef"] = self.bases
        if self.response:
            allowed[f"{at}.{self.response}"] = LONGEST_S
        if self.mode is Mode.FREQUENCY_WATT:
            allowed[f"{at}.SnptW"] = (0,)
        for k in range(1, POINTS + 1):
            allowed |= {f"{at}.{self.x}{k}": self.allowed_x, f"{at}.{self.y}{k}": self.allowed_y}
        return Lever(allowed, self.asks, {f"{self.number}.ModEna": 0}, sets=self.sets)

    def asks(self, get: Get, rating: Rating) -> Asked | None:
        """What its curve asks for.

        Raises
        ------
        ExceptionResponse
            Illegal value: in force is what is no curve, for its x does not rise, or its power rises.
        """
        if not (get(f"{self.number}.ModEna") & 1 and get(f"{self.number}.ActCrv") == 1):
            return None
        at = f"{self.number}.{_CURVE}"
        count = get(f"{at}.ActPt")
        scale = dict(self.scales)
        x, y = (
            tuple(get(f"{at}.{name}{k}") * 10.0 ** scale[name] for k in range(1, count + 1))
            for name in (self.x, self.y)
        )
        rises = self.mode is not Mode.WATT_VAR and any(a < b for a, b in pairwise(y))
        if rises or any(a >= b for a, b in pairwise(x)):
            raise ExceptionResponse(Code.ILLEGAL_VALUE)
        response_s = get(f"{at}.{self.response}") / _TO_95 if self.response else 0.0
        if self.mode is Mode.VOLT_VAR:
            base = _BASES[get(f"{at}.DeptRef")]
            x, y = _of_100(x), tuple(of_kva(one, base, rating) for one in _of_100(y))
        elif self.mode is Mode.WATT_VAR:
            x, y = vars_by_factors(_of_100(x), tuple(-one for one in y), rating.kva / rating.kw if rating.kw else 1.0)
        else:
            x, y = (_of_100(x) if self.mode is Mode.VOLT_WATT else x), _of_100(y)
        return Asked(Wanted(self.mode, 0.0, x, y, response_s), get(f"{self.number}.RvrtTms"))

    def blank(self, category: Category, nominal_hz: float) -> Values:
        """The model before anybody writes: a standard's curve, off."""
        x, y, response_s = self._default(category, nominal_hz)
        found: dict[str, float] = {"ActCrv": 1, "ModEna": 0, "RvrtTms": 0, "NCrv": 1, "NPt": POINTS}
        found |= {f"{_CURVE}.ActPt": len(x), f"{_CURVE}.ReadOnly": 0}
        if self.bases:
            found[f"{_CURVE}.DeptRef"] = self.bases[-1]
        if self.response:
            found[f"{_CURVE}.{self.response}"] = round(response_s * _TO_95)
        if self.mode is Mode.FREQUENCY_WATT:
            found[f"{_CURVE}.SnptW"] = 0
        for k in range(POINTS):
            found[f"{_CURVE}.{self.x}{k + 1}"] = x[min(k, len(x) - 1)]
            found[f"{_CURVE}.{self.y}{k + 1}"] = y[min(k, len(y) - 1)]
        return {f"{self.number}.{name}": value for name, value in found.items()}

    def _default(self, category: Category, nominal_hz: float) -> tuple[tuple[float, ...], tuple[float, ...], float]:
        """Points in the model's units, and the response time to 90 %."""
        if self.mode is Mode.VOLT_VAR:
            one, most = VOLT_VAR[category], CAPABILITY[category]
            q_pu = (one.q1_pu / most.inject, one.q2_pu, one.q3_pu, one.q4_pu / most.absorb)
            v_pu = (one.v1_pu, one.v2_pu, one.v3_pu, one.v4_pu)
            return tuple(100.0 * v for v in v_pu), tuple(100.0 * q for q in q_pu), one.response_s
        if self.mode is Mode.VOLT_WATT:
            limit = VOLT_WATT[category]
            return (100.0 * limit.v1_pu, 100.0 * limit.v2_pu), (100.0, 100.0 * limit.p2_pu), limit.response_s
        if self.mode is Mode.WATT_VAR:
            return (*_COS_PHI_P, 0.0)
        begins_hz = nominal_hz + FREQUENCY_DROOP.band_above_hz
        return (
            (begins_hz, begins_hz + nominal_hz * FREQUENCY_DROOP.droop_above),
            (100.0, 0.0),
            FREQUENCY_DROOP.response_s,
        )


def _of_100(values: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(one / 100.0 for one in values)


_FACTORS = (*range(-1000, -499), *range(500, 1001))
VOLT_VAR_126 = OlderModel(
    126, Mode.VOLT_VAR, Sets.VARS, "V", "VAr", range(20_001), BOTH_WAYS, (1, 2), "RmpTms", (("V", -2), ("VAr", -2))
)
WATT_FACTOR_131 = OlderModel(
    131, Mode.WATT_VAR, Sets.VARS, "W", "PF", BOTH_WAYS, _FACTORS, (), "", (("W", -2), ("PF", -3))
)
VOLT_WATT_132 = OlderModel(
    132, Mode.VOLT_WATT, Sets.LIMIT, "V", "W", range(20_001), range(10_001), (1,), "RmpPt1Tms", (("V", -2), ("W", -2))
)
FREQUENCY_WATT_134 = OlderModel(
    134, Mode.FREQUENCY_WATT, Sets.FREQUENCY, "Hz", "W", LONGEST_S, BOTH_WAYS, (), "RmpPT1Tms", (("Hz", -2), ("W", -2))
)
MODELS = (VOLT_VAR_126, WATT_FACTOR_131, VOLT_WATT_132, FREQUENCY_WATT_134)
SCALES = {
    "126.V_SF": -2,
    "126.DeptRef_SF": -2,
    "131.W_SF": -2,
    "131.PF_SF": -3,
    "132.V_SF": -2,
    "132.DeptRef_SF": -2,
    "134.Hz_SF": -2,
    "134.W_SF": -2,
}
LEVERS = tuple(model.lever for model in MODELS)
