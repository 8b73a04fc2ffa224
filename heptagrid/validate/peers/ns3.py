"""ns-3: our programs of `cases/ns3`, compiled against the headers and libraries of PyPI's wheel `ns3`."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import ns3
import numpy as np

from heptagrid.planes.messages.tables import Ints
from heptagrid.validate.case import DATA, NotRun

WHEEL = Path(next(iter(ns3.__path__)))
MODULES = (
    *(
        "antenna",
        "bridge",
        "core",
        "csma",
        "energy",
        "internet",
        "lr-wpan",
        "mobility",
        "network",
        "point-to-point",
        "propagation",
    ),
    *("spectrum", "stats", "traffic-control", "wifi"),
)

_FOLDER = tempfile.TemporaryDirectory(prefix="heptagrid-ns3-")


def delays_ns(program: str, arrivals: Ints, **options: object) -> tuple[Ints, float]:
    """What became of (n, 3) arrivals (sender, time in nanoseconds, bytes of payload) in `links`, `csma`, `lr_wpan` or `wifi`.

    Returns the one-way delay of each, -1 if it did not arrive, and the seconds that ns-3 took for its events. `options`
    are those of the program; its scheduler is the fastest for these networks.

    Raises
    ------
    NotRun
        If there is no C++ compiler.
    """
    with tempfile.TemporaryDirectory(dir=_FOLDER.name) as name:
        given, found = Path(name, "arrivals.txt"), Path(name, "delays.csv")
        np.savetxt(given, arrivals, fmt="%d")
        words = [f"--{key}={value}" for key, value in options.items()]
        words += ["--SchedulerType=ns3::PriorityQueueScheduler", f"--in={given}", f"--out={found}"]
        printed = subprocess.run([_compiled(program), *words], check=True, capture_output=True, text=True).stdout
        rows = np.loadtxt(found, delimiter=",", skiprows=1, dtype=np.int64, ndmin=2)
    delays = np.full(len(arrivals), -1, dtype=np.int64)
    delays[rows[:, 0]] = rows[:, 1]
    return delays, float(printed)


@cache
def _compiled(program: str) -> Path:
    compiler = shutil.which("c++")
    if compiler is None:
        raise NotRun(f"ns-3, {program}.cc", "there is no C++ compiler to compile it with")
    libraries = [next((WHEEL / "lib64").glob(f"libns3.*-{name}.so")) for name in MODULES]
    done = Path(_FOLDER.name, program)
    source = DATA / "ns3" / f"{program}.cc"
    flags = ["-O2", "-std=c++20", "-DNS3_BUILD_PROFILE_RELEASE", f"-I{WHEEL / 'include'}"]
    subprocess.run([compiler, *flags, source, "-o", done, *libraries, f"-Wl,-rpath,{WHEEL / 'lib64'}"], check=True)
    return done
