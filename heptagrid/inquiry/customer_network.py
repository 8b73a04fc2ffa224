"""A customer's part of the network over a replayed day: voltage and loading, hour by hour beside energy and price."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from heptagrid.assembly.world import World
from heptagrid.domains.providers.billing import Record
from heptagrid.foundation.time import NS_PER_QUARTER, Step
from heptagrid.inquiry.replay import Replay
from heptagrid.inquiry.waves import local


@dataclass
class CustomerNetwork:
    """What a replay shows of a customer's part of the network, by quarter hour since 1970.

    branch: the first of the feeder that supplies the customer. transformer: the one above it, -1 without one.
    """

    node: int
    branch: int
    transformer: int
    v_pu: dict[int, list[float]] = field(default_factory=dict)
    feeder_pct: dict[int, list[float]] = field(default_factory=dict)
    transformer_pct: dict[int, list[float]] = field(default_factory=dict)

    @classmethod
    def of(cls, world: World, customer: int) -> CustomerNetwork:
        """The part of the network that a customer is supplied by."""
        node = int(world.point_node[customer])
        return cls(node, *_above(world, node))

    def note(self, replay: Replay, step: Step) -> None:
        """Take in the flow of a step that has just been run."""
        flow = replay.grid.distribution.flow
        assert flow is not None
        amps = float(np.hypot(flow.current_re[self.branch], flow.current_im[self.branch]))
        loading = flow.transformer_loading_pct
        for series, value in (
            (self.v_pu, float(flow.v_pu[self.node])),
            (self.feeder_pct, amps * float(replay.world.branch_pct_per_pu[self.branch])),
            (self.transformer_pct, float(loading[self.transformer]) if self.transformer >= 0 else float("nan")),
        ):
            series.setdefault(step.quarter, []).append(value)

    def names(self, world: World) -> dict[str, Any]:
        """Feeder and transformer by name, with their ratings."""
        branch, transformer = self.branch, self.transformer
        line = int(world.network.line_of_node[branch])
        return {
            "feeder": str(world.grid.lines.names[line]) if line >= 0 else None,
            "transformer": str(world.grid.transformers.names[transformer]) if transformer >= 0 else None,
            "rated_kva": float(world.grid.transformers.sn_mva[transformer]) * 1000.0 if transformer >= 0 else None,
            "base_kv": float(world.network.v_base_kv[branch]),
        }


def _above(world: World, node: int) -> tuple[int, int]:
    """The first branch of the feeder that supplies a node, and the transformer above it (-1 without one)."""
    network = world.network
    while True:
        parent = int(network.parent[node])
        if parent < 0 or network.transformer_of_node[node] >= 0:
            return node, int(network.transformer_of_node[node])
        if network.transformer_of_node[parent] >= 0 or parent in network.busbars:
            return node, int(network.transformer_of_node[parent])
        node = parent


def hours(replay: Replay, customer: int, settled: Record, seen: CustomerNetwork) -> list[dict[str, Any]]:
    """Hour by hour: energy used and its price, and the state of the customer's part of the network."""
    zone = replay.scenario.zone
    column = settled.column(customer)
    terms, tariff_of = replay.grid.bills.of(customer).terms, int(replay.world.owned.tariff_of[customer])
    offers = terms.offers
    prices = offers.tariffs[tariff_of].price_eur_per_kwh(settled.billed.slots, terms.supply, offers.own[tariff_of])
    found = []
    for k in range(0, len(settled.billed.price_eur_per_mwh), 4):
        quarters = range(settled.first_quarter + k, settled.first_quarter + k + 4)
        kwh = float(settled.known.import_kwh[k : k + 4, column].sum(dtype=np.float64))
        market = float(settled.billed.price_eur_per_mwh[k])
        volts, feeder, transformer = (
            [value for quarter in quarters for value in series.get(quarter, [])]
            for series in (seen.v_pu, seen.feeder_pct, seen.transformer_pct)
        )
        found.append(
            {
                "from": local(settled.first_quarter * NS_PER_QUARTER + k * NS_PER_QUARTER, zone),
                "used_kwh": kwh,
                "fed_in_kwh": float(settled.known.export_kwh[k : k + 4, column].sum(dtype=np.float64)),
                "market_eur_per_mwh": market,
                "price_eur_per_kwh": float(prices[k]),
                "energy_eur": kwh * float(prices[k]),
                "v_min_pu": min(volts, default=None),
                "v_max_pu": max(volts, default=None),
                "feeder_pct": max(feeder, default=None),
                "transformer_pct": _number(max(transformer, default=float("nan"))),
            }
        )
    return found


def dearest(hours: list[dict[str, Any]]) -> dict[str, Any]:
    """The hour whose energy cost most, or was fed in most if none was used."""
    return max(hours, key=lambda one: (one["energy_eur"], one["used_kwh"], one["fed_in_kwh"]))


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None
