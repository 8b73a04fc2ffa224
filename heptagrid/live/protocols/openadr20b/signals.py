"""What an event of the desk says in the signals of OpenADR 2.0b.

Intervals there follow one another without a gap and begin with the event, so an event of the desk whose intervals do not is told as several. Source: OpenADR 2.0 Profile
Specification, B Profile, its table of signals; types and units of the schema `oadr_ei_20b.xsd`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from heptagrid.live.protocols.openadr.schedule import RESPONSE_REQUIRED, TEST_EVENT
from heptagrid.live.protocols.openadr.timing import Interval
from heptagrid.live.protocols.openadr20b.messages import duration
from heptagrid.live.xml import Element, leaf, of, ready

_SI = {"W": "none", "KW": "k", "MW": "M", "WH": "none", "KWH": "k", "MWH": "M"}
_HERTZ, _VOLTS = 50, 230
_SIMPLE_LEVELS = (0.0, 1.0, 2.0, 3.0)
_SPACE = re.compile(r"\s+")
_CURRENCIES = (
    *("AUD", "BGN", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "IDR", "ILS", "INR", "ISK"),
    *("JPY", "KRW", "MXN", "MYR", "NOK", "NZD", "PHP", "PLN", "RON", "RUB", "SEK", "SGD", "THB", "TRY", "USD", "ZAR"),
)
"""Those for which the European Central Bank has published rates; the schema knows them all, and one that it does not know would spoil a whole distribution."""
_MOST_STEPS, _MOST_RUNS = 500, 50
"""Intervals of an event that are told, all signals together, and parts into which gaps divide it; the first ones: assumption, quarters of five days; more would fill a VEN's memory."""


@dataclass(frozen=True)
class Units:
    """The units and the currency of a payload type, in capitals, empty if unsaid."""

    units: str = ""
    currency: str = ""


@dataclass(frozen=True)
class Step:
    """A part of a signal. end_ns is exclusive, and that of the last one may be as good as never."""

    begin_ns: int
    end_ns: int
    value: float


@dataclass(frozen=True)
class Signal:
    """A stream of values without gaps. kind: the desk's payload type, which is the signal's ID; base: the units, an element of `emix:itemBase`."""

    kind: str
    name: str
    type: str
    base: Element | None
    steps: tuple[Step, ...]

    def element(self, now_ns: int) -> Element:
        """The signal in an event, with the value that it has now; SIMPLE has 0 while it has none."""
        current = next((one.value for one in self.steps if one.begin_ns <= now_ns < one.end_ns), None)
        if current is None and self.name == "SIMPLE":
            current = 0.0
        return of(
            "ei:eiEventSignal",
            self._stream,
            leaf("ei:signalName", self.name),
            leaf("ei:signalType", self.type),
            leaf("ei:signalID", self.kind),
            self.base,
            None if current is None else of("ei:currentValue", _float(current)),
        )

    @cached_property
    def _stream(self) -> Element:
        return ready(of("strm:intervals", *(_interval(k, one) for k, one in enumerate(self.steps))))


@dataclass(frozen=True)
class Run:
    """Signals of one event that begin and end together."""

    begin_ns: int
    end_ns: int
    signals: tuple[Signal, ...]


def runs_of(intervals: Sequence[Interval], units: Mapping[str, Units]) -> list[Run]:
    """The signals of an event by when they begin and end, in that order. A value that is no number, and a level that SIMPLE has not, are left out."""
    streams: dict[tuple[int, int], list[Signal]] = {}
    kinds = dict.fromkeys(
        kind for one in intervals for kind in one.values if kind not in (TEST_EVENT, RESPONSE_REQUIRED)
    )
    first = sorted(intervals, key=lambda each: each.begin_ns)[: _MOST_STEPS // max(len(kinds), 1)]
    for kind in kinds:
        name, type, base, factor = _signal(kind, units.get(kind, Units()))
        for steps in _streams(_steps(first, kind, factor, is_simple=name == "SIMPLE")):
            streams.setdefault((steps[0].begin_ns, steps[-1].end_ns), []).append(
                Signal(kind, name, type, base, tuple(steps))
            )
    return [
        Run(begin_ns, end_ns, tuple(streams[begin_ns, end_ns])) for begin_ns, end_ns in sorted(streams)[:_MOST_RUNS]
    ]


def _steps(intervals: Sequence[Interval], kind: str, factor: float, *, is_simple: bool) -> list[Step]:
    found = []
    for one in intervals:
        value = (one.values.get(kind) or [None])[0]
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e12:
            continue
        if math.isfinite(value) and one.end_ns > one.begin_ns and (not is_simple or value in _SIMPLE_LEVELS):
            found.append(Step(one.begin_ns, one.end_ns, float(value) * factor))
    return found


def _streams(steps: Sequence[Step]) -> list[list[Step]]:
    """Steps that follow one another; one that overlaps the next ends where that begins."""
    found: list[list[Step]] = []
    for one in steps:
        last = found[-1] if found else []
        if last and last[-1].begin_ns >= one.begin_ns:
            last.pop()
        elif last and last[-1].end_ns > one.begin_ns:
            last[-1] = Step(last[-1].begin_ns, one.begin_ns, last[-1].value)
        if last and last[-1].end_ns == one.begin_ns:
            last.append(one)
        else:
            found.append([one])
    return [one for one in found if one]


def _signal(kind: str, given: Units) -> tuple[str, str, Element | None, float]:
    """Of a payload type of OpenADR 3: the signal's name and type, its units, and the factor to its values."""
    units = given.units
    match kind:
        case "SIMPLE":
            return "SIMPLE", "level", None, 1.0
        case "PRICE":
            factor = {"MWH": 0.001, "WH": 1000.0}.get(units, 1.0)
            return "ELECTRICITY_PRICE", "price", _price(given.currency or "EUR"), factor
        case "DISPATCH_SETPOINT" if units == "PERCENT":
            return "LOAD_CONTROL", "x-loadControlCapacity", None, 0.01
        case "DISPATCH_SETPOINT":
            return "LOAD_DISPATCH", "setpoint", power(units), 1.0
        case "DISPATCH_SETPOINT_RELATIVE" if units == "PERCENT":
            return "LOAD_CONTROL", "x-loadControlPercentOffset", None, 1.0
        case "DISPATCH_SETPOINT_RELATIVE":
            return "LOAD_DISPATCH", "delta", power(units), 1.0
        case "CHARGE_STATE_SETPOINT" if units in ("WH", "KWH", "MWH"):
            return "CHARGE_STATE", "setpoint", energy(units), 1.0
        case "CHARGE_STATE_SETPOINT":
            return "CHARGE_STATE", "setpoint", _custom("State of charge", "percent"), 1.0
    own = f"x-{_SPACE.sub('-', kind)}"
    if kind.endswith("_CAPACITY_LIMIT") or units in ("W", "KW", "MW"):
        return own, "setpoint", power(units), 1.0
    return own, "setpoint", _custom(own, given.units) if given.units else None, 1.0


def power(units: str) -> Element:
    """Real power in units such as "KW", the default."""
    return of(
        "power:powerReal",
        leaf("power:itemDescription", "RealPower"),
        leaf("power:itemUnits", "W"),
        leaf("scale:siScaleCode", _SI.get(units, "k")),
        of(
            "power:powerAttributes",
            leaf("power:hertz", _HERTZ),
            leaf("power:voltage", _VOLTS),
            leaf("power:ac", True),
        ),
    )


def energy(units: str) -> Element:
    """Real energy in units such as "KWH"."""
    return of(
        "power:energyReal",
        leaf("power:itemDescription", "RealEnergy"),
        leaf("power:itemUnits", "Wh"),
        leaf("scale:siScaleCode", _SI.get(units, "k")),
    )


def _price(currency: str) -> Element | None:
    if currency not in _CURRENCIES:
        return None
    return of(
        "oadr:currencyPerKWh",
        leaf("oadr:itemDescription", "currencyPerKWh"),
        leaf("oadr:itemUnits", currency),
        leaf("scale:siScaleCode", "none"),
    )


def _custom(description: str, units: str) -> Element:
    return of(
        "oadr:customUnit",
        leaf("oadr:itemDescription", description),
        leaf("oadr:itemUnits", units),
        leaf("scale:siScaleCode", "none"),
    )


def _interval(number: int, one: Step) -> Element:
    return of(
        "ei:interval",
        duration(one.end_ns - one.begin_ns),
        of("xcal:uid", leaf("xcal:text", number)),
        of("ei:signalPayload", _float(one.value)),
    )


def _float(value: float) -> Element:
    return of("ei:payloadFloat", leaf("ei:value", value))
