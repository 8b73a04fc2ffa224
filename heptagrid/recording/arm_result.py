"""What one arm came to over one span of days: made in a process of its own, joined and summarised in another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from heptagrid.planes.messages.links import CLASS_NAMES
from heptagrid.planes.messages.statistics import KINDS, Counts
from heptagrid.planes.money.benefits.observed import Outage
from heptagrid.planes.money.ledger import Totals
from heptagrid.recording.bill_parts import BILL_PARTS
from heptagrid.recording.company_books import CompanyBooks
from heptagrid.recording.local_market_log import LocalMarketSums
from heptagrid.recording.market_log import MarketFigures
from heptagrid.recording.settlement_books import SettlementBooks
from heptagrid.recording.system_peak import Peak
from heptagrid.recording.totals import DayBooks, Energy, Extremes, TownFigures


@dataclass
class ArmResult:
    """What one arm over one span came to.

    never_heard: (points,) metering points of which no reading came, in the smart arm. refused: messages that policy refused, by contract. desks: figures of desks that other packages added. tariffs: by name how many customers have it, and the sum of their bills in EUR.

    bill_parts_eur: (parts, customers) what `bills_eur` is made of, by `BILL_PARTS`; what is fed in and flexibility count below zero.

    peak_rss_mb: of the process that ran it; shards_peak_rss_mb: of those over which its areas were shared out, together.

    places: `MessagePlane.counts_by_place`. busy_s: `MessagePlane.busy_s`, over `counted_s`. crossed: (kinds, link classes) whether messages went over such links.
    """

    arm: str
    run_day: int
    steps: int = 0
    stopped_ns: int | None = None
    energy: Energy = field(default_factory=Energy)
    extremes: Extremes = field(default_factory=Extremes)
    system_peak: Peak = field(default_factory=Peak)
    companies: CompanyBooks = field(default_factory=lambda: CompanyBooks.nothing(2))
    settlement: SettlementBooks = field(default_factory=SettlementBooks.nothing)
    towns: TownFigures = field(default_factory=lambda: TownFigures.none(1))
    messages: Counts | None = None
    places: np.ndarray = field(default_factory=lambda: np.zeros((KINDS, 1, 4), dtype=np.int64))
    busy_s: np.ndarray = field(default_factory=lambda: np.zeros(0))
    counted_s: float = 0.0
    crossed: np.ndarray = field(default_factory=lambda: np.zeros((KINDS, len(CLASS_NAMES)), dtype=bool))
    metering: dict[str, float] = field(default_factory=dict)
    never_heard: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    comfort: dict[str, float] = field(default_factory=dict)
    price_eur_per_mwh: list[float] = field(default_factory=list)
    market: MarketFigures = field(default_factory=MarketFigures.nothing)
    money: Totals = field(default_factory=Totals.nothing)
    days: list[DayBooks] = field(default_factory=list)
    bills_eur: np.ndarray = field(default_factory=lambda: np.zeros(0))
    bill_parts_eur: np.ndarray = field(default_factory=lambda: np.zeros((len(BILL_PARTS), 0)))
    traded_mwh: dict[str, float] = field(default_factory=dict)
    delivered_kwh: np.ndarray = field(default_factory=lambda: np.zeros(0))
    billed_kwh: np.ndarray = field(default_factory=lambda: np.zeros(0))
    held: dict[int, tuple[int, int]] = field(default_factory=dict)
    hunting: dict[str, tuple[int, int]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    interruptions: dict[str, float] = field(default_factory=dict)
    outages: tuple[Outage, ...] = ()
    frequency: dict[str, Any] | None = None
    local_market: LocalMarketSums | None = None
    refused: dict[str, int] = field(default_factory=dict)
    desks: dict[str, dict[str, float]] = field(default_factory=dict)
    tariffs: dict[str, tuple[int, float]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    process: int = 0
    peak_rss_mb: float = 0.0
    shards_peak_rss_mb: float = 0.0
