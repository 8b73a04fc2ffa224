"""What became of the messages: counts by kind and by pair of domains, and delays as a histogram.

Delays are kept in bins 0.1 % wide, so that percentiles over any number of messages take constant memory
and counts of separate days can be added.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.contracts.kinds import FACTS
from heptagrid.foundation.domains import KIND_NAMES, Kind
from heptagrid.planes.messages.kernel.event_kernel import BINS, BINS_PER_E
from heptagrid.planes.messages.tables import CAUSES, COUNTERS, N_DELIVERED, N_LATE, N_LOST, N_SENT

Ints = npt.NDArray[np.int64]
KINDS = len(Kind)


@dataclass
class Counts:
    """Counts over a span; `+` joins spans.

    counters: (9, kinds) sent, delivered, late, then lost by each of `CAUSES`. in_flight: (kinds,).
    pairs: (7, 7) delivered from row to column. histogram: (kinds, bins) of delays.
    """

    counters: Ints
    in_flight: Ints
    pairs: Ints
    histogram: Ints

    @staticmethod
    def none() -> Counts:
        """Nothing sent yet."""
        return Counts(
            np.zeros((COUNTERS, KINDS), dtype=np.int64),
            np.zeros(KINDS, dtype=np.int64),
            np.zeros((7, 7), dtype=np.int64),
            np.zeros((KINDS, BINS), dtype=np.int64),
        )

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.counters + other.counters,
            self.in_flight + other.in_flight,
            self.pairs + other.pairs,
            self.histogram + other.histogram,
        )

    @property
    def lost(self) -> Ints:
        """(kinds,) lost for any cause."""
        return np.asarray(self.counters[N_LOST:].sum(axis=0))

    @property
    def residual(self) -> int:
        """sent - delivered - lost - in flight: 0."""
        each = self.counters[N_SENT] - self.counters[N_DELIVERED] - self.lost - self.in_flight
        return int(np.abs(each).sum())

    def percentile_s(self, kind: Kind, share: float) -> float | None:
        """The delay that `share` of the delivered messages of a kind did not exceed, to 0.1 %."""
        bins = self.histogram[kind]
        total = int(bins.sum())
        if total == 0:
            return None
        k = int(np.searchsorted(np.cumsum(bins), math.ceil(share * total)))
        return 0.0 if k == 0 else 1e-6 * math.exp((k - 0.5) / BINS_PER_E)

    def summary(self) -> dict[str, object]:
        """The `messages` entry of a run's summary."""
        counters = self.counters
        return {
            "sent": int(counters[N_SENT].sum()),
            "delivered": int(counters[N_DELIVERED].sum()),
            "lost": int(self.lost.sum()),
            "in_flight": int(self.in_flight.sum()),
            "residual": self.residual,
            "lost_by_cause": {name: int(counters[N_LOST + k].sum()) for k, name in enumerate(CAUSES)},
            "by_domain_pair": self.pairs.tolist(),
            "by_kind": {name: self._of(Kind(k)) for k, name in enumerate(KIND_NAMES)},
        }

    def _of(self, kind: Kind) -> dict[str, object]:
        facts = FACTS[kind]
        return {
            "sent": int(self.counters[N_SENT, kind]),
            "delivered": int(self.counters[N_DELIVERED, kind]),
            "lost": int(self.lost[kind]),
            "late": int(self.counters[N_LATE, kind]),
            "in_flight": int(self.in_flight[kind]),
            "p50_s": self.percentile_s(kind, 0.5),
            "p95_s": self.percentile_s(kind, 0.95),
            "p99_s": self.percentile_s(kind, 0.99),
            "deadline_s": facts.deadline_s,
            "payload_bytes": facts.payload_bytes,
            "wire_bytes": facts.wire_bytes,
        }
