"""A firmware roll-out: an image to many meters, block by block at an even rate, less urgent than anything else.

A block that is lost after all its retries is not sent once more: its meter stays incomplete.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heptagrid.contracts import control
from heptagrid.foundation.actors import Outbox
from heptagrid.foundation.time import Step
from heptagrid.world.endpoints import Endpoints

Ints = npt.NDArray[np.int64]


class Rollout:
    """Blocks to `meters` (n,): each gets one every `every_ns`, the meters one after another in between."""

    def __init__(
        self,
        number: int,
        begin_ns: int,
        every_ns: int,
        payload_bytes: int,
        block_bytes: int,
        meters: Ints,
        at: Endpoints,
    ) -> None:
        """Set up; `number` tells roll-outs apart, `at` says where operations and the gateways are."""
        self.number = number
        self.blocks = -(-payload_bytes // block_bytes)
        self._begin_ns, self._every_ns = begin_ns, every_ns
        self._block_bytes = block_bytes
        self._last_bytes = payload_bytes - (self.blocks - 1) * block_bytes
        self._meters, self._at = meters, at
        self._phase_ns = (np.arange(len(meters)) * (every_ns / max(1, len(meters)))).astype(np.int64)

    def may_send_within(self, step: Step) -> bool:
        """Whether the roll-out may be under way in the step."""
        return len(self._blocks_within(step)) > 0

    def _blocks_within(self, step: Step) -> range:
        first = max(0, (step.start_ns - self._begin_ns) // self._every_ns - 1)
        last = min(self.blocks - 1, (step.end_ns - self._begin_ns) // self._every_ns)
        return range(first, last + 1)

    def work(self, step: Step, outbox: Outbox) -> None:
        """Send the blocks whose time lies within the step."""
        for block in self._blocks_within(step):
            sent_ns = self._begin_ns + block * self._every_ns + self._phase_ns
            now = np.flatnonzero((sent_ns >= step.start_ns) & (sent_ns < step.end_ns))
            if len(now):
                meters, size = self._meters[now], self._last_bytes if block == self.blocks - 1 else self._block_bytes
                told = control.Block(meters, block, self.number)
                gateways = self._at.gateways[meters]
                outbox.send(control.FIRMWARE.wave(told, self._at.operations, gateways, sent_ns[now], size=size))
