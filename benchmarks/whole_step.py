"""Whole steps of the conventional arm with every household in a house under an on/off thermostat, against GridLAB-D's houses with power flow, in one process.

python benchmarks/whole_step.py [--record]

Ours on the same feeder as GridLAB-D's (1,000 houses with heat pumps and back-up heat, ten to a centre-tapped transformer, every conductor solved), and on the
built-in town, balanced. All of a step counts: demand, houses, power flow, actors, books, recording. Processor time of six winter hours in steps of 60 s.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from types import SimpleNamespace

from gridlabd_houses import HOURS, HOUSES, PEER, gridlabd_ns
from history import report

import heptagrid
from heptagrid.assembly.own_feeder import on_feeder, read_feeder
from heptagrid.assembly.span import Phase, Span
from heptagrid.foundation.time import NS_PER_HOUR
from heptagrid.scenario.schema import Scenario
from heptagrid.simulation import simulation as module

STEP_S, WARM_UP_STEP_S, FIRST_HOUR = 60, 900, 6
HOUSES_ONLY = (
    "houses.share=1",
    "houses.resistance_share=0",
    "houses.heat_pump_share=1",
    "houses.cooling_share=1",
    "houses.cool_c=32",
    "heat_pumps.share=0",
    "vehicles.share=0",
    "batteries.share=0",
)
"""As GridLAB-D's: heat pumps that switch, which also cool above 90 F, and back-up heat."""


def main() -> None:
    theirs_ns = gridlabd_ns()
    with tempfile.TemporaryDirectory() as place:
        for name, scenario in scenarios(Path(place)):
            ours_ns, customers, parts = step_ns(scenario, Path(place) / name)
            print(
                f"{name}: {customers} customers, {1e9 / ours_ns:,.0f} customer-steps of 60 s a second of processor time"
            )
            print("  ns per customer and step: " + ", ".join(f"{part} {took:.0f}" for part, took in parts.items()))
            if theirs_ns is not None:
                report(f"a whole step, {name}", ours_ns, "ns per customer and step", theirs_ns / ours_ns, PEER)


def scenarios(place: Path) -> Sequence[tuple[str, Scenario]]:
    """The feeder of GridLAB-D's houses, and the town."""
    town = heptagrid.load("town", HOUSES_ONLY)
    script = place / "Master.dss"
    script.write_text(script_of(HOUSES), encoding="utf-8")
    feeder = on_feeder(town, read_feeder(town, script), script, place / "network")
    return [("the same feeder", feeder), ("the town", town)]


def step_ns(scenario: Scenario, parts: Path) -> tuple[float, int, dict[str, float]]:
    """ns of processor time per customer and step, how many customers there are, and what the parts of a step take of it."""
    span = Span(date(2016, 1, 27), 1, STEP_S, WARM_UP_STEP_S, scenario.zone)
    simulation = heptagrid.Simulation(scenario, "conventional", span, parts=parts)
    vars(module)["time"] = SimpleNamespace(perf_counter=time.thread_time)
    simulation.begin()
    from_ns = span.start_ns + FIRST_HOUR * NS_PER_HOUR
    until_ns = from_ns + HOURS * NS_PER_HOUR
    while simulation.last_step is None or simulation.last_step.end_ns < from_ns:
        simulation.step()
    before, began_s, steps = dict(simulation.seconds), time.thread_time(), 0
    while simulation.last_step.end_ns < until_ns:
        simulation.step()
        steps += 1
    took_s = time.thread_time() - began_s
    assert simulation.phase is Phase.COUNTED
    customers = len(simulation.grid.customers.owned.enrolled)
    simulation.end()
    each = 1e9 / (customers * steps)
    parts_ns = {name: each * (now - before[name]) for name, now in simulation.seconds.items() if now > before[name]}
    return each * took_s, customers, parts_ns


def script_of(houses: int) -> str:
    """GridLAB-D's feeder of `gridlabd_houses.feeder` as an OpenDSS script."""
    parts = [
        """clear
new circuit.houses basekv=12.47 phases=3 bus1=top
new wiredata.wire gmrac=0.0244 gmrunits=ft rac=0.306 runits=mi diam=0.721 radunits=in
new linegeometry.lines nconds=4 nphases=3 reduce=yes
~ cond=1 wire=wire x=0 h=28 units=ft
~ cond=2 wire=wire x=2.5 h=28 units=ft
~ cond=3 wire=wire x=7 h=28 units=ft
~ cond=4 wire=wire x=4 h=24 units=ft
new linecode.drops nphases=2 units=mi rmatrix=(1.52 | 0.55 1.52) xmatrix=(0.73 | 0.60 0.73) cmatrix=(0 | 0 0)
"""
    ]
    above = "top"
    for k in range(houses):
        if k % 10 == 0:
            at, phase = k // 10, k // 10 % 3 + 1
            parts.append(
                f"new line.l{at} bus1={above} bus2=n{at} geometry=lines length=100 units=ft\n"
                f"new transformer.t{at} phases=1 windings=3 xhl=1.36 xht=1.36 xlt=0.9 %noloadloss=0 %imag=0\n"
                f"~ wdg=1 bus=n{at}.{phase} kv=7.199558 kva=100 %r=0.3\n"
                f"~ wdg=2 bus=s{at}.1.0 kv=0.12 kva=100 %r=0.6\n"
                f"~ wdg=3 bus=s{at}.0.2 kv=0.12 kva=100 %r=0.6\n"
            )
            above = f"n{at}"
        parts.append(
            f"new line.d{k} phases=2 bus1=s{k // 10}.1.2 bus2=m{k}.1.2 linecode=drops length=50 units=ft\n"
            f"new load.h{k} phases=1 bus1=m{k}.1.2 kv=0.24 kw=2 pf=1\n"
        )
    return "".join([*parts, "set voltagebases=[12.47 0.2078]\ncalcvoltagebases\n"])


if __name__ == "__main__":
    main()
