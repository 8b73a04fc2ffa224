"""A job: one arm over one span of days, and what it goes on from when it was interrupted."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from heptagrid.assembly.arms import Arm
from heptagrid.assembly.span import Span
from heptagrid.foundation.output_file import TEMPORARY
from heptagrid.foundation.time import Step


@dataclass(frozen=True)
class Job:
    """One arm over one span of days; `run_day` tells separate spans of one arm apart. checkpoints: what it goes on from, if it may. boundary:
    the folder where what comes to the areas of a city is kept; None keeps nothing."""

    arm: Arm
    run_day: int
    span: Span
    parts: Path
    checkpoints: Checkpoints | None = None
    boundary: Path | None = None


@dataclass(frozen=True)
class Checkpoints:
    """Where the arms of a run put what they go on from, and after how much simulated time again."""

    folder: Path
    every_ns: int

    def is_due(self, step: Step) -> bool:
        """Whether a checkpoint is to be written after a step."""
        return step.start_ns // self.every_ns != step.end_ns // self.every_ns

    def discard(self) -> None:
        """Remove what was saved, and what was being saved when a process was killed; what others put there stays."""
        for one in self.folder.iterdir():
            if one.suffix in (".checkpoint", ".result") or one.name.startswith(TEMPORARY):
                one.unlink()
        with suppress(OSError):
            self.folder.rmdir()
