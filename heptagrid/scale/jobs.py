"""The jobs of a run: each arm over each span of days, in processes of their own.

Days that are run apart and arms are independent, so they are the parts to run in parallel; what threads are left each arm uses itself
(`threads_of_job`). Where there is a process for each, the first is the caller's own. A result never depends on how many processes or threads share the work. `run_tasks` does the same for any work. Workers are
spawned, never forked.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from multiprocessing.synchronize import Event
from typing import Any

from heptagrid.assembly.job import Job
from heptagrid.assembly.world import World
from heptagrid.foundation.away import Place
from heptagrid.foundation.beside import end_with_parent, main_hidden
from heptagrid.foundation.errors import HeptagridError, UsageError
from heptagrid.foundation.garbage import collect_rarely
from heptagrid.foundation.interrupts import counted_interrupts, inherited_by_none
from heptagrid.foundation.process_place import ProcessPlace
from heptagrid.recording.arm_result import ArmResult
from heptagrid.scenario.schema import Scenario
from heptagrid.simulation.simulation import Tick, run_arm

Progress = Callable[[int, int], None]
Work = Callable[[Any, Tick], Any]

_counts: Any = None
_stop: Event | None = None


@dataclass(frozen=True)
class Spread:
    """Over how many processes an arm is shared out, and where they are started."""

    shards: int = 1
    start_place: Callable[[], Place] = ProcessPlace


ALONE = Spread()
"""Not at all."""


def spread_over(shards: int, cluster: str | None) -> Spread:
    """Over so many processes on this machine, or on the nodes of the Ray cluster at an address.

    Raises
    ------
    UsageError
        If Ray is not installed, there is no such cluster, or there is nothing to spread.
    """
    if cluster is None:
        return Spread(shards)
    if shards < 2:
        raise UsageError("--cluster spreads a city's areas over processes on its nodes; say how many (--shards)")
    from heptagrid.foundation.ray_place import RayPlace, joined

    joined(cluster)
    return Spread(shards, partial(RayPlace, cluster))


def run_jobs(
    scenario: Scenario,
    jobs: list[Job],
    threads: int,
    progress: Progress | None,
    world: World | None = None,
    spread: Spread = ALONE,
) -> list[ArmResult]:
    """Run all jobs and return their results in the jobs' order.

    Smart arms take longest, so with several processes they begin first: what is left at the end, and is begun in a new process, are short ones.
    On Ctrl-C the jobs end at their next step and their results say so; a second Ctrl-C kills them.
    progress: called with (steps done, steps in all) several times a second. world: the scenario's, for jobs in this process; others build their own.
    spread: over which processes each arm is shared out; then one arm follows the other.
    """
    if spread.shards > 1:
        threads = 1
    work = partial(_run_job, scenario, threads_of_job(threads, len(jobs)), spread)
    in_order = sorted(jobs, key=lambda job: threads > 1 and not job.arm.smart)
    steps = [job.span.all_steps for job in in_order]
    results = run_tasks(work, in_order, steps, threads, progress, partial(work, world=world))
    place = {(job.arm.name, job.run_day): k for k, job in enumerate(jobs)}
    return sorted(results, key=lambda result: place[result.arm, result.run_day])


def threads_of_job(threads: int, jobs: int) -> int:
    """How many threads each job gets: its share; and two where each job is begun at once and there is more than one thread at all.

    The second thread has work for a third of the time and waits without using a processor; so two arms fill two cores better with two threads
    each than with one, the more so when one of them has come to its end. Where jobs wait for a processor, there is none for a second thread.
    """
    return 1 if threads == 1 or jobs > threads else max(2, threads // jobs)


def run_tasks(
    work: Work,
    tasks: Sequence[Any],
    steps: Sequence[int],
    processes: int,
    progress: Progress | None,
    own_work: Work | None = None,
) -> list[Any]:
    """Do `work(task, tick)` for each task, in processes of their own, and return what it returned, in order.

    On Ctrl-C `tick` returns True from then on and tasks not begun are left out; a second Ctrl-C kills them.
    work: a function that a new process can import; it calls `tick` with the steps done, one after another.
    steps: how many steps each task has. progress: called with (steps done, steps in all). own_work: does the same in this process, if it can do it with less.
    """
    total = sum(steps)
    report = progress or (lambda done, of: None)
    if processes <= 1 or len(tasks) == 1:
        return _run_here(own_work or work, tasks, steps, total, report)
    return _run_in_processes(work, own_work or work, tasks, min(processes, len(tasks)), total, report)


def _run_here(work: Work, tasks: Sequence[Any], steps: Sequence[int], total: int, report: Progress) -> list[Any]:
    results = []
    done = 0
    with counted_interrupts(second_raises=True) as interrupts:
        for task, of_task in zip(tasks, steps, strict=True):
            start = done

            def tick(steps: int, start: int = start) -> bool:
                if steps % 16 == 0:
                    report(start + steps, total)
                return interrupts.count > 0

            results.append(work(task, tick))
            done += of_task
            if interrupts.count:
                break
    return results


def _run_in_processes(
    work: Work, own_work: Work, tasks: Sequence[Any], workers: int, total: int, report: Progress
) -> list[Any]:
    """Share tasks among processes; where each has one of its own, the first is this process's, which need not start anew."""
    context = multiprocessing.get_context("spawn")
    own = 1 if len(tasks) == workers else 0
    with counted_interrupts() as interrupts:
        counts = context.Array("q", len(tasks))
        stop = context.Event()
        with ProcessPoolExecutor(workers - own, context, initializer=_begin_worker, initargs=(counts, stop)) as pool:
            others: list[Future[Any]] = []
            mine: list[Any] = []

            def look() -> bool:
                """Report, and whether all shall end: one was interrupted, or broke off."""
                if interrupts.count > 1:
                    for process in list(pool._processes.values()):
                        process.kill()
                    raise KeyboardInterrupt
                if not stop.is_set() and (interrupts.count or any(one.done() and one.exception() for one in others)):
                    stop.set()
                    for one in others:
                        one.cancel()
                report(sum(counts[:]), total)
                return stop.is_set()

            def tick(steps: int) -> bool:
                if steps % 16:
                    return False
                counts[0] = steps
                return look()

            try:
                with main_hidden(), inherited_by_none():
                    others += (pool.submit(_run_one, work, k, tasks[k]) for k in range(own, len(tasks)))
                if own:
                    mine.append(own_work(tasks[0], tick))
            except (
                BaseException
            ):  # no more processes or files, or the own task broke off; those begun are not waited for
                stop.set()
                for one in others:
                    one.cancel()
                raise
            while not all(one.done() for one in others):
                look()
                time.sleep(0.05)
            report(total, total)
        if interrupts.count and any(not one.cancelled() and one.exception() for one in others):
            raise KeyboardInterrupt  # what broke off was being interrupted
    return mine + _collected(others)


def _collected(waiting: list[Future[Any]]) -> list[Any]:
    try:
        return [one.result() for one in waiting if not one.cancelled()]
    except BrokenProcessPool as broken:
        raise HeptagridError(
            "a worker process was killed, most likely for want of memory; run with fewer processes (--threads 1, of a "
            "sweep --workers 1) or fewer customers"
        ) from broken


def _begin_worker(counts: Any, stop: Event) -> None:
    global _counts, _stop
    _counts, _stop = counts, stop
    collect_rarely()
    end_with_parent()


def _run_one(work: Work, k: int, task: Any) -> Any:
    assert _stop is not None
    stop = _stop

    def tick(steps: int) -> bool:
        if steps % 16 == 0:
            _counts[k] = steps
        return steps % 16 == 0 and stop.is_set()

    return work(task, tick)


def _run_job(
    scenario: Scenario, threads: int, spread: Spread, job: Job, tick: Tick, world: World | None = None
) -> ArmResult:
    way = scenario, job.arm, job.run_day, job.span, job.parts, tick, job.checkpoints, threads, world
    return run_arm(*way, spread.shards, spread.start_place, job.boundary)
