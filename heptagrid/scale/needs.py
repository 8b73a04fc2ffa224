"""What a run will take of memory, disk and processor time, from lines fitted to measured runs of cities; and a refusal where the memory or the disk is not there.

The lines are those of `benchmarks/run_sizes.csv`, which `benchmarks/run_sizes.py` measures and fits. Other scenarios than a city's, other technologies and other devices take
more or less: `ERROR` says how far measured runs lie from the lines, not how far these may.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from heptagrid.assembly.job import Job
from heptagrid.foundation.errors import UsageError
from heptagrid.foundation.time import NS_PER_S
from heptagrid.scenario.schema import Scenario

_log = logging.getLogger(__name__)

ERROR = 0.2
"""Measured runs lie this far from the lines at most, relative."""
SAID_FROM = 10_000
"""Customers from which on a run says what it will take."""


@dataclass(frozen=True)
class Line:
    """Of one arm: what it takes at all, for each customer and as much again for each of its days, and each of its steps in thousands."""

    at_all: float
    customer: float
    customer_day: float = 0.0
    customer_step: float = 0.0

    def at(self, customers: int, days: int, steps: int) -> float:
        """What so many customers take; `steps` of warm-up and counted days."""
        return self.at_all + customers * (
            self.customer + days * self.customer_day + steps / 1000.0 * self.customer_step
        )


MEMORY_MB = {True: Line(627.0, 0.0031, 0.0028), False: Line(612.0, 0.00473, 0.00205)}
DISK_MB = {True: Line(1.3, 0.00011, 0.00027), False: Line(2.0, 0.00008, 0.00024)}
CPU_S = {True: Line(9.3, 0.0, 0.00031, 0.000209), False: Line(7.0, 0.0, 0.000093, 0.000124)}
"""By whether the arm is the smart one."""


@dataclass(frozen=True)
class Needs:
    """What a run takes: memory of all its processes together, and disk, in MB of 10^6 bytes, and processor time of all."""

    memory_mb: float
    disk_mb: float
    cpu_s: float

    def told(self) -> str:
        """One line for a person."""
        minutes = self.cpu_s / 60.0
        took = f"{self.cpu_s:.0f} s" if minutes < 2.0 else f"{minutes:.0f} minutes"
        return f"about {took} of processor time, {_gb(self.memory_mb)} of memory and {_gb(self.disk_mb)} on disk, give or take {ERROR:.0%}"


def needs(customers: int, jobs: Sequence[Job], processes: int) -> Needs:
    """What jobs take that go on in so many processes at a time; those that take most memory are counted as going on at once."""
    memory, disk, cpu = [], 0.0, 0.0
    for job in jobs:
        span, smart = job.span, job.arm.smart
        warm_up = (span.start_ns - span.warm_up_ns) // (span.warm_up_step_s * NS_PER_S)
        given = customers, span.days, warm_up + span.counted_steps
        memory.append(MEMORY_MB[smart].at(*given))
        disk += DISK_MB[smart].at(*given)
        cpu += CPU_S[smart].at(*given)
    return Needs(sum(sorted(memory)[-max(processes, 1) :]), disk, cpu)


def customers_of(scenario: Scenario) -> int | None:
    """How many customers a scenario says that it has; None where its network tells."""
    return scenario.sections["city"].customers or None


def existing(folder: Path) -> Path:
    """The folder itself, or the nearest above it that there is."""
    folder = folder.absolute()
    return next(one for one in (folder, *folder.parents) if one.is_dir())


def look_ahead(customers: int, jobs: Sequence[Job], processes: int, folder: Path, anyway: bool) -> None:
    """Say what a run of many customers will take, and refuse it where that is not there, unless it shall start `anyway`.

    Raises
    ------
    UsageError
        Naming what is needed, what there is, and what to do.
    """
    if customers < SAID_FROM:
        return
    found = needs(customers, jobs, processes)
    _log.info("%s customers: %s", f"{customers:,}", found.told())
    memory_mb, disk_mb = free_memory_mb(), shutil.disk_usage(folder).free / 1e6
    if memory_mb is not None and found.memory_mb > memory_mb:
        others = _advice(customers, jobs, processes, memory_mb)
        _refuse(f"{_gb(found.memory_mb)} of memory, and {_gb(memory_mb)} are free: {others}", customers, anyway)
    if found.disk_mb > disk_mb:
        where = f"and {_gb(disk_mb)} are free at {folder}: write elsewhere (--out)"
        _refuse(f"{_gb(found.disk_mb)} of disk, {where}", customers, anyway)
    if memory_mb is not None and found.memory_mb * (1.0 + ERROR) > memory_mb:
        _log.info("%s of memory are free, which may not be enough", _gb(memory_mb))


def _refuse(what: str, customers: int, anyway: bool) -> None:
    if not anyway:
        raise UsageError(f"a run of {customers:,} customers takes about {what}, or start it all the same (--anyway)")
    _log.info("it is begun all the same, though it takes about %s", what.split(":", 1)[0])


def _advice(customers: int, jobs: Sequence[Job], processes: int, memory_mb: float) -> str:
    """What would go into the memory that there is."""
    found = []
    if processes > 1 and len(jobs) > 1:
        found.append("run one arm after the other (--threads 1)")
    if len({job.arm.name for job in jobs}) > 1:
        found.append("run one arm (--single)")
    bare, whole = needs(0, jobs, processes).memory_mb, needs(customers, jobs, processes).memory_mb
    fits = int(customers * (memory_mb - bare) / (whole - bare) / 1000.0) * 1000
    if fits > 0:
        found.append(f"run fewer (--customers {fits})")
    return ", ".join(found) or "close other programs"


def free_memory_mb() -> float | None:
    """Memory that a new program may have, in 10^6 bytes: what the system calls available, and no more than a container is allowed; None where nobody tells."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        free = next(float(one.split()[1]) * 1024.0 for one in lines if one.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError, IndexError):
        return None
    for most, used in _CONTAINER_FILES:
        try:
            allowed, taken = (int(Path(one).read_text(encoding="ascii")) for one in (most, used))
        except (OSError, ValueError):
            continue  # there is no such limit
        free = min(free, float(max(allowed - taken, 0)))
    return free / 1e6


_CONTAINER_FILES = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)


def _gb(mb: float) -> str:
    return f"{mb:.0f} MB" if mb < 1000.0 else f"{mb / 1000.0:.1f} GB"
