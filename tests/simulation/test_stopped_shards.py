"""A city in processes that is stopped by Ctrl-C: no process is left over, and it is brought to its end in other processes, to the same tables."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import heptagrid
from heptagrid.recording.results import TABLES
from tests.conftest import heed_interrupts
from tests.scale.test_sweep import processes_of
from tests.simulation.test_shards import AREAS

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="NOT RUN: needs /proc"),
]


def test_ctrl_c_ends_all_processes_and_the_run_goes_on_in_more_of_them(tmp_path: Path) -> None:
    city, out = tmp_path / "areas.toml", tmp_path / "run"
    city.write_text(AREAS, encoding="utf-8")
    whole = heptagrid.run(city, single="smart", threads=1, out=tmp_path / "whole")
    words = ["--single", "--shards", "2", "--checkpoint-every", "3", "--out", str(out)]
    process = subprocess.Popen(
        [sys.executable, "-m", "heptagrid", "run", str(city), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=heed_interrupts,
    )
    deadline = time.monotonic() + 300.0  # the kernels may have to be compiled first
    while not any(out.glob("checkpoints/*.checkpoint")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the run and all that it started
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130, said.decode()
    assert "stopped before its end" in said.decode()
    while processes_of(process.pid) and time.monotonic() < deadline + 30.0:
        time.sleep(0.1)
    assert processes_of(process.pid) == [], "none is left over"
    stopped = heptagrid.open_run(out)
    assert stopped.partial and stopped.summary["stopped_at"]
    ended = heptagrid.resume(out, shards=3)
    assert not ended.partial
    for name in TABLES:
        assert ended.has_table(name) == whole.has_table(name)
        if whole.has_table(name):
            assert ended.table(name).equals(whole.table(name)), name
