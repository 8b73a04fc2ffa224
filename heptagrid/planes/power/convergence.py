"""When the sweeps stop: at a solution whose error is known to be small, or where no iteration gets nearer to one."""

from __future__ import annotations

import numpy as np

from heptagrid.foundation.compiled.kernel import kernel

MOST_ITERATIONS = 3000  # where each is still a step nearer, as close to the greatest load that a feeder can carry
LOOK_EVERY = 20  # iterations, whether the changes still shrink
_STEADY = 0.3  # an iteration's factor below this is trusted at once: any network that is not near collapse
_ROUNDING = 1e-28  # a squared change that is nothing but rounding


@kernel
def is_close(iteration, change, before, change_before, limit):  # type: ignore[no-untyped-def]
    """Whether the error left is below half the tolerance, from the last three squared changes.

    The first pass down still sees the currents of the call before, so it proves nothing. From then on the changes
    shrink by a steady factor, so the error left is the change times factor / (1 - factor). Near collapse the factor
    nears 1, and a small change alone says little.
    """
    if change <= _ROUNDING:
        return iteration > 1
    if iteration < 3 or not change < before:
        return False
    factor = np.sqrt(change / before)
    if factor > _STEADY:
        factor = max(factor, np.sqrt(before / change_before))
    return factor < 1.0 and change * (factor / (1.0 - factor)) ** 2 <= 0.25 * limit


@kernel
def is_stuck(iteration, change, looked_at):  # type: ignore[no-untyped-def]
    """Whether the squared change shrank by less than a tenth since it was looked at, `LOOK_EVERY` iterations ago."""
    return iteration > 2 * LOOK_EVERY and not change < 0.9 * looked_at
