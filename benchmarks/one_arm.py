"""Where the processor time of one arm of the town goes, and what a second thread can take of it.

python benchmarks/one_arm.py [ROUNDS]

First by parts, on one thread: what messages take is the kernel's time alone. `way` is what is left with two threads where nobody else uses the cores: of each step
the longer of what goes on side by side, and the rest. Then whole runs on one and two threads in turns, which count only on an idle machine.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from types import SimpleNamespace
from typing import Any

import numpy as np

BESIDE = ("devices", "power", "sensors", "flows")
"""What goes on while messages travel; all other parts of a step come one after another."""


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        by_parts(Path(place))
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    found = np.array(
        [[whole_run(threads) for threads in (1, 2)] for _ in range(rounds)]
    )  # rounds, threads, wall and cpu
    wall, cpu = np.median(found, axis=0).T
    print(
        f"\nmedian of {rounds} runs: one thread {wall[0]:.2f} s ({cpu[0]:.2f} s of processors), two {wall[1]:.2f} s ({cpu[1]:.2f} s)"
    )
    print(f"{wall[0] / wall[1]:.2f} times as fast on two threads, with {cpu[1] / cpu[0]:.2f} times the processor time")


def by_parts(place: Path) -> None:
    """Run the arm in this process, on one thread, and print what each part takes."""
    began = time.thread_time()
    from heptagrid.cli import run as _  # noqa: F401  what the command imports
    from heptagrid.scale.run import resolve
    from heptagrid.simulation import simulation as module

    scenario = resolve("town", [], None, None, None, None)
    loaded = time.thread_time()
    simulation = module.Simulation(scenario, parts=place)
    simulation.begin()
    built = time.thread_time()
    vars(module)["time"] = SimpleNamespace(perf_counter=time.thread_time)
    transport: Any = simulation.grid.transport
    kernel, noted = _Timed(transport.plane._queue, "advance"), _Timed(simulation.recorder, "note")
    rows, phases = [], []
    before = _now(simulation, kernel, noted)
    while simulation.step():
        after = _now(simulation, kernel, noted)
        rows.append(after - before)
        phases.append(simulation.phase.name)
        before = after
    stepped = time.thread_time()
    simulation.finish()
    finished = time.thread_time()
    print(f"{'':12}{'one':>8}{'way':>8}   s of processor time")
    for name, took in (("import", loaded - began), ("build", built - loaded)):
        print(f"{name:12}{took:8.2f}{took:8.2f}")
    table = np.array(rows)
    for phase in dict.fromkeys(phases):
        mine = table[np.array(phases) == phase]
        parts = dict(zip(_PARTS, mine.sum(axis=0).tolist(), strict=True))
        side = mine[:, [_PARTS.index(one) for one in BESIDE]].sum(axis=1)
        way = mine.sum() - np.minimum(side, mine[:, _PARTS.index("kernel")]).sum()
        said = ", ".join(f"{one} {took:.2f}" for one, took in parts.items() if took >= 0.005)
        print(f"{phase.lower():12}{mine.sum():8.2f}{way if phase != 'CLOSING' else mine.sum():8.2f}   {said}")
    print(f"{'finish':12}{finished - stepped:8.2f}{finished - stepped:8.2f}")


_PARTS = ("devices", "power", "sensors", "flows", "kernel", "messages", "actors", "note")


def _now(simulation: Any, kernel: _Timed, noted: _Timed) -> np.ndarray:
    """Seconds so far by `_PARTS`."""
    took = simulation.seconds
    return np.array(
        [
            *(took["devices"], took["power"], took["sensors"] + took["sub-steps"], took["recorder"] - noted.seconds),
            *(kernel.seconds, took["messages"] - kernel.seconds, took["actors"], noted.seconds),
        ]
    )


class _Timed:
    """Adds up what an object's method takes. seconds: of processor time."""

    def __init__(self, owner: Any, name: str) -> None:
        self.seconds = 0.0
        self._call: Callable[..., Any] = getattr(owner, name)
        setattr(owner, name, self._timed)

    def _timed(self, *given: Any, **named: Any) -> Any:
        began = time.thread_time()
        try:
            return self._call(*given, **named)
        finally:
            self.seconds += time.thread_time() - began


def whole_run(threads: int) -> tuple[float, float]:
    """Wall and processor time of the command, in a process of its own."""
    with tempfile.TemporaryDirectory() as place:
        words = ["-m", "heptagrid", "run", "--single", "smart", "--threads", str(threads), "--out", f"{place}/run"]
        before, began = getrusage(RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run([sys.executable, *words], check=True, capture_output=True)
        wall, after = time.perf_counter() - began, getrusage(RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
