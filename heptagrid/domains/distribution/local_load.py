"""What substations tell the local markets: what flows through their transformers when bids leave."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heptagrid.contracts import local_market
from heptagrid.foundation.actors import Outbox
from heptagrid.foundation.time import Step
from heptagrid.world.endpoints import Endpoints
from heptagrid.world.local_markets import LocalMarkets

Floats = npt.NDArray[np.float64]


class LocalLoad:
    """Of each market one report, from its first substation."""

    def __init__(self, markets: LocalMarkets, endpoints: Endpoints) -> None:
        first = np.unique(markets.of_substation, return_index=True)[1]
        self._markets, self._places, self._market = markets, endpoints.concentrators[first], endpoints.market

    def report(self, step: Step, p_kw: Floats, awake: npt.NDArray[np.bool_], outbox: Outbox) -> None:
        """Send, if it is time, what each substation that is awake measures, (substations,)."""
        begin_ns = self._markets.timetable.bids_for(step.end_ns)
        if begin_ns is None:
            return
        of, count = self._markets.of_substation, self._markets.count
        all_awake = np.bincount(of, ~awake, minlength=count) == 0.0
        market, total_kw = np.flatnonzero(all_awake), np.bincount(of, p_kw, minlength=count).astype(np.float64)
        load = local_market.Load(market, total_kw[market], begin_ns)
        outbox.send(local_market.LOAD.wave(load, self._places[market], self._market, step.end_ns))
