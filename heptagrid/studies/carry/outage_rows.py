"""The [[outage]] tables of a network file: which node or link is down, from when to when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from heptagrid.planes.messages.tables import EPOCHS
from heptagrid.studies.carry.link_rows import PortsByEnds
from heptagrid.studies.carry.table_rows import LATEST_S, NetworkChecks, TableRow, same_form

OUTAGE_KEYS = {"node", "link", "from", "to", "begin_s", "end_s"}
_NEVER_S = 8e9  # the horizon of the clock
_MOST_OUTAGES = EPOCHS // 2

Switch = tuple[int, bool, int, bool]
"""A node or port, whether it is a port, when (ns), and whether it comes up."""


def outage(row: TableRow, ports: PortsByEnds, named: Mapping[str, int]) -> list[Switch]:
    """What goes down and comes up again."""
    begin = row.value("begin_s", 0.0, 0.0, LATEST_S)
    end = row.value("end_s", _NEVER_S, 0.0, LATEST_S)
    if end <= begin:
        row.problem("end_s must be later than begin_s")
    cells = row.cells
    named_by = [key for key in ("node", "link", "from") if key in cells or (key == "from" and "to" in cells)]
    if len(named_by) > 1:
        row.problem(f"{' and '.join(named_by)} are given; an outage is of a node or of a link")
    if "node" in cells:
        which, is_link = [row.node("node")], False
    elif "link" in cells:
        name = same_form(str(cells["link"]))
        if name not in named:
            row.problem(f"no [[link]] has the name {name!r}{row.checks.near(name, named)}")
        which, is_link = [named.get(name, 0)], True
    else:
        pair = row.node("from"), row.node("to")
        if pair not in ports and min(pair) >= 0 and not row.checks.problems:
            row.problem(f"there is no [[link]] from {cells.get('from')!r} to {cells.get('to')!r}")
        which, is_link = ports.get(pair, []), True
    times = ((round(begin * 1e9), False), (round(end * 1e9), True))
    return [(one, is_link, when_ns, up) for when_ns, up in times for one in which]


def check_counts(outages: Sequence[Switch], checks: NetworkChecks) -> None:
    """Refuse more outages of a node or link than its events can be told apart by."""
    begun = [(which, is_link) for which, is_link, _, up in outages if not up]
    for (which, is_link), count in Counter(begun).items():
        if count > _MOST_OUTAGES:
            what = "a link" if is_link else f"{list(checks.number)[which]!r}"
            checks.problems.append(f"{what} has {count} outages; {_MOST_OUTAGES} at most")
