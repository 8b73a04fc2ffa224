"""A process beside an arm brings what this one would have come to, also when it is killed."""

from __future__ import annotations

import os
import pickle
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import polars
import pytest

from heptagrid import Simulation
from heptagrid.domains.markets.actor import Markets
from heptagrid.foundation import beside
from heptagrid.scale.beside_arm import MODULES, beside_arm
from heptagrid.scenario.load import revised
from heptagrid.scenario.schema import Scenario
from tests.simulation.test_checkpoint import differences, to_the_end


@pytest.fixture
def there() -> Iterator[None]:
    with beside.process():
        yield
    assert not beside.is_there()


def test_without_a_process_work_is_done_when_it_is_begun() -> None:
    found: list[int] = []
    promise = beside.begin(found.append, 3)
    assert found == [3]
    assert promise.result() is None


@pytest.mark.usefixtures("there")
def test_work_is_done_elsewhere_with_what_it_was_given() -> None:
    numbers = [3, 1, 2]
    elsewhere, ordered = beside.begin(os.getpid), beside.begin(sorted, numbers, reverse=True)
    numbers.clear()
    assert elsewhere.result() != os.getpid()
    assert ordered.result() == [3, 2, 1]
    assert pickle.loads(pickle.dumps(beside.begin(sum, (1, 2)))).result() == 3
    with pytest.raises(ZeroDivisionError):
        beside.begin(divmod, 1, 0).result()


@pytest.mark.usefixtures("there")
def test_what_a_killed_process_leaves_is_done_here() -> None:
    os.kill(beside.begin(os.getpid).result(), signal.SIGKILL)
    assert [beside.begin(os.getpid).result() for _ in range(2)] == [os.getpid()] * 2


def test_a_thread_works_while_this_one_goes_on() -> None:
    with beside.thread():
        begun, slow = time.monotonic(), beside.begin(time.sleep, 0.5)
        named, ordered = beside.begin(threading.get_ident), beside.begin(sorted, [2, 1])
        assert time.monotonic() - begun < 0.4, "nobody waits for it"
        assert slow.result() is None and time.monotonic() - begun >= 0.5
        assert named.result() != threading.get_ident()
        assert ordered.result() == [1, 2]
        with pytest.raises(ZeroDivisionError):
            beside.begin(divmod, 1, 0).result()
        left = [beside.begin(time.sleep, 0.2), beside.begin(sorted, [4, 3])]
    assert not beside.is_there()
    assert left[1].result() == [3, 4], "what was not begun at the end is done here"


def test_one_arm_with_two_threads_has_a_process_beside_it() -> None:
    def has_one(jobs: int, threads: int) -> bool:
        with beside_arm(jobs, threads):
            return beside.is_there()

    assert [has_one(1, 2), has_one(1, 1), has_one(2, 2)] == [True, False, False]


@pytest.mark.long
def test_an_arm_with_a_process_beside_it_comes_to_the_same_last_bit(
    lane: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []
    early = Markets._begin_early
    monkeypatch.setattr(Markets, "_begin_early", lambda *given: begun.append(1) or early(*given))  # type: ignore[func-returns-value]
    folders = [tmp_path / "alone", tmp_path / "beside"]
    results = []
    for folder in folders:
        folder.mkdir()
        simulation = Simulation(revised(lane, ["run.step_s=300"]), parts=folder)
        if folder.name == "beside":
            with beside.process(MODULES):
                simulation.begin()
                results.append(to_the_end(simulation))
        else:
            simulation.begin()
            results.append(to_the_end(simulation))
    assert differences(*results) == []
    names = [sorted(one.name for one in folder.iterdir()) for folder in folders]
    assert names[0] == names[1]
    assert all(polars.read_parquet(folders[0] / one).equals(polars.read_parquet(folders[1] / one)) for one in names[0])
    assert begun, "the market began before its gate"
