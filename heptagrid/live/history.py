"""Curves of a live grid: figures of each published state since the start, thinned out evenly when they are many."""

from __future__ import annotations

from array import array

import numpy as np

from heptagrid.foundation.domains import DOMAIN_NAMES
from heptagrid.live.state import State
from heptagrid.recording.step_extremes import split

MOST = 4000
"""Points of a curve; when there are more, every second goes."""

SERIES = (
    *("frequency_hz", "v_min_pu", "v_max_pu", "transformer_pct", "line_pct", "price_eur_per_mwh"),
    *("load_kw", "generated_kw", "fed_in_kw", "infeed_kw", "losses_kw", "delivered_per_s", "lost_per_s"),
    *(f"earned_{name}" for name in DOMAIN_NAMES),
)
"""Names of the figures; earned: what a domain is owed less what it owes since midnight, in EUR."""


def figures_of(state: State) -> dict[str, float]:
    """The figures of a state, by name."""
    supplied_pu = state.point_v_pu[state.point_is_supplied]
    drawn_kw, fed_in_kw = split(state.point_p_kw)
    owed = state.money.owed
    earned = (owed.sum(axis=0) - owed.sum(axis=1))[: len(DOMAIN_NAMES)]
    return dict(
        zip(
            SERIES,
            (
                state.frequency_hz,
                float(supplied_pu.min()) if len(supplied_pu) else 0.0,
                float(supplied_pu.max()) if len(supplied_pu) else 0.0,
                float(state.transformer_pct.max(initial=0.0)),
                state.line_pct,
                state.price_eur_per_mwh,
                float(drawn_kw),
                state.generated_kw,
                float(fed_in_kw),
                float(state.infeed_kw.sum()),
                state.losses_kw,
                float(state.traffic.delivered_per_s.sum()),
                float(state.traffic.lost_per_s.sum()),
                *earned.tolist(),
            ),
            strict=True,
        )
    )


class History:
    """Keeps figures; for the event loop's thread alone."""

    def __init__(self) -> None:
        self._rows: list[array[float]] = []  # a quarter of the memory of tuples
        self._every = 1
        self._count = 0

    def take(self, state: State, figures: dict[str, float]) -> None:
        """Keep a state's, as often as there is room for."""
        if self._rows and self._rows[-1][0] >= state.at_ns / 1e9:
            return
        self._count += 1
        if self._count % self._every == 0:
            self._rows.append(array("d", (state.at_ns / 1e9, *figures.values())))
        if len(self._rows) > MOST:
            self._rows = self._rows[::2]
            self._every *= 2

    def columns(self) -> dict[str, list[float]]:
        """Seconds since 1970 and each figure, as columns of numbers."""
        table = np.array(self._rows).reshape(-1, 1 + len(SERIES))
        return {name: np.round(table[:, k], 4).tolist() for k, name in enumerate(("time_s", *SERIES))}
