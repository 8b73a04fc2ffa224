"""The quick search: schedules that hold, bounds that hold, and how far from the cheapest; and what is kept of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from heptagrid.planes.money.markets import diving, kept_commitments
from heptagrid.planes.money.markets.commitment_search import search
from heptagrid.planes.money.markets.kept_commitments import committed
from heptagrid.planes.money.markets.unit_commitment import Settings, commit, dispatch
from heptagrid.world.commitment_case import CommitmentCase
from tests.markets.fleets import case_of, units_of

EXACT = Settings(gap=1e-9, with_network=False, with_reserves=False)


def drawn(rng: np.random.Generator, count: int = 5, hours: int = 8) -> CommitmentCase:
    """Five units over eight hours, with what they did before."""
    p_max = rng.uniform(50.0, 300.0, count)
    units = units_of(
        p_max.tolist(),
        (p_max * rng.uniform(0.1, 0.6, count)).tolist(),
        rng.uniform(10, 80, count).tolist(),
        on_h=rng.choice([-6, -2, -1, 1, 2, 6], count).tolist(),
        start=rng.uniform(0.0, 3000.0, count).tolist(),
        cost_0=rng.uniform(0.0, 900.0, count).tolist(),
        min_up_h=rng.integers(1, 4, count).tolist(),
        min_down_h=rng.integers(1, 4, count).tolist(),
    )
    return case_of(units, (rng.uniform(0.2, 0.9, hours) * p_max.sum()).tolist())


def keeps_times(case: CommitmentCase, on: np.ndarray) -> bool:
    """Whether minimum times hold, what came before included."""
    units = case.units
    for k in range(len(units)):
        state, lasted = bool(units.on_h[k] > 0), int(abs(units.on_h[k]))
        for now in on[:, k].tolist():
            if now != state:
                if lasted < (units.min_up_h[k] if state else units.min_down_h[k]):
                    return False
                state, lasted = now, 0
            lasted += 1
    return True


@pytest.mark.long
def test_schedules_hold_and_lie_near_the_cheapest() -> None:
    """Against the tree to its end: never cheaper, the bound never above, a few per cent dearer at the mean."""
    rng, dearer = np.random.default_rng(7), []
    for _ in range(40):
        case = drawn(rng)
        found, best = search(case), commit(case, EXACT)
        assert best.cost is not None
        least = best.cost + best.penalty
        assert keeps_times(case, found.on)
        assert found.bound <= least + 1e-6 * least
        assert found.cost >= least - 1e-6 * least
        assert dispatch(case, found.on).cost == pytest.approx(
            found.cost - 4000.0 * dispatch(case, found.on).unserved_mwh
        )
        dearer.append(found.cost / least - 1.0)
    assert np.mean(dearer) < 0.05 and np.median(dearer) < 0.02


@pytest.mark.parametrize("rounds", [0, 1])
def test_every_unit_is_on_or_off_whatever_the_rounds(rounds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A day on which rounding took more rounds than there were ended with units on in part, and no dispatch was left."""
    monkeypatch.setattr(diving, "_ROUNDS", rounds)
    rng = np.random.default_rng(11)
    for _ in range(10):
        case = drawn(rng)
        found = search(case)
        assert keeps_times(case, found.on)
        again = dispatch(case, found.on)
        assert again.cost is not None and again.cost + 4000.0 * again.unserved_mwh == pytest.approx(found.cost)


def test_what_was_found_is_kept_and_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEPTAGRID_CACHE_DIR", str(tmp_path))
    case = drawn(np.random.default_rng(1))
    first = committed(case)
    (kept,) = (tmp_path / "commitments").iterdir()
    monkeypatch.setattr(kept_commitments, "search", lambda case: pytest.fail("it is known"))
    again = committed(case)
    assert (again.on == first.on).all()
    assert (again.cost, again.bound) == (first.cost, first.bound)
    with pytest.raises(pytest.fail.Exception):
        committed(replace(case, load_mw=case.load_mw + 1e-9))
    assert kept.stat().st_size < 10_000


def test_a_damaged_answer_is_searched_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEPTAGRID_CACHE_DIR", str(tmp_path))
    case = drawn(np.random.default_rng(2))
    first = committed(case)
    (kept,) = (tmp_path / "commitments").iterdir()
    whole = kept.read_bytes()
    turned = [whole[:k] + bytes([whole[k] ^ 8]) + whole[k + 1 :] for k in range(len(whole))]  # one bit of each byte
    shape = (case.periods, len(case.units))
    for content in turned:
        kept.write_bytes(content)
        read = kept_commitments._read(kept, shape)
        assert read is None or ((read.on == first.on).all() and read.cost == first.cost)
    for content in (b"", b"PK\x03\x04 cut", whole[:100]):
        kept.write_bytes(content)
        assert (committed(case).on == first.on).all()


def test_the_tree_is_closer_and_kept_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEPTAGRID_CACHE_DIR", str(tmp_path))
    case = drawn(np.random.default_rng(3))
    quick, exact = committed(case), committed(case, exactly=True)
    assert exact.gap <= 1e-3 + 1e-9
    assert exact.cost <= quick.cost + 1e-6
    assert len(list((tmp_path / "commitments").iterdir())) == 2
