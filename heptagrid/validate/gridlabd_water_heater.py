"""A water heater for a week of draws against GridLAB-D's recording: temperature and energy."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from heptagrid.domains.customers.thermal.tank import tank_of, through
from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.validate.case import Finding, case
from heptagrid.validate.gridlabd_houses import J_PER_K, W_PER_K, WEEKS, celsius

_LB_PER_GALLON = 62.4 / 7.4805195  # GridLAB-D's
_BTU_PER_LB_F = 0.9994
_HEATER_W = 4500.0
_ROOM_F = 68.0


@case(
    "gridlabd-water-heater",
    plane="grid",
    kind="exact",
    source="GridLAB-D 6.0.0, object waterheater (recorded): 50 gallons, eight draws a day",
)
def water_heater(live: bool) -> Iterator[Finding]:
    """The tank in two layers as it is drawn from, in one as it rests; the room is at 68 F, where the recorded house's thermostat keeps it within 1 F."""
    with np.load(WEEKS) as file:
        found = {key.split("/")[1]: file[key] for key in file if key.startswith("water_heater/")}
    gallons, loss, inlet_f, set_f, deadband_f, _ = found["parameters"].tolist()
    heat_j_per_k = gallons * _LB_PER_GALLON * _BTU_PER_LB_F * J_PER_K
    ends_c = celsius(inlet_f), celsius(_ROOM_F)
    tank = tank_of(heat_j_per_k, loss * W_PER_K, _HEATER_W, *ends_c, deadband_f / 1.8, 60.0)
    flow_w_per_k = found["water_demand"].astype(np.float64) * _LB_PER_GALLON * _BTU_PER_LB_F * J_PER_K / 60.0
    at_set_c = celsius(set_f)
    tops_c, mean_c, heated_j = _drawn_from(at_set_c, flow_w_per_k, at_set_c, tank)
    theirs_kwh = float(found["actual_load"].sum(dtype=np.float64))
    yield Finding("energy of the heater", theirs_kwh, float(heated_j.sum()) / 3.6e6, 0.02, relative=True, unit="kWh")
    for quantity, name, ours_c in (("hot layer", "temperature", tops_c), ("tank's mean", "Tcontrol", mean_c)):
        theirs_c = celsius(found[name].astype(np.float64))
        ours_by_hour_c = ours_c.reshape(-1, 60).mean(axis=1)
        apart_k = float(np.sqrt(np.mean((ours_by_hour_c - theirs_c) ** 2)))
        span_k = celsius(set_f) - celsius(inlet_f)
        yield Finding(f"{quantity}, root mean square over the hours", 0.0, apart_k, 0.02 * span_k, unit="K")


@kernel
def _drawn_from(begins_c, flow_w_per_k, set_c, tank):  # type: ignore[no-untyped-def]
    minutes = flow_w_per_k.shape[0]
    tops_c, means_c, heated_j = np.empty(minutes), np.empty(minutes), np.empty(minutes)
    hot_c, part, is_on = begins_c, 1.0, False
    for k in range(minutes):
        tops_c[k], means_c[k] = hot_c, part * hot_c + (1.0 - part) * tank.inlet_c
        filled = through(hot_c, part, is_on, flow_w_per_k[k], set_c, True, tank)
        hot_c, part, is_on = filled.hot_c, filled.part, filled.is_on
        heated_j[k] = filled.heated_j
    return tops_c, means_c, heated_j
