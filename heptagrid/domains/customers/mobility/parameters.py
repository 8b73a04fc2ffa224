"""The keys of `vehicles` in a scenario: how many there are, how they travel, when they are plugged in and how they charge."""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.domains.customers.device import Complaint
from heptagrid.foundation.parameters import parameter

TRIPS, DIARIES = "trips", "diaries"
"""Behaviours: one trip a day and a charge each evening, or travel diaries."""

FIGURES = {
    "vehicle_trips": Complaint("Trips of a vehicle and day", "", 2, per="device-day"),
    "vehicle_km": Complaint("Driven by a vehicle and day", "km", 1, per="device-day"),
    "vehicle_km_not_driven": Complaint("Not driven for want of energy", "km", 1),
    "vehicle_public_minutes": Complaint("Waited at public chargers", "min", 0),
    "vehicle_plug_ins": Complaint("Plug-ins of a vehicle and week", "", 2, per="device-week"),
    "vehicle_plugged_h": Complaint("Plugged in each time", "h", 1, per="vehicle_plug_ins"),
    "vehicle_elsewhere_kwh": Complaint("Vehicles charged elsewhere", "kWh", 0),
    "vehicle_overrides": Complaint("Orders to vehicles that drivers took back", "", 0),
    "vehicle_given_kwh": Complaint("Given by vehicles", "kWh", 1),
    "vehicle_wear_eur": Complaint("Wear of batteries that gave, borne by owners", "EUR", 2),
}
"""What diaries tell of a run."""

_DIARIES = "assumption, of diaries alone"
_MID = "after Mobilität in Deutschland 2017, times of day of car trips (source not read)"


@dataclass(frozen=True)
class Parameters:
    """How many vehicles there are, how they travel, and how they charge."""

    share: float = parameter(
        0.2,
        info="vehicles per household",
        low=0.0,
        high=1.0,
        source="assumption: half-way to 15 million vehicles for Germany's 41 million households, the 2030 target",
    )
    departure_h: float = parameter(7.5, info="mean local hour of departure", unit="h", low=4.0, high=12.0, source=_MID)
    departure_sd_h: float = parameter(1.2, info="its standard deviation", unit="h", low=0.0, high=4.0, source=_MID)
    arrival_h: float = parameter(17.5, info="mean local hour of arrival", unit="h", low=12.0, high=23.0, source=_MID)
    arrival_sd_h: float = parameter(2.0, info="its standard deviation", unit="h", low=0.0, high=4.0, source=_MID)
    travel_share: float = parameter(
        0.7, info="share of vehicles that travel on a day", low=0.0, high=1.0, source=f"assumption, {_MID}"
    )
    trip_kwh: float = parameter(
        10.0,
        info="mean energy of a day's travel, on days with travel",
        unit="kWh",
        low=0.0,
        high=100.0,
        source="Mobilität in Deutschland 2017: about 37 km per car and day (source not read), at 0.19 kWh/km, over 0.7",
    )
    trip_spread: float = parameter(
        0.6, info="standard deviation of the logarithm of the trip's energy", low=0.0, high=2.0, source="assumption"
    )
    battery_kwh: float = parameter(
        60.0, info="battery capacity", unit="kWh", low=5.0, high=200.0, source="assumption: a mid-size car of the 2020s"
    )
    charger_kw: float = parameter(
        11.0,
        info="charging power",
        unit="kW",
        low=1.0,
        high=22.0,
        source="IEC 61851-1: 16 A on three phases of 230 V; chargers up to 11 kW need only be registered (NAV section 19)",
    )
    efficiency: float = parameter(
        0.9,
        info="efficiency of charging, from grid to battery",
        low=0.5,
        high=1.0,
        source="assumption: on-board chargers reach 0.88 to 0.94",
    )
    foreseen_kwh_per_day: float = parameter(
        7.8,
        info="what the aggregator expects a vehicle to draw on a day, losses of charging included",
        unit="kWh",
        low=0.0,
        high=100.0,
        source="Mobilität in Deutschland 2017: about 37 km per car and day (source not read), times 0.19 kWh/km, over 0.9",
    )
    plugged_from_h: float = parameter(
        18.0,
        info="local hour from which the aggregator expects most vehicles to be plugged in",
        unit="h",
        low=0.0,
        high=24.0,
        source="assumption, after the evening arrival peak in Mobilität in Deutschland 2017",
    )
    plugged_to_h: float = parameter(
        7.0,
        info="local hour until which it does",
        unit="h",
        low=0.0,
        high=24.0,
        source="assumption, after the morning departure peak in Mobilität in Deutschland 2017",
    )
    behaviour: str = parameter(
        TRIPS, info="trips: each leaves and comes back once on a day with travel and charges at once; diaries: published trips, plugged in by state of charge",
        choices=(TRIPS, DIARIES), source="a choice; the keys below are of diaries, which take of those above share, battery_kwh, charger_kw and efficiency",
    )  # fmt: skip
    commuter_share: float = parameter(0.5, info="share of vehicles whose driver goes to work", low=0.0, high=1.0, source="assumption: about half of all who have a licence are employed")  # fmt: skip
    small_battery_kwh: float = parameter(
        40.0, info="capacity of small batteries", unit="kWh", low=5.0, high=200.0, source="assumption: a small car"
    )
    small_battery_share: float = parameter(
        0.25, info="share of vehicles with one", low=0.0, high=1.0, source="assumption"
    )
    large_battery_kwh: float = parameter(
        80.0, info="capacity of large batteries", unit="kWh", low=5.0, high=300.0, source="assumption: a large car"
    )
    large_battery_share: float = parameter(
        0.3, info="share of vehicles with one", low=0.0, high=1.0, source="assumption"
    )
    charger_3_7_share: float = parameter(0.2, info="share of vehicles with a charger of 3.7 kW", low=0.0, high=1.0, source="assumption: one phase of 16 A")  # fmt: skip
    charger_7_4_share: float = parameter(0.2, info="share of vehicles with a charger of 7.4 kW", low=0.0, high=1.0, source="assumption: one phase of 32 A")  # fmt: skip
    kwh_per_km: float = parameter(
        0.14, info="consumption at 20 C of a vehicle whose battery weighs nothing", unit="kWh/km", low=0.05, high=1.0,
        source="EVModel (github.com/fgonzalezvenegas/EVModel, README): 0.14 + 0.0009 for each kWh of the battery (opened)",
    )  # fmt: skip
    kwh_per_km_and_kwh: float = parameter(
        0.0009, info="what each kWh of the battery adds to it", unit="1/km", low=0.0, high=0.01, source="EVModel, as above"
    )  # fmt: skip
    cold_share_per_k: float = parameter(
        0.0125, info="what each kelvin below 20 C adds, as a share", unit="1/K", low=0.0, high=0.1,
        source="a fifth less range at 0 C (Recurrent's winter study, as reported; source not read)",
    )  # fmt: skip
    hot_share_per_k: float = parameter(
        0.01, info="what each kelvin above 25 C adds, as a share", unit="1/K", low=0.0, high=0.1, source="assumption"
    )
    always_below: float = parameter(
        0.2, info="state of charge below which a driver who comes home always plugs in", low=0.0, high=1.0,
        source="EVModel, min_soc (opened; model of Gonzalez Venegas, Petit and Perez 2021, eTransportation 10:100131, paper not read)",
    )  # fmt: skip
    range_margin: float = parameter(
        1.5, info="what drivers want to have for the next day with travel, against what it takes; with less they plug in", low=1.0, high=5.0,
        source="EVModel, range_anx_factor (opened)",
    )  # fmt: skip
    plug_in_exponent: float = parameter(
        1.0, info="a in the probability to plug in, 1 - ((soc - low) / (1 - low))^a, at the last arrival of a day; 0: only if needed, large: each day", low=0.0, high=1000.0,
        source="EVModel, n_if_needed (opened): 1 is its linear form, taken here unfitted; its example with 50 kWh has 0.15",
    )  # fmt: skip
    target_soc: float = parameter(1.0, info="state of charge at which charging ends", low=0.3, high=1.0, source="EVModel, target_soc (opened)")  # fmt: skip
    taper_from_soc: float = parameter(
        0.8, info="state of charge from which on the battery takes less and less (constant voltage)", low=0.3, high=0.99,
        source="assumption: 0.8 to 0.85 of lithium-ion cells (Montoya et al. 2017, Transportation Research B 103, source not read)",
    )  # fmt: skip
    taper_per_h: float = parameter(
        0.7, info="what it takes there, as part of its capacity by the hour", unit="1/h", low=0.05, high=5.0,
        source="assumption: 11 kW into 16 kWh fall from 0.85 on (Montoya et al. 2017, source not read); so 11 kW into 60 kWh fall from 0.97 on",
    )  # fmt: skip
    full_per_h: float = parameter(
        0.05, info="what it takes when nearly full", unit="1/h", low=0.01, high=1.0,
        source="assumption: charging ends at a twentieth of the capacity by the hour",
    )  # fmt: skip
    work_charger_share: float = parameter(0.15, info="share of commuters that can charge at work, outside of this grid", low=0.0, high=1.0, source=_DIARIES)  # fmt: skip
    work_charger_kw: float = parameter(
        11.0, info="power there", unit="kW", low=1.0, high=50.0, source="assumption: as at home"
    )
    public_share: float = parameter(
        0.8, info="share of drivers who charge on the way, outside of this grid, where a trip takes more than the battery holds; others do not drive the rest",
        low=0.0, high=1.0, source=_DIARIES,
    )  # fmt: skip
    public_kw: float = parameter(
        50.0, info="power there", unit="kW", low=3.0, high=400.0, source="assumption: CHAdeMO and CCS posts of the 2010s"
    )  # fmt: skip
    public_until_soc: float = parameter(0.2, info="state of charge with which they then arrive", low=0.0, high=1.0, source=_DIARIES)  # fmt: skip
    v2g_share: float = parameter(
        0.0, info="share of vehicles with a bidirectional charger, which under a plan or a price also gives (vehicle-to-grid)", low=0.0, high=1.0,
        source="a choice: none today",
    )  # fmt: skip
    v2g_reserve_soc: float = parameter(0.4, info="state of charge below which nothing is given; nor below what the next day with travel takes", low=0.0, high=1.0, source="assumption: half of the usual range kept")  # fmt: skip
    v2g_feeds_in: bool = parameter(
        False, info="whether they also feed into the grid beyond what their owner draws, which the tariff pays as any feed-in", source="a choice: what is stored of the grid has no feed-in tariff in Germany"
    )  # fmt: skip
    v2g_spread: float = parameter(
        0.5, info="part of a signal's greatest spread that must lie between where a vehicle charges and where it gives, to pay for losses and wear", low=0.0, high=1.0, source="assumption"
    )  # fmt: skip
    v2g_wear_ct_per_kwh: float = parameter(
        5.0, info="wear of the battery for each kWh that it gives, borne by its owner", unit="ct/kWh", low=0.0, high=100.0,
        source="assumption: 130 EUR/kWh over about 2,600 full cycles",
    )  # fmt: skip
