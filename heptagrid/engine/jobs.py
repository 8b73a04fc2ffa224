"""The jobs of a run: each arm over each span of days, in processes of their own, one thread each.

Days that are run apart and arms are independent, so they are the parts to run in parallel; a result
never depends on how many processes share them. Workers are spawned, never forked.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from heptagrid.engine.arms import Arm
from heptagrid.engine.clock import Span
from heptagrid.engine.loop import run_arm
from heptagrid.engine.recorder import ArmResult
from heptagrid.foundation.errors import HeptagridError
from heptagrid.scenario.schema import Scenario


@dataclass(frozen=True)
class Job:
    """One arm over one span of days; `run_day` tells separate spans of one arm apart."""

    arm: Arm
    run_day: int
    span: Span
    parts: Path


Progress = Callable[[int, int], None]

_counts: Any = None
_stop: Event | None = None


def run_jobs(scenario: Scenario, jobs: list[Job], threads: int, progress: Progress | None) -> list[ArmResult]:
    """Run all jobs and return their results in the jobs' order.

    On Ctrl-C the jobs end at their next step and their results say so; a second Ctrl-C kills them.
    progress: called with (steps done, steps in all) several times a second.
    """
    total = sum(job.span.all_steps for job in jobs)
    report = progress or (lambda done, of: None)
    if threads <= 1 or len(jobs) == 1:
        return _run_here(scenario, jobs, total, report)
    return _run_in_processes(scenario, jobs, min(threads, len(jobs)), total, report)


def _run_here(scenario: Scenario, jobs: list[Job], total: int, report: Progress) -> list[ArmResult]:
    stopped = False

    def stop(*_: object) -> None:
        nonlocal stopped
        if stopped:
            raise KeyboardInterrupt
        stopped = True

    before = signal.signal(signal.SIGINT, stop)
    results = []
    done = 0
    try:
        for job in jobs:
            start = done

            def tick(steps: int, start: int = start) -> bool:
                if steps % 16 == 0:
                    report(start + steps, total)
                return stopped

            results.append(run_arm(scenario, job.arm, job.run_day, job.span, job.parts, tick))
            done += job.span.all_steps
            if stopped:
                break
    finally:
        signal.signal(signal.SIGINT, before)
    return results


def _run_in_processes(
    scenario: Scenario, jobs: list[Job], workers: int, total: int, report: Progress
) -> list[ArmResult]:
    context = multiprocessing.get_context("spawn")
    counts = context.Array("q", len(jobs))
    stop = context.Event()
    interrupted = False
    with ProcessPoolExecutor(workers, context, initializer=_begin_worker, initargs=(counts, stop)) as pool:
        with _main_hidden():
            waiting: list[Future[ArmResult]] = [pool.submit(_run_one, scenario, k, job) for k, job in enumerate(jobs)]
        while True:
            try:
                while not all(one.done() for one in waiting):
                    if not stop.is_set() and any(one.done() and one.exception() for one in waiting):
                        stop.set()
                    report(sum(counts[:]), total)
                    time.sleep(0.05)
                break
            except KeyboardInterrupt:
                if interrupted:
                    for process in list(pool._processes.values()):
                        process.kill()
                    raise
                interrupted = True
                stop.set()
                for one in waiting:
                    one.cancel()
        report(total, total)
        return _collected(waiting)


@contextmanager
def _main_hidden() -> Iterator[None]:
    """Start workers without the caller's script, which they do not need.

    A spawned process would import it, and a script that calls heptagrid outside `if __name__ == "__main__"`
    would start over in each.
    """
    main = sys.modules["__main__"]
    kept: dict[str, Any] = {name: vars(main)[name] for name in ("__spec__", "__file__") if name in vars(main)}
    vars(main).pop("__file__", None)
    main.__spec__ = None
    try:
        yield
    finally:
        vars(main).update(kept)


def _collected(waiting: list[Future[ArmResult]]) -> list[ArmResult]:
    try:
        return [one.result() for one in waiting if not one.cancelled()]
    except BrokenProcessPool as broken:
        raise HeptagridError(
            "a worker process was killed, most likely for want of memory; run with --threads 1 or fewer customers"
        ) from broken


def _begin_worker(counts: Any, stop: Event) -> None:
    global _counts, _stop
    _counts, _stop = counts, stop
    # Ctrl-C reaches all processes of a terminal; the parent tells its workers. Ignoring is not enough: polars
    # installs a handler of its own while it works.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _run_one(scenario: Scenario, k: int, job: Job) -> ArmResult:
    assert _stop is not None
    stop = _stop

    def tick(steps: int) -> bool:
        if steps % 16 == 0:
            _counts[k] = steps
        return steps % 16 == 0 and stop.is_set()

    return run_arm(scenario, job.arm, job.run_day, job.span, job.parts, tick)
