"""Every technology says where its facts come from, and they agree with one another; so do the requirements."""

from __future__ import annotations

import importlib
import pkgutil
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from heptagrid.contracts.requirements import FOR_KIND, PRIORITIES, REQUIREMENTS, Requirement, met, requirement
from heptagrid.foundation.domains import DOMAIN_NAMES, Kind
from heptagrid.foundation.errors import UsageError
from heptagrid.planes.messages import technologies as folder
from heptagrid.planes.messages.access.radio import lora_airtime_ns
from heptagrid.planes.messages.media import METHODS
from heptagrid.planes.messages.technologies.lorawan import SPREADING, spreading_factors
from heptagrid.planes.messages.technology import Technology

ROOT = Path(__file__).resolve().parents[2]
WITHOUT_SOURCE = {"name", "title", "sources", "not_modelled"}


def _found() -> Iterator[tuple[str, Technology]]:
    """Where each technology stands, in every file of the folder, installed or not."""
    for module in pkgutil.iter_modules(folder.__path__, folder.__name__ + "."):
        for name, one in vars(importlib.import_module(module.name)).items():
            if isinstance(one, Technology):
                yield f"{module.name}:{name}", one


FOUND = list(_found())
KNOWN = {one.name: one for _, one in FOUND}

each_technology = pytest.mark.parametrize("one", KNOWN.values(), ids=KNOWN.keys())
each_requirement = pytest.mark.parametrize("one", REQUIREMENTS.values(), ids=REQUIREMENTS.keys())


def test_names_are_unique() -> None:
    assert len(KNOWN) == len(FOUND) == 24


def test_every_technology_is_registered_under_its_name() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["heptagrid.technologies"] == {one.name: place for place, one in FOUND}


@each_technology
def test_every_fact_has_a_source(one: Technology) -> None:
    expected = {each.name for each in fields(one)} - WITHOUT_SOURCE
    assert set(one.sources) == expected
    assert all(len(source) > 3 for source in one.sources.values())
    assert one.not_modelled


@each_technology
def test_facts_are_sensible(one: Technology) -> None:
    assert set(one.networks) <= {"home", "access", "backhaul", "wan"}
    assert one.uplink_bps > 0.0 and one.downlink_bps > 0.0
    assert one.payload_bytes > 0
    assert one.header_bytes == sum(size for _, size in one.layers)
    assert one.header_bytes > 0 or one.name == "shared-queue"
    assert one.delay_s >= 0.0 and one.ns_per_km >= 0.0 and one.retries >= 0
    assert one.range_m > 0.0 and one.members_per_site > 0
    assert 0.0 <= one.loss < 0.1
    assert min(vars(one.costs).values()) >= 0.0


@each_technology
def test_a_longer_message_takes_longer(one: Technology) -> None:
    sizes = [10, 50, 100, 400, 2000]
    times = [one.airtime_s(size) for size in sizes]
    assert times == sorted(times) and times[0] > 0.0


@each_technology
def test_a_medium_has_the_constants_of_its_method(one: Technology) -> None:
    medium = one.medium
    if medium is None:
        return
    assert medium.access in METHODS
    if medium.access in ("csma-ca", "dcf"):
        assert medium.slot_s > 0.0 and medium.ack_s > 0.0 and medium.gap_s > 0.0
        assert medium.exponents[0] <= medium.exponents[1]
    if medium.access == "csma-ca":
        assert medium.back_offs > 0 and medium.sense_s > 0.0
        assert medium.ack_wait_s >= medium.turnaround_s + medium.ack_s, "a sender gives up before the answer can come"
    if medium.access == "dcf":
        assert medium.gap_s > medium.turnaround_s > 0.0 and medium.collision_gap_s > 0.0
    if medium.access == "cellular":
        assert medium.opportunity_s > 0.0 and medium.preambles > 0 and medium.back_offs > 0
        assert medium.response_s > 0.0 and medium.inactivity_s > 0.0
    if medium.access == "class-a":
        assert medium.channels > 0 and 0.0 < medium.duty_cycle <= 1.0
        assert medium.ack_s == 0.0, "nothing is sent again"
        # LoRaMac-node RegionEU868.h: RECEIVE_DELAY1, RX_WND_2_DR (DR_0 is factor 12), BAND3.
        assert (medium.receive_delay_s, medium.second_spreading, medium.second_duty_cycle) == (1.0, 12, 0.1)


@each_technology
def test_a_device_that_sleeps_is_awake_for_at_least_one_paging_occasion(one: Technology) -> None:
    """Else its base station would look for it for ever; without occasions it looks every 10 s. `carry` refuses such files."""
    medium = one.medium
    if medium is None or medium.active_s == 0.0:
        return
    assert medium.active_s >= (medium.paging_s or 10.0)


@each_technology
def test_the_planned_range_is_within_the_link_budget(one: Technology) -> None:
    if one.budget is None:
        return
    error = float(one.budget.frame_error(one.range_m))
    print(f"{one.name}: {error:.2g} of the frames are lost at {one.range_m:g} m")
    assert error <= 0.5
    assert one.range_m <= one.budget.reach_m()


@each_technology
def test_farther_away_more_frames_are_lost(one: Technology) -> None:
    if one.budget is None:
        return
    distances_m = np.geomspace(1.0, 4.0 * one.range_m, 50)
    assert np.all(np.diff(one.budget.margin_db(distances_m)) < 0.0)
    assert np.all(np.diff(one.budget.frame_error(distances_m)) >= 0.0)


def test_time_on_air_is_the_published_one() -> None:
    """51 bytes with 13 of overhead, by the formula of Semtech AN1200.13."""
    assert lora_airtime_ns(64, 12, False) / 1e9 == pytest.approx(2.7935, abs=1e-4)
    assert lora_airtime_ns(64, 7, False) / 1e9 == pytest.approx(0.118, abs=1e-3)


def test_the_record_of_lorawan_is_that_of_its_slowest_rate() -> None:
    lorawan, slowest = KNOWN["lorawan"], SPREADING[12]
    assert lorawan.payload_bytes == slowest.payload_bytes == min(each.payload_bytes for each in SPREADING.values())
    assert lorawan.uplink_bps == slowest.rate_bps
    assert lorawan.budget is not None and lorawan.budget.sensitivity_dbm == slowest.sensitivity_dbm
    assert lorawan.airtime_s(51) == pytest.approx(lora_airtime_ns(64, 12, False) / 1e9, rel=0.15), "symbols come whole"


def test_the_published_latencies_are_kept() -> None:
    urllc, far = KNOWN["5g-urllc"], KNOWN["satellite-geo"]
    assert urllc.medium is not None
    assert urllc.medium.grant_s + urllc.airtime_s(32) + urllc.delay_s <= 0.001, "32 bytes within 1 ms, ITU-R M.2410"
    assert far.delay_s > 2 * 35_786_000.0 / 299_792_458.0, "nothing is faster than light"


def test_a_farther_device_spreads_more() -> None:
    factors = spreading_factors(np.array([10.0, 900.0, 1200.0, 1500.0, 2000.0, 50_000.0]))
    assert factors[0] == 7 and factors[-1] == 12
    assert np.all(np.diff(factors) >= 0)
    assert int(spreading_factors(100.0)) == 7


def test_the_page_of_technologies_is_up_to_date() -> None:
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        from technology_page import page  # type: ignore[import-not-found]
    finally:
        sys.path.pop(0)
    assert (ROOT / "docs/technologies.md").read_text(encoding="utf-8") == page(KNOWN), "run `make docs`"


@each_requirement
def test_requirements_are_sensible(one: Requirement) -> None:
    assert {one.sender, one.receiver} <= set(DOMAIN_NAMES)
    assert 0 < one.payload_bytes <= 2_000_000
    assert one.per_day > 0.0 and one.interval_s * one.per_day == pytest.approx(86_400.0)
    assert 0.001 <= one.latency_s <= 7 * 86_400.0
    assert 0.9 <= one.reliability < 1.0
    assert PRIORITIES[one.priority_class] == one.priority
    assert one.network in ("HAN", "NAN", "WAN")
    assert one.source and set(one.assumed) <= {each.name for each in fields(one)}
    assert one.read == one.source.startswith("RFC"), "the RFCs were read, of the others no text could be read"


def test_every_kind_of_message_has_a_requirement() -> None:
    assert set(FOR_KIND) == set(Kind)
    assert set(FOR_KIND.values()) <= set(REQUIREMENTS)


def test_a_requirement_is_met_by_its_share_and_no_less() -> None:
    reading = requirement("recurrent meter reading")
    assert met(reading, reading.reliability)
    assert not met(reading, reading.reliability - 1e-6)


def test_an_unknown_requirement_is_named() -> None:
    with pytest.raises(UsageError, match="telepathy"):
        requirement("telepathy")
