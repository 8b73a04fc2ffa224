"""Modes and curves of reactive power, volt-watt, and what answers the frequency, as functions of inverters.

Source: IEEE 2030.5-2018, `DERControlBase` and `DERCurve`. Percentages of a control are in hundredths; a curve's values have multipliers of their own. Excitation is true where vars are absorbed.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from heptagrid.contracts.inverters import Mode
from heptagrid.domains.customers.standing_function import Parameters
from heptagrid.live.function_ordering import VARS, FunctionPart
from heptagrid.live.inverter_functions import Wanted
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
_CURVES = {0: Mode.FREQUENCY_WATT, 11: Mode.VOLT_VAR, 12: Mode.VOLT_WATT, 14: Mode.WATT_VAR}
_VARS_BY_CURVE = {"opModVoltVar": Mode.VOLT_VAR, "opModWattVar": Mode.WATT_VAR}
_LIMIT, _DROOP, _FREQUENCY_WATT = "opModVoltWatt", "opModFreqDroop", "opModFreqWatt"
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
        self.limit_of(base, curves, 0, 0)
        self.frequency_of(base, curves, 0, 0)

    def vars_of(self, base: Element, curves: Curves, begin_ns: int, end_ns: int) -> FunctionPart | None:
        """What a control asks of reactive power; of several modes the first of power factor, vars, volt-var and watt-var. None: nothing.

        Raises
        ------
        MalformedError
        """
        factor, fixed, target = (base.find(f"opMod{one}") for one in ("FixedPFInjectW", "FixedVar", "TargetVar"))
        if factor is not None:
            return _part(begin_ns, end_ns, Wanted(Mode.POWER_FACTOR, _factor(factor)))
        if fixed is not None:
            share = _between(fixed, "value", -10_000, 10_000) / 10_000.0
            return _part(begin_ns, end_ns, Wanted(Mode.VAR, self._of_kva(share, fixed.whole("refType"))))
        if target is not None:
            var = _between(target, "value", -32_768, 32_767) * 10.0 ** _between(target, "multiplier", -9, 9)
            return FunctionPart(begin_ns, end_ns, "FUNCTION", var, VARS, Wanted(Mode.VAR))
        for tag, mode in _VARS_BY_CURVE.items():
            if base.find(tag) is not None:
                return _part(begin_ns, end_ns, self.curve(_linked(base, tag, curves), mode))
        return None

    def limit_of(self, base: Element, curves: Curves, begin_ns: int, end_ns: int) -> FunctionPart | None:
        """The limit of active power by the voltage that a control asks for.

        Raises
        ------
        MalformedError
        """
        if base.find(_LIMIT) is None:
            return None
        return _part(begin_ns, end_ns, self.curve(_linked(base, _LIMIT, curves), Mode.VOLT_WATT))

    def frequency_of(self, base: Element, curves: Curves, begin_ns: int, end_ns: int) -> FunctionPart | None:
        """How a control lets active power answer the frequency; of droop and a curve the droop.

        Raises
        ------
        MalformedError
        """
        droop = base.find(_DROOP)
        if droop is not None:
            return _part(begin_ns, end_ns, _droop(droop))
        if base.find(_FREQUENCY_WATT) is None:
            return None
        return _part(begin_ns, end_ns, self.curve(_linked(base, _FREQUENCY_WATT, curves), Mode.FREQUENCY_WATT))

    def curve(self, given: Element, mode: Mode) -> Wanted:
        """A `DERCurve` as a function.

        Raises
        ------
        MalformedError
            If its type is not the one of `mode`, its points do not go on, or its powers rise.
        """
        kind = given.whole("curveType")
        if kind is None or _CURVES.get(kind) is not mode:
            raise MalformedError("the curve is of another curveType than the mode")
        points = [(one.whole("xvalue"), one.whole("yvalue")) for one in given.all("CurveData")]
        to_x, to_y = (10.0 ** _between(given, name, -9, 9) / 100.0 for name in ("xMultiplier", "yMultiplier"))
        most_x = 10.0
        if mode is Mode.FREQUENCY_WATT:
            to_x, most_x = to_x * 100.0, 1000.0  # in Hz
        reference = given.whole("vRef")
        if reference is not None and mode is Mode.VOLT_VAR:
            to_x *= _between(given, "vRef", 5_000, 15_000) / 10_000.0
        x = tuple(one * to_x for one, _ in points if one is not None)
        y = tuple(one * to_y for _, one in points if one is not None)
        if not 2 <= len(x) == len(y) == len(points) <= 10 or max(map(abs, x)) > most_x or max(map(abs, y)) > 10.0:
            raise MalformedError("CurveData: two to ten points are expected, each with an xvalue and a yvalue")
        if any(a >= b for a, b in pairwise(x)) or any(a < b for a, b in pairwise(y)):
            raise MalformedError("CurveData: xvalue has to rise from point to point, and yvalue must not")
        if mode is Mode.FREQUENCY_WATT and given.whole("yRefType") != OF_MAX_W:
            raise MalformedError("power over the frequency is taken in percent of setMaxW (1)")
        if mode in (Mode.VOLT_VAR, Mode.WATT_VAR):
            y = tuple(self._of_kva(one, given.whole("yRefType")) for one in y)
        return Wanted(mode, 0.0, x, y, self._response_s(given, mode))

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
