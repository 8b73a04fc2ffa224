"""How messages fared over each town's access and backhaul technologies, and what these cost, so that towns can be set side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.stocks import access_stocks
from heptagrid.assembly.world import World
from heptagrid.foundation.domains import KIND_NAMES
from heptagrid.planes.money import business
from heptagrid.scenario.schema import Scenario

Ints = npt.NDArray[np.int64]


def access_by_town(scenario: Scenario, world: World, places: Ints) -> list[dict[str, Any]]:
    """One row for each town; places: as `MessagePlane.counts_by_place`.

    cost_eur_per_year: of units in meters, sites, backhaul and lines, to run and, as an annuity over their lifetimes, to buy.
    """
    towns, plan, sections = len(world.towns), world.plan, scenario.sections
    counts = np.zeros((towns, len(KIND_NAMES), places.shape[2]), dtype=np.int64)
    np.add.at(counts, plan.concentrator_town, np.moveaxis(places[:, 1:], 1, 0))
    customers = np.bincount(world.town_of[: world.customers_count], minlength=towns).tolist()
    stocks = access_stocks(world, sections["telecom"])
    return [
        {
            "town": town.name,
            "access": plan.access[k].name,
            "backhaul": plan.backhaul[k].name,
            "customers": customers[k],
            "cost_eur_per_year": business.yearly_eur([stocks[k]], sections["business"]),
            **_counted(counts[k].sum(axis=0)),
            "by_kind": {KIND_NAMES[kind]: _counted(counts[k, kind]) for kind in np.flatnonzero(counts[k, :, 0])},
        }
        for k, town in enumerate(world.towns)
    ]


def _counted(counts: Ints) -> dict[str, int]:
    sent, delivered, lost, late = counts.tolist()
    return {"sent": sent, "delivered": delivered, "lost": lost, "late": late}
