"""Memory that a live grid does not need any more goes back to the system."""

from __future__ import annotations

import subprocess
import sys

import pytest

RESIDENT = """
import os
import numpy as np
from pathlib import Path
from heptagrid.live.heap import LARGE_BYTES, give_back, leave_code

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
"""
ARRAYS = """
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


CODE = """
import numba
twice = numba.njit(lambda x: 2 * x)
found = twice(1)
grown = resident()
leave_code()
left = resident()
thrice = numba.njit(lambda x: 3 * x)
print(found, thrice(1.0), grown - left)
"""


pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux alone is told")


def _printed(program: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", RESIDENT + program], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_large_arrays_leave_nothing_behind() -> None:
    told, grown = _printed(ARRAYS)
    assert told == "True"
    assert int(grown) < 4 * 512 * 1024


def test_code_that_was_left_comes_back_when_it_is_called() -> None:
    twice, thrice, left = _printed(CODE)
    assert (twice, thrice) == ("2", "3.0")
    assert int(left) > 20e6, "the compiler's alone is more"
