"""The [[medium]] tables of a network file: who shares a medium, by which method, and who reaches whom."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from heptagrid.foundation.parameters import declarations
from heptagrid.planes.messages.media import DCF_OFDM, IEEE_802_15_4, METHODS, PLAIN_CARRIER_SENSE, Medium
from heptagrid.planes.messages.planning.network_builder import NetworkBuilder
from heptagrid.planes.messages.tables import Floats, Ints
from heptagrid.planes.messages.technologies.lorawan import SPREADING
from heptagrid.planes.messages.technology import Technology
from heptagrid.studies.carry.hop_rows import ListedHops, listed_reach
from heptagrid.studies.carry.link_rows import SENDING_KEYS, sending_of
from heptagrid.studies.carry.network import EdgeList
from heptagrid.studies.carry.reach import Reach, reach_of
from heptagrid.studies.carry.table_rows import TableRow

_DECLARED = {name: one for name, _, _, one in declarations(Medium)}
CONSTANTS = frozenset(_DECLARED)
"""The keys of a medium that are constants of its method."""
MEDIUM_KEYS = SENDING_KEYS | {"members", "access", "base", "name", "range_m", "spreading"} | CONSTANTS

METHOD_DEFAULTS = {
    "csma": PLAIN_CARRIER_SENSE,
    "csma-ca": IEEE_802_15_4,
    "slotted-csma-ca": replace(IEEE_802_15_4, access="slotted-csma-ca"),
    "dcf": DCF_OFDM,
    "aloha": Medium(access="aloha"),
    "slotted-aloha": Medium(access="slotted-aloha"),
    "tdma": Medium(access="tdma"),
    "queue": Medium(access="queue"),
}
_NEEDS = {"slotted-aloha": ("slot_s",), "tdma": ("slot_s",)}

SHARED_QUEUE = "shared queue"
_PAGING_AGAIN_S = 10.0  # between looks for a device that sleeps, where paging has no occasions


class MediumReader:
    """Adds the media of a file to its network, one after the other.

    mtu_bytes, medium: of each port, in their order. relays, names: of each medium. joined: the edges of the graph as if every
    member of a medium reached every other, as far as `edges` differ from it.
    """

    def __init__(
        self,
        wiring: NetworkBuilder,
        edges: EdgeList,
        xy_m: Floats,
        link_mtu_bytes: list[int],
        hops: Mapping[str, ListedHops],
        *,
        queued: bool,
    ):
        self.joined = EdgeList()
        self.mtu_bytes = list(link_mtu_bytes)
        self.medium = [-1] * len(link_mtu_bytes)
        self.relays: list[bool] = []
        self.names: list[str] = []
        self._wiring, self._edges, self._xy_m, self._queued = wiring, edges, xy_m, queued
        self._hops, self._hubs = hops, 0

    def add(self, row: TableRow) -> None:
        """Add a medium, if nothing is wrong with it."""
        before = len(row.checks.problems)
        members = row.members()
        facts = row.technology()
        settings = _settings(row, facts)
        sending = sending_of(row, facts)
        range_m = row.value("range_m", math.inf, 0.0, math.inf, above=True)
        base = _base(row, members, settings)
        spreading = _spreading(row, settings)
        if len(row.checks.problems) > before or settings is None:
            return
        nodes = np.array(members)
        listed = self._hops.get(str(row.cells.get("name")))
        if listed is None:
            reach = reach_of(self._xy_m[nodes], facts, settings, base, range_m, row.cells.keys(), spreading)
        else:
            reach = listed_reach(listed, members, base, settings.access)
        is_mesh = base is None and (facts is None or facts.multi_hop)
        self.relays.append(is_mesh or base is not None)
        if settings.access == "queue":
            self._add_shared_queue(row, nodes, sending, reach)
            return
        if math.isfinite(range_m):
            heard_m = {name: row.cells.get(name, range_m) for name in ("sense_m", "interfere_m")}
            settings = replace(settings, **heard_m)
        delay_ns = sending["delay_ns"]
        ports = self._ports(row, nodes, facts, settings, base, sending, reach)
        self._share(row, nodes, ports, ports, self.joined, delay_ns)
        if reach.is_whole:
            self._share(row, nodes, ports, ports, self._edges, delay_ns)
            return
        a, b = reach.source, reach.destination
        weight = np.rint(max(1, delay_ns) / (1.0 - reach.error)).astype(np.int64) if is_mesh else delay_ns
        peers = ports[b] if is_mesh or base is not None else np.full(len(b), -1)
        self._edges.add(nodes[a], nodes[b], ports[a], peers, reach.error, weight)

    def _add_shared_queue(self, row: TableRow, nodes: Ints, sending: dict[str, Any], reach: Reach) -> None:
        """One port that all members send by."""
        self.medium.append(len(self.names))
        self.names.append(str(row.cells.get("name") or SHARED_QUEUE))
        self.mtu_bytes.append(sending.pop("mtu_bytes"))
        port = self._wiring.links(np.array([-1]), np.array([-1]), queued=self._queued, **sending)
        delay_ns = sending["delay_ns"]
        self._share(row, nodes, port, -1, self._edges if reach.is_whole else self.joined, delay_ns)
        if not reach.is_whole:
            self._edges.add(nodes[reach.source], nodes[reach.destination], port, -1, reach.error, delay_ns)

    def _ports(
        self,
        row: TableRow,
        nodes: Ints,
        facts: Technology | None,
        settings: Medium,
        base: int | None,
        sending: dict[str, Any],
        reach: Reach,
    ) -> Ints:
        """A port of each member on the medium."""
        self.medium += [len(self.names)] * len(nodes)
        self.names.append(str(row.cells.get("name") or row.cells.get("technology") or settings.access))
        payload = np.full(len(nodes), sending.pop("payload_bytes"))
        largest = np.full(len(nodes), sending.pop("mtu_bytes"))
        if reach.star is not None and "mtu_bytes" not in row.cells:
            payload[payload > 0] = reach.star.payload_bytes[payload > 0]
            largest[largest > 0] = reach.star.payload_bytes[largest > 0]
        rates = np.full(len(nodes), sending.pop("rate_bps"))
        if base is not None and facts is not None and "rate_bps" not in row.cells:
            rates[base] = facts.downlink_bps
        self.mtu_bytes.extend(largest.tolist())
        return self._wiring.medium(
            nodes,
            replace(settings, header_bytes=sending.pop("header_bytes")),
            rate_bps=rates,
            base=base,
            spreading=None if reach.star is None else reach.star.spreading,
            payload_bytes=payload,
            second_payload_bytes=SPREADING[settings.second_spreading].payload_bytes,
            **sending,
        )

    def _share(self, row: TableRow, nodes: Ints, ports: Any, peers: Any, edges: EdgeList, delay_ns: int) -> None:
        """One hop from each to each, by way of a node of the graph that stands for the medium."""
        hub = len(row.checks.number) + self._hubs
        self._hubs += 1
        edges.add(nodes, hub, ports, -1, 0.0, delay_ns)
        edges.add(hub, nodes, -1, peers, 0.0, 0)


def _base(row: TableRow, members: list[int], settings: Medium | None) -> int | None:
    """Which member is the base station; none for a method without one."""
    node = row.node("base") if "base" in row.cells else members[0]
    if node >= 0 and node not in members:
        row.problem(f"base {row.cells['base']!r} is not among the members")
    if settings is None or not settings.has_base:
        return None
    return members.index(node) if node in members else 0


def _spreading(row: TableRow, settings: Medium | None) -> int | None:
    """The spreading factor of all devices, if the file has written one."""
    if "spreading" not in row.cells:
        return None
    if settings is not None and settings.access != "class-a":
        row.problem(f"spreading is of LoRaWAN; {settings.access} has no spreading factors")
    return row.whole("spreading", 7, 7, 12)


def _settings(row: TableRow, facts: Technology | None) -> Medium | None:
    """The method of access with the constants that the file changes."""
    settings = _method(row, facts)
    if settings is None:
        return None
    changes: dict[str, Any] = {}
    for key in [key for key in row.cells if key in CONSTANTS]:
        default, bounds = getattr(settings, key), _DECLARED[key]
        if isinstance(default, tuple):
            given = row.cells[key]
            is_pair = isinstance(given, list) and len(given) == 2 and all(type(each) is int for each in given)
            if not is_pair or not bounds.low <= given[0] <= given[1] <= bounds.high:
                row.problem(
                    f"{key} is {given!r}; write the least and the most, from {bounds.low} to {bounds.high}, as [3, 5]"
                )
            else:
                changes[key] = tuple(given)
        elif isinstance(default, int):
            changes[key] = row.whole(key, default, int(bounds.low or 0), int(bounds.high or 0))
        else:
            changes[key] = row.constant(key, default, bounds)
    settings = replace(settings, **changes)
    _check_together(row, settings)
    return settings


def _method(row: TableRow, facts: Technology | None) -> Medium | None:
    """The method of access with its own constants, or its technology's."""
    access = row.cells.get("access")
    access = access if access is None else str(access)
    if facts is not None and access is None:
        if facts.medium is None:
            row.problem(f"{facts.name} has no shared medium; use it in a [[link]]")
        return facts.medium
    if access in METHOD_DEFAULTS:
        for key in _NEEDS.get(access, ()):
            if key not in row.cells:
                row.problem(f"{key} is missing")
        return METHOD_DEFAULTS[access]
    if access in METHODS:
        row.problem(f"{access} needs a technology that uses it, such as lte-m or lorawan")
        return None
    named = "is missing" if access is None else f"{access!r} is unknown"
    row.problem(f"access {named}; choose among {', '.join(METHODS)}")
    return None


def _check_together(row: TableRow, settings: Medium) -> None:
    """Note constants that do not go together."""
    interval_s, dwell_s = settings.broadcast_interval_s, settings.broadcast_dwell_s
    if 0.0 < interval_s <= dwell_s:
        row.problem(f"broadcast_dwell_s is {dwell_s:g}; it must be less than broadcast_interval_s, {interval_s:g}")
    if settings.access == "slotted-csma-ca" and settings.sense_s > settings.slot_s:
        row.problem(
            f"sense_s is {settings.sense_s:g}; a look ends within its slot, so it must be at most slot_s, {settings.slot_s:g}"
        )
    period_s = settings.paging_s or _PAGING_AGAIN_S
    if settings.access == "cellular" and 0.0 < settings.active_s < period_s:
        row.problem(
            f"active_s is {settings.active_s:g}; a device is paged every {period_s:g} s, and hears it only if it "
            "is awake for as long; write more, or 0 for one that never sleeps"
        )
