"""Compiles every kernel by running both arms through a few steps and solving a small circuit; a mark says that it has been done."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from heptagrid.foundation.compiled.kernel import fingerprint_of_package
from heptagrid.foundation.compiled.kernel_cache import cache_folder, say_once


def ensure_kernels(apart: bool = False) -> None:
    """Compile every kernel, and say so, unless it has been done; after what was asked for has been checked.

    apart: in a process of its own, for one that lasts: what numba leaves behind is 200 MB.
    """
    if are_kernels_compiled():
        return
    say_once("compiling the kernels; this happens once and takes about a minute")
    if apart:
        subprocess.run([sys.executable, "-c", f"import {__name__} as here; here.compile_kernels()"], check=False)
    if not are_kernels_compiled():
        compile_kernels()


def are_kernels_compiled() -> bool:
    """Whether the kernels of these very sources have been compiled on this machine before."""
    return _mark().exists()


def compile_kernels() -> float:
    """Compile what is not compiled yet; returns the seconds that it took."""
    from heptagrid.assembly.arms import arms_of
    from heptagrid.assembly.span import Span
    from heptagrid.assembly.world import build_world
    from heptagrid.scenario.load import load
    from heptagrid.simulation.simulation import Simulation

    began = time.perf_counter()
    scenario = load("town")
    world = build_world(scenario)
    span = Span(scenario.start, 1, 900, 900, scenario.zone)
    with tempfile.TemporaryDirectory() as parts:
        for arm in arms_of(None, {}):
            simulation = Simulation(scenario, arm, span, parts=Path(parts))
            simulation.begin(world)
            while simulation.step():
                pass
            simulation.finish()
    _solve_a_circuit()
    _let_inverters_answer()
    _bill_a_day()
    _mark().parent.mkdir(parents=True, exist_ok=True)
    _mark().touch()
    return time.perf_counter() - began


def _solve_a_circuit() -> None:
    """By sweeps and by the whole matrix: a line of three conductors and a load on each."""
    from heptagrid.planes.power.unbalanced.solver import UnbalancedSolver
    from heptagrid.world.circuit.builder import CircuitBuilder

    volts, turn = 230.0, np.exp(-2j * np.pi / 3.0)
    builder = CircuitBuilder("small", 50.0)
    for bus in ("near", "far"):
        builder.bus(bus, volts / 1000.0)
    near, far = builder.nodes("near", 1, 2, 3), builder.nodes("far", 1, 2, 3)
    builder.source("source", near, [volts, volts * turn, volts * turn**2], 0.01 * np.eye(3))
    builder.line("line", near, far, 0.1 * np.eye(3))
    for node in far:
        builder.device(f"load {node}", "load", [(node, -1)], 1.0, 0.2, volts)
    swept = UnbalancedSolver(builder.circuit(), method="sweeps").solve()
    solved = UnbalancedSolver(builder.circuit(), method="sparse").solve()
    assert max(abs(swept.residual), abs(solved.residual)) < 1e-6, "what follows from voltages has kernels too"


def _let_inverters_answer() -> None:
    """Customers' inverters under curves of all kinds: a function may come over a protocol while nothing may wait for a compiler."""
    from datetime import date

    from heptagrid.contracts.flexibility import LOCAL_UNITS
    from heptagrid.domains.customers.inverters import Inverters, Rows
    from heptagrid.domains.customers.standing_function import Parameters
    from heptagrid.foundation.time import NS_PER_S, Step
    from heptagrid.planes.power.controls.common_voltage import probe, settle

    inverters = Inverters(
        Parameters(mode="volt_var", volt_watt=True), {LOCAL_UNITS: Rows(np.arange(2), np.ones(2), True)}
    )
    step = Step(0, NS_PER_S, date(1970, 1, 1), 0, 24 * 3600 * NS_PER_S, 0)
    p_kw, q_kvar = -np.ones(2), np.zeros(2)
    inverters.offer(step, np.ones(2), np.ones(2, dtype=np.bool_), p_kw)
    assert inverters.at_points is not None
    probe(inverters.at_points.bank, lambda fed_kw, fed_kvar: 1.05 + 0.01 * fed_kvar, np.zeros(2, dtype=np.int64))
    settle(inverters.at_points.bank, lambda fed_kw, fed_kvar: 1.05 + 0.01 * fed_kvar)
    inverters.feed(p_kw, q_kvar)


def _mark() -> Path:
    return cache_folder() / "kernels" / f"{fingerprint_of_package()}.compiled"


def _bill_a_day() -> None:
    """By a rate with tiers in the order of time, a demand charge and prices of each slot."""
    from zoneinfo import ZoneInfo

    from heptagrid.foundation.calendar import Calendar
    from heptagrid.planes.money.rates.bill import bill
    from heptagrid.planes.money.rates.demand import Demand
    from heptagrid.planes.money.rates.energy import Energy
    from heptagrid.planes.money.rates.rate import Rate
    from heptagrid.planes.money.rates.real_time import RealTime
    from heptagrid.planes.money.rates.schedule import Schedule
    from heptagrid.planes.money.rates.tiers import Tier
    from heptagrid.planes.money.rates.use import Use

    kwh = np.ones((24, 1))
    energy = Energy(((Tier(0.1, 1.0), Tier(0.2)),), Schedule.always(), counted="in time")
    others = (Demand(((Tier(1.0),),), Schedule.always()), RealTime(kwh[:, 0]))
    bill(Rate(energy, elements=others), Use(Calendar.of(0, len(kwh), 3600, ZoneInfo("UTC")), kwh, kwh))
