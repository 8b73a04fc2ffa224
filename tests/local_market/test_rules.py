"""The bidding rules against the published controllers' own answers."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from scipy.stats import norm

from heptagrid.domains.customers.bidding.batteries import mean_prices
from heptagrid.domains.customers.bidding.heat_pumps import ramp_price, ramp_shift
from heptagrid.domains.customers.bidding.rule import Interval, Outlook
from heptagrid.domains.customers.bidding.vehicles import QuantileRule, quantile_price
from heptagrid.domains.customers.device import Surroundings
from heptagrid.domains.customers.mobility.parameters import Parameters
from heptagrid.domains.customers.vehicles import Vehicles
from heptagrid.foundation.time import NS_PER_S, Step
from heptagrid.world.local_markets import QUANTILES
from heptagrid.world.weather import Weather

UTC = ZoneInfo("UTC")

with (Path(__file__).parent / "tesp_hvac.csv").open(encoding="utf-8") as _file:
    ANSWERS = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(_file)]


def outlook(mean: float, deviation: float) -> Outlook:
    return Outlook(np.array([mean]), np.array([deviation]), np.zeros((1, QUANTILES)))


@pytest.mark.parametrize("one", ANSWERS)
def test_thermostats_bid_and_respond_as_tesps(one: dict[str, float]) -> None:
    """Source: PNNL's TESP (github.com/pnnl/tesp, tesp_support/hvac.py, `formulate_bid` and `bid_accepted`), run on these inputs; rounding alone is allowed.

    Theirs cools, ours heats: what is warmer than the set-point there is colder here. Their ramp is said of the whole band, both ways, ours of one.
    """
    known, ramp = outlook(one["mean"], one["std_dev"]), one["ramp"] / 2.0
    rise_k = np.array([one["air_temp"] - one["basepoint"]])
    assert ramp_price(known, rise_k, one["offset_limit"], ramp)[0] == pytest.approx(one["bid_price"], rel=1e-12)
    shift_k = ramp_shift(known, np.array([one["cleared_price"]]), one["offset_limit"], ramp)
    assert one["basepoint"] - shift_k[0] == pytest.approx(one["setpoint"], rel=1e-12)


def test_a_bid_and_the_response_to_it_are_each_others_inverse() -> None:
    """At the price that a house bids, its set-point moves to its temperature."""
    known = outlook(0.05, 0.01)
    for rise_k in (-0.8, -0.1, 0.0, 0.4, 1.0):
        price = ramp_price(known, np.array([rise_k]), 1.0, 2.0)
        assert ramp_shift(known, price, 1.0, 2.0)[0] == pytest.approx(-rise_k, abs=1e-12)


@pytest.mark.parametrize(("share", "price"), [(0.5, 0.04), (0.15865525393145707, 0.03), (0.8413447460685429, 0.05)])
def test_vehicles_bid_the_quantile_of_the_time_that_they_need(share: float, price: float) -> None:
    """Of prices that are normally distributed, mean 0.04 and deviation 0.01, TESS bids scipy.stats.norm.ppf(share, mean, deviation): 0.04, 0.03, 0.05. Ours is straight between
    the deciles of a day of such prices: within 0.0003."""
    day = norm.ppf((np.arange(288) + 0.5) / 288, 0.04, 0.01)
    known = np.quantile(day, np.linspace(0.0, 1.0, QUANTILES))[np.newaxis]
    found = quantile_price(known, np.array([share]))[0]
    assert found == pytest.approx(price, abs=3e-4)
    assert found == pytest.approx(np.interp(share, np.linspace(0.0, 1.0, QUANTILES), known[0]), rel=1e-12)


def test_a_few_prices_at_the_cap_do_not_keep_vehicles_from_the_cheap_hours() -> None:
    """Nine tenths of the time at 0.004 and one at 1: who needs half of the time bids 0.004, exactly, and who needs nearly all of it bids more."""
    known = np.array([[0.004] * 10 + [1.0]])
    assert quantile_price(known, np.array([0.5]))[0] == 0.004
    assert quantile_price(known, np.array([0.95]))[0] == pytest.approx(0.502)


def test_batteries_buy_and_sell_about_the_mean() -> None:
    """TESS, `batt_myopic_bid`: mean times and over the efficiency; what is bought and sold so pays exactly for the losses of both ways."""
    buy, sell = mean_prices(np.array([0.04, -0.04]), 0.95)
    assert buy[0] == pytest.approx(0.04 * 0.95) and sell[0] == pytest.approx(0.04 / 0.95)
    assert sell[0] * 0.95**2 == pytest.approx(buy[0])
    assert buy[1] < -0.04 < sell[1]


def test_bidirectional_vehicles_offer_what_lies_above_their_reserve_and_never_below_their_own_bid() -> None:
    """Ten vehicles at home, nearly full, in a market with a mean of 0.2 EUR/kWh: above 0.2 / 0.9 and 5 ct of wear; without leave to feed in none offers."""
    offers = {}
    for feeds_in in (False, True):
        calm = np.full(8760, 5.0, dtype=np.float32)
        keys = {"behaviour": "diaries", "plug_in_exponent": 1000.0, "v2g_share": 1.0, "v2g_feeds_in": feeds_in}
        vehicles = Vehicles.made(Parameters(**keys), np.arange(10), Surroundings(Weather(calm, calm), UTC, 1))
        vehicles.contents_kwh()[:] = 30.0
        vehicles.advance(Step(0, 900 * NS_PER_S, date(1970, 1, 1), 0, 86400 * NS_PER_S, 0), np.zeros(10))
        rows = np.arange(10)
        known = Outlook(np.full(10, 0.2), np.full(10, 0.02), np.tile(np.linspace(0.1, 0.3, QUANTILES), (10, 1)))
        offers[feeds_in] = QuantileRule(None).bids(vehicles, rows, known, Interval(900 * NS_PER_S, 0.25))
    assert offers[False].sell_kw.max() == 0.0
    assert offers[True].sell_kw.max() > 3.0
    assert (offers[True].sell >= offers[True].full).all()
    assert offers[True].sell.min() >= 0.2 / 0.9 + 0.05 - 1e-12
