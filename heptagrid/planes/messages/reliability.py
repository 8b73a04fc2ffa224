"""Which applications got what they ask for: the share of each kind's messages in time, over all and by access network.

A message counts as in time if it arrived within the latency of its kind's requirement; lost and later ones were
missed; what is still under way counts neither way. Acknowledgements are judged by those of the access networks alone: the
bulk system's own, over the wide-area network, say nothing of a customer's, and none comes out of a network that is dead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.contracts.requirements import FOR_KIND, REQUIREMENTS, Requirement, Verdict, verdict, verdicts
from heptagrid.foundation.domains import KIND_NAMES, Kind
from heptagrid.planes.messages.links import CLASS_NAMES
from heptagrid.planes.messages.statistics import Counts
from heptagrid.planes.messages.tables import N_DELIVERED, N_LATE, N_SENT, Floats, Ints

BY_KIND: tuple[Requirement, ...] = tuple(REQUIREMENTS[FOR_KIND[kind]] for kind in Kind)
"""The requirement of each kind, in the kinds' order."""

_RELIABILITY = np.array([one.reliability for one in BY_KIND])


def share_in_time(delivered: Ints, lost: Ints, late: Ints) -> Floats:
    """Parts of those whose fate is known that came in time; not a number where none is."""
    known = np.asarray(delivered + lost, dtype=np.float64)
    in_time = np.full(known.shape, np.nan)
    np.divide(delivered - late, known, out=in_time, where=known > 0.0)
    return in_time


def share_by_place(places: Ints) -> Floats:
    """(kinds, access networks) share in time, of `MessagePlane.counts_by_place`; not a number where not used."""
    _, delivered, lost, late = np.moveaxis(places[:, 1:], 2, 0)
    return share_in_time(delivered, lost, late)


def missed_by_place(places: Ints) -> npt.NDArray[np.bool_]:
    """(kinds, access networks) whether the requirement was missed there."""
    return np.asarray(share_by_place(places) < _RELIABILITY[:, None])


def verdicts_by_place(places: Ints) -> Ints:
    """(kinds, access networks) the `Verdict` there."""
    _, delivered, lost, late = np.moveaxis(places[:, 1:], 2, 0)
    return verdicts(_RELIABILITY[:, None], delivered - late, delivered + lost)


def worst_by_place(places: Ints) -> Ints:
    """(access networks,) the kind that came farthest beyond what its requirement lets it miss; -1 where all were met."""
    beyond = np.nan_to_num((1.0 - share_by_place(places)) / (1.0 - _RELIABILITY[:, None]), nan=0.0)
    beyond[~missed_by_place(places)] = 0.0
    return np.where(beyond.max(axis=0) > 0.0, beyond.argmax(axis=0), -1)


def summary(
    counts: Counts, places: Ints, crossed: npt.NDArray[np.bool_], technologies: Sequence[str]
) -> list[dict[str, Any]]:
    """The `requirements` entry of an arm: one row for each kind.

    places: as `MessagePlane.counts_by_place`. crossed: (kinds, link classes) whether it went over such links.
    technologies: names by link class.
    """
    by_place = verdicts_by_place(places)
    rows = []
    for kind, one in zip(Kind, BY_KIND, strict=True):
        sent, delivered, lost, late = _counts(counts, places, kind)
        said = verdict(one, delivered - late, delivered + lost)
        used = said is not Verdict.NOT_USED
        row = {
            "application": one.application,
            "kind": KIND_NAMES[kind],
            "latency_s": one.latency_s,
            "reliability": one.reliability,
            "source": one.source,
            "read": one.read,
            "assumed": list(one.assumed),
            "technologies": {
                name: technologies[k] for k, name in enumerate(CLASS_NAMES) if used and bool(crossed[kind, k])
            },
            "sent": sent,
            "in_flight": sent - delivered - lost,
            "share_in_time": (delivered - late) / (delivered + lost) if used else None,
            "p95_s": counts.percentile_s(kind, 0.95) if used else None,
            "verdict": said.words,
            "met": said is not Verdict.MISSED if used else None,
            "by_place": {
                name: int((by_place[kind] == one_of).sum())
                for name, one_of in (
                    ("met", Verdict.MET),
                    ("not_refuted", Verdict.NOT_REFUTED),
                    ("missed", Verdict.MISSED),
                )
            },
        }
        rows.append(row)
    return rows


def _counts(counts: Counts, places: Ints, kind: Kind) -> tuple[int, int, int, int]:
    """How many of a kind were sent, delivered, lost and late, as far as they belong to its application."""
    if kind is Kind.ACK:
        sent, delivered, lost, late = places[kind, 1:].sum(axis=0).tolist()
        return sent, delivered, lost, late
    of = counts.counters[:, kind]
    return int(of[N_SENT]), int(of[N_DELIVERED]), int(counts.lost[kind]), int(of[N_LATE])
