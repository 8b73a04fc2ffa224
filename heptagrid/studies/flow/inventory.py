"""What is in a network: counts, totals, voltage levels, shape, the solver it gets, and a drawing; the same for every format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import breadth_first_order, connected_components

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Count:
    """How many of a kind there are, and how many of them are in service; what they sum up to, in words."""

    kind: str
    count: int
    in_service: int
    sum: str = ""


@dataclass(frozen=True)
class Level:
    """Buses of one base voltage (NaN where the file does not say), and what is drawn there."""

    v_base_kv: float
    buses: int
    loads_kw: float


@dataclass(frozen=True)
class Drawing:
    """Buses as points and branches as strokes.

    names: (buses,) empty for the insides of elements. x, y: (buses,). level: (buses,) rank of its base voltage, 0 the highest.
    levels_kv: phase to phase; level_buses: how many of the file's buses have it. from_bus, to_bus: (strokes,). sources: buses. is_dead: (buses,)
    de-energised. is_surveyed: whether the file has coordinates; if not, a bus stands as many columns from the source as there are branches between.
    """

    names: Sequence[str]
    x: Floats
    y: Floats
    level: Ints
    levels_kv: Sequence[float]
    level_buses: Sequence[int]
    from_bus: Ints
    to_bus: Ints
    sources: Ints
    is_surveyed: bool
    is_dead: Bools


@dataclass(frozen=True)
class Inventory:
    """shape: radial or meshed, in words. solver: which `flow` picks, and why. totals: what the file asks for, before any solution."""

    source: str
    format: str
    name: str
    shape: str
    solver: str
    counts: Sequence[Count]
    levels: Sequence[Level]
    totals: dict[str, float]
    drawing: Drawing
    remarks: Sequence[str] = field(default=())

    def summary(self) -> dict[str, object]:
        """All but the drawing, ready for JSON."""
        return {
            "source": self.source,
            "format": self.format,
            "name": self.name,
            "shape": self.shape,
            "solver": self.solver,
            "counts": {one.kind: {"count": one.count, "in_service": one.in_service} for one in self.counts},
            "levels": [
                {
                    "v_base_kv": one.v_base_kv if np.isfinite(one.v_base_kv) else None,
                    "buses": one.buses,
                    "loads_kw": _known(one.loads_kw),
                }
                for one in self.levels
            ],
            **{name: _known(value) for name, value in self.totals.items()},
            "has_coordinates": self.drawing.is_surveyed,
            "remarks": list(self.remarks),
        }


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None


def levels(v_base_kv: Floats, loads_kw: Floats, nodes: Ints) -> list[Level]:
    """What the file calls a bus, `nodes`, and loads, (buses,), by base voltage, the highest first; 0 stands for unknown."""
    known = np.where(v_base_kv > 0.0, np.round(v_base_kv, 6), 0.0)
    return [
        Level(kv if kv > 0.0 else np.nan, int((known[nodes] == kv).sum()), float(loads_kw[known == kv].sum()))
        for kv in np.unique(known)[::-1].tolist()
    ]


def drawing(
    names: Sequence[str],
    x: Floats,
    y: Floats,
    v_base_kv: Floats,
    from_bus: Ints,
    to_bus: Ints,
    sources: Ints,
    nodes: Ints,
    is_dead: Bools | None = None,
    least_surveyed: float = 0.5,
) -> Drawing:
    """Place buses by the file's coordinates where at least that share has them, else by their distance from the sources.

    x, y, v_base_kv: (buses,), NaN where unknown. from_bus, to_bus: (strokes,). names, nodes: what the file calls a bus, and
    the bus that it is, which couplings may make one of several and which may be the inside of an element. is_dead: (buses,) none by default. Buses without coordinates
    stand in the middle of their neighbours.
    """
    kv, level = np.unique(-np.where(v_base_kv > 0.0, np.round(v_base_kv, 6), 0.0), return_inverse=True)
    known = np.isfinite(x) & np.isfinite(y)
    surveyed = bool(known.any() and known.mean() >= least_surveyed)
    if surveyed:
        place = _between_neighbours(x, y, known, from_bus, to_bus)
    else:
        place = _by_distance(len(v_base_kv), from_bus, to_bus, sources)
    called: list[list[str]] = [[] for _ in v_base_kv]
    for name, bus in zip(names, nodes.tolist(), strict=True):
        called[bus].append(name)
    together = [", ".join(one) for one in called]
    counts = np.bincount(level[nodes], minlength=len(kv)).tolist()
    dead = np.zeros(len(v_base_kv), dtype=np.bool_) if is_dead is None else is_dead
    return Drawing(together, *place, level, (-kv).tolist(), counts, from_bus, to_bus, sources, surveyed, dead)


def loops(buses: int, from_bus: Ints, to_bus: Ints) -> tuple[int, int]:
    """How many independent loops the branches form, and into how many parts they join the buses; parallel branches are a loop."""
    parts, _ = connected_components(
        coo_matrix((np.ones(len(from_bus)), (from_bus, to_bus)), shape=(buses, buses)), directed=False
    )
    return len(from_bus) - buses + int(parts), int(parts)


def _between_neighbours(
    x: Floats, y: Floats, known: npt.NDArray[np.bool_], from_bus: Ints, to_bus: Ints
) -> tuple[Floats, Floats]:
    x, y, known = x.copy(), y.copy(), known.copy()
    ends, others = np.concatenate([from_bus, to_bus]), np.concatenate([to_bus, from_bus])
    while True:
        asked = ~known[ends] & known[others]
        if not asked.any():
            break
        count = np.bincount(ends[asked], minlength=len(x))
        here = count > 0
        for place in (x, y):
            place[here] = np.bincount(ends[asked], place[others[asked]], minlength=len(x))[here] / count[here]
        known |= here
    for place in (x, y):
        place[~known] = place[known].mean()
    return x, y


def _by_distance(buses: int, from_bus: Ints, to_bus: Ints, sources: Ints) -> tuple[Floats, Floats]:
    """Columns by the number of branches from the sources; rows that keep apart what is behind different buses."""
    # A bus beyond all others, joined with the sources and with one bus of each part that has none.
    ends = (np.concatenate([from_bus, np.full(len(sources), buses)]), np.concatenate([to_bus, sources]))
    _, part = connected_components(
        coo_matrix((np.ones(len(ends[0])), ends), shape=(buses + 1, buses + 1)), directed=False
    )
    first = np.unique(part[:buses], return_index=True)[1] if buses else np.empty(0, dtype=np.int64)
    first = first[part[first] != part[buses]]
    ends = (np.concatenate([ends[0], np.full(len(first), buses)]), np.concatenate([ends[1], first]))
    graph = csr_matrix((np.ones(len(ends[0])), ends), shape=(buses + 1, buses + 1))
    order, before = breadth_first_order(graph, buses, directed=False)
    column = np.zeros(buses + 1, dtype=np.int64)
    for bus in order[1:]:
        column[bus] = column[before[bus]] + 1
    return column[:buses].astype(np.float64), _rows(order.tolist(), before.tolist())[:buses]


def _rows(order: list[int], before: list[int]) -> Floats:
    """A row for each member of a tree so that no two strokes between columns cross.

    order: members, each after the one `before` it. What is behind a member has rows of its own; its longest way on goes straight, each other
    stands above or below, where there is less so far.
    """
    after: list[list[int]] = [[] for _ in order]
    for one in order[1:]:
        after[before[one]].append(one)
    length, rows, trunk_at = [0] * len(order), [1] * len(order), [0] * len(order)
    for one in reversed(order):
        if not after[one]:
            continue
        longest = max(after[one], key=lambda other: (length[other], rows[other]))
        above, below = [], []
        over, under = trunk_at[longest], rows[longest] - trunk_at[longest] - 1
        for other in sorted((other for other in after[one] if other != longest), key=lambda other: rows[other]):
            if over <= under:
                above.append(other)
                over += rows[other]
            else:
                below.append(other)
                under += rows[other]
        after[one] = [*reversed(above), longest, *below]
        length[one], rows[one], trunk_at[one] = length[longest] + 1, over + 1 + under, over
    first = [0] * len(order)
    for one in order:
        at = first[one]
        for other in after[one]:
            first[other] = at
            at += rows[other]
    return np.array([at + trunk for at, trunk in zip(first, trunk_at, strict=True)], dtype=np.float64)
