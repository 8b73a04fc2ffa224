"""What is in a network, in a few lines and a small map for a terminal."""

from __future__ import annotations

import math

from heptagrid.report.network_map import map_text
from heptagrid.studies.flow.inventory import Inventory


def inventory_text(found: Inventory) -> str:
    """Counts, voltage levels, shape, solver, and the map."""
    lines = [
        f"{found.source}: {found.format}",
        f"shape   {found.shape}",
        f"solver  {found.solver}",
        "",
        f"{'':22} {'count':>8} {'in service':>11}",
        *(f"{one.kind:22} {one.count:8,} {one.in_service:11,}   {one.sum}".rstrip() for one in found.counts),
        "",
        f"{'base voltage':>12} {'buses':>9} {'loads, kW':>16}",
        *(
            f"{f'{level.v_base_kv:g} kV' if math.isfinite(level.v_base_kv) else 'unknown':>12} {level.buses:9,} {level.loads_kw:16,.3f}"
            for level in found.levels
        ),
        "",
        map_text(found.drawing),
    ]
    return "\n".join(lines)
