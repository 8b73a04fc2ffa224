"""The theory that the message plane is held against, checked where it is known in another way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from heptagrid.validate.messages_dcf import FHSS, OFDM
from heptagrid.validate.messages_queues import constant_service_tail, mixed_service_tail, served_ns, two_class_tail
from heptagrid.validate.plain_lorawan import airtime_s

pytestmark = pytest.mark.long


@pytest.mark.parametrize("load", [0.3, 0.5, 0.8])
def test_the_inverted_transform_is_crommelins_distribution_where_all_sizes_are_one(load: float) -> None:
    one = np.array([1.0])
    for wait in (0.7, 2.3, 5.6, 10.4):
        assert mixed_service_tail(load, one, one, wait) == pytest.approx(constant_service_tail(load, wait), abs=1e-5)


def test_some_of_a_mixture_that_is_all_alike_is_the_whole() -> None:
    two = mixed_service_tail(0.6, np.array([2.0, 2.0]), np.array([0.3, 0.7]), 9.0)
    assert two == pytest.approx(mixed_service_tail(0.6, np.array([2.0]), np.array([1.0]), 9.0), rel=1e-9)


def test_two_classes_wait_as_one_where_the_other_hardly_speaks() -> None:
    service_s = np.array([1.0, 1.0])
    for level, per_s in ((0, np.array([0.6, 1e-9])), (1, np.array([1e-9, 0.6]))):
        for wait_s in (2.3, 5.6):
            expected = constant_service_tail(0.6, wait_s)
            assert two_class_tail(level, per_s, service_s, wait_s) == pytest.approx(expected, abs=1e-5)


def test_the_mean_of_the_two_classes_transforms_is_cobhams() -> None:
    per_s, service_s = np.array([0.3, 0.09]), np.array([1.0, 5.0])
    steps = np.arange(0.1, 200.0, 0.2)
    residual_s = 0.5 * float(per_s @ service_s**2)
    for level, mean_s in ((0, residual_s / 0.7), (1, residual_s / (0.7 * 0.25))):
        tails = [two_class_tail(level, per_s, service_s, wait_s) for wait_s in steps]
        assert 0.2 * sum(tails) == pytest.approx(mean_s, rel=1e-3)


def test_the_urgent_overtake_what_waits_and_not_what_is_being_sent() -> None:
    done = served_ns(np.array([0, 1, 2]), np.array([10, 10, 5]), np.array([1, 1, 0]))
    assert done.tolist() == [10, 25, 15]


def test_one_station_alone_never_collides() -> None:
    success_s = FHSS.frame_s + FHSS.sifs_s + FHSS.ack_s + FHSS.difs_s
    assert success_s == pytest.approx(8982e-6)
    assert FHSS.frame_s + FHSS.after_collision_s + FHSS.difs_s == pytest.approx(8713e-6)
    mean_s = success_s + 15.5 * FHSS.slot_s
    assert FHSS.throughput_bps(1) == pytest.approx(8184 / mean_s, rel=1e-6)
    assert FHSS.carried_bps(1) == pytest.approx(8184 / mean_s, rel=5e-3)


def test_the_two_forms_of_bianchis_model_are_within_a_percent_on_his_channel() -> None:
    for stations in (5, 10, 20, 50):
        other = replace(FHSS, again=1.0 / FHSS.windows[0])
        assert other.throughput_bps(stations) == pytest.approx(FHSS.throughput_bps(stations), rel=0.01)
    assert OFDM.frame_s == pytest.approx(248e-6)


def test_lora_symbols_of_the_low_rates_carry_less() -> None:
    assert airtime_s(13, 9) == pytest.approx(0.164864)
    assert airtime_s(64, 11) / airtime_s(64, 10) > 2.0
