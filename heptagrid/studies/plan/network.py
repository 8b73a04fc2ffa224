"""A plan as a network that `heptagrid carry` takes, and a day of readings over it: the message plane judges the plan."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.random import Stream, uniforms
from heptagrid.planes.messages.planning.path_loss import has_mast
from heptagrid.planes.messages.planning.siting import SitePlan
from heptagrid.planes.messages.technology import technology
from heptagrid.studies.carry.api import carry_messages
from heptagrid.studies.carry.network_file import build_network
from heptagrid.studies.carry.traffic_file import Traffic

Ints = npt.NDArray[np.int64]
Content = dict[str, list[dict[str, Any]]]

HEAD_END = "head end"
_S = 1_000_000_000


class PlanNetwork:
    """The tables of a network: meters in their order, then sites, then the head end.

    Each site has a medium of its own, with the hops of its tree; a site's meters do not hear those of others. Meters with a modem have a line
    of their own; uncovered ones have none, and say nothing.
    """

    def __init__(self, plan: SitePlan, meter_names: Sequence[str], modem: str, backhaul: str, wan: str) -> None:
        self.plan, self.modem = plan, modem
        self._trunk = wan if has_mast(plan.facts) and plan.facts.costs.site_capex_eur == 0.0 else backhaul
        names = list(meter_names)
        if len(set(names)) < len(names):
            names = [f"{name} ({k})" for k, name in enumerate(names, start=1)]
        self.meters = names
        self.sites = [f"site {k}" for k in range(1, 1 + len(plan.place))]
        self.sender = np.arange(len(names)) if modem else plan.served

    def content(self) -> Content:
        """The tables as NETWORK.toml has them."""
        plan, found = self.plan, self.plan.cover
        xy_m = plan.places.xy_m[np.concatenate([np.arange(len(self.meters)), plan.place])].round(1)
        middle = xy_m.mean(axis=0).round(1)
        names = [*self.meters, *self.sites, HEAD_END]
        nodes = [
            {"name": name, "x_m": x, "y_m": y}
            for name, (x, y) in zip(names, [*xy_m.tolist(), middle.tolist()], strict=True)
        ]
        order = plan.served[np.argsort(found.site[plan.served], kind="stable")]
        starts = np.searchsorted(found.site[order], np.arange(len(self.sites) + 1))
        media, hops = [], []
        for k, site in enumerate(self.sites):
            own = order[starts[k] : starts[k + 1]].tolist()
            members = [site, *(self.meters[one] for one in own)]
            media.append({"name": site, "technology": plan.facts.name, "members": members})
            hops += [self._hop(one, site) for one in own]
        links = [line for site in self.sites for line in self._both_ways(site, self._trunk)]
        if self.modem:
            for one in plan.unserved.tolist():
                links += self._both_ways(self.meters[one], self.modem)
        return {"node": nodes, "link": links, "medium": media, "hop": hops}

    def _hop(self, one: int, site: str) -> dict[str, Any]:
        parent, factor = int(self.plan.cover.parent[one]), int(self.plan.loads.spreading[one])
        to = self.meters[parent] if parent >= 0 else site
        hop = {"medium": site, "from": self.meters[one], "to": to, "loss": round(float(self.plan.error[one]), 6)}
        return hop | ({"spreading": factor} if factor else {})

    def _both_ways(self, name: str, by: str) -> list[dict[str, Any]]:
        """A line to the head end and back; the operator's base stations are near, so that only what is lost besides noise is lost."""
        ends = ((name, HEAD_END), (HEAD_END, name))
        return [{"from": a, "to": b, "technology": by, "loss": technology(by).loss} for a, b in ends]

    def readings(self, reading_s: float, end_s: float, seed: int) -> tuple[Ints, Ints]:
        """When each reading is sent and by which meter: each at its own time of the interval."""
        drawn = np.asarray(uniforms(seed, int(Stream.METER_OFFSET), self.plan.places.ids[self.sender], 0))
        offset_ns = np.rint(drawn * reading_s * _S).astype(np.int64)
        rounds = np.arange(0, round(end_s * _S), round(reading_s * _S))
        sent_ns = (rounds[:, None] + offset_ns).ravel()
        who = np.tile(self.sender, len(rounds))
        soon = sent_ns < round(end_s * _S)
        order = np.argsort(sent_ns[soon], kind="stable")
        return sent_ns[soon][order], who[soon][order]


def toml_of(content: Content) -> Iterator[str]:
    """The tables as text."""
    for table, rows in content.items():
        for row in rows:
            yield f"[[{table}]]\n" + "".join(
                f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in row.items()
            )


def carried_day(network: PlanNetwork, reading_bytes: int, reading_s: float, end_s: float, seed: int) -> dict[str, Any]:
    """Carry the readings of all meters that can send to the head end, and say what became of them."""
    wires = build_network(network.content(), "the planned network")
    sent_ns, who = network.readings(reading_s, end_s, seed)
    to = np.full(len(who), len(network.meters) + len(network.sites))
    size = np.full(len(who), reading_bytes)
    traffic = Traffic(sent_ns, who, to, size, np.zeros_like(size), table=None)
    told = carry_messages(wires, traffic, "readings", seed).summary()
    delivered, sent = told["delivered"], told["sent"]
    assert isinstance(delivered, int) and isinstance(sent, int)
    kept = (
        "sent",
        "delivered",
        "lost",
        "collision",
        "access",
        "dropped",
        "stale",
        "waiting",
        "p50_s",
        "p95_s",
        "p99_s",
    )
    return {name: told[name] for name in kept} | {
        "hours": end_s / 3600.0,
        "delivered_pct": 100.0 * delivered / sent if sent else None,
    }
