"""Areas whose messages travel in processes of their own: what becomes known is what one process says."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from heptagrid.foundation.away import Away
from heptagrid.foundation.process_place import ProcessPlace
from heptagrid.planes.messages.kernel.shards_apart import ShardsApart
from heptagrid.planes.messages.plane import MessagePlane
from heptagrid.planes.messages.planning.planned_network import Plan
from heptagrid.simulation.checkpoint import read_checkpoint, write_checkpoint
from tests.messages.test_shards import STEPS, assert_same, plan, plane_of, walked

__all__ = ["plan"]


class Processes:
    """Starts a process for some areas, and knows those that it started."""

    def __init__(self) -> None:
        self.places: list[ProcessPlace] = []

    def start(self) -> ProcessPlace:
        self.places.append(ProcessPlace())
        return self.places[-1]

    def take(self, shards: ShardsApart) -> Away:
        return Away(shards, self.start, keep_every=5)


def spread(plane: MessagePlane, processes: int) -> Processes:
    started = Processes()
    plane.spread([started.take] * processes)
    return started


@pytest.mark.long
def test_areas_in_processes_say_what_one_process_says(plan: Plan) -> None:
    alone, apart = plane_of(plan), plane_of(plan)
    processes = spread(apart, 2)
    assert_same(walked(apart, plan), walked(alone, plan))
    place = processes.places[0]
    place.tell_peak()
    assert 30.0 < place.result() < 1000.0, "MB; numba and numpy take most of it"
    apart.end_processes()


@pytest.mark.long
def test_a_lost_process_is_replayed_from_what_was_kept(plan: Plan, tmp_path: Path) -> None:
    alone, apart = plane_of(plan), plane_of(plan)
    expected = walked(alone, plan)
    processes = spread(apart, 2)
    begun = walked(apart, plan, range(3))[:9]
    lost = processes.places[1].process
    assert lost.pid is not None
    os.kill(lost.pid, signal.SIGKILL)
    goes_on = walked(apart, plan, range(3, 5))[:6]
    write_checkpoint(tmp_path / "plane", {}, apart)
    rest = walked(apart, plan, range(5, STEPS))
    assert_same([*begun, *goes_on, *rest], expected)
    assert len(processes.places) == 3, "a third process took the place of the second"
    apart.end_processes()
    restored: MessagePlane = read_checkpoint(tmp_path / "plane", lambda about: None)
    assert_same([*begun, *goes_on, *walked(restored, plan, range(5, STEPS))], expected)
