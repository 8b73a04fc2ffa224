"""Reads a communication network from TOML: nodes, links, shared media, outages; every problem is listed at once."""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

from heptagrid.foundation.errors import FileError
from heptagrid.foundation.input_files import UnreadableError, read_toml
from heptagrid.foundation.parameters import Declaration, declarations
from heptagrid.planes.messages.media import DCF_OFDM, IEEE_802_15_4, METHODS, PLAIN_CARRIER_SENSE, Medium
from heptagrid.planes.messages.planning.graph import Graph, GraphRouter, NoPathError, RoutingLoopError
from heptagrid.planes.messages.planning.network_builder import Wiring
from heptagrid.planes.messages.tables import EPOCHS, Floats, Ints
from heptagrid.planes.messages.technologies.lorawan import SPREADING
from heptagrid.planes.messages.technology import Technology, technologies
from heptagrid.studies.carry.reach import reach_of

_NODE = {"name", "x_m", "y_m"}
_SENDING = {
    *("rate_bps", "delay_s", "loss", "retries", "priorities", "queue_packets", "technology"),
    *("mtu_bytes", "header_bytes", "fragmentation"),
}
_LINK = _SENDING | {"from", "to", "name"}
_DECLARED = {name: one for name, _, _, one in declarations(Medium)}
_CONSTANTS = set(_DECLARED)
_MEDIUM = _SENDING | {"members", "access", "base", "name", "range_m", "spreading"} | _CONSTANTS
_OUTAGE = {"node", "link", "from", "to", "begin_s", "end_s"}
_ROUTE = {"at", "to", "next"}
_GROUP = {"name", "members"}
_TABLES = {"node": _NODE, "link": _LINK, "medium": _MEDIUM, "outage": _OUTAGE, "route": _ROUTE, "group": _GROUP}

_DEFAULTS = {
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

_MOST_BYTES = 1 << 30  # of the file: ten million nodes
LATEST_S = 5e9
"""The latest time that a file may name: 158 years."""
_NEVER_S = 8e9  # the horizon of the clock
_MOST_OUTAGES = EPOCHS // 2
_MOST_HINTS = 20  # problems that come with a similar name
_LONGEST_HINT = 60  # characters of a name that is looked for
SHARED_QUEUE = "shared queue"
_PAGING_AGAIN_S = 10.0  # between looks for a device that sleeps, where paging has no occasions


@dataclass(frozen=True)
class CarryNetwork:
    """A network ready to carry: names by node, wiring, graph, limits, and what goes down when.

    mtu_bytes: (ports,) longest message a port takes; 0 for any. outages: (node or port, is a link, ns, is up).
    failover_ns: after each of them, until other paths are taken. joined: the graph as if every member of a medium reached
    every other. medium: (ports,) the medium of each, -1 for a link. relays: (media,) whether members of a medium relay for each
    other. media: what each is called, or its technology or method. groups: the nodes of each group, by its name.
    """

    names: list[str]
    wiring: Wiring
    graph: Graph
    mtu_bytes: Ints
    outages: list[tuple[int, bool, int, bool]]
    failover_ns: int = 0
    joined: Graph | None = None
    medium: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    relays: tuple[bool, ...] = ()
    media: tuple[str, ...] = ()
    groups: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


class _Edges:
    """Edges in the making."""

    def __init__(self) -> None:
        self.columns: list[list[Any]] = [[], [], [], [], [], []]

    def add(self, source: Any, destination: Any, port: Any, peer: Any, loss: Any, delay_ns: Any) -> None:
        """Add (n,) edges."""
        rows = np.broadcast_arrays(*(np.atleast_1d(each) for each in (source, destination, port, peer, loss, delay_ns)))
        for column, row in zip(self.columns, rows, strict=True):
            column.append(row)

    def with_all(self, more: _Edges) -> _Edges:
        """These and more, as new ones."""
        both = _Edges()
        both.columns = [[*mine, *theirs] for mine, theirs in zip(self.columns, more.columns, strict=True)]
        return both

    def graph(self, nodes: int) -> Graph:
        """All of them."""
        source, destination, port, peer, loss, delay = (
            np.concatenate(column) if column else np.empty(0, dtype=np.int64) for column in self.columns
        )
        return Graph(
            nodes=nodes,
            source=source.astype(np.int64),
            destination=destination.astype(np.int64),
            port=port.astype(np.int64),
            peer=peer.astype(np.int64),
            loss=loss.astype(np.float64),
            delay_ns=delay.astype(np.int64),
        )


def read_network(path: Path) -> CarryNetwork:
    """Read NETWORK.toml.

    Raises
    ------
    FileError
        With every problem: unknown keys and technologies, values out of range, names that do not exist.
    """
    try:
        content = read_toml(path, _MOST_BYTES)
    except UnreadableError as problem:
        raise FileError(str(path), [str(problem)]) from problem
    return build_network(content, str(path))


def build_network(content: Mapping[str, Any], origin: str) -> CarryNetwork:
    """A network from tables as they stand in NETWORK.toml; `origin` names them in errors.

    Raises
    ------
    FileError
        As `read_network`.
    """
    return _Reader(origin, content).network()


class _Reader:
    """One file being read; problems gather until the end."""

    def __init__(self, origin: str, content: Mapping[str, Any]) -> None:
        self._origin = origin
        self._content = content
        self._problems: list[str] = []
        self._number: dict[str, int] = {}
        self._hubs = 0
        self._shared = _Edges()
        self._medium_of: list[int] = []
        self._relays: list[bool] = []
        self._media: list[str] = []

    def network(self) -> CarryNetwork:
        tables = self._tables()
        xy_m = self._nodes(tables["node"])
        wiring = Wiring(len(self._number), xy_m)
        edges, mtu = _Edges(), []
        pairs: dict[tuple[int, int], list[int]] = {}
        named = self._link_names(tables["link"])
        links = [self._link(k, row, xy_m) for k, row in enumerate(tables["link"], start=1)]
        good = [link for link in links if link is not None]
        if good and not self._problems:
            columns: dict[str, Any] = {name: [link[name] for link in good] for name in good[0]}
            ends = columns.pop("from"), columns.pop("to")
            limits = columns.pop("mtu_bytes")
            ports = wiring.links(*ends, **columns, queued=bool(tables["outage"]), shared=True)
            edges.add(*ends, ports, -1, 0.0, columns["delay_ns"])
            mtu.extend(limits)
            self._medium_of = [-1] * len(limits)
            for pair, port in zip(zip(*ends, strict=True), ports, strict=True):
                pairs.setdefault(pair, []).append(int(port))
            self._refuse_unlike(pairs, limits)
        for k, row in enumerate(tables["medium"], start=1):
            self._medium(k, row, wiring, edges, mtu, xy_m)
        outages = [one for k, row in enumerate(tables["outage"], start=1) for one in self._outage(k, row, pairs, named)]
        ways = [self._route(k, row) for k, row in enumerate(tables["route"], start=1)]
        groups = self._groups(tables["group"])
        failover_ns = round(self._value("at the top", self._content, "failover_s", 0.0, 0.0, 1e6) * 1e9)
        self._count(outages)
        if self._problems:
            raise FileError(self._origin, self._problems)
        graph = self._with_routes(edges.graph(len(self._number)), ways)
        return CarryNetwork(
            *(list(self._number), wiring, graph, np.array(mtu, dtype=np.int64), outages, failover_ns),
            joined=self._shared.with_all(edges).graph(len(self._number)),
            medium=np.array(self._medium_of, dtype=np.int64),
            relays=tuple(self._relays),
            media=tuple(self._media),
            groups=groups,
        )

    def _tables(self) -> dict[str, list[dict[str, Any]]]:
        for key in self._content:
            if key not in {*_TABLES, "failover_s"}:
                self._problems.append(f"[[{key}]] is unknown{self._near(key, _TABLES)}")
        tables: dict[str, list[dict[str, Any]]] = {}
        for name, keys in _TABLES.items():
            rows = self._content.get(name, [])
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                self._problems.append(f"{name} must be written as [[{name}]], one for each")
                rows = []
            for k, row in enumerate(rows, start=1):
                self._problems += [
                    f"[[{name}]] {k}: {key} is unknown{self._near(key, keys)}" for key in row if key not in keys
                ]
            tables[name] = rows
        if not tables["node"]:
            self._problems.append("has no [[node]]; write one for each, with its name")
        return tables

    def _nodes(self, rows: Sequence[Mapping[str, Any]]) -> Floats:
        xy_m = np.zeros((len(rows), 2))
        for k, row in enumerate(rows, start=1):
            name = row.get("name")
            name = same_form(name) if isinstance(name, str) else ""
            if not name:
                self._problems.append(f"[[node]] {k}: name is missing; write a text")
                name = f"\x00{k}"
            if name in self._number:
                self._problems.append(f"[[node]] {k}: name {name!r} is taken by another node")
                name = f"\x00{k}"
            self._number[name] = k - 1
            where = f"[[node]] {k}"
            xy_m[k - 1] = [self._value(where, row, axis, 0.0, -1e9, 1e9) for axis in ("x_m", "y_m")]
        return xy_m

    def _link_names(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
        """The number, from 0, of each link that has a name."""
        numbers: dict[str, int] = {}
        for k, row in enumerate(rows, start=1):
            name = row.get("name", "")
            if not isinstance(name, str) or ("name" in row and not name):
                self._problems.append(f"[[link]] {k}: name is {name!r}; write a text")
            elif same_form(name) in numbers:
                self._problems.append(f"[[link]] {k}: name {name!r} is taken by another link")
            elif name:
                numbers[same_form(name)] = k - 1
        return numbers

    def _refuse_unlike(self, pairs: Mapping[tuple[int, int], list[int]], mtu_bytes: Sequence[int]) -> None:
        """Refuse parallel links of which one does not take every message that the other takes."""
        for (a, b), ports in pairs.items():
            if len({mtu_bytes[port] for port in ports}) > 1:
                names = list(self._number)
                which = ", ".join(str(1 + port) for port in ports)
                self._problems.append(
                    f"[[link]] {which}: parallel links from {names[a]!r} to {names[b]!r} share their load, so that each must take "
                    "every message; give them the same mtu_bytes, or fragmentation = true"
                )

    def _link(self, k: int, row: Mapping[str, Any], xy_m: Floats) -> dict[str, Any] | None:
        where = f"[[link]] {k}"
        before = len(self._problems)
        ends = [self._node(where, row, end) for end in ("from", "to")]
        if ends[0] == ends[1] and ends[0] >= 0:
            self._problems.append(f"{where}: leads from {row['from']!r} to itself: a loop; name two nodes")
        facts = self._technology(where, row)
        sending = self._sending(where, row, facts)
        if len(self._problems) > before:
            return None
        far_m = float(np.hypot(*(xy_m[ends[0]] - xy_m[ends[1]])))
        delay_ns = sending.pop("delay_ns")
        if facts is not None:
            if "delay_s" not in row:
                delay_ns += round(far_m / 1000.0 * facts.ns_per_km)
            if facts.budget is not None and "loss" not in row:
                sending["loss"] = 1.0 - (1.0 - sending["loss"]) * (1.0 - float(facts.budget.frame_error(far_m)))
        return {"from": ends[0], "to": ends[1], "delay_ns": delay_ns, **sending}

    def _sending(self, where: str, row: Mapping[str, Any], facts: Technology | None) -> dict[str, Any]:
        """What links and media have in common."""
        if "technology" not in row and "rate_bps" not in row:
            self._problems.append(f"{where}: rate_bps is missing; give it, or a technology")
        rate = self._value(where, row, "rate_bps", facts.uplink_bps if facts else 1.0, 1.0, 1e15)
        delay = self._value(where, row, "delay_s", facts.delay_s if facts else 0.0, 0.0, 1e6)
        loss = self._value(where, row, "loss", facts.loss if facts else 0.0, 0.0, 1.0)
        retries = self._whole(where, row, "retries", facts.retries if facts else 0, 0, 200)
        classes = self._whole(where, row, "priorities", 1, 1, 1000)
        queue = self._whole(where, row, "queue_packets", -1, 0, 10**9)
        header = self._whole(where, row, "header_bytes", facts.header_bytes if facts else 0, 0, 10**6)
        longest = self._whole(where, row, "mtu_bytes", facts.payload_bytes if facts else 0, 1, 10**9)
        cut = row.get("fragmentation", facts.fragments if facts else False)
        if not isinstance(cut, bool):
            self._problems.append(f"{where}: fragmentation is {cut!r}; write true or false")
        return {
            "rate_bps": rate,
            "delay_ns": round(delay * 1e9) if math.isfinite(delay) else 0,
            "loss": loss,
            "retries": retries,
            "priorities": classes,
            "queue_packets": queue,
            "header_bytes": header,
            "payload_bytes": longest if cut else 0,
            "mtu_bytes": 0 if cut else longest,
        }

    def _medium(
        self, k: int, row: Mapping[str, Any], wiring: Wiring, edges: _Edges, mtu: list[int], xy_m: Floats
    ) -> None:
        where = f"[[medium]] {k}"
        before = len(self._problems)
        members = self._members(where, row)
        facts = self._technology(where, row)
        settings = self._settings(where, row, facts)
        sending = self._sending(where, row, facts)
        range_m = self._value(where, row, "range_m", math.inf, 0.0, math.inf, above=True)
        base = self._base(where, row, members, settings)
        spreading = self._spreading(where, row, settings)
        if len(self._problems) > before or settings is None:
            return
        limits, nodes = sending.pop("mtu_bytes"), np.array(members)
        reach = reach_of(xy_m[nodes], facts, settings, base, range_m, row.keys(), spreading)
        is_mesh = base is None and (facts is None or facts.multi_hop)
        number = len(self._media)
        self._relays.append(is_mesh or base is not None)
        if settings.access == "queue":
            self._media.append(str(row.get("name") or SHARED_QUEUE))
            self._medium_of.append(number)
            queued = bool(self._content.get("outage"))
            port = wiring.links(np.array([-1]), np.array([-1]), queued=queued, **sending)
            mtu.append(limits)
            delay_ns = sending["delay_ns"]
            self._share(nodes, port, -1, edges if reach.is_whole else self._shared, delay_ns)
            if not reach.is_whole:
                edges.add(nodes[reach.source], nodes[reach.destination], port, -1, reach.error, delay_ns)
            return
        self._media.append(str(row.get("name") or row.get("technology") or settings.access))
        self._medium_of += [number] * len(nodes)
        payload = np.full(len(nodes), sending.pop("payload_bytes"))
        largest = np.full(len(nodes), limits)
        if reach.star is not None and "mtu_bytes" not in row:
            payload[payload > 0] = reach.star.payload_bytes[payload > 0]
            largest[largest > 0] = reach.star.payload_bytes[largest > 0]
        settings = replace(settings, header_bytes=sending.pop("header_bytes"))
        if math.isfinite(range_m):
            heard_m = {name: row.get(name, range_m) for name in ("sense_m", "interfere_m")}
            settings = replace(settings, **heard_m)
        rates = np.full(len(nodes), sending.pop("rate_bps"))
        if base is not None and facts is not None and "rate_bps" not in row:
            rates[base] = facts.downlink_bps
        factors = None if reach.star is None else reach.star.spreading
        ports = wiring.medium(
            nodes,
            settings,
            rate_bps=rates,
            base=base,
            spreading=factors,
            payload_bytes=payload,
            second_payload_bytes=SPREADING[settings.second_spreading].payload_bytes,
            **sending,
        )
        mtu.extend(largest.tolist())
        delay_ns = sending["delay_ns"]
        self._share(nodes, ports, ports, self._shared, delay_ns)
        if reach.is_whole:
            self._share(nodes, ports, ports, edges, delay_ns)
            return
        a, b = reach.source, reach.destination
        weight = np.rint(max(1, delay_ns) / (1.0 - reach.error)).astype(np.int64) if is_mesh else delay_ns
        peers = ports[b] if is_mesh or base is not None else np.full(len(b), -1)
        edges.add(nodes[a], nodes[b], ports[a], peers, reach.error, weight)

    def _base(self, where: str, row: Mapping[str, Any], members: list[int], settings: Medium | None) -> int | None:
        """Which member is the base station; none for a method without one."""
        node = self._node(where, row, "base") if "base" in row else members[0]
        if node >= 0 and node not in members:
            self._problems.append(f"{where}: base {row['base']!r} is not among the members")
        if settings is None or not settings.has_base:
            return None
        return members.index(node) if node in members else 0

    def _spreading(self, where: str, row: Mapping[str, Any], settings: Medium | None) -> int | None:
        """The spreading factor of all devices, if the file has written one."""
        if "spreading" not in row:
            return None
        if settings is not None and settings.access != "class-a":
            self._problems.append(f"{where}: spreading is of LoRaWAN; {settings.access} has no spreading factors")
        return self._whole(where, row, "spreading", 7, 7, 12)

    def _share(self, nodes: Ints, ports: Any, peers: Any, edges: _Edges, delay_ns: int) -> None:
        """One hop from each to each, by way of a node of the graph that stands for the medium."""
        hub = len(self._number) + self._hubs
        self._hubs += 1
        edges.add(nodes, hub, ports, -1, 0.0, delay_ns)
        edges.add(hub, nodes, -1, peers, 0.0, 0)

    def _groups(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, tuple[int, ...]]:
        groups: dict[str, tuple[int, ...]] = {}
        for k, row in enumerate(rows, start=1):
            where, name = f"[[group]] {k}", row.get("name")
            name = same_form(name) if isinstance(name, str) else ""
            if not name:
                self._problems.append(f"{where}: name is missing; write a text")
            elif name in groups or name in self._number:
                self._problems.append(f"{where}: name {name!r} is taken by another group or a node")
            else:
                groups[name] = tuple(self._members(where, row))
        return groups

    def _members(self, where: str, row: Mapping[str, Any]) -> list[int]:
        members = row.get("members")
        if not isinstance(members, list) or len(members) < 2:
            self._problems.append(f"{where}: members must be a list of at least two nodes")
            return [0, 0]
        members = [same_form(name) if isinstance(name, str) else repr(name) for name in members]
        unknown = [name for name in members if name not in self._number]
        for name in unknown:
            self._problems.append(f"{where}: member {name!r} is not a node{self._near(name, self._number)}")
        if len(set(members)) < len(members):
            self._problems.append(f"{where}: a node is among the members more than once")
        return [self._number.get(name, 0) for name in members]

    def _settings(self, where: str, row: Mapping[str, Any], facts: Technology | None) -> Medium | None:
        access = row.get("access")
        access = access if access is None else str(access)
        if facts is not None and access is None:
            if facts.medium is None:
                self._problems.append(f"{where}: {facts.name} has no shared medium; use it in a [[link]]")
                return None
            settings = facts.medium
        elif access in _DEFAULTS:
            settings = _DEFAULTS[access]
            self._problems += [f"{where}: {key} is missing" for key in _NEEDS.get(access, ()) if key not in row]
        elif access in METHODS:
            self._problems.append(f"{where}: {access} needs a technology that uses it, such as lte-m or lorawan")
            return None
        else:
            named = "is missing" if access is None else f"{access!r} is unknown"
            self._problems.append(f"{where}: access {named}; choose among {', '.join(METHODS)}")
            return None
        changes: dict[str, Any] = {}
        for key in _CONSTANTS & row.keys():
            default, bounds = getattr(settings, key), _DECLARED[key]
            if isinstance(default, tuple):
                given = row[key]
                is_pair = isinstance(given, list) and len(given) == 2 and all(type(each) is int for each in given)
                if not is_pair or not bounds.low <= given[0] <= given[1] <= bounds.high:
                    self._problems.append(
                        f"{where}: {key} is {given!r}; write the least and the most, from {bounds.low} to {bounds.high}, "
                        "as [3, 5]"
                    )
                else:
                    changes[key] = tuple(given)
            elif isinstance(default, int):
                changes[key] = self._whole(where, row, key, default, int(bounds.low or 0), int(bounds.high or 0))
            else:
                changes[key] = self._constant(where, row, key, default, bounds)
        settings = replace(settings, **changes)
        interval_s, dwell_s = settings.broadcast_interval_s, settings.broadcast_dwell_s
        if 0.0 < interval_s <= dwell_s:
            self._problems.append(
                f"{where}: broadcast_dwell_s is {dwell_s:g}; it must be less than broadcast_interval_s, {interval_s:g}"
            )
        if settings.access == "slotted-csma-ca" and settings.sense_s > settings.slot_s:
            self._problems.append(
                f"{where}: sense_s is {settings.sense_s:g}; a look ends within its slot, so it must be at most slot_s, {settings.slot_s:g}"
            )
        period_s = settings.paging_s or _PAGING_AGAIN_S
        if settings.access == "cellular" and 0.0 < settings.active_s < period_s:
            self._problems.append(
                f"{where}: active_s is {settings.active_s:g}; a device is paged every {period_s:g} s, and hears it only if it "
                "is awake for as long; write more, or 0 for one that never sleeps"
            )
        return settings

    def _constant(self, where: str, row: Mapping[str, Any], key: str, default: float, bounds: Declaration) -> float:
        """A constant of a method, within the bounds that are declared for it."""
        given = row[key]
        if _is_number(given) and bounds.allows(given):
            return float(given)
        limit = f"be 0, or from {bounds.least:g} to {bounds.high:g}" if bounds.least is not None else _limit(bounds)
        self._problems.append(f"{where}: {key} is {given!r}; it must {limit}")
        return default

    def _technology(self, where: str, row: Mapping[str, Any]) -> Technology | None:
        name = row.get("technology")
        if name is None:
            return None
        known = technologies()
        if not isinstance(name, str) or name not in known:
            self._problems.append(
                f"{where}: technology {name!r} is unknown{self._near(str(name), known)}; known are {', '.join(known)}"
            )
            return None
        return known[name]

    def _outage(
        self, k: int, row: Mapping[str, Any], ports: Mapping[tuple[int, int], list[int]], named: Mapping[str, int]
    ) -> list[tuple[int, bool, int, bool]]:
        where = f"[[outage]] {k}"
        begin = self._value(where, row, "begin_s", 0.0, 0.0, LATEST_S)
        end = self._value(where, row, "end_s", _NEVER_S, 0.0, LATEST_S)
        if end <= begin:
            self._problems.append(f"{where}: end_s must be later than begin_s")
        named_by = [key for key in ("node", "link", "from") if key in row or (key == "from" and "to" in row)]
        if len(named_by) > 1:
            self._problems.append(f"{where}: {' and '.join(named_by)} are given; an outage is of a node or of a link")
        if "node" in row:
            which, is_link = [self._node(where, row, "node")], False
        elif "link" in row:
            name = same_form(str(row["link"]))
            if name not in named:
                self._problems.append(f"{where}: no [[link]] has the name {name!r}{self._near(name, named)}")
            which, is_link = [named.get(name, 0)], True
        else:
            pair = (self._node(where, row, "from"), self._node(where, row, "to"))
            if pair not in ports and min(pair) >= 0 and not self._problems:
                self._problems.append(f"{where}: there is no [[link]] from {row.get('from')!r} to {row.get('to')!r}")
            which, is_link = ports.get(pair, []), True
        times = ((round(begin * 1e9), False), (round(end * 1e9), True))
        return [(one, is_link, when_ns, up) for when_ns, up in times for one in which]

    def _count(self, outages: Sequence[tuple[int, bool, int, bool]]) -> None:
        """Refuse more outages of a node or link than its events can be told apart by."""
        begun = [(which, is_link) for which, is_link, _, up in outages if not up]
        for (which, is_link), count in Counter(begun).items():
            if count > _MOST_OUTAGES:
                what = "a link" if is_link else f"{list(self._number)[which]!r}"
                self._problems.append(f"{what} has {count} outages; {_MOST_OUTAGES} at most")

    def _route(self, k: int, row: Mapping[str, Any]) -> tuple[int, int, int]:
        where = f"[[route]] {k}"
        at, to, following = (self._node(where, row, key) for key in ("at", "to", "next"))
        if at == to >= 0:
            self._problems.append(
                f"{where}: at and to are both {row['at']!r}, where messages have arrived; name two nodes"
            )
        return at, to, following

    def _with_routes(self, graph: Graph, ways: Sequence[tuple[int, int, int]]) -> Graph:
        """The graph with its static routes; each must follow a link, stand alone, reach, and lead round nothing."""
        names = list(self._number)
        routes: dict[tuple[int, int], tuple[int, ...]] = {}
        rows: dict[tuple[int, int], str] = {}
        for k, (at, to, following) in enumerate(ways, start=1):
            where = f"[[route]] {k}"
            edges = graph.edges_to(at, following)
            if not edges:
                self._problems.append(f"{where}: there is no link from {names[at]!r} to {names[following]!r}; add one")
            elif (at, to) in routes:
                self._problems.append(
                    f"{where}: {rows[at, to]} already says where {names[at]!r} sends what is for {names[to]!r}; keep one"
                )
            else:
                routes[at, to], rows[at, to] = edges, where
        graph = replace(graph, routes=routes)
        router = GraphRouter(graph)
        loops = set()
        for at, to in routes:
            try:
                router.find(np.array([at]), np.array([to]))
            except NoPathError:
                self._problems.append(f"{rows[at, to]}: no links lead on to {names[to]!r}; choose another next")
            except RoutingLoopError as problem:
                first = problem.nodes.index(min(problem.nodes))
                ring = problem.nodes[first:] + problem.nodes[:first]
                if (to, *ring) in loops:
                    continue
                loops.add((to, *ring))
                those = " and ".join(rows[node, to] for node in ring if (node, to) in rows)
                round_trip = " -> ".join(names[node] for node in [*ring, ring[0]])
                self._problems.append(
                    f"{those}: a routing loop: what is for {names[to]!r} goes {round_trip}; choose another next"
                )
        if self._problems:
            raise FileError(self._origin, self._problems)
        return graph

    def _near(self, word: str, known: Any) -> str:
        """A name like one that is unknown, as long as problems are few: among many names the search takes long."""
        if len(self._problems) >= _MOST_HINTS:
            return ""
        close = get_close_matches(word[:_LONGEST_HINT], [str(each) for each in known], n=1)
        return f"; did you mean {close[0]}?" if close else ""

    def _node(self, where: str, row: Mapping[str, Any], key: str) -> int:
        name = row.get(key)
        if isinstance(name, str) and same_form(name) in self._number:
            return self._number[same_form(name)]
        found = "is missing" if name is None else f"{name!r} is not a node{self._near(str(name), self._number)}"
        self._problems.append(f"{where}: {key} {found}")
        return -1

    def _value(
        self,
        where: str,
        row: Mapping[str, Any],
        key: str,
        default: float,
        low: float,
        high: float,
        *,
        above: bool = False,
    ) -> float:
        """A number from `low` (excluded if `above`) to `high`."""
        given = row.get(key, default)
        if key not in row or (_is_number(given) and low <= given <= high and not (above and given == low)):
            return float(given)
        limit = f"be {'more than' if above else 'at least'} {low:g}"
        limit += "" if math.isinf(high) else f" and at most {high:g}"
        self._problems.append(f"{where}: {key} is {given!r}; it must {limit}")
        return default

    def _whole(self, where: str, row: Mapping[str, Any], key: str, default: int, low: int, high: int) -> int:
        given = row.get(key, default)
        if key not in row or (isinstance(given, int) and not isinstance(given, bool) and low <= given <= high):
            return int(given)
        self._problems.append(f"{where}: {key} is {given!r}; it must be a whole number from {low} to {high}")
        return default


def _is_number(given: Any) -> bool:
    """Whether a value is a number that a float holds."""
    if isinstance(given, bool) or not isinstance(given, int | float):
        return False
    return not math.isnan(given) if isinstance(given, float) else abs(given) < 10**300


def _limit(bounds: Declaration) -> str:
    """What a number must do, after the word "must"."""
    limit = f"be at least {bounds.low:g}"
    return limit if bounds.high is None or math.isinf(bounds.high) else f"{limit} and at most {bounds.high:g}"


def same_form(name: str) -> str:
    """A name in the composed form of Unicode (NFC) and without blanks around it: names that look equal are equal."""
    return unicodedata.normalize("NFC", name.strip())
