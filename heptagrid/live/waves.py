"""Waves of orders over the modelled network, and which of them were lost."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.errors import HeptagridError
from heptagrid.live.crossing import Outgoing
from heptagrid.live.grid import LiveGrid


async def sent(grid: LiveGrid, message: Outgoing) -> npt.NDArray[np.bool_]:
    """Send a wave and wait for all of it; (messages,) which were lost. When the grid has stopped, none counts as lost."""
    try:
        fates = await grid.send_wave(message)
    except HeptagridError:
        return np.zeros(len(message.source), dtype=np.bool_)
    lost = np.array([not fate.arrived for fate in fates])
    for _ in range(int(lost.sum())):
        grid.count("lost order")
    return lost
