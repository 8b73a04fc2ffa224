"""How the access networks fared, one by one: channel load, hops, duty-cycle headroom, share in time of all that was sent.

An access network is a substation's; where cells or gateways serve several substations, each shows what it shares with the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.planes.messages import tables as t
from heptagrid.planes.messages.planning.planned_network import Plan

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class AccessNetworks:
    """Figures of each, (access networks,); not a number where there is none.

    load_pct: time on the air of all members of the shared medium, of the time that its channels have, second windows of LoRaWAN apart;
    of a cell, whose uplink and downlink are carriers of their own, that of the fuller one.
    headroom_pct: what the sender that sends most leaves of its duty cycle, in whichever band. hops_mean, hops_most: from a gateway to the concentrator or base station, as planned.
    in_time_pct: of all messages sent to or from its gateways, lost ones and those under way included.
    """

    load_pct: Floats
    headroom_pct: Floats
    hops_mean: Floats
    hops_most: Floats
    in_time_pct: Floats

    def summary(self) -> dict[str, Any]:
        """Median and worst over the networks; None where no network has the figure."""
        worst = {"load_pct": max, "headroom_pct": min, "hops_mean": max, "hops_most": max, "in_time_pct": min}
        found: dict[str, Any] = {}
        for name, of in worst.items():
            known = getattr(self, name)
            known = known[~np.isnan(known)].tolist()
            found[name] = {"median": float(np.median(known)), "worst": of(known)} if known else None
        return found


def access_networks(plan: Plan, places: Ints, busy_s: Floats, counted_s: float) -> AccessNetworks:
    """Each network's figures.

    places: `MessagePlane.counts_by_place`. busy_s: `MessagePlane.busy_s`, over the time `counted_s`.
    """
    topology = plan.topology
    group = topology.group[plan.gateways]
    net = topology.wiring.net((0.0, 0.0, 0.0))
    load, headroom = _air(net, busy_s, counted_s)
    medium = net.port[topology.edges.up_port[plan.gateways], t.P_MEDIUM]
    shared = medium >= 0
    of_gateway = np.full((2, len(group)), np.nan)
    of_gateway[:, shared] = load[medium[shared]], headroom[medium[shared]]
    hops = _hops(topology.edges.parent, plan.gateways).astype(np.float64)
    sent, delivered, _, late = np.moveaxis(places[:, 1:].sum(axis=0), 1, 0)
    in_time = np.full(topology.groups, np.nan)
    np.divide(100.0 * (delivered - late), sent, out=in_time, where=sent > 0)
    return AccessNetworks(
        load_pct=_by_group(of_gateway[0], group, topology.groups, np.fmax, -np.inf),
        headroom_pct=_by_group(of_gateway[1], group, topology.groups, np.fmin, np.inf),
        hops_mean=_mean(hops, group, topology.groups),
        hops_most=_by_group(hops, group, topology.groups, np.fmax, -np.inf),
        in_time_pct=in_time,
    )


def _air(net: t.Net, busy_s: Floats, counted_s: float) -> tuple[Floats, Floats]:
    """(media,) load in percent, and the least headroom of any sender under the duty cycles in percent; not a number without one."""
    media = len(net.medium)
    load, headroom = np.full(media, np.nan), np.full(media, np.nan)
    on = np.flatnonzero(net.port[:, t.P_MEDIUM] >= 0)
    if not media or not len(on) or counted_s <= 0.0:
        return load, headroom
    of = net.port[on, t.P_MEDIUM]
    is_down = (net.medium[of, t.M_METHOD] == t.CELLULAR) & (net.medium[of, t.M_BASE] == on)
    up_s, down_s = (np.bincount(of, np.where(is_down == down, busy_s[0, on], 0.0), media) for down in (False, True))
    load = 100.0 * np.maximum(up_s / np.maximum(net.medium[:, t.M_CHANNELS], 1), down_s) / counted_s
    for band_s, column in zip(busy_s, (t.M_DUTY_PPM, t.M_SECOND_DUTY_PPM), strict=True):
        most, left = np.zeros(media), np.full(media, np.nan)
        np.maximum.at(most, of, band_s[on])
        duty = net.medium[:, column] * 1e-6
        np.divide(100.0 * (duty * counted_s - most), duty * counted_s, out=left, where=duty > 0.0)
        headroom = np.fmin(headroom, left)
    return np.asarray(load), headroom


def _hops(parent: Ints, gateways: Ints) -> Ints:
    """(gateways,) hops to the first place that is no gateway."""
    is_gateway = np.zeros(len(parent) + 1, dtype=np.bool_)  # the last is for no parent
    is_gateway[gateways] = True
    at, hops = parent[gateways], np.ones(len(gateways), dtype=np.int64)
    while (relayed := is_gateway[at]).any():
        hops += relayed
        at = np.where(relayed, parent[at], at)
    return hops


def _by_group(values: Floats, group: Ints, groups: int, worse: np.ufunc, least: float) -> Floats:
    """(groups,) the worst of the values; not a number where there is none."""
    found = np.full(groups, least)
    known = ~np.isnan(values)
    worse.at(found, group[known], values[known])
    return np.where(np.isfinite(found), found, np.nan)


def _mean(values: Floats, group: Ints, groups: int) -> Floats:
    count = np.bincount(group, minlength=groups)
    found = np.full(groups, np.nan)
    np.divide(np.bincount(group, values, groups), count, out=found, where=count > 0)
    return found
