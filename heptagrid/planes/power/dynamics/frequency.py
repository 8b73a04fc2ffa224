"""System frequency: one rotating mass for all machines, and a turbine with its governor for each unit.

    2 H S / f0  d(df)/dt = P_m - P_e - D df

with H S the sum over the machines that are connected, D what the loads draw less per hertz below f0, and the mechanical
power P_m that of the units' turbines. Between the machines there are no swings: they are taken for one (centre of inertia).

Source: Kundur, Power System Stability and Control, 1994, sections 9.1 (turbines and governors) and 11.1 (load and frequency);
Anderson and Mirheydar, A low-order system frequency response model, IEEE Trans. Power Systems 5(3), 1990.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.errors import NetworkError
from heptagrid.foundation.parameters import parameter
from heptagrid.world.bulk import STORES, BulkUnits

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

INNER_S = 0.01
"""Longest step of the integration (Runge-Kutta, fourth order): a tenth of the shortest lag, so that each step errs by less
than (h / T)^5 / 120 = 1e-7 of what that lag has still to go."""


@dataclass(frozen=True)
class Parameters:
    """System frequency: whether it is followed, how finely, and what answers to it."""

    enabled: bool = parameter(
        False,
        info="follow the frequency of the bulk system; without, units cover any imbalance at once and it stays nominal",
        source="assumption: few questions need it",
    )
    follow: str = parameter(
        "disturbances",
        info="when: around the scenario's disturbances (loss of a unit, blackouts), or all the time",
        choices=("disturbances", "always"),
        source="assumption: a day has 864,000 sub-steps",
    )
    before_s: float = parameter(
        30.0,
        info="how long before a disturbance it begins",
        unit="s",
        low=0.0,
        high=3600.0,
        source="assumption: a few cycles of secondary control",
    )
    after_s: float = parameter(
        900.0,
        info="how long after a disturbance it ends",
        unit="s",
        low=1.0,
        high=86400.0,
        source="time to restore frequency, 15 minutes: Commission Regulation (EU) 2017/1485, annex III",
    )
    substep_s: float = parameter(
        0.1,
        info="sub-step: as often the message plane stops, relays look, and control may act",
        unit="s",
        low=0.01,
        high=1.0,
        source="assumption: well below the lags of turbines",
    )
    droop: float = parameter(
        0.05,
        info="change of frequency, in parts of nominal, for which a governor moves its unit over its whole range",
        low=0.01,
        high=1.0,
        source="Kundur 1994, section 11.1.2: 5 %",
    )
    load_damping: float = parameter(
        1.0,
        info="per cent by which the bulk system's other loads fall when frequency falls by one per cent",
        low=0.0,
        high=5.0,
        source="Kundur 1994, section 11.1.4: typically 1 to 2; the town's own loads draw constant power",
    )


@dataclass(frozen=True)
class Turbine:
    """A turbine with its governor, as data; a lag of 0 s is none.

        reference - df / droop  ->  (1 + lead s) / (1 + lag s)  ->  1 / (1 + servo s) within the unit's limits = gate
        power = through gate + direct a + (1 - through - direct) b,   a = gate / (1 + first s),   b = a / (1 + second s)

    lead_s, lag_s: transient droop of a governor. servo_s: of valve or gate. first_s: steam chest, fuel, or half the water's
    starting time. second_s: reheater. governed: whether it answers to frequency.
    """

    title: str
    source: str
    lead_s: float = 0.0
    lag_s: float = 0.0
    servo_s: float = 0.0
    first_s: float = 0.0
    second_s: float = 0.0
    through: float = 0.0
    direct: float = 1.0
    governed: bool = True


TURBINES: dict[str, Turbine] = {
    "steam": Turbine(
        "steam with reheat",
        "Kundur 1994, section 11.1: governor 0.2 s, chest 0.3 s, reheater 7 s, 30 % of the power before it",
        servo_s=0.2, first_s=0.3, second_s=7.0, direct=0.3,
    ),
    "gas": Turbine(
        "gas, single shaft",
        "governor and fuel system of Rowen 1983 as the model GAST has them, 0.4 s and 0.1 s; its limit by temperature is left out",
        servo_s=0.4, first_s=0.1,
    ),
    "hydro": Turbine(
        "hydraulic with transient droop",
        "Kundur 1994, sections 9.1 and 11.1: water 1 s, gate 0.2 s, reset 5 s, transient droop 0.38 with a droop of 0.05",
        lead_s=5.0, lag_s=38.0, servo_s=0.2, first_s=0.5, through=-2.0, direct=3.0,
    ),
    "nuclear": Turbine(
        "steam at constant load",
        "assumption: nuclear units run at constant load and do not answer to frequency",
        servo_s=0.2, first_s=0.3, second_s=7.0, direct=0.3, governed=False,
    ),
    "none": Turbine(
        "behind a converter",
        "assumption: wind, sun and storages give what they are set to, without inertia, and do not answer to frequency",
        governed=False,
    ),
}  # fmt: skip

CONSTANTS = 8  # lead, lag, servo, first, second, through, direct, gain
LEAD, LAG, SERVO, FIRST, SECOND, THROUGH, DIRECT, GAIN = range(CONSTANTS)
STATES = 4  # what the lead leaves, gate, a, b


@dataclass(frozen=True)
class Exchange:
    """Energies of a time, in MWs: given by the turbines, drawn more by the loads for the frequency, taken up by the masses.

    What the masses took up is 2 H S / f0 times the change of frequency, kinetic energy to first order; it equals what was
    given, less what was drawn, less what was drawn more.
    """

    given_mws: float
    damped_mws: float
    kinetic_mws: float


class SwingModel:
    """The mass and its units.

    nominal_hz: f0. Attributes: `deviation_hz` now, `output_mw` (units,) mechanical power now, `on` (units,) who is connected.
    """

    def __init__(
        self, units: BulkUnits, droop: float, nominal_hz: float, turbines: dict[str, Turbine] | None = None
    ) -> None:
        known = TURBINES if turbines is None else turbines
        kinds = [known[str(name)] for name in units.turbine]
        gain = (
            np.array([one.governed for one in kinds])
            * ~np.isin(units.kind, STORES)
            * units.p_max_mw
            / (droop * nominal_hz)
        )
        fields = ("lead_s", "lag_s", "servo_s", "first_s", "second_s", "through", "direct")
        self.units, self.nominal_hz = units, nominal_hz
        self.gain_mw_per_hz: Floats = gain
        self.deviation_hz = 0.0
        self.on: Bools = np.zeros(len(gain), dtype=np.bool_)
        self._constants = np.column_stack([*([getattr(one, name) for one in kinds] for name in fields), gain])
        self._state = np.zeros((len(gain), STATES))
        self._mws_per_hz = 2.0 * units.inertia_s * units.mva / nominal_hz
        self.output_mw: Floats = np.zeros(len(gain))

    @property
    def frequency_hz(self) -> float:
        return self.nominal_hz + self.deviation_hz

    @property
    def inertia_mws_per_hz(self) -> float:
        """2 H S / f0 of what is connected."""
        return float(self._mws_per_hz[self.on].sum())

    def start(self, on: Bools, output_mw: Floats) -> None:
        """Stand at nominal frequency with these outputs, (units,), every lag at rest."""
        self.deviation_hz = 0.0
        self.on = on.copy()
        self._state[:] = np.where(on, output_mw, 0.0)[:, np.newaxis]
        self.output_mw = self._state[:, 0].copy()

    def connect(self, on: Bools, output_mw: Floats) -> None:
        """Disconnect units that are on no more, with their mass; connect others, (units,), at these outputs and this speed."""
        changed = on != self.on
        self._state[changed] = np.where(on, output_mw, 0.0)[changed, np.newaxis]
        self.output_mw[changed] = self._state[changed, 0]
        self.on = on.copy()

    def advance(self, reference_mw: Floats, drawn_mw: float, damping_mw_per_hz: float, dt_s: float) -> Exchange:
        """Let `dt_s` pass with references (units,) and load at nominal frequency held.

        Raises
        ------
        NetworkError
            If no machine is connected any more: there is no frequency.
        """
        mass = self.inertia_mws_per_hz
        if mass == 0.0:
            raise NetworkError(
                "no unit of the bulk system is connected, so there is no frequency; let some of them stay on"
            )
        before_hz = self.deviation_hz
        steps = max(1, int(np.ceil(dt_s / INNER_S - 1e-9)))
        low, high = np.where(self.on, self.units.p_min_mw, 0.0), np.where(self.on, self.units.p_max_mw, 0.0)
        self.deviation_hz, given_mws, hz_s = _advance(
            before_hz,
            self._state,
            self.output_mw,
            self._constants,
            reference_mw,
            low,
            high,
            self.on,
            mass,
            drawn_mw,
            damping_mw_per_hz,
            dt_s / steps,
            steps,
        )
        return Exchange(given_mws, damping_mw_per_hz * hz_s, mass * (self.deviation_hz - before_hz))


@kernel
def _advance(df, state, output, constants, reference, low, high, on, mass, drawn, damping, h, steps):  # type: ignore[no-untyped-def]
    """Runge-Kutta of the fourth order; gates stop at their limits. Power given and hertz, both times seconds, go along."""
    units = state.shape[0]
    slope = np.zeros((4, units, STATES))
    at = np.empty((units, STATES))
    slope_df, power = np.zeros(4), np.zeros(4)
    df_at = np.zeros(4)
    part = np.array([0.0, 0.5, 0.5, 1.0])
    weight = np.array([1.0, 2.0, 2.0, 1.0]) / 6.0
    given = 0.0
    hz_s = 0.0
    for _ in range(steps):
        for stage in range(4):
            step = part[stage] * h
            df_at[stage] = df + step * slope_df[stage - 1] if stage else df
            for k in range(units):
                for j in range(STATES):
                    at[k, j] = state[k, j] + step * slope[stage - 1, k, j] if stage else state[k, j]
            power[stage] = 0.0
            for k in range(units):
                if on[k]:
                    power[stage] += _unit(
                        df_at[stage], at[k], constants[k], reference[k], low[k], high[k], slope[stage, k]
                    )
            slope_df[stage] = (power[stage] - drawn - damping * df_at[stage]) / mass
        for stage in range(4):
            df += h * weight[stage] * slope_df[stage]
            given += h * weight[stage] * power[stage]
            hz_s += h * weight[stage] * df_at[stage]
            for k in range(units):
                for j in range(STATES):
                    state[k, j] += h * weight[stage] * slope[stage, k, j]
        for k in range(units):
            state[k, 1] = min(max(state[k, 1], low[k]), high[k])
    for k in range(units):
        output[k] = _unit(df, state[k], constants[k], reference[k], low[k], high[k], slope[0, k]) if on[k] else 0.0
    return df, given, hz_s


@kernel(inline=True)
def _unit(df, state, constants, reference, low, high, slope):  # type: ignore[no-untyped-def]
    """Mechanical power of a unit; writes the slopes of its states."""
    wanted = reference - constants[GAIN] * df
    if constants[LAG] > 0.0:
        slope[0] = (wanted - state[0]) / constants[LAG]
        wanted = state[0] + constants[LEAD] / constants[LAG] * (wanted - state[0])
    if constants[SERVO] > 0.0:
        gate = min(max(state[1], low), high)
        slope[1] = (wanted - gate) / constants[SERVO]
        if (gate >= high and slope[1] > 0.0) or (gate <= low and slope[1] < 0.0):
            slope[1] = 0.0
    else:
        gate = min(max(wanted, low), high)
    first = gate
    if constants[FIRST] > 0.0:
        first = state[2]
        slope[2] = (gate - first) / constants[FIRST]
    second = first
    if constants[SECOND] > 0.0:
        second = state[3]
        slope[3] = (first - second) / constants[SECOND]
    through, direct = constants[THROUGH], constants[DIRECT]
    return through * gate + direct * first + (1.0 - through - direct) * second
