"""Frequency-droop in registers: SunSpec model 711, with the settings of IEEE 1547-2018, table 24.

The first control of the model is the one in force and read-only; what is written into the second one takes its place when it is adopted (`AdptCtlReq` = 2).
"""

from __future__ import annotations

from heptagrid.contracts.inverters import Mode
from heptagrid.live.inverter_functions import Wanted
from heptagrid.live.protocols.modbus.curves import COMPLETED
from heptagrid.live.protocols.modbus.image import Values
from heptagrid.live.protocols.modbus.levers import LONGEST_32_S, SWITCH, Adoption, Asked, Get, Lever, Sets
from heptagrid.live.protocols.modbus.rating import Rating
from heptagrid.planes.power.controls.ieee1547 import BAND_HZ, DROOP, DROOP_RESPONSE_S, FREQUENCY_DROOP

CONTROLS = 2
COUNTS = {"Ctl": CONTROLS}
FREQUENCY_MODE = 1 << 5
"""In model 702's control modes."""
_OWN, _WRITTEN = "711.Ctl[0]", "711.Ctl[1]"
_THOUSANDTHS, _TENTHS = 1000, 10
SCALES = {"711.Db_SF": -3, "711.K_SF": -3, "711.RspTms_SF": -1}


def _within(least_and_most: tuple[float, float], scale: int) -> range:
    least, most = least_and_most
    return range(round(least * scale), round(most * scale) + 1)


_SETTINGS = {
    "DbOf": _within(BAND_HZ, _THOUSANDTHS),
    "DbUf": _within(BAND_HZ, _THOUSANDTHS),
    "KOf": _within(DROOP, _THOUSANDTHS),
    "KUf": _within(DROOP, _THOUSANDTHS),
    "RspTms": _within(DROOP_RESPONSE_S, _TENTHS),
    "PMin": range(-100, 101),
}


def _droop(get: Get, rating: Rating) -> Asked | None:
    if get("711.Ena") != 1:
        return None
    band_hz = tuple(get(f"{_OWN}.{name}") / _THOUSANDTHS for name in ("DbUf", "DbOf"))
    wanted = Wanted(
        Mode.FREQUENCY_DROOP,
        get(f"{_OWN}.PMin") / 100.0,
        (-band_hz[0], band_hz[1]),
        (get(f"{_OWN}.KUf") / _THOUSANDTHS, get(f"{_OWN}.KOf") / _THOUSANDTHS),
        get(f"{_OWN}.RspTms") / _TENTHS,
    )
    return Asked(wanted, get("711.RvrtTms"))


DROOP_OF_711 = Lever(
    {
        "711.Ena": SWITCH,
        "711.AdptCtlReq": (CONTROLS,),
        "711.RvrtTms": LONGEST_32_S,
        **{f"{_WRITTEN}.{name}": values for name, values in _SETTINGS.items()},
    },
    _droop,
    {"711.Ena": 0},
    "711.RvrtRem",
    sets=Sets.FREQUENCY,
    adoption=Adoption(
        "711.AdptCtlReq",
        "711.AdptCtlRslt",
        lambda get: True,
        {f"{_OWN}.{name}": f"{_WRITTEN}.{name}" for name in _SETTINGS},
    ),
)


def blank(least_pct: int) -> Values:
    """The model before anybody writes: the standard's default, off. least_pct: the least power that an inverter has, of its rating."""
    one = FREQUENCY_DROOP
    found: dict[str, float] = {"711.Ena": 0, "711.AdptCtlReq": 0, "711.AdptCtlRslt": COMPLETED, "711.NCtl": CONTROLS}
    found |= {"711.RvrtTms": 0, "711.RvrtRem": 0, "711.RvrtCtl": 0}
    for control, is_own in ((_OWN, 1), (_WRITTEN, 0)):
        found |= {
            f"{control}.DbOf": one.band_above_hz,
            f"{control}.DbUf": one.band_below_hz,
            f"{control}.KOf": one.droop_above,
            f"{control}.KUf": one.droop_below,
            f"{control}.RspTms": one.response_s,
            f"{control}.PMin": least_pct,
            f"{control}.ReadOnly": is_own,
        }
    return found
