"""Windows: spans of time in which a part of the world is run in sub-steps, finer than the coupling step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from heptagrid.foundation.time import Step


@dataclass(frozen=True)
class Windows:
    """Spans (begin, end) in ns, and the length of a sub-step; a coupling step that a span touches is run in sub-steps."""

    spans_ns: tuple[tuple[int, int], ...] = ()
    substep_ns: int = 0

    def cover(self, step: Step) -> bool:
        """Whether the step is run in sub-steps."""
        return any(begin < step.end_ns and step.start_ns < end for begin, end in self.spans_ns)

    def substeps(self, step: Step) -> Iterator[Step]:
        """The sub-steps of a step that is covered, the last one shorter where they do not fit; else none."""
        if not self.cover(step):
            return
        at = step.start_ns
        while at < step.end_ns:
            until = min(at + self.substep_ns, step.end_ns)
            yield replace(step, start_ns=at, end_ns=until)
            at = until
