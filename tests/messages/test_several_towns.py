"""Several towns, each with its own hub and technologies, over one wide-area network: paths, messages, cuts, jams, costs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import heptagrid
from heptagrid.assembly.happenings import of_towns, silences_of
from heptagrid.assembly.stocks import stocks_of
from heptagrid.assembly.world import World, build_world
from heptagrid.foundation.domains import Domain, Kind
from heptagrid.planes.messages.links import ACCESS, BACKHAUL, Access, Backhaul, Wan
from heptagrid.planes.messages.plane import MessagePlane
from heptagrid.planes.messages.planning.network_planner import plan_network
from heptagrid.planes.messages.planning.planned_network import Plan
from heptagrid.planes.messages.tables import P_MEDIUM
from heptagrid.planes.money import telecom
from heptagrid.recording.access_by_town import access_by_town
from heptagrid.report.access_networks import technology_table

S = 1_000_000_000
DEGREE_M = 111_195.0
UP = {"sender": Domain.CUSTOMERS, "receiver": Domain.OPERATIONS}
METERS = 6  # of each substation


def planned(access: tuple[str, ...], backhaul: tuple[str, ...]) -> Plan:
    """Towns 30 km apart, each with two substations, whose meters stand in streets; the towns' meters are numbered in turn."""
    street = np.column_stack([np.zeros(METERS), 60.0 / DEGREE_M * np.arange(1, METERS + 1)])
    towns = len(access)
    town, station = np.divmod(np.arange(2 * towns), 2)
    stations = np.column_stack([10.0 + 0.4 * town + 0.02 * station, np.full(2 * towns, 53.5)])
    which = np.tile(np.arange(2 * towns), METERS)
    gateways = stations[which] + np.repeat(street, 2 * towns, axis=0)
    links = [Access(technology=name) for name in access], [Backhaul(technology=name) for name in backhaul], Wan()
    ends = gateways, which, stations, town, stations[::2]
    return plan_network(*ends, {"operations": (10.0, 53.6)}, *links, queued=True)


def town_of(plan: Plan) -> np.ndarray:
    """(gateways,) the town of each."""
    return plan.concentrator_town[plan.topology.group[plan.gateways]]


def way_up(plan: Plan, place: int) -> list[tuple[int, int]]:
    """Place and link class of each hop to the core."""
    edges, hops = plan.topology.edges, []
    while edges.parent[place] >= 0:
        hops.append((place, int(plan.topology.port_class[edges.up_port[place]])))
        place = int(edges.parent[place])
    return hops


def medium_of(plan: Plan, place: int) -> int:
    return int(plan.topology.wiring.net().port[plan.topology.edges.up_port[place], P_MEDIUM])


@pytest.mark.parametrize("other", ["nb-iot", "lorawan", "fibre", "shared-queue"])
def test_every_gateway_sends_over_its_own_towns_technologies_to_the_core(other: str) -> None:
    plan = planned(("wi-sun-50k", other), ("fibre", "lte"))
    assert [one.name for one in plan.access] == ["wi-sun-50k", other]
    towns = town_of(plan)
    media = [{medium_of(plan, int(place)) for place in plan.gateways[towns == k]} for k in (0, 1)]
    assert not media[0] & (media[1] - {-1}), "no medium is shared with another town"
    for k in (0, 1):
        own = {*plan.gateways[towns == k].tolist(), *plan.concentrators[plan.concentrator_town == k].tolist()}
        for place in plan.gateways[towns == k].tolist():
            hops = way_up(plan, place)
            inside = {at for at, used in hops if used in (ACCESS, BACKHAUL) and at < plan.hubs[0]}
            assert inside <= own
            assert int(plan.hubs[1 - k]) not in {at for at, _ in hops}
    assert {plan.hubs[0]} == {way_up(plan, place)[-1][0] for place in plan.gateways[towns == 0].tolist()}


def test_readings_of_all_towns_arrive_at_operations() -> None:
    plan = planned(("wi-sun-50k", "nb-iot"), ("lte", "fibre"))
    plane = MessagePlane(plan.topology, 1)
    count = len(plan.gateways)
    to = np.full(count, plan.sites["operations"])
    plane.send(Kind.METER_READING, plan.gateways, to, S + S * np.arange(count), **UP)
    ids, _ = plane.advance(3600 * S)
    assert set(range(count)) <= set(ids.tolist())
    assert plane.counts().residual == 0
    sent = plane.counts_by_place()[Kind.METER_READING, 1:, 0]
    assert sent.tolist() == [METERS] * 4


def test_a_jam_of_one_towns_media_leaves_the_others_messages_alone() -> None:
    plan = planned(("wi-sun-50k", "wi-sun-50k"), ("fibre", "fibre"))
    count, towns = len(plan.gateways), town_of(plan)
    to = np.full(count, plan.sites["operations"])
    arrivals = []
    for jammed in (False, True):
        plane = MessagePlane(plan.topology, 1)
        if jammed:
            plane.jam(plane.media_of(plan.gateways[towns == 0]), 0, 600 * S)
        plane.send(Kind.METER_READING, plan.gateways, to, S * (1 + np.arange(count)), **UP)
        ids, at_ns = plane.advance(1200 * S)
        readings = ids < count
        arrivals.append(dict(zip(ids[readings].tolist(), at_ns[readings].tolist(), strict=True)))
    quiet, jammed_at = arrivals
    other = np.flatnonzero(towns == 1).tolist()
    assert [jammed_at[k] for k in other] == [quiet[k] for k in other], "to the nanosecond"
    assert all(jammed_at[k] > 600 * S for k in np.flatnonzero(towns == 0).tolist() if k in jammed_at)


def test_one_town_is_numbered_as_the_first_of_several() -> None:
    one, two = planned(("wi-sun-50k",), ("lte",)), planned(("wi-sun-50k", "wi-sun-50k"), ("lte", "lte"))
    assert two.hubs.tolist() == [len(two.gateways) + 4, len(two.gateways) + 5]
    assert one.sites["operations"] == one.hubs[0] + 1
    assert two.access_sites.tolist() == [*one.access_sites.tolist() * 2]


def test_lines_are_laid_in_the_towns_whose_technology_is_a_line() -> None:
    laid, wireless = planned(("fibre", "wi-sun-50k"), ("lte", "lte")).line_m
    assert laid == pytest.approx(2 * 60.0 * METERS * (METERS + 1) / 2, rel=1e-3)
    assert wireless == 0.0


def two_towns(folder: Path, *lines: str) -> World:
    """The town of the default run, and another that lies in the same place, with further lines in its file."""
    return build_world(heptagrid.load(written(folder, *lines)))


def written(folder: Path, *lines: str) -> Path:
    file = folder / "towns.toml"
    text = 'name = "towns"\n[towns.east]\nbus = 109\n[towns.west]\nbus = 106\n' + "\n".join(lines) + "\n"
    file.write_text(text, encoding="utf-8")
    return file


def test_two_towns_alike_cost_one_town_twice_but_for_what_they_share(tmp_path: Path) -> None:
    one, two = build_world(heptagrid.load("town")), two_towns(tmp_path)
    given = telecom.Parameters()
    for costs in (telecom.capex_eur, lambda stocks: telecom.opex_eur(stocks, 1.0)):
        once, twice = (costs(stocks_of(world, True, given)) for world in (one, two))
        assert list(once) == list(twice)
        times = {"wan": 4 / 3, "head_end": 1.0}  # links of each hub, of a retailer and of an aggregator
        for name in once.keys() - {"control_box"}:  # whose owners are drawn anew
            assert twice[name] == pytest.approx(times.get(name, 2.0) * once[name]), name


def test_each_towns_devices_have_the_prices_of_its_technologies(tmp_path: Path) -> None:
    world = two_towns(tmp_path, "[towns.west.messages.access]", 'technology = "nb-iot"')
    given = telecom.Parameters()
    meters = np.bincount(world.town_of)
    own = [one.costs.device_capex_eur for one in world.plan.access]
    assert own[0] != own[1]
    assert telecom.capex_eur(stocks_of(world, True, given))["access_unit"] == pytest.approx(float(meters @ own))
    fixed = telecom.Parameters(access_unit_capex_eur=7.0)
    assert telecom.capex_eur(stocks_of(world, True, fixed))["access_unit"] == pytest.approx(7.0 * meters.sum())


def event(kind: str, where: str) -> tuple[str, ...]:
    return "[[events]]", f'kind = "{kind}"', "begin = 0", f'where = "{where}"', "duration_s = 600"


def test_a_cut_hub_is_its_own_towns_trouble(tmp_path: Path) -> None:
    world = two_towns(tmp_path, *event("cut", "hub west"))
    (met,) = world.events
    assert met.places.tolist() == [world.plan.hubs[1]]
    assert met.where == "hub west"
    assert set(world.plan.town_of[met.around].tolist()) == {1}


def test_a_jam_of_a_technology_or_a_class_is_met_where_it_is_used(tmp_path: Path) -> None:
    own = "[towns.west.messages.access]", 'technology = "nb-iot"'
    world = two_towns(tmp_path, *own, *event("jam", "nb-iot"), *event("jam", "access"))
    technology, everything = world.events
    assert set(world.plan.town_of[technology.places].tolist()) == {1}
    assert set(world.plan.town_of[technology.around].tolist()) == {1}
    assert everything.places.tolist() == world.plan.gateways.tolist()
    assert len(everything.around) == world.plan.topology.places


def test_a_technology_that_is_jammed_is_jammed_where_it_is_used() -> None:
    plan = planned(("wi-sun-50k", "nb-iot"), ("fibre", "lte"))
    towns = town_of(plan)
    assert plan.places_over("nb-iot").tolist() == plan.gateways[towns == 1].tolist()
    assert plan.places_over("access").tolist() == plan.gateways.tolist()
    assert plan.places_over("lte").tolist() == plan.concentrators[2:].tolist()
    assert set(plan.hubs) < set(plan.places_over("wan").tolist())


def test_capacitors_and_batteries_are_the_towns_own(tmp_path: Path) -> None:
    own = "[towns.west.messages.access]", "last_gasp_s = 10.0", "[towns.west.messages.backhaul]", "battery_s = 60.0"
    scenario = heptagrid.load(written(tmp_path, *own, *event("blackout", "all")))
    world = build_world(scenario)
    begin_ns = world.events[0].begin_ns
    for what, section, key, town_of, begin_s in (
        ("points", "messages.access", "last_gasp_s", world.town_of, {1: 10.0, 0: 60.0}),
        ("substations", "messages.backhaul", "battery_s", world.plan.concentrator_town, {1: 60.0}),
    ):
        silent = silences_of(world.events, what, of_towns(scenario.towns, section, key, town_of))
        found = {int(town): (one.begin_ns - begin_ns) / S for one in silent for town in np.unique(town_of[one.ids])}
        assert found == begin_s


def test_the_summary_sets_the_towns_technologies_side_by_side(tmp_path: Path) -> None:
    scenario = heptagrid.load(written(tmp_path, "[towns.west.messages.access]", 'technology = "nb-iot"'))
    world = build_world(scenario)
    places = np.zeros((len(Kind), 1 + world.plan.topology.groups, 4), dtype=np.int64)
    places[Kind.METER_READING, 1:111] = 10, 8, 2, 4
    places[Kind.METER_READING, 111:] = 10, 10, 0, 0
    places[Kind.SETPOINT, 1] = 1, 1, 0, 0
    east, west = access_by_town(scenario, world, places)
    assert (east["town"], east["access"], west["access"]) == ("east", "wi-sun-50k", "nb-iot")
    assert (east["sent"], east["delivered"], east["lost"], east["late"]) == (1101, 881, 220, 440)
    assert east["by_kind"].keys() == {"meter_reading", "setpoint"}
    assert west["by_kind"] == {"meter_reading": {"sent": 1100, "delivered": 1100, "lost": 0, "late": 0}}
    assert east["customers"] + west["customers"] == world.customers_count
    shown = technology_table([east, west])
    assert "side by side" in shown
    assert "nb-iot" in shown
    assert technology_table([east, {**west, "access": east["access"]}]) == "", "nothing to compare"
