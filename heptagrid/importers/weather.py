"""Reads the weather of an extract, as `tools/build_town.py` writes it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from heptagrid.foundation.errors import HeptagridError
from heptagrid.world.weather import Weather


def read_weather(folder: Path) -> Weather:
    """Read `weather.npy`, (8760, 2): outdoor temperature in C, global horizontal radiation in W/m2.

    Raises
    ------
    HeptagridError
        If the file is missing or is no such table.
    """
    path = Path(folder) / "weather.npy"
    try:
        hourly = np.load(path)
    except (OSError, ValueError) as problem:
        raise HeptagridError(f"{path} cannot be read ({problem}); rebuild it with tools/build_town.py") from None
    if hourly.shape != (8760, 2):
        raise HeptagridError(f"{path} holds an array of shape {hourly.shape}; (8760, 2) is expected")
    return Weather(hourly[:, 0], hourly[:, 1])
