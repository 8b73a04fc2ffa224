"""System frequency after a loss of generation: against closed forms, and against another program's machines."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from numpy.polynomial import Polynomial

from heptagrid.importers.rts import read_bulk
from heptagrid.planes.power.dynamics.frequency import SwingModel, Turbine
from heptagrid.scenario import load
from heptagrid.validate.case import DATA, Finding, case, farthest
from heptagrid.world.bulk import STORES, THERMAL, BulkUnits, UnitHeat

Floats = npt.NDArray[np.float64]

F0_HZ = 50.0
SUBSTEP_S = 0.1  # as a run has it
RIGHT_AFTER_S = 0.001


@case(
    "frequency-reheat",
    plane="power",
    kind="exact",
    source="Anderson and Mirheydar 1990 (IEEE Trans. Power Systems 5(3)): closed form of a reheat system, its typical parameters",
)
def frequency_reheat(live: bool) -> Iterator[Finding]:
    """A loss of a tenth of the base: droop 0.05, H 4 s, gain 0.95, reheater 8 s, 0.3 of the power before it, damping 1."""
    droop, inertia_s, gain, reheat_s, before, damping, lost = 0.05, 4.0, 0.95, 8.0, 0.3, 1.0, 0.1
    base_mva = 1000.0
    units = _units([gain * base_mva], [base_mva], [inertia_s], ["reheat"])
    model = SwingModel(units, droop, F0_HZ, {"reheat": Turbine("reheat", "a case", second_s=reheat_s, direct=before)})

    whole = damping * droop + gain
    omega = math.sqrt(whole / (2.0 * inertia_s * droop * reheat_s))
    zeta = (2.0 * inertia_s * droop + (damping * droop + gain * before) * reheat_s) / (2.0 * whole) * omega
    omega_r = omega * math.sqrt(1.0 - zeta**2)
    alpha = math.sqrt((1.0 - 2.0 * reheat_s * zeta * omega + (reheat_s * omega) ** 2) / (1.0 - zeta**2))
    phi = math.atan2(omega_r * reheat_s, 1.0 - zeta * omega * reheat_s) - math.atan2(math.sqrt(1.0 - zeta**2), -zeta)
    lowest_s = math.atan2(omega_r * reheat_s, zeta * omega * reheat_s - 1.0) / omega_r

    def theirs_hz(t: Floats) -> Floats:
        swing = 1.0 + alpha * np.exp(-zeta * omega * t) * np.sin(omega_r * t + phi)
        return np.asarray(-F0_HZ * lost * droop / whole * swing)

    start_mw = np.array([0.6 * base_mva])
    lost_mw, damping_mw_per_hz = lost * base_mva, damping * base_mva / F0_HZ
    answer = theirs_hz(np.array([lowest_s]))[0], -F0_HZ * lost * droop / whole
    yield from _figures(model, start_mw, None, lost_mw, damping_mw_per_hz, theirs_hz, *answer)


@case(
    "frequency-largest-unit",
    plane="power",
    kind="exact",
    source="response of the linear model by its poles: transfer functions of Kundur 1994 and Rowen 1983, all units of the RTS",
)
def frequency_largest_unit(live: bool) -> Iterator[Finding]:
    """Loss of the largest thermal unit of the 73-bus Reliability Test System, steam, gas and hydraulic units answering.

    All are at 60 % of their greatest output, and least outputs are set aside, so that no limit is met: those are not linear.
    """
    units = read_bulk(load.BULK).units
    units = replace(units, p_min_mw=np.zeros_like(units.p_min_mw))
    start_mw = 0.6 * units.p_max_mw
    lost = int(np.argmax(np.where(units.kind == THERMAL, start_mw, 0.0)))
    droop, damping_mw_per_hz = 0.05, 1.0 * float(start_mw.sum()) / F0_HZ
    model = SwingModel(units, droop, F0_HZ)
    stays = np.arange(len(start_mw)) != lost
    mass = 2.0 * float((units.inertia_s * units.mva)[stays].sum()) / F0_HZ

    # The books' transfer functions, each with the gain of all units of its kind.
    one = Polynomial([1.0])
    lags = {
        "steam": (Polynomial([1.0, 0.3 * 7.0]), [0.2, 0.3, 7.0]),
        "gas": (one, [0.4, 0.1]),
        "hydro": (Polynomial([1.0, 5.0]) * Polynomial([1.0, -1.0]), [5.0 * 0.38 / 0.05, 0.2, 0.5]),
    }
    numerator, denominator = Polynomial([0.0]), one
    stiffness = damping_mw_per_hz
    for kind, (top, times) in lags.items():
        of_kind = stays & (units.turbine == kind) & ~np.isin(units.kind, STORES)
        gain = float(units.p_max_mw[of_kind].sum()) / (droop * F0_HZ)
        bottom = math.prod((Polynomial([1.0, time_s]) for time_s in times), start=one)
        numerator, denominator = numerator * bottom + gain * top * denominator, denominator * bottom
        stiffness += gain
    closed = Polynomial([damping_mw_per_hz, mass]) * denominator + numerator
    lost_mw = float(start_mw[lost])
    poles = np.asarray(closed.roots(), dtype=np.complex128)
    residues = np.asarray(-lost_mw * denominator(poles) / (poles * closed.deriv()(poles)), dtype=np.complex128)

    def theirs_hz(t: Floats) -> Floats:
        course = np.exp(t[:, np.newaxis] * poles) @ residues
        return np.asarray(-lost_mw / stiffness + course.real, dtype=np.float64)

    lowest_hz = float(theirs_hz(np.arange(0.0, 30.0, 0.001)).min())
    yield from _figures(model, start_mw, lost, lost_mw, damping_mw_per_hz, theirs_hz, lowest_hz, -lost_mw / stiffness)


@case(
    "frequency-andes",
    plane="power",
    kind="exact",
    source="ANDES 2.0 (recorded): four classical machines with TGOV1 governors on a network, one is lost; centre of inertia",
)
def frequency_andes(live: bool) -> Iterator[Finding]:
    """The machines swing against each other there, and each governor answers to its own; here they are one mass.

    So the two differ while they swing: the tolerance is 1 % of the greatest deviation, and 0.1 % once they have settled.
    """
    mva, inertia_s = np.array([300.0, 200.0, 150.0, 100.0]), [5.0, 3.5, 3.0, 4.0]
    start_mw, droop = np.array([180.0, 110.0, 80.0, 50.0]), np.array([0.05, 0.04, 0.05, 0.05])
    governors = ((0.2, 7.0, 0.3), (0.3, 9.0, 0.25), (0.4, 0.1, 1.0), (0.2, 7.0, 0.3))
    turbines = {
        f"machine {k}": Turbine("TGOV1", "a case", servo_s=valve_s, second_s=reheat_s, direct=before)
        for k, (valve_s, reheat_s, before) in enumerate(governors)
    }
    # Governors answer by output over droop; the limits do not come into play.
    model = SwingModel(_units(0.05 / droop * mva, mva, inertia_s, list(turbines)), 0.05, F0_HZ, turbines)
    model.start(np.ones(4, dtype=np.bool_), start_mw)
    model.connect(np.arange(4) != 3, start_mw)
    recorded = np.loadtxt(DATA / "frequency/andes.csv", delimiter=",", skiprows=1)
    after = recorded[recorded[:, 0] > 1.0]
    ours = _walk(model, start_mw, float(start_mw.sum()), 1.0 * float(mva[:3].sum()) / F0_HZ, after[:, 0] - 1.0)
    deepest_hz = float(after[:, 1].min())
    settled = after[:, 0] > 35.0
    tolerance_hz = 0.01 * (F0_HZ - deepest_hz)
    yield Finding("lowest frequency", deepest_hz, F0_HZ + float(ours.min()), tolerance_hz, unit="Hz")
    yield farthest("frequency over 39 s", after[:, 1], F0_HZ + ours, tolerance_hz, unit="Hz")
    late = float(after[settled, 1].mean()), F0_HZ + float(ours[settled].mean())
    yield Finding("settled frequency", *late, 0.001 * (F0_HZ - late[0]), unit="Hz")


def _figures(
    model: SwingModel,
    start_mw: Floats,
    lost: int | None,
    lost_mw: float,
    damping_mw_per_hz: float,
    theirs_hz: Callable[[Floats], Floats],
    lowest_hz: float,
    settled_hz: float,
) -> Iterator[Finding]:
    """Rate of change, nadir and settled deviation after a loss, and the whole course; `lost` unit, or a step of load."""
    on = np.ones(len(start_mw), dtype=np.bool_)
    drawn_mw = float(start_mw.sum()) + (lost_mw if lost is None else 0.0)
    stays = on if lost is None else np.arange(len(on)) != lost

    def begin() -> None:
        model.start(on, start_mw)
        model.connect(stays, start_mw)

    begin()
    rate = -lost_mw / model.inertia_mws_per_hz
    ours = _walk(model, start_mw, drawn_mw, damping_mw_per_hz, np.array([RIGHT_AFTER_S]))[0] / RIGHT_AFTER_S
    yield Finding("rate of change right after", rate, ours, 0.001, relative=True, unit="Hz/s")
    begin()
    times: Floats = np.linspace(SUBSTEP_S, 12_000 * SUBSTEP_S, 12_000)
    course = _walk(model, start_mw, drawn_mw, damping_mw_per_hz, times)
    yield Finding("nadir", lowest_hz, float(course.min()), 0.01, relative=True, unit="Hz")
    yield Finding("settled", settled_hz, float(course[-1]), 0.001, relative=True, unit="Hz")
    yield farthest("deviation over 60 s", theirs_hz(times[:600]), course[:600], 1e-6, unit="Hz")


def _walk(model: SwingModel, reference_mw: Floats, drawn_mw: float, damping_mw_per_hz: float, times: Floats) -> Floats:
    """Deviations at ascending times, Hz."""
    found = []
    for length_s in np.diff(times, prepend=0.0):
        model.advance(reference_mw, drawn_mw, damping_mw_per_hz, float(length_s))
        found.append(model.deviation_hz)
    return np.array(found)


def _units(
    p_max_mw: Sequence[float] | Floats,
    mva: Sequence[float] | Floats,
    inertia_s: Sequence[float],
    turbine: Sequence[str],
) -> BulkUnits:
    """Units of which nothing counts but the machine."""
    count, none, words = len(turbine), np.zeros(len(turbine)), np.full(len(turbine), "thermal")
    blocks, heats = np.zeros((count, 1)), np.zeros((count, 1))
    return BulkUnits(
        words, np.arange(count), words, np.asarray(p_max_mw, dtype=float), *(none,) * 4, np.asarray(mva, dtype=float),
        np.array(inertia_s), np.array(turbine), *(none,) * 4,
        heat=UnitHeat(words, blocks, blocks, none, heats, heats, *(none,) * 3),
    )  # fmt: skip
