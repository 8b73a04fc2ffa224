"""The parts of a network that are drawn and told by themselves: each town's nodes, transformers and customers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from heptagrid.report.words import ARM_TITLES

if TYPE_CHECKING:
    import polars


@dataclass(frozen=True)
class Area:
    """One town's elements, numbered among its own. name: empty where there is one town."""

    name: str
    nodes: polars.DataFrame
    transformers: polars.DataFrame
    customers: polars.DataFrame

    def in_arm(self, arm: str) -> str:
        """Title of a picture of it in an arm."""
        return f"{self.name}, {ARM_TITLES[arm]}" if self.name else ARM_TITLES[arm]


def areas_of(frames: Mapping[str, polars.DataFrame | None], towns: Sequence[str]) -> list[Area]:
    """An area for each town; none where a run has not written its lists."""
    nodes, transformers, customers = (frames.get(f"{name}_list") for name in ("node", "transformer", "customer"))
    if nodes is None or transformers is None or customers is None:
        return []
    if len(towns) < 2:
        return [Area("", nodes, transformers, customers)]
    import polars

    found, first = [], 0
    for k, name in enumerate(towns):
        here, trafos, theirs = (one.filter(polars.col("town") == k) for one in (nodes, transformers, customers))
        rooted = polars.when(polars.col("parent") >= 0).then(polars.col("parent") - first).otherwise(-1)
        found.append(
            Area(
                name, here.with_columns(rooted.alias("parent")), trafos, theirs.with_columns(polars.col("node") - first)
            )
        )
        first += len(here)
    return found
