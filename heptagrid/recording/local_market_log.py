"""Follows the local markets of an arm: a row for each market and interval, and what all come to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.arm import ArmGrid
from heptagrid.domains.markets.local_market import Cleared, LocalMarket
from heptagrid.foundation.time import Step
from heptagrid.planes.money.markets.local_auction import SIDES
from heptagrid.recording.tables import TableWriter
from heptagrid.world.local_markets import LocalMarkets

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_COUNTS = ("bids_sent", "bids_arrived", "bids_late", "prices_sent", "prices_in_time")


@dataclass
class LocalMarketSums:
    """What the markets of an arm came to over spans; sums, but for the highest price.

    cleared: market intervals. congested, capped: of these with a price that the grid did not set, and with the price cap or its opposite. price_kwh_eur: prices times
    what was traded. drawn_kwh: what devices that had heard the price drew of what they had bought less what they had sold.
    """

    cleared: float = 0.0
    congested: float = 0.0
    capped: float = 0.0
    volume_kwh: float = 0.0
    price_kwh_eur: float = 0.0
    bought_kwh: float = 0.0
    sold_kwh: float = 0.0
    drawn_kwh: float = 0.0
    surplus_eur: float = 0.0
    highest_eur_per_kwh: float = -np.inf
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_COUNTS, 0))

    def add(self, other: LocalMarketSums) -> None:
        """Take in another span's."""
        for name, value in vars(other).items():
            if name == "counts":
                self.counts = {one: self.counts[one] + other.counts[one] for one in _COUNTS}
            elif name == "highest_eur_per_kwh":
                self.highest_eur_per_kwh = max(self.highest_eur_per_kwh, value)
            else:
                setattr(self, name, getattr(self, name) + value)

    def summary(self) -> dict[str, Any]:
        """The figures of an arm."""
        bids, of = self.counts, max(self.cleared, 1.0)
        return {
            "cleared": round(self.cleared),
            "congested_share": self.congested / of,
            "capped_share": self.capped / of,
            "mean_price_eur_per_kwh": self.price_kwh_eur / self.volume_kwh if self.volume_kwh > 0.0 else None,
            "highest_price_eur_per_kwh": self.highest_eur_per_kwh if self.cleared else None,
            "traded_mwh": self.volume_kwh / 1000.0,
            "bought_mwh": self.bought_kwh / 1000.0,
            "sold_mwh": self.sold_kwh / 1000.0,
            "drawn_mwh": self.drawn_kwh / 1000.0,
            "surplus_eur": self.surplus_eur,
            **bids,
            "bids_lost": bids["bids_sent"] - bids["bids_arrived"] - bids["bids_late"],
        }


def local_market_summary(markets: LocalMarkets | None, sums: LocalMarketSums | None) -> dict[str, Any]:
    """An arm's entry, nothing where it has no local markets: how long intervals are, the devices that bid, the first transformer of each market, and the sums."""
    if markets is None or sums is None:
        return {}
    about: dict[str, Any] = {
        "interval_s": markets.timetable.period_ns // 10**9,
        "participants": {name: len(points) for name, points in markets.participants.items()},
        "names": list(markets.names),
    }
    return {"local_market": about | sums.summary()}


class LocalMarketLog:
    """Observes one arm's local markets; `found` is None where there are none."""

    def __init__(self, grid: ArmGrid) -> None:
        self._grid = grid
        self._sums = LocalMarketSums()
        self._rows: list[dict[str, np.ndarray]] = []
        markets = grid.world.local_markets
        self._drawn_kwh = np.zeros(markets.count if markets else 0)

    def note(self, step: Step) -> None:
        """Take in a counted step: what devices drew, and the interval that ended, if one did."""
        market, markets = self._grid.local_market, self._grid.world.local_markets
        if market is None or markets is None:
            return
        for name, points in markets.participants.items():
            device = self._grid.customers.devices[name]
            rows, orders = np.searchsorted(device.owner, points), device.orders.table
            drawn_kw = np.where(orders.until_ns[rows] > step.start_ns, orders.flexible_kw[rows], 0.0)
            of = np.bincount(markets.of_point[points], drawn_kw, minlength=markets.count)
            self._drawn_kwh += of * step.dt_s / 3600.0
        begin_ns = markets.timetable.ended_by(step.end_ns)
        if begin_ns is None:
            return
        cleared = next((one for one in reversed(market.cleared) if one.begin_ns == begin_ns), None)
        if cleared is not None:
            self._take(cleared, market)
        self._drawn_kwh = np.zeros(markets.count)

    def _take(self, one: Cleared, market: LocalMarket) -> None:
        bidders, markets = self._grid.customers.bidders, self._grid.world.local_markets
        assert bidders is not None and markets is not None
        count, hours, clearing = markets.count, markets.timetable.hours, one.clearing
        none = np.zeros(count, dtype=np.int64)
        counts = {
            "bids_sent": bidders.bids_sent.get(one.begin_ns, none),
            "bids_arrived": one.bids_arrived,
            "bids_late": market.late.get(one.begin_ns, none),
            "prices_sent": one.prices_sent,
            "prices_in_time": bidders.prices_in_time.get(one.begin_ns, none),
        }
        self._rows.append(
            {
                "time_ns": np.full(count, one.begin_ns),
                "market": np.arange(count, dtype=np.int32),
                "price_eur_per_kwh": clearing.price,
                "grid_eur_per_kwh": one.grid.sells_at,
                "set_by": clearing.side,
                "traded_kw": clearing.volume_kw,
                "import_kw": clearing.import_kw,
                "capacity_kw": one.grid.capacity_kw.copy(),
                "uncontrolled_kw": one.grid.uncontrolled_kw,
                "bought_kw": one.bought_kw,
                "sold_kw": one.sold_kw,
                "drawn_kw": self._drawn_kwh / hours,
                "owed_eur": one.owed_eur,
            }
            | counts
        )
        cap = self._grid.local_market.price_cap if self._grid.local_market else np.inf
        self._sums.add(
            LocalMarketSums(
                cleared=float(count),
                congested=float((clearing.side != 0).sum()),
                capped=float((np.abs(clearing.price) >= cap).sum()),
                volume_kwh=float(clearing.volume_kw.sum()) * hours,
                price_kwh_eur=float((clearing.price * clearing.volume_kw).sum()) * hours,
                bought_kwh=float(one.bought_kw.sum()) * hours,
                sold_kwh=float(one.sold_kw.sum()) * hours,
                drawn_kwh=float(self._drawn_kwh.sum()),
                surplus_eur=float(one.owed_eur.sum()),
                highest_eur_per_kwh=float(clearing.price.max(initial=-np.inf)),
                counts={name: int(each.sum()) for name, each in counts.items()},
            )
        )

    def write(self, writer: TableWriter) -> None:
        """Write the intervals noted since the last call."""
        if not self._rows:
            return
        columns: dict[str, Any] = {name: np.concatenate([rows[name] for rows in self._rows]) for name in self._rows[0]}
        columns = {
            name: values.astype(np.float32) if values.dtype == np.float64 else values
            for name, values in columns.items()
        }
        columns["set_by"] = np.array(SIDES)[columns["set_by"]].tolist()
        writer.write("local_market", columns)
        self._rows = []

    def found(self) -> LocalMarketSums | None:
        """The sums, None where there are no local markets."""
        return self._sums if self._grid.local_market else None
