"""Modes and curves of reactive power, volt-watt, and what answers the frequency, as functions of inverters.

Source: IEEE 2030.5-2018, `DERControlBase` and `DERCurve`. Percentages of a control are in hundredths; a curve's values have multipliers of their own. Excitation is true where vars are absorbed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

from heptagrid.contracts.inverters import Mode
from heptagrid.domains.customers.standing_function import Parameters
from heptagrid.live.function_ordering import VARS, FunctionPart
from heptagrid.live.inverter_functions import Wanted, vars_by_factors
from heptagrid.live.protocols.sep2.least_vars import least
from heptagrid.live.protocols.sep2.xml import Element, MalformedError
from heptagrid.planes.power.controls.ieee1547 import (
    BAND_HZ,
    CAPABILITY,
    DROOP,
    DROOP_RESPONSE_S,
    FREQUENCY_DROOP,
    VOLT_VAR,
    VOLT_WATT,
)

OF_MAX_W, OF_MAX_VAR = 1, 2
"""What vars are in percent of."""
_FREQUENCY_WATT, _VOLT_VAR, _VOLT_WATT, _WATT_FACTOR, _WATT_VAR = 0, 11, 12, 13, 14
_MODES = {
    _FREQUENCY_WATT: Mode.FREQUENCY_WATT,
    _VOLT_VAR: Mode.VOLT_VAR,
    _VOLT_WATT: Mode.VOLT_WATT,
    _WATT_FACTOR: Mode.WATT_VAR,
    _WATT_VAR: Mode.WATT_VAR,
}
"""What curves are of each `curveType`."""
_VARS_BY_CURVE = {"opModVoltVar": _VOLT_VAR, "opModWattPF": _WATT_FACTOR, "opModWattVar": _WATT_VAR}
_DRAWN = "opModFixedPFAbsorbW"
_LIMIT, _DROOP, _BY_FREQUENCY = "opModVoltWatt", "opModFreqDroop", "opModFreqWatt"
_LEAST_FACTOR = 0.5

Curves = Mapping[int, Element]
"""Those of a programme by their numbers."""


class Functions:
    """Reads controls for inverters that can do what a scenario says."""

    def __init__(self, inverters: Parameters) -> None:
        self._kva_per_kw = inverters.kva_per_kw
        self._category = inverters.category_1547
        self._capability = CAPABILITY[self._category]

    def checked(self, base: Element, curves: Curves) -> None:
        """Refuse a `DERControlBase` whose vars, limit or answer to the frequency cannot be read.

        Raises
        ------
        MalformedError
        """
        self.vars_of(base, curves, 0, 0)
        self.drawn_of(base, curves, 0, 0)
        self.limit_of(base, curves, 0, 0)
        self.frequency_of(base, curves, 0, 0)

    def vars_of(self, base: Element, curves: Curves, begin_ns: int, end_ns: int) -> FunctionPart | None:
        """What a control asks of reactive power; None: nothing. Of several modes whose vars follow from the power the one with the least holds; where none of these is fixed, the target goes before volt-var, and that before them.

        Raises
        ------
        MalformedError
        """
        by_curve = {
            kind: self.curve(_linked(base, tag, curves), kind)
            for tag, kind in _VARS_BY_CURVE.items()
            if base.find(tag) is not None
        }
        target = base.find("opModTargetVar")
        fixed = list(self._fixed(base))
        by_power = [*fixed, *(one for kind, one in by_curve.items() if kind != _VOLT_VAR)]
        if target is not None and not fixed:
            var = _between(target, "value", -32_768, 32_767) * 10.0 ** _between(target, "multiplier", -9, 9)
            return FunctionPart(begin_ns, end_ns, "FUNCTION", var, VARS, Wanted(Mode.VAR))
        if _VOLT_VAR in by_curve and not fixed:
            return _part(begin_ns, end_ns, by_curve[_VOLT_VAR])
        if len(by_power) > 1:
            return _part(begin_ns, end_ns, least(by_power, self._kva_per_kw))
        return _part(begin_ns, end_ns, by_power[0]) if by_power else None

    def _fixed(self, base: Element) -> Iterator[Wanted]:
        """A power factor, and vars, that a control asks for."""
        factor, fixed = base.find("opModFixedPFInjectW"), base.find("opModFixedVar")
        if factor is not None:
            yield Wanted(Mode.POWER_FACTOR_GIVING, _factor(factor))
        if fixed is not None:
            share = _between(fixed, "value", -10_000, 10_000) / 10_000.0
            yield Wanted(Mode.VAR, self._of_kva(share, fixed.whole("refType")))

    def drawn_of(self, base: Element, curves: Curves, begin_ns: int, end_ns: int) -> FunctionPart | None:
        """The power factor that a control asks for while power is drawn.

        Raises
        ------
        MalformedError
        """
        factor = base.find(_DRAWN)
        if factor is None:
            return None
        return _part(begin_ns, end_ns, Wanted(Mode.POWER_FACTOR_DRAWING, _factor(factor)))

    def limit_of(self, base: Element, curves: Curves, begin_ns: int, end_ns: int) -> FunctionPart | None:
        """The limit of active power by the voltage that a control asks for.

        Raises
        ------
        MalformedError
        """
        if base.find(_LIMIT) is None:
            return None
        return _part(begin_ns, end_ns, self.curve(_linked(base, _LIMIT, curves), _VOLT_WATT))

    def frequency_of(self, base: Element, curves: Curves, begin_ns: int, end_ns: int) -> FunctionPart | None:
        """How a control lets active power answer the frequency; of droop and a curve the droop.

        Raises
        ------
        MalformedError
        """
        droop = base.find(_DROOP)
        if droop is not None:
            return _part(begin_ns, end_ns, _droop(droop))
        if base.find(_BY_FREQUENCY) is None:
            return None
        return _part(begin_ns, end_ns, self.curve(_linked(base, _BY_FREQUENCY, curves), _FREQUENCY_WATT))

    def curve(self, given: Element, kind: int) -> Wanted:
        """A `DERCurve` as a function.

        Raises
        ------
        MalformedError
            If its type is another one, its points do not go on, or its powers rise.
        """
        if given.whole("curveType") != kind:
            raise MalformedError("the curve is of another curveType than the mode")
        mode, (x, y) = _MODES[kind], self._points(given, kind)
        if any(a >= b for a, b in pairwise(x)):
            raise MalformedError("CurveData: xvalue has to rise from point to point")
        if kind == _WATT_FACTOR:
            factors = [_signed(one, factor) for one, factor in zip(given.all("CurveData"), y, strict=True)]
            return Wanted(mode, 0.0, *vars_by_factors(x, factors, self._kva_per_kw))
        if any(a < b for a, b in pairwise(y)):
            raise MalformedError("CurveData: yvalue must not rise from point to point")
        if kind == _FREQUENCY_WATT and given.whole("yRefType") != OF_MAX_W:
            raise MalformedError("power over the frequency is taken in percent of setMaxW (1)")
        if kind in (_VOLT_VAR, _WATT_VAR):
            y = tuple(self._of_kva(one, given.whole("yRefType")) for one in y)
        return Wanted(mode, 0.0, x, y, self._response_s(given, mode))

    def _points(self, given: Element, kind: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Both coordinates of a curve's points: of 1, frequencies in Hz."""
        points = [(one.whole("xvalue"), one.whole("yvalue")) for one in given.all("CurveData")]
        to_x, to_y = (10.0 ** _between(given, name, -9, 9) for name in ("xMultiplier", "yMultiplier"))
        to_x *= 1.0 if kind == _FREQUENCY_WATT else 0.01
        to_y *= 1.0 if kind == _WATT_FACTOR else 0.01
        if kind == _VOLT_VAR and given.whole("vRef") is not None:
            to_x *= _between(given, "vRef", 5_000, 15_000) / 10_000.0
        x = tuple(one * to_x for one, _ in points if one is not None)
        y = tuple(one * to_y for _, one in points if one is not None)
        most_x = 1000.0 if kind == _FREQUENCY_WATT else 10.0
        if not 2 <= len(x) == len(y) == len(points) <= 10 or max(map(abs, x)) > most_x or max(map(abs, y)) > 10.0:
            raise MalformedError("CurveData: two to ten points are expected, each with an xvalue and a yvalue")
        return x, y

    def _response_s(self, given: Element, mode: Mode) -> float:
        if mode is Mode.WATT_VAR:
            return 0.0
        if given.whole("openLoopTms") is not None:
            return _between(given, "openLoopTms", 0, 65_535) / 100.0
        if mode is Mode.FREQUENCY_WATT:
            return FREQUENCY_DROOP.response_s
        return (VOLT_VAR if mode is Mode.VOLT_VAR else VOLT_WATT)[self._category].response_s

    def _of_kva(self, share: float, reference: int | None) -> float:
        """Vars of the rated kVA, from a share of what they are in percent of."""
        if reference == OF_MAX_W:
            return share / self._kva_per_kw
        if reference == OF_MAX_VAR:
            return share * (self._capability.inject if share > 0.0 else self._capability.absorb)
        raise MalformedError("vars are taken in percent of setMaxW (1) or setMaxVar (2)")


def _part(begin_ns: int, end_ns: int, wanted: Wanted) -> FunctionPart:
    return FunctionPart(begin_ns, end_ns, "FUNCTION", 0.0, "", wanted)


def _droop(given: Element) -> Wanted:
    """A `FreqDroopType`, in thousandths, with the settings that IEEE 1547-2018 allows; a response time of 0 is none."""
    least, most = (round(1000.0 * one) for one in BAND_HZ)
    below_hz, above_hz = (_between(given, name, least, most) / 1000.0 for name in ("dBUF", "dBOF"))
    least, most = (round(1000.0 * one) for one in DROOP)
    droops = tuple(_between(given, name, least, most) / 1000.0 for name in ("kUF", "kOF"))
    response_s = _between(given, "openLoopTms", 0, round(100.0 * DROOP_RESPONSE_S[1])) / 100.0
    if 0.0 < response_s < DROOP_RESPONSE_S[0]:
        raise MalformedError(f"openLoopTms: 0, or from {DROOP_RESPONSE_S[0]:g} s on, is expected")
    return Wanted(Mode.FREQUENCY_DROOP, -1.0, (-below_hz, above_hz), droops, response_s)


def _signed(given: Element, factor: float) -> float:
    """A power factor of a curve, below 0 absorbing."""
    if given.boolean("excitation") is None or not _LEAST_FACTOR <= factor <= 1.0:
        raise MalformedError(f"CurveData: a power factor from {_LEAST_FACTOR:g} to 1 with its excitation is expected")
    return -factor if given.boolean("excitation") else factor


def _factor(given: Element) -> float:
    factor = _between(given, "displacement", 0, 65_535) * 10.0 ** _between(given, "multiplier", -9, 9)
    if not _LEAST_FACTOR <= factor <= 1.0:
        raise MalformedError(f"displacement: a power factor from {_LEAST_FACTOR:g} to 1 is expected")
    return -factor if given.boolean("excitation") else factor


def _linked(base: Element, tag: str, curves: Curves) -> Element:
    """The curve that a mode links to."""
    link = base.find(tag)
    href = link.attributes.get("href", "") if link is not None else ""
    found = next((one for one in curves.values() if one.attributes.get("href") == href), None)
    if found is None:
        raise MalformedError(f"{tag}: there is no curve {href[:80]!r} in this programme")
    return found


def _between(given: Element, tag: str, least: int, most: int) -> int:
    value = given.whole(tag)
    if value is None or not least <= value <= most:
        raise MalformedError(f"{given.tag}: {tag} from {least} to {most} is expected")
    return value
