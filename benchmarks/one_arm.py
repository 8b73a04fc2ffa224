"""Where the processor time of one arm of the town goes, and what a second core can take of it.

python benchmarks/one_arm.py [ROUNDS]

First by parts, on one thread: what messages take is the kernel's time alone, and `drawn` are the weights of demand, drawn ahead on the second thread. `way` is what is left on two threads where nobody else uses the cores: of each step
the longer of what goes on side by side, and the rest; of what a process beside the arm does, the time for which the arm waits. Then whole runs on one and two
threads in turns, which count only on an idle machine.
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
    way = _Way()
    from heptagrid.cli import run as _  # noqa: F401  what the command imports
    from heptagrid.foundation import beside
    from heptagrid.scale import run as command
    from heptagrid.simulation import simulation as module

    way.beside_free = BESIDE_STARTS
    vars(beside)["_running"].append(way)
    way.note("import")
    vars(module)["time"] = SimpleNamespace(perf_counter=time.thread_time)
    vars(module)["Simulation"] = type("Simulation", (module.Simulation,), {"begin": _begin, "step": _step, "way": way})
    command.run("town", single="smart", threads=1, out=place / "run")
    way.note("end")
    print(f"{'':12}{'one':>8}{'way':>8}   s of processor time; of it, waits for the process beside")
    for name, (one, alone, waits, parts) in way.found.items():
        said = ", ".join(f"{part} {took:.2f}" for part, took in zip(_PARTS, parts, strict=True) if took >= 0.005)
        print(f"{name:12}{one:8.2f}{alone:8.2f}{waits:8.2f}   {said}")
    one, alone, waits = (sum(found[k] for found in way.found.values()) for k in range(3))
    print(f"{'in all':12}{one:8.2f}{alone:8.2f}{waits:8.2f}   {one / alone:.2f} times as fast")


BESIDE_STARTS = 0.65
"""Seconds after which the process beside an arm has loaded what it needs."""


class _Way:
    """A clock of processor time without what another core takes; stands for the process beside the arm, whose work it does at once.

    found: by phase, the time on one thread, the way, what of it is waiting, and what the parts of steps took.
    """

    def __init__(self) -> None:
        self.began = time.thread_time()
        self.beside_free = self._hidden = self._waited = 0.0
        self.found: dict[str, tuple[float, float, float, np.ndarray]] = {}
        self.parts: np.ndarray = np.zeros(len(_PARTS))
        self._before = (0.0, 0.0, 0.0)

    def hide(self, took: float) -> None:
        """Another core took it."""
        self._hidden += took

    def now(self) -> float:
        return time.thread_time() - self.began - self._hidden + self._waited

    def note(self, phase: str) -> None:
        """What has been since the last note was this phase."""
        now = (time.thread_time() - self.began, self.now(), self._waited)
        spent = [a - b for a, b in zip(now, self._before, strict=True)]
        before = self.found.get(phase, (0.0, 0.0, 0.0, np.zeros(len(_PARTS))))
        one, way, waits = (a + b for a, b in zip(before, spent, strict=False))
        self.found[phase] = (one, way, waits, before[3] + self.parts)
        self.parts, self._before = np.zeros(len(_PARTS)), now

    def submit(self, do: Callable[..., Any], work: bytes) -> Any:
        """Do it now, and hide what it takes; who asks for the result waits until another process would have it."""
        asked, began = self.now(), time.thread_time()
        value = do(work)
        took = time.thread_time() - began
        self._hidden += took
        ready = self.beside_free = max(self.beside_free, asked) + took

        def result() -> Any:
            self._waited += max(ready - self.now(), 0.0)
            return value

        return SimpleNamespace(result=result)


def _begin(self: Any, world: Any = None) -> None:
    super(type(self), self).begin(world)
    self.kernel = _Timed(self.grid.transport.plane._queue, "advance")
    self.noted = _Timed(self.recorder, "note")
    self.drawn = _Timed(self.grid.customers._demand, "_weigh")
    self.drawn_last = 0.0
    self.before = _now(self)
    self.way.note("build")


def _step(self: Any) -> bool:
    is_one = super(type(self), self).step()
    if is_one:
        now = _now(self)
        parts, self.before = now - self.before, now
        side = parts[[_PARTS.index(one) for one in BESIDE]].sum()
        kernel, drawn = parts[_PARTS.index("kernel")], parts[_PARTS.index("drawn")]
        if self.phase.name != "CLOSING":
            self.drawn_last = drawn or self.drawn_last  # on two threads it is spread over the steps of a quarter hour
            beside = kernel + self.drawn_last * self.last_step.dt_s / 900.0
            self.way.hide(side + kernel + drawn - max(side, beside))
        self.way.parts = parts
        self.way.note(self.phase.name.lower())
    return bool(is_one)


_PARTS = ("devices", "power", "sensors", "flows", "kernel", "drawn", "messages", "actors", "note")


def _now(simulation: Any) -> np.ndarray:
    """Seconds so far by `_PARTS`."""
    took, kernel, noted, drawn = simulation.seconds, simulation.kernel, simulation.noted, simulation.drawn.seconds
    return np.array(
        [
            *(
                took["devices"] - drawn,
                took["power"],
                took["sensors"] + took["sub-steps"],
                took["recorder"] - noted.seconds,
            ),
            *(kernel.seconds, drawn, took["messages"] - kernel.seconds, took["actors"], noted.seconds),
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
