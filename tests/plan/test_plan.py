"""`heptagrid plan`: the town by four technologies, and what is said of slips."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from heptagrid.cli import main
from heptagrid.scenario.load import load
from heptagrid.studies.plan.api import Plans, plan
from heptagrid.studies.plan.places import surroundings
from tests.documents.pages import ROOT

TECHNOLOGIES = ("wi-sun-50k", "g3-plc", "lorawan", "nb-iot")


@pytest.fixture(scope="module")
def town() -> Plans:
    return plan("town", TECHNOLOGIES)


def test_the_town_takes_sites_of_each_technology(town: Plans) -> None:
    for one in town.summary()["plans"]:
        assert one["covered"] + one["modems"] + one["uncovered"] == one["meters"] == 8780
        assert one["covered_pct"] > 98.0
        assert one["sites"] >= one["covered"] / one["meters_per_site"]["most"]
        assert one["transmissions"]["of_the_worst_hop"] <= 4.0
    mesh = town.planned[0].summary()
    assert mesh["hops"]["most"] <= 6 and mesh["meters_per_site"]["most"] <= 500


def test_a_concentrator_stands_at_its_meters_own_substation(town: Plans) -> None:
    lines = town.planned[1]
    found, places = lines.plan.cover, lines.plan.places
    served = lines.plan.served
    assert (places.lines.root[places.lines.node[served]] == lines.node[found.site[served]]).all()


def test_costs_are_counts_times_the_prices_of_the_technology(town: Plans) -> None:
    one = town.planned[0].summary()
    own = town.planned[0].facts.costs
    assert one["costs"]["investment_eur"]["access_site"] == one["sites"] * own.site_capex_eur
    assert one["costs"]["investment_eur"]["access_unit"] == one["covered"] * own.device_capex_eur
    assert one["costs"]["yearly_eur"]["access_site"] == one["sites"] * own.site_opex_eur_per_year
    assert one["costs"]["investment_eur"]["modem"] == one["modems"] * 15.0


def test_meters_are_left_uncovered_where_the_plan_says_so() -> None:
    kept = plan("town", ["g3-plc"], settings=["plan.poor=uncovered", "plan.fewest_meters=50"])
    one = kept.planned[0].summary()
    assert one["uncovered"] > 0 and one["modems"] == 0 and one["meters_per_site"]["least"] >= 50


def test_the_phases_of_a_feeder_share_the_concentrator_at_their_transformer() -> None:
    found = plan("town", ["g3-plc"], settings=["plan.fewest_meters=1"], feeder=ROOT / "tests/cases/lane/lane.dss")
    one = found.planned[0]
    buses = [str(name) for name in one.around.names[one.node]]
    assert len(set(buses)) == len(buses) and one.summary()["covered"] > 0


def test_a_greater_city_has_the_places_and_ids_of_a_smaller_one() -> None:
    less, more = (surroundings(load("city", [f"city.customers={count}"])) for count in (14_000, 20_000))
    whole = np.flatnonzero(less.meter_id < 1 << 24)
    assert len(whole) > 10_000
    assert np.array_equal(less.meter_id[whole], more.meter_id[: len(whole)])
    ours, theirs = (one.xy_m[one.meter_node[: len(whole)]] for one in (less, more))
    assert np.array_equal(ours, theirs)


def test_its_output_is_json(monkeypatch: pytest.MonkeyPatch) -> None:
    told = CliRunner().invoke(main, ["plan", "--technology", "g3-plc", "--seed", "3", "--json"])
    assert told.exit_code == 0, told.stderr
    assert json.loads(told.stdout)["seed"] == 3


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--technology", "wi-sum"], 2, "technology 'wi-sum' is unknown; a plan takes 5g,"),
        (["--technology", "fibre"], 2, "has no reach by which sites could be planned"),
        (["--set", "plan.most_transmissions=0.5"], 3, "most_transmissions"),
        (["--technology", "g3-plc", "--set", "plan.path_loss=hata"], 2, "the formula is of antennas above the roofs"),
    ],
)
def test_a_slip_is_answered(words: list[str], code: int, said: str) -> None:
    told = CliRunner().invoke(main, ["plan", *words])
    assert told.exit_code == code and said in told.stderr
