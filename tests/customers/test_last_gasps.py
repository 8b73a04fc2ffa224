"""Last gasps: a meter waits out a momentary interruption, tells of a sustained one, and sends what it could not send.

Expected times are arithmetic on the hold-off and the capacitor. That meters wait before they send a last gasp: Aclara
I-210+c, user's guide, chapter 5, "outage declaration period".
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from heptagrid.domains.customers.meters import Meters, Parameters
from heptagrid.foundation.contract import Wave
from heptagrid.foundation.time import NS_PER_QUARTER, NS_PER_S, Step
from heptagrid.world.endpoints import Endpoints

POINTS = 1893
CAPACITOR_S = 60.0
DARK = np.arange(POINTS) % 3 != 0  # two thirds of the meters lie behind the switch
NOTHING_ASKED = np.zeros(POINTS), np.full(POINTS, -1)  # energy moved on request, and the set-points that asked


class Outbox:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.waves: list[Wave] = []

    def send(self, wave: Wave) -> int:
        self.waves.append(wave)
        return 0

    def of(self, topic: str) -> list[Wave]:
        return [wave for wave in self.waves if wave.topic == topic]


def meters(hold_off_s: float = 30.0) -> Meters:
    nobody = np.empty(0, dtype=np.int64)
    gateways = np.arange(POINTS, dtype=np.int64)
    endpoints = Endpoints(gateways, nobody, *range(POINTS, POINTS + 5), nobody, nobody, nobody)
    parameters = Parameters(last_gasp_hold_off_s=hold_off_s)
    return Meters(parameters, gateways, endpoints, seed=1, last_gasp_s=CAPACITOR_S)


def interrupt(one: Meters, off_s: float, until_s: float, cuts: tuple[float, ...] = (), step_s: float = 60.0) -> Outbox:
    """Supply is lost at second 90 for `off_s`; steps end at multiples of `step_s` and where supply goes and comes."""
    outbox = Outbox()
    ends = {90.0, 90.0 + off_s, *np.arange(step_s, until_s + 1.0, step_s), *cuts}
    begin_ns = 0
    for index, end_s in enumerate(sorted(end for end in ends if end <= until_s)):
        end_ns = round(end_s * NS_PER_S)
        step = Step(begin_ns, end_ns, date(2016, 1, 27), 0, 86400 * NS_PER_S, index)
        is_off = 90 * NS_PER_S <= begin_ns < round((90.0 + off_s) * NS_PER_S)
        may_speak, before = one.may_speak_of(~(DARK & is_off)), len(outbox.waves)
        one.follow_supply(~(DARK & is_off), step, outbox)
        assert may_speak or len(outbox.waves) == before, "what leaves before the step's end is announced"
        if step.ends_quarter:
            one.measure(step, np.zeros(POINTS))
            one.send(step, *NOTHING_ASKED, outbox)
        begin_ns = end_ns
    return outbox


def test_meters_that_have_had_their_say_have_nothing_to_announce() -> None:
    one = meters()
    assert not one.may_speak_of(np.ones(POINTS, dtype=np.bool_))
    interrupt(one, 300.0, 300.0)
    assert not one.may_speak_of(~DARK), "dark, and told"
    assert one.may_speak_of(np.ones(POINTS, dtype=np.bool_)), "supply is back"


@pytest.mark.parametrize("off_s", [0.4, 20.0, 29.9])
def test_a_reclosing_raises_no_alarm(off_s: float) -> None:
    outbox = interrupt(meters(), off_s, 600.0)
    assert not outbox.of("last_gasp")
    assert not outbox.of("restored"), "nobody was told that supply had gone"


def test_a_sustained_interruption_is_told_once_after_the_hold_off() -> None:
    outbox = interrupt(meters(), 300.0, 600.0)
    (gasp,) = outbox.of("last_gasp")
    assert (gasp.sent_ns == 120 * NS_PER_S).all(), "90 s + 30 s"
    assert np.array_equal(gasp.payload.meter, np.flatnonzero(DARK))
    assert gasp.payload.of_ns == 90 * NS_PER_S
    (restored,) = outbox.of("restored")
    assert np.array_equal(restored.payload.meter, np.flatnonzero(DARK))
    assert (restored.sent_ns >= 390 * NS_PER_S).all()


def test_the_hold_off_is_kept_to_the_nanosecond_whatever_the_step() -> None:
    for step_s in (1.0, 60.0, 300.0):
        (gasp,) = interrupt(meters(12.25), 310.0, 600.0, step_s=step_s).of("last_gasp")
        assert (gasp.sent_ns == 102_250_000_000).all()


def test_a_meter_that_goes_out_before_its_hold_off_ends_tells_only_that_it_is_back() -> None:
    outbox = interrupt(meters(hold_off_s=CAPACITOR_S + 1.0), 300.0, 600.0)
    assert not outbox.of("last_gasp")
    assert len(outbox.of("restored")) == 1


def test_a_second_interruption_within_a_run_is_told_too() -> None:
    one = meters()
    interrupt(one, 300.0, 600.0)
    assert len(interrupt(one, 300.0, 600.0).of("last_gasp")) == 1


@pytest.mark.parametrize("off_s", [0.4, 700.0, 820.0])
def test_each_reading_of_a_quarter_hour_that_ended_in_the_dark_is_sent_once(off_s: float) -> None:
    # The quarter hour ends at second 900: with 820 s in the dark the reading's own time may still be to come.
    begin_s = 900.0 - 0.2 if off_s < 1.0 else 90.0
    one, outbox = meters(), Outbox()
    begin_ns = 0
    for index, end_s in enumerate(sorted({begin_s, begin_s + off_s, 900.0, 1800.0})):
        end_ns = round(end_s * NS_PER_S)
        step = Step(begin_ns, end_ns, date(2016, 1, 27), 0, 86400 * NS_PER_S, index)
        is_off = round(begin_s * NS_PER_S) <= begin_ns < round((begin_s + off_s) * NS_PER_S)
        one.follow_supply(~(DARK & is_off), step, outbox)
        if step.ends_quarter:
            one.measure(step, np.zeros(POINTS))
            one.send(step, *NOTHING_ASKED, outbox)
        begin_ns = end_ns
    first = [wave for wave in outbox.waves if getattr(wave.payload, "quarter", None) == 0]
    sent = np.sort(np.concatenate([wave.payload.meter for wave in first]))
    assert np.array_equal(sent, np.arange(POINTS))
    assert all((wave.sent_ns >= NS_PER_QUARTER).all() for wave in first)
