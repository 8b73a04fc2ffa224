"""flow and carry killed or interrupted at random moments: each result is the earlier one or all of the new one, and the next call works.

Every moment and signal is drawn from a seed, which a failure names. `make test` takes one of each, `make validate` many.
"""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from heptagrid.foundation.output_file import TEMPORARY
from heptagrid.studies.carry.api import carry
from heptagrid.studies.flow.api import flow
from tests.robustness.test_faults import ENDS_S, seeds, start

pytestmark = pytest.mark.long

EARLIER = "the earlier result\n"
BUSES = 3000
ROWS = 30_000


def case(folder: Path) -> list[str]:
    """A line of buses, whose results take a while to write."""
    buses = "".join(f"{k} {3 if k == 1 else 1} 0.001 0 0 0 1 1 0 10 1 1.1 0.9\n" for k in range(1, BUSES + 1))
    branches = "".join(f"{k} {k + 1} 1e-6 1e-6 0 0 0 0 0 0 1 -360 360\n" for k in range(1, BUSES))
    tables = f"mpc.bus = [\n{buses}];\nmpc.gen = [1 0 0 9 -9 1 100 1 9 0];\nmpc.branch = [\n{branches}];\n"
    (folder / "line.m").write_text(f"function mpc = line\nmpc.version = '2';\nmpc.baseMVA = 100;\n{tables}")
    return ["flow", str(folder / "line.m"), "--branches", str(folder / "more.csv")]


def traffic(folder: Path) -> list[str]:
    """Two nodes and many messages."""
    nodes = '[[node]]\nname = "a"\n[[node]]\nname = "b"\n'
    (folder / "network.toml").write_text(f'{nodes}[[link]]\nfrom = "a"\nto = "b"\nrate_bps = 1e6\n')
    rows = "".join(f"{0.001 * k:.3f},a,b,100\n" for k in range(ROWS))
    (folder / "traffic.csv").write_text(f"sent_s,source,destination,bytes\n{rows}")
    return ["carry", str(folder / "network.toml"), str(folder / "traffic.csv"), "--svg", str(folder / "more.csv")]


def written(folder: Path) -> int:
    """Bytes of what is being written."""
    sizes = 0
    for one in folder.glob(f"{TEMPORARY}*"):
        try:
            sizes += one.stat().st_size
        except FileNotFoundError:  # it has taken its place meanwhile
            continue
    return sizes


@pytest.mark.parametrize("files", [case, traffic], ids=["flow", "carry"])
@pytest.mark.parametrize("seed", seeds(1, 60))
def test_a_command_killed_at_any_moment_leaves_whole_results(
    seed: int, files: Callable[[Path], list[str]], tmp_path: Path
) -> None:
    draw = random.Random(seed)
    sign = draw.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
    most, later_s = draw.choice([0, 1, draw.randrange(1 << 20)]), draw.choice([0.0, 0.0, draw.uniform(0.0, 0.05)])
    early_s = draw.choice([None, None, None, draw.uniform(0.0, 3.0)])
    print(
        f"seed {seed}: {sign.name} {later_s:.3f} s after {most} bytes are written; or, where given, after {early_s} s"
    )
    words = files(tmp_path)
    out, more = tmp_path / "out.csv", tmp_path / "more.csv"
    inputs = {one: one.read_bytes() for one in tmp_path.iterdir()}
    for one in (out, more):
        one.write_text(EARLIER)
    process = start(words, out)
    began = time.monotonic()
    if early_s is not None:
        time.sleep(early_s)
    while early_s is None and process.poll() is None and time.monotonic() < began + ENDS_S:
        if written(tmp_path) >= most and (most or list(tmp_path.glob(f"{TEMPORARY}*"))):
            break
        time.sleep(0.0002)
    time.sleep(later_s)
    process.send_signal(sign)
    _, said = process.communicate(timeout=ENDS_S)
    assert process.returncode in (0, -sign, 130, 143), said
    assert "Traceback" not in said
    whole = [tmp_path / "whole.csv", tmp_path / "whole more.csv"]
    if files is case:
        flow(words[1], *whole)
    else:
        carry(Path(words[1]), Path(words[2]), whole[0])
    for one, expected in zip((out, more), whole, strict=True):
        text = one.read_text()
        if text != EARLIER:
            assert text == expected.read_text() if expected.exists() else text.endswith("</svg>\n")
    left = {one for one in tmp_path.iterdir() if one.name.startswith(TEMPORARY)}
    assert not left or process.returncode == -sign, "only what cannot be caught leaves a file behind"
    assert {one: one.read_bytes() for one in inputs} == inputs
