"""Memory that a live grid does not need any more goes back to the system."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import os
import numpy as np
from pathlib import Path
from heptagrid.live.heap import LARGE_BYTES, give_back

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

told = give_back()
np.ones(40 * LARGE_BYTES, dtype=np.uint8)  # glibc by itself takes this for the size of what it keeps from now on
before, stay = resident(), []
for _ in range(40):
    passing = [np.ones(LARGE_BYTES + 4096, dtype=np.uint8) for _ in range(4)]
    stay.append(np.ones(1024, dtype=np.uint8))
    del passing
kept = [np.ones(LARGE_BYTES + 4096, dtype=np.uint8) for _ in range(80)]
stay += [np.ones(1024, dtype=np.uint8)]
del kept
print(told, resident() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc alone is told")
def test_large_arrays_leave_nothing_behind() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    told, grown = done.stdout.split()
    assert told == "True"
    assert int(grown) < 4 * 512 * 1024
