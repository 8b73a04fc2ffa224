"""Random MATPOWER cases as MATPOWER solves them: taps, shifts, shunts, outages, isolated buses, generators of all kinds, limits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from heptagrid.studies.flow.api import flow
from tests.flow.plain_runpf import ISOLATED, PQ, PV, SLACK, runpf

BASE_MVA = 100.0


def tables(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bus, generator and branch tables of a meshed network that is lightly loaded."""
    count = int(rng.integers(4, 25))
    numbers = rng.permutation(np.arange(1, 3 * count))[:count].astype(float)
    bus = np.zeros((count, 13))
    bus[:, 0], bus[:, 1], bus[:, 7], bus[:, 9] = numbers, PQ, 1.0, 110.0
    bus[:, 2], bus[:, 3] = rng.uniform(0.0, 12.0, count), rng.uniform(-2.0, 5.0, count)
    bus[:, 4], bus[:, 5] = rng.uniform(0.0, 1.0, count), rng.choice([0.0, 8.0, -4.0], count)
    bus[0, 1], bus[0, 8] = SLACK, 20.0
    bus[:, 8] = 20.0
    ends = [(int(rng.integers(max(0, k - 4), k)), k) for k in range(1, count)]
    ends += [(int(a), int(b)) for a, b in (rng.choice(count, 2, replace=False) for _ in range(count // 2))]
    branch = np.zeros((len(ends), 13))
    branch[:, :2] = numbers[np.array(ends)]
    branch[:, 2], branch[:, 3] = rng.uniform(0.0, 0.02, len(ends)), rng.uniform(0.02, 0.12, len(ends))
    branch[:, 4] = rng.uniform(0.0, 0.05, len(ends))
    branch[:, 8] = rng.choice([0.0, 0.0, 1.0, 0.97, 1.04], len(ends))
    branch[:, 9] = rng.choice([0.0, 0.0, 0.0, 3.0, -2.0], len(ends))
    branch[:, 10] = 1.0
    branch[count - 1 :, 10] = rng.choice([1.0, 1.0, 0.0], len(ends) - count + 1)
    gens = [_generator(bus[0, 0], rng, 1.0)]
    for k in rng.integers(0, count, int(rng.integers(1, 8))).tolist():
        if bus[k, 1] == PQ:
            bus[k, 1] = rng.choice([PQ, PV, PV, PV])
        gens.append(_generator(bus[k, 0], rng, rng.choice([1.0, 1.0, 1.0, 0.0])))
    if rng.random() < 0.3:
        leaf = count - 1
        bus[leaf, 1] = ISOLATED
    _connect(bus, branch)
    return bus, np.array(gens), branch


def _generator(at: float, rng: np.random.Generator, on: float) -> list[float]:
    most = rng.choice([2.0, 10.0, 40.0, np.inf])
    least = rng.choice([-2.0, -10.0, -np.inf])
    if rng.random() < 0.15:
        least = most = 1.5
    return [at, float(rng.uniform(0.0, 10.0)), float(rng.uniform(-4.0, 4.0)), most, least, 1.01, 100.0, on, 500.0, 0.0]


def _connect(bus: np.ndarray, branch: np.ndarray) -> None:
    """Make buses that no live path leads to isolated as well."""
    live = set(bus[bus[:, 1] != ISOLATED, 0].tolist())
    reached = {bus[0, 0]}
    while True:
        on = [(a, b) for a, b in branch[branch[:, 10] > 0.0, :2].tolist() if a in live and b in live]
        more = {other for a, b in on for one, other in ((a, b), (b, a)) if one in reached} - reached
        if not more:
            break
        reached |= more
    bus[~np.isin(bus[:, 0], list(reached)), 1] = ISOLATED


def written(bus: np.ndarray, gen: np.ndarray, branch: np.ndarray) -> str:
    def matrix(name: str, table: np.ndarray) -> str:
        rows = "\n".join("\t".join(repr(float(x)).replace("inf", "Inf") for x in row) + ";" for row in table)
        return f"mpc.{name} = [\n{rows}\n];\n"

    head = f"function mpc = random\nmpc.version = '2';\nmpc.baseMVA = {BASE_MVA};\n"
    return head + matrix("bus", bus) + matrix("gen", gen) + matrix("branch", branch)


@pytest.mark.parametrize("q_limits", [False, True])
@pytest.mark.parametrize("seed", range(60))
def test_a_case_is_solved_as_matpower_solves_it(tmp_path: Path, seed: int, q_limits: bool) -> None:
    rng = np.random.default_rng(seed)
    bus, gen, branch = tables(rng)
    expected = runpf(BASE_MVA, bus, gen, branch, q_limits)
    path = tmp_path / "random.m"
    path.write_text(written(bus, gen, branch))
    found = flow(str(path), q_limits=q_limits)
    assert found.converged == (expected is not None)
    if expected is not None:
        is_dead = found.nodes.v_pu == 0.0
        assert (is_dead == np.isnan(expected)).all()
        v = found.nodes.v_pu * np.exp(1j * np.deg2rad(found.nodes.angle_deg))
        assert np.nanmax(np.abs(v - expected)) < 1e-8
