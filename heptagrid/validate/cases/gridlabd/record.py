"""Makes `weeks.npz` of recordings of GridLAB-D: `python record.py FOLDER`, with the folder of the minute files, parameters and draws that `SOURCE.md` describes.

Names in the file are `CASE/quantity`, in GridLAB-D's units: parameters as numbers; `outdoor_f` by the hour; the sun through the windows, what floats freely and the
draws of water by the minute; what a thermostat switches as hourly means of the minutes. Inputs are shared by the cases of a season.
"""

from __future__ import annotations

import csv
import gzip
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

HOUSES = ("winter_free", "winter_resistance", "winter_heat_pump", "summer_free", "summer_cooling")
OF_HOUSE = {
    "loss": "UA",
    "air": "air_heat_capacity",
    "mass": "mass_heat_capacity",
    "exchange": "mass_heat_coeff",
    "heating_capacity": "design_heating_capacity",
    "cooling_capacity": "design_cooling_capacity",
    "heating_cop": "heating_COP",
    "cooling_cop": "cooling_COP",
    "deadband": "thermostat_deadband",
    "rest_s": "thermostat_cycle_time",
    "heating_setpoint": "heating_setpoint",
    "cooling_setpoint": "cooling_setpoint",
    "aux_capacity": "auxiliary_heat_capacity",
    "aux_deadband": "aux_heat_deadband",
    "latent": "latent_load_fraction",
}
SWITCHED = ("air_temperature", "hvac_load", "is_HEAT_on", "is_AUX_on", "is_COOL_on")
OF_TANK = ("tank_volume", "tank_UA", "inlet_water_temperature", "tank_setpoint", "thermostat_deadband", "tank_height")


def columns(path: Path) -> dict[str, np.ndarray]:
    """The numeric columns of a minute file."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {
        name: np.array([float(row[name].split(" ")[0]) for row in rows])
        for name in rows[0]
        if name not in ("timestamp", "system_mode")
    }


def hourly(by_minute: np.ndarray) -> np.ndarray:
    """Means of the hours."""
    return np.asarray(by_minute.reshape(-1, 60).mean(axis=1))


def main(folder: Path) -> None:
    """Write the file beside this script."""
    kept: dict[str, Any] = {}
    for name in HOUSES:
        minute = columns(folder / f"{name}_minute.csv.gz")
        told = json.loads((folder / f"parameters_{name}.json").read_text(encoding="utf-8"))
        season = name.split("_")[0]
        kept[f"{season}/outdoor_f"] = minute["outdoor_temperature"][::60]
        kept[f"{season}/solar"] = minute["solar_gain"].astype(np.float32)
        kept[f"{name}/parameters"] = np.array([float(told[one]) for one in OF_HOUSE.values()])
        floats = name.endswith("_free")
        for quantity in ("air_temperature", "mass_temperature") if floats else SWITCHED:
            kept[f"{name}/{quantity}"] = (minute[quantity][::10] if floats else hourly(minute[quantity])).astype(
                np.float32
            )
        kept[f"{name}/begins_f"] = minute["air_temperature"][0]
        kept[f"{name}/fan_kw"] = minute["fan_power"].max()
    minute = columns(folder / "water_heater_minute.csv.gz")
    told = json.loads((folder / "parameters_water_heater.json").read_text(encoding="utf-8"))
    kept["water_heater/parameters"] = np.array([float(told[one]) for one in OF_TANK])
    kept["water_heater/water_demand"] = minute["water_demand"].astype(np.float32)
    for quantity in ("temperature", "actual_load", "Tcontrol"):
        kept[f"water_heater/{quantity}"] = hourly(minute[quantity]).astype(np.float32)
    np.savez_compressed(Path(__file__).parent / "weeks.npz", **kept)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
