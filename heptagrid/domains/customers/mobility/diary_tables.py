"""Published tables of a day's trips by car: how many, when they begin, where to, how far.

Source: emobpy 0.6.2 (Gaete-Morales, Kramer, Schill and Zerrahn 2021, "An open tool for creating battery-electric vehicle time series from
empirical data, emobpy", Scientific Data 8:152; MIT License, Copyright (c) 2021 Carlos Gaete-Morales), its files TripsPerDay,
DepartureDestinationTrip_Free, DepartureDestinationTrip_Worker and DistanceDurationTrip, which it made of the survey Mobilität in Deutschland (opened).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

ERRANDS, ESCORT, HOME, LEISURE, SHOPPING, WORK = range(6)
"""Where a trip goes."""

PLACES = ("for errands", "to bring somebody", "home", "for leisure", "to shop", "to work")

WEEKDAY, SATURDAY, SUNDAY = range(3)
"""Kinds of days."""

MOST_TRIPS = 5
TRIPS = np.array([0, 2, 3, 4, 5])
TRIPS_CUMULATED = np.array([[0.3541, 0.6528, 0.7361, 0.8611, 1.0], [0.5068, 0.7945, 0.8356, 0.9315, 1.0]])
"""Share of weekdays, and of weekends, with at most so many trips."""

KM = np.array([0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 400.0])
KM_CUMULATED = np.array([0.0, 0.03179, 0.12362, 0.3826, 0.69873, 0.83556, 0.95937, 0.98679, 1.0])
"""Share of trips up to so many km; the shortest class ends at 0.5 km (assumption), and within a class the logarithm is spread evenly (assumption)."""

PARKING_H, ROAD_KM_PER_H = 10.0 / 60.0, 55.0
"""What each trip takes besides driving, and speed on the road: assumption, so that a mean trip of 14 km is made at 33 km/h from door to door, as in
Mobilität in Deutschland 2002 (quoted by Bundeszentrale für politische Bildung, M 04.07, opened)."""

EDGES_H = np.array([0.0, 6.0, 9.0, 11.0, 14.0, 17.0, 20.0, 23.0, 24.0])
"""Local hours between which departures are spread evenly."""

_PER_HALF_HOUR = {  # of departures to each place, by class of hours: begins at 0 and 23 h are alike
    "free weekday": """
        1.201 0.554 8.422 2.879 0 0 / 16.849 12.179 6.538 13.436 10.059 0 / 109.607 21.178 98.183 70.485 145.658 0 / 92.758 8.981 196.402 77.203 120.564 0
        / 61.827 19.256 150.562 104.039 60.282 0 / 30.931 7.041 150.562 67.144 40.2 0 / 5.604 1.293 58.917 20.154 6.682 0""",
    "free saturday": """
        0.777 1.497 22.159 5.462 0 0 / 5.439 2.621 12.926 12.745 19.611 0 / 48.955 17.034 77.556 70.1 122.569 0 / 59.834 24.459 155.113 89.218 120.935 0
        / 43.515 20.091 129.261 118.957 58.833 0 / 29.01 18.344 161.576 101.963 39.222 0 / 9.066 6.988 84.019 42.485 6.537 0""",
    "sunday": """
        0.697 0.709 14.662 2.932 0 0 / 3.251 1.654 6.842 13.681 5.562 0 / 36.571 14.882 51.317 123.125 38.38 0 / 47.136 21.496 123.161 198.367 11.681 0
        / 43.885 23.976 150.53 232.569 8.344 0 / 30.882 17.362 225.795 116.284 3.337 0 / 8.127 7.441 109.477 34.201 1.112 0""",
    "worker weekday": """
        0.658 0.887 17.049 2.358 0 5.086 / 7.669 17.582 13.259 8.257 7.058 183.94 / 34.519 20.163 49.728 37.155 45.005 75.654
        / 36.821 12.412 92.822 52.289 44.124 20.769 / 38.352 28.954 152.492 63.295 38.828 20.769 / 36.821 22.753 232.05 79.809 47.653 5.931
        / 9.205 6.206 99.452 38.53 7.058 5.931""",
    "worker saturday": """
        0.757 1.459 21.59 5.322 0 1.667 / 5.3 2.553 12.594 12.418 19.108 15.559 / 47.698 16.596 75.565 68.3 119.422 13.614
        / 58.298 23.831 151.131 86.927 117.83 7.347 / 42.398 19.575 125.942 115.903 57.323 3.458 / 28.266 17.873 157.428 99.345 38.215 2.161
        / 8.833 6.809 81.862 41.394 6.369 1.297""",
}


def _weights(name: str) -> Floats:
    """(8, 6) share of a day's departures by class of hours and place."""
    rows = [[float(word) for word in row.split()] for row in _PER_HALF_HOUR[name].split("/")]
    weights = np.array([*rows, rows[0]]) * 2.0 * np.diff(EDGES_H)[:, np.newaxis]
    return np.asarray(weights / weights.sum())


_BY_KIND = np.array(
    [
        [_weights("free weekday"), _weights("free saturday"), _weights("sunday")],
        [_weights("worker weekday"), _weights("worker saturday"), _weights("sunday")],
    ]
)

DEPARTURES = np.cumsum(_BY_KIND.reshape(2, 3, -1), axis=-1)
"""(2, 3, 48) cumulated share of departures, by driver (who does not work, who does), kind of day, and class of hours times place."""

_AWAY = _BY_KIND.copy()
_AWAY[..., HOME] = 0.0
AWAY = np.cumsum(_AWAY, axis=-1) / np.maximum(_AWAY.sum(axis=-1), 1e-300)[..., np.newaxis]
"""(2, 3, 8, 6) the same of places that are not home, within each class of hours."""

HOMEWARD = np.concatenate(
    [np.zeros((2, 3, 1)), np.cumsum(_BY_KIND[..., HOME], axis=-1) / _BY_KIND[..., HOME].sum(axis=-1)[..., np.newaxis]],
    axis=-1,
)
"""(2, 3, 9) share of the trips home that have begun by `EDGES_H`."""


def kind_of_day(weekday: int) -> int:
    """Of a day of the week, Monday 0."""
    return WEEKDAY if weekday < 5 else SATURDAY if weekday == 5 else SUNDAY
