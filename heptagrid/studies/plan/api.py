"""Plans the sites of access networks for a scenario, and judges each plan: whom it covers, at what cost, with what load."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.own_feeder import on_feeder, read_feeder
from heptagrid.contracts.kinds import FACTS
from heptagrid.foundation.domains import Kind
from heptagrid.planes.messages.planning.siting import SitePlan, plan_sites, planned_technology
from heptagrid.planes.messages.technology import Technology
from heptagrid.scenario.load import load
from heptagrid.scenario.schema import Scenario
from heptagrid.studies.plan.costs import Costs, Prices
from heptagrid.studies.plan.network import PlanNetwork, carried_day
from heptagrid.studies.plan.places import Surroundings, places_for, surroundings

Ints = npt.NDArray[np.int64]
Progress = Callable[[int, int], object]

READING_BYTES = (FACTS[Kind.METER_READING].wire_bytes, FACTS[Kind.ACK].wire_bytes)
"""Of a reading and of its acknowledgement, with the envelope."""


@dataclass(frozen=True)
class Planned:
    """A plan for one technology.

    node: (sites,) of `around` where each stands. network: as `carry` takes it. modems: meters with a modem. fewest_meters: of a site. carried: what
    became of a day of readings, if the message plane was asked.
    """

    around: Surroundings
    plan: SitePlan
    node: Ints
    network: PlanNetwork
    modems: int
    fewest_meters: int
    costs: Costs
    seconds: float
    carried: dict[str, Any] | None = None

    @property
    def facts(self) -> Technology:
        return self.plan.facts

    def summary(self) -> dict[str, Any]:
        """Figures as JSON has them."""
        plan, found = self.plan, self.plan.cover
        served, sizes = plan.served, plan.meters_of
        hops = np.bincount(found.hops[served])[1:]
        above = plan.loads.margin_db[np.isfinite(plan.loads.margin_db)]
        return {
            "technology": self.facts.name,
            "title": self.facts.title,
            "meters": len(found.site),
            "sites": len(plan.place),
            "covered": len(served),
            "covered_pct": 100.0 * len(served) / max(1, len(found.site)),
            "uncovered": len(plan.unserved) - self.modems,
            "modems": self.modems,
            "fewest_meters": self.fewest_meters,
            "meters_per_site": _spread(sizes),
            "hops": {"mean": _mean(found.hops[served]), "most": int(found.hops[served].max(initial=0))},
            "meters_by_hops": hops.tolist(),
            "transmissions": {
                "of_a_hop": _mean(found.over[served]),
                "of_the_worst_hop": float(found.over[served].max(initial=0.0)),
                "to_the_site": _mean(found.expected[served]),
            },
            "sites_that_hear_a_meter": _mean(plan.heard[served]),
            "channel_load": _spread(plan.loads.own),
            "radio_load": _spread(plan.loads.radio),
            "neighbour_load": _spread(plan.loads.neighbours),
            "interference_margin_db": {"least": _least(above), "mean": _mean(above)},
            "shadowing_db": plan.fade.shadowing_db,
            "costs": asdict(self.costs),
            "investment_eur": sum(self.costs.investment_eur.values()),
            "yearly_eur": sum(self.costs.yearly_eur.values()),
            "present_value_eur": self.costs.present_value_eur,
            "carried": self.carried,
            "seconds": self.seconds,
        }


@dataclass(frozen=True)
class Plans:
    """Plans for one or more technologies on one scenario."""

    scenario: Scenario
    seed: int
    planned: tuple[Planned, ...]

    def summary(self) -> dict[str, Any]:
        """Figures as JSON has them."""
        return {
            "scenario": self.scenario.name,
            "seed": self.seed,
            "settings": asdict(self.scenario.sections["plan"]),
            "plans": [one.summary() for one in self.planned],
        }


def plan(
    scenario: str | Path | Scenario = "town",
    technologies: Sequence[str] = (),
    *,
    settings: Sequence[str] = (),
    feeder: str | Path | None = None,
    seed: int | None = None,
    out: str | Path | None = None,
    force: bool = False,
    carry_hours: float = 0.0,
    progress: Progress | None = None,
) -> Plans:
    """Plan the sites of access networks for a scenario; by default of the technology that it names.

    Parameters
    ----------
    technologies : sequence of str
        One plan for each.
    settings : sequence of str
        Keys of the scenario on top, such as "plan.most_hops=4".
    feeder : path
        An OpenDSS script that takes the place of the scenario's network.
    out : path
        A folder for the figures, and for each technology's sites, meters, and network for `carry`; `force` replaces a plan that it holds.
    carry_hours : float
        Hours of readings that the message plane carries over each plan.

    Raises
    ------
    UsageError, ScenarioError, NetworkError, OutputError
        For unknown technologies, impossible keys, networks without coordinates, a folder that holds something else.
    """
    known = scenario if isinstance(scenario, Scenario) else load(scenario, settings)
    chosen = [
        planned_technology(name)
        for name in dict.fromkeys(technologies or [known.sections["messages.access"].technology])
    ]
    with TemporaryDirectory() as folder:
        if feeder is not None:
            known = on_feeder(known, read_feeder(known, Path(feeder)), Path(feeder), Path(folder))
        around = surroundings(known)
    seed = known.seed if seed is None else seed
    planned = []
    for k, facts in enumerate(chosen):
        if progress is not None:
            progress(k, len(chosen))
        one = _planned(known, around, facts, seed)
        if carry_hours > 0.0:
            one = replace(one, carried=_carried(known, one, carry_hours, seed))
        planned.append(one)
    found = Plans(known, seed, tuple(planned))
    if out is not None:
        from heptagrid.studies.plan.folder import write_plans

        write_plans(Path(out), found, force)
    return found


def _planned(scenario: Scenario, around: Surroundings, facts: Technology, seed: int) -> Planned:
    began = time.perf_counter()
    given, prices = scenario.sections["plan"], Prices(scenario, facts)
    places, nodes = places_for(around, facts, given)
    fewest = prices.fewest_meters()
    found = plan_sites(places, facts, given, fewest, READING_BYTES, seed)
    modem = given.modem if given.poor == "modem" else ""
    modems = len(found.unserved) if modem else 0
    trunks = (scenario.sections[f"messages.{network}"].technology for network in ("backhaul", "wan"))
    return Planned(
        around=around,
        plan=found,
        node=nodes[found.cover.candidate],
        network=PlanNetwork(found, around.meter_names.tolist(), modem, *trunks),
        modems=modems,
        fewest_meters=fewest,
        costs=prices.costs(len(found.served), len(found.place), modems),
        seconds=time.perf_counter() - began,
    )


def _carried(scenario: Scenario, one: Planned, hours: float, seed: int) -> dict[str, Any]:
    return carried_day(one.network, READING_BYTES[0], scenario.sections["plan"].reading_s, 3600.0 * hours, seed)


def _spread(each: npt.ArrayLike) -> dict[str, float | None]:
    """Least, mean and most of what each site has."""
    values = np.asarray(each, dtype=np.float64)
    if not len(values):
        return {"least": None, "mean": None, "most": None}
    return {"least": float(values.min()), "mean": float(values.mean()), "most": float(values.max())}


def _mean(each: npt.ArrayLike) -> float | None:
    values = np.asarray(each, dtype=np.float64)
    return float(values.mean()) if len(values) else None


def _least(each: npt.NDArray[np.float64]) -> float | None:
    return float(each.min()) if len(each) else None
