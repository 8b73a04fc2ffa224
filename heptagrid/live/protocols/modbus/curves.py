"""Curves of inverters in registers: volt-var, volt-watt and watt-var of SunSpec models 705, 706 and 712.

The first curve of a model is the one in force and read-only; what is written into the second one takes its place when it is adopted (`AdptCrvReq` = 2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from heptagrid.contracts.inverters import Mode
from heptagrid.live.protocols.modbus.image import Values
from heptagrid.live.protocols.modbus.rating import Rating
from heptagrid.planes.power.controls.ieee1547 import VOLT_VAR, VOLT_WATT, WATT_VAR, Category

POINTS, CURVES = 8, 2
"""Of each model: assumption, the standard's curves have up to six points."""
COUNTS = {"Crv": CURVES, "Pt": POINTS}
COMPLETED, FAILED = 1, 2
W_MAX, VAR_MAX, VA_MAX = 0, 1, 3
ACTIVE, REACTIVE = 0, 1
_OWN, _WRITTEN = "Crv[0]", "Crv[1]"
WRITTEN_NUMBER = 2
"""What `AdptCrvReq` calls the curve that can be written."""

Get = Callable[[str], int]


@dataclass(frozen=True)
class Model:
    """A model of curves. x, y: its points' coordinates; bases: of y that are taken; reach: of y in hundredths of a percent; has_response: whether it has a response time."""

    number: int
    mode: Mode
    x: str
    y: str
    bases: tuple[int, ...]
    reach: range
    has_response: bool

    @property
    def allowed(self) -> dict[str, range | tuple[int, ...]]:
        """The values that its writable points take, by their names."""
        found: dict[str, range | tuple[int, ...]] = {
            "Ena": range(2),
            "AdptCrvReq": (WRITTEN_NUMBER,),
            "RvrtTms": range(0xFFFF_FFFF),
            f"{_WRITTEN}.ActPt": range(2, POINTS + 1),
            f"{_WRITTEN}.DeptRef": self.bases,
        }
        if self.mode is not Mode.VOLT_WATT:
            found[f"{_WRITTEN}.Pri"] = (ACTIVE, REACTIVE)
        if self.has_response:
            found[f"{_WRITTEN}.RspTms"] = range(1, 91)
        for k in range(POINTS):
            found[f"{_WRITTEN}.Pt[{k}].{self.x}"] = range(-10_000 if self.x == "W" else 0, 20_001)
            found[f"{_WRITTEN}.Pt[{k}].{self.y}"] = self.reach
        return {f"{self.number}.{name}": values for name, values in found.items()}

    def points(self, get: Get, curve: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Both coordinates of a curve's points, of 1."""
        at = f"{self.number}.{curve}"
        count = min(get(f"{at}.ActPt"), POINTS)
        x, y = (tuple(get(f"{at}.Pt[{k}].{one}") / 10_000.0 for k in range(count)) for one in (self.x, self.y))
        return x, y

    def in_force(self, get: Get, rating: Rating) -> tuple[tuple[float, ...], tuple[float, ...], float, bool]:
        """The curve in force: its points, y of the rated kVA or kW, its response time in seconds, and whether watts go before vars."""
        at = f"{self.number}.{_OWN}"
        x, y = self.points(get, _OWN)
        response_s = float(get(f"{at}.RspTms")) if self.has_response else 0.0
        if self.mode is Mode.VOLT_WATT:
            return x, y, response_s, False
        base = get(f"{at}.DeptRef")
        return x, tuple(of_kva(one, base, rating) for one in y), response_s, get(f"{at}.Pri") == ACTIVE

    def can_be_adopted(self, get: Get) -> bool:
        """Whether the written curve is one: x rises, y does not."""
        x, y = self.points(get, _WRITTEN)
        return len(x) >= 2 and all(a < b for a, b in pairwise(x)) and all(a >= b for a, b in pairwise(y))

    def adopted(self) -> dict[str, str]:
        """The points that are copied when the written curve is adopted, source by target."""
        names = [name for name in self.allowed if f"{_WRITTEN}." in name]
        return {name.replace(_WRITTEN, _OWN): name for name in names}

    @property
    def scales(self) -> Mapping[str, int]:
        found = {f"{self.x}_SF": -2, "DeptRef_SF": -2} | ({"RspTms_SF": 0} if self.has_response else {})
        return {f"{self.number}.{name}": power for name, power in found.items()}

    def blank(self, category: Category) -> Values:
        """The model before anybody writes: the standard's default, off."""
        x, y, base, response_s = _default(self.mode, category)
        found: dict[str, float] = {"Ena": 0, "AdptCrvReq": 0, "AdptCrvRslt": COMPLETED, "NPt": POINTS, "NCrv": CURVES}
        found |= {"RvrtTms": 0, "RvrtRem": 0, "RvrtCrv": 0}
        for curve, is_own in ((_OWN, 1), (_WRITTEN, 0)):
            found |= {f"{curve}.ActPt": len(x), f"{curve}.DeptRef": base, f"{curve}.ReadOnly": is_own}
            if self.mode is not Mode.VOLT_WATT:
                found[f"{curve}.Pri"] = REACTIVE
            if self.mode is Mode.VOLT_VAR:
                found |= {f"{curve}.VRef": 100.0, f"{curve}.VRefAutoEna": 0}
            if self.has_response:
                found[f"{curve}.RspTms"] = response_s
            for k in range(POINTS):
                found[f"{curve}.Pt[{k}].{self.x}"] = 100.0 * x[min(k, len(x) - 1)]
                found[f"{curve}.Pt[{k}].{self.y}"] = 100.0 * y[min(k, len(y) - 1)]
        return {f"{self.number}.{name}": value for name, value in found.items()}


def of_kva(share: float, base: int, rating: Rating) -> float:
    """Vars as a share of the rated kVA, from a share of what `base` says."""
    if rating.kva == 0.0:
        return 0.0
    if base == VAR_MAX:
        return share * (rating.inject_kvar if share > 0.0 else rating.absorb_kvar) / rating.kva
    return share * rating.kw / rating.kva if base == W_MAX else share


def _default(mode: Mode, category: Category) -> tuple[tuple[float, ...], tuple[float, ...], int, float]:
    if mode is Mode.VOLT_VAR:
        one = VOLT_VAR[category]
        v_pu, q_pu = (one.v1_pu, one.v2_pu, one.v3_pu, one.v4_pu), (one.q1_pu, one.q2_pu, one.q3_pu, one.q4_pu)
        return v_pu, q_pu, VA_MAX, one.response_s
    if mode is Mode.VOLT_WATT:
        limit = VOLT_WATT[category]
        return (limit.v1_pu, limit.v2_pu), (1.0, limit.p2_pu), W_MAX, limit.response_s
    x, y = WATT_VAR[category]
    return x, y, VA_MAX, 0.0


_BOTH_WAYS = range(-10_000, 10_001)
VOLT_VAR_MODEL = Model(705, Mode.VOLT_VAR, "V", "Var", (W_MAX, VAR_MAX, VA_MAX), _BOTH_WAYS, True)
VOLT_WATT_MODEL = Model(706, Mode.VOLT_WATT, "V", "W", (W_MAX,), range(10_001), True)
WATT_VAR_MODEL = Model(712, Mode.WATT_VAR, "W", "Var", (W_MAX, VAR_MAX, VA_MAX), _BOTH_WAYS, False)
MODELS = (VOLT_VAR_MODEL, VOLT_WATT_MODEL, WATT_VAR_MODEL)
