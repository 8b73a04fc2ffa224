"""What IEEE 2030.5 controls ask of reactive power, and which curves they may link to."""

from __future__ import annotations

import numpy as np
import pytest

from heptagrid.contracts.inverters import Mode
from heptagrid.domains.customers.standing_function import Parameters, cos_phi_p
from heptagrid.foundation.time import NS_PER_S
from heptagrid.live.order_parts import powers
from heptagrid.live.protocols.sep2.controls import part_of
from heptagrid.live.protocols.sep2.functions import Functions
from heptagrid.live.protocols.sep2.xml import read
from tests.live.test_sep2_server import Bench, control, xml


def curve(kind: int, *points: tuple[int, int], more: str = "") -> str:
    data = "".join(f"<CurveData><xvalue>{x}</xvalue><yvalue>{y}</yvalue></CurveData>" for x, y in points)
    scaled = "<xMultiplier>-2</xMultiplier><yMultiplier>-1</yMultiplier><yRefType>2</yRefType>"
    return f"<mRID>0A00006CC8</mRID><creationTime>1</creationTime>{data}<curveType>{kind}</curveType>{more}{scaled}"


TABLE_8 = ((9_200, 1_000), (9_800, 0), (10_200, 0), (10_800, -1_000))


@pytest.mark.parametrize(
    ("base", "mode", "value"),
    [
        ("<opModFixedVar><refType>2</refType><value>-5000</value></opModFixedVar>", Mode.VAR, -0.22),
        ("<opModFixedVar><refType>1</refType><value>1110</value></opModFixedVar>", Mode.VAR, 0.1),
        (
            "<opModFixedPFInjectW><displacement>95</displacement><excitation>true</excitation><multiplier>-2</multiplier></opModFixedPFInjectW>",
            Mode.POWER_FACTOR_GIVING,
            -0.95,
        ),
    ],
)
def test_a_control_means_vars(base: str, mode: Mode, value: float) -> None:
    part = Functions(Parameters()).vars_of(read(xml("DERControlBase", base).encode()), {}, 0, 10)
    assert part is not None and part.wanted.mode is mode and part.wanted.value == pytest.approx(value)


def test_a_control_has_a_power_factor_for_each_direction() -> None:
    giving, drawing = (
        f"<opModFixedPF{one}><displacement>{factor}</displacement><excitation>{absorbs}</excitation><multiplier>-3</multiplier></opModFixedPF{one}>"
        for one, factor, absorbs in (("InjectW", 900, "false"), ("AbsorbW", 950, "true"))
    )
    base, functions = read(xml("DERControlBase", drawing + giving).encode()), Functions(Parameters())
    by_giving, by_drawing = functions.vars_of(base, {}, 0, 10), functions.drawn_of(base, {}, 0, 10)
    assert by_giving is not None and by_giving.wanted.value == 0.9
    assert by_drawing is not None and by_drawing.wanted.mode is Mode.POWER_FACTOR_DRAWING
    assert by_drawing.wanted.value == pytest.approx(-0.95)
    bench = Bench()
    wrong = drawing.replace("950", "499")
    assert bench.ask("operator", "POST", "/derp/2/derc", control(wrong)).status == 400


def test_a_control_that_links_a_curve_means_that_curve() -> None:
    bench = Bench()
    bench.ask(
        "operator", "POST", "/derp/2/dc", xml("DERCurve", curve(11, *TABLE_8, more="<openLoopTms>700</openLoopTms>"))
    )
    bench.ask("operator", "POST", "/derp/2/dc", xml("DERCurve", curve(12, (10_600, 1_000), (11_000, 0))))
    base = '<opModVoltVar href="/derp/2/dc/1"/><opModVoltWatt href="/derp/2/dc/2"/>'
    assert bench.ask("operator", "POST", "/derp/2/derc", control(base)).status == 201
    one = bench.server.programs[2]
    by_vars = bench.server.functions.vars_of(one.controls[1].base, one.curves, 0, 10)
    by_limit = bench.server.functions.limit_of(one.controls[1].base, one.curves, 0, 10)
    assert by_vars is not None and by_limit is not None
    assert by_vars.wanted.x == pytest.approx((0.92, 0.98, 1.02, 1.08))
    assert by_vars.wanted.y == pytest.approx((0.44, 0.0, 0.0, -0.44)) and by_vars.wanted.response_s == 7.0
    assert by_limit.wanted.y == pytest.approx((1.0, 0.0)) and by_limit.wanted.response_s == 10.0
    assert part_of(one.controls[1].base, "local_units", 0, 10) is None, "neither sets active power"


DROOP = "<dBOF>{}</dBOF><dBUF>36</dBUF><kOF>{}</kOF><kUF>50</kUF><openLoopTms>{}</openLoopTms>"


def droop(band: int = 36, k: int = 40, response: int = 500) -> str:
    return f"<opModFreqDroop>{DROOP.format(band, k, response)}</opModFreqDroop>"


def test_power_factors_by_the_power_are_vars_by_the_power() -> None:
    bench = Bench()
    points = "".join(
        f"<CurveData><excitation>{absorbs}</excitation><xvalue>{x}</xvalue><yvalue>{y}</yvalue></CurveData>"
        for x, y, absorbs in ((0, 100, "false"), (50, 100, "true"), (100, 90, "true"))
    )
    given = (
        f"<mRID>0A00006CC8</mRID><creationTime>1</creationTime>{points}<curveType>13</curveType>"
        "<xMultiplier>0</xMultiplier><yMultiplier>-2</yMultiplier><yRefType>0</yRefType>"
    )
    wrong = given.replace("<excitation>true</excitation>", "", 1)
    for one in (given, wrong):
        assert bench.ask("operator", "POST", "/derp/2/dc", xml("DERCurve", one)).status == 201
    assert bench.ask("operator", "POST", "/derp/2/derc", control('<opModWattPF href="/derp/2/dc/2"/>')).status == 400
    assert bench.ask("operator", "POST", "/derp/2/derc", control('<opModWattPF href="/derp/2/dc/1"/>')).status == 201
    one = bench.server.programs[2]
    part = bench.server.functions.vars_of(one.controls[1].base, one.curves, 0, 10)
    assert part is not None and part.wanted.mode is Mode.WATT_VAR
    p = np.linspace(0.0, 1.0, 101)
    assert np.interp(p, part.wanted.x, part.wanted.y) == pytest.approx(np.interp(p, *cos_phi_p(1.11)), abs=2e-3)


def test_of_several_modes_the_least_vars_hold_at_each_power() -> None:
    """The published schema: the control resulting in least var magnitude should take precedence."""
    factor = "<opModFixedPFInjectW><displacement>90</displacement><excitation>true</excitation><multiplier>-2</multiplier></opModFixedPFInjectW>"
    fixed = "<opModFixedVar><refType>2</refType><value>5000</value></opModFixedVar>"
    part = Functions(Parameters()).vars_of(read(xml("DERControlBase", factor + fixed).encode()), {}, 0, 10)
    assert part is not None and part.wanted.mode is Mode.WATT_VAR
    p = np.linspace(-1.0, 1.0, 2001)
    by_factor, by_vars = -p * np.tan(np.arccos(0.9)) / 1.11, np.full(len(p), 0.22)
    wanted = np.where((p > 0.0) & (np.abs(by_factor) < by_vars), by_factor, by_vars)
    found = np.array([along(one, part.wanted.x, part.wanted.y) for one in p])
    away = np.abs(np.abs(by_factor) - by_vars) > 1e-3
    assert found[away & (p != 0.0)] == pytest.approx(wanted[away & (p != 0.0)])


def along(p: float, x: tuple[float, ...], y: tuple[float, ...]) -> float:
    """As inverters follow a curve that leaps: up to a point its first one counts."""
    for k in range(len(x)):
        if p <= x[k]:
            return y[k] if k == 0 or x[k] == x[k - 1] else float(np.interp(p, (x[k - 1], x[k]), (y[k - 1], y[k])))
    return y[-1]


def test_a_control_says_in_which_time_power_gets_there() -> None:
    base = read(xml("DERControlBase", "<opModMaxLimW>2000</opModMaxLimW><rampTms>10000</rampTms>").encode())
    part = part_of(base, "local_units", 0, 600 * NS_PER_S)
    assert part is not None
    found = powers([part], 0, 10.0, -5.0, None, -10.0)
    begins_s, power_kw = np.array(found).T / [[NS_PER_S], [1.0]]
    assert len(found) == 61 and (begins_s[0], begins_s[-1]) == (0.0, 100.0)
    assert power_kw[0] == pytest.approx(-10.0 + 8.0 / 120.0) and power_kw[-1] == -2.0
    assert power_kw[:-1].mean() == pytest.approx(-6.0), "as much as the ramp"
    assert powers([part], 200 * NS_PER_S, 10.0, -5.0, None, -10.0) == [(200 * NS_PER_S, -2.0)], "it is over"
    bench = Bench()
    wrong = "<opModMaxLimW>2000</opModMaxLimW><rampTms>-1</rampTms>"
    assert bench.ask("operator", "POST", "/derp/2/derc", control(wrong)).status == 400


def test_a_control_lets_power_answer_the_frequency() -> None:
    bench = Bench()
    curve_of = curve(0, (5_020, 1_000), (5_120, 0), more="<openLoopTms>100</openLoopTms>")
    bench.ask("operator", "POST", "/derp/2/dc", xml("DERCurve", curve_of.replace("Type>2", "Type>1")))
    for base in (droop(), '<opModFreqWatt href="/derp/2/dc/1"/>'):
        assert bench.ask("operator", "POST", "/derp/2/derc", control(base)).status == 201
    one, functions = bench.server.programs[2], bench.server.functions
    by_droop, by_curve = (functions.frequency_of(one.controls[k].base, one.curves, 0, 10) for k in (1, 2))
    assert by_droop is not None and by_curve is not None
    assert by_droop.wanted.mode is Mode.FREQUENCY_DROOP and by_droop.wanted.response_s == 5.0
    assert by_droop.wanted.x == (-0.036, 0.036) and by_droop.wanted.y == (0.05, 0.04)
    assert by_curve.wanted.mode is Mode.FREQUENCY_WATT and by_curve.wanted.response_s == 1.0
    assert by_curve.wanted.x == pytest.approx((50.2, 51.2)) and by_curve.wanted.y == pytest.approx((1.0, 0.0))
    assert functions.vars_of(one.controls[1].base, one.curves, 0, 10) is None


@pytest.mark.parametrize(
    "base", [droop(band=16), droop(band=1001), droop(k=19), droop(k=51), droop(response=10), droop(response=1001)]
)
def test_a_droop_that_the_standard_does_not_have_is_refused(base: str) -> None:
    bench = Bench()
    assert bench.ask("operator", "POST", "/derp/2/derc", control(base)).status == 400
    assert not bench.server.programs[2].controls


@pytest.mark.parametrize(
    "given",
    [
        curve(14, *TABLE_8),
        curve(11, TABLE_8[0]),
        curve(11, *TABLE_8[::-1]),
        curve(11, *TABLE_8).replace("Type>2", "Type>3"),
    ],
)
def test_a_curve_that_cannot_be_followed_is_kept_and_no_control_may_link_it(given: str) -> None:
    bench = Bench()
    assert bench.ask("operator", "POST", "/derp/2/dc", xml("DERCurve", given)).status == 201
    assert bench.ask("operator", "POST", "/derp/2/derc", control('<opModVoltVar href="/derp/2/dc/1"/>')).status == 400
    assert not bench.server.programs[2].controls
