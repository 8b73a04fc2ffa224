"""Reads a communication network from TOML: nodes, links, shared media, outages; every problem is listed at once."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

from heptagrid.foundation.errors import FileError
from heptagrid.planes.messages.graph import Graph, GraphRouter, NoPathError, RoutingLoopError
from heptagrid.planes.messages.media import DCF_OFDM, IEEE_802_15_4, METHODS, PLAIN_CARRIER_SENSE, Medium
from heptagrid.planes.messages.tables import Floats, Ints
from heptagrid.planes.messages.technology import Technology, technologies
from heptagrid.planes.messages.wiring import Wiring

_NODE = {"name", "x_m", "y_m"}
_SENDING = {
    *("rate_bps", "delay_s", "loss", "retries", "priorities", "queue_packets", "technology"),
    *("mtu_bytes", "header_bytes", "fragmentation"),
}
_LINK = _SENDING | {"from", "to"}
_CONSTANTS = {each.name for each in fields(Medium)} - {"access", "header_bytes", "payload_bytes"}
_MEDIUM = _SENDING | {"members", "access", "base", "name", "range_m"} | _CONSTANTS
_OUTAGE = {"node", "from", "to", "begin_s", "end_s"}
_ROUTE = {"at", "to", "next"}
_TABLES = {"node": _NODE, "link": _LINK, "medium": _MEDIUM, "outage": _OUTAGE, "route": _ROUTE}

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

MESH_ERROR = 0.5  # a pair with a worse frame error is no hop of a mesh


@dataclass(frozen=True)
class CarryNetwork:
    """A network ready to carry: names by node, wiring, graph, limits, and what goes down when.

    mtu_bytes: (ports,) longest message a port takes; 0 for any. outages: (node or port, is a link, ns, is up).
    failover_ns: after each of them, until other paths are taken.
    """

    names: list[str]
    wiring: Wiring
    graph: Graph
    mtu_bytes: Ints
    outages: list[tuple[int, bool, int, bool]]
    failover_ns: int = 0


class _Edges:
    """Edges in the making."""

    def __init__(self) -> None:
        self.columns: list[list[Any]] = [[], [], [], [], [], []]

    def add(self, source: Any, destination: Any, port: Any, peer: Any, loss: Any, delay_ns: Any) -> None:
        """Add (n,) edges."""
        rows = np.broadcast_arrays(*(np.atleast_1d(each) for each in (source, destination, port, peer, loss, delay_ns)))
        for column, row in zip(self.columns, rows, strict=True):
            column.append(row)

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
        text = path.read_text(encoding="utf-8")
    except OSError as problem:
        raise FileError(str(path), [f"cannot be read: {problem.strerror}"]) from problem
    except UnicodeDecodeError as problem:
        raise FileError(str(path), ["is no text in UTF-8"]) from problem
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise FileError(str(path), [f"is no TOML: {problem}"]) from problem
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

    def network(self) -> CarryNetwork:
        tables = self._tables()
        xy_m = self._nodes(tables["node"])
        wiring = Wiring(len(self._number), xy_m)
        edges, mtu = _Edges(), []
        pairs: dict[tuple[int, int], list[int]] = {}
        links = [self._link(k, row, xy_m) for k, row in enumerate(tables["link"], start=1)]
        good = [link for link in links if link is not None]
        if good and not self._problems:
            columns: dict[str, Any] = {name: [link[name] for link in good] for name in good[0]}
            ends = columns.pop("from"), columns.pop("to")
            limits = columns.pop("mtu_bytes")
            ports = wiring.links(*ends, **columns, queued=bool(tables["outage"]))
            edges.add(*ends, ports, -1, 0.0, columns["delay_ns"])
            mtu.extend(limits)
            for pair, port in zip(zip(*ends, strict=True), ports, strict=True):
                pairs.setdefault(pair, []).append(int(port))
        for k, row in enumerate(tables["medium"], start=1):
            self._medium(k, row, wiring, edges, mtu, xy_m)
        outages = [one for k, row in enumerate(tables["outage"], start=1) for one in self._outage(k, row, pairs)]
        ways = [self._route(k, row) for k, row in enumerate(tables["route"], start=1)]
        failover_ns = round(self._value("at the top", self._content, "failover_s", 0.0, 0.0, 1e6) * 1e9)
        if self._problems:
            raise FileError(self._origin, self._problems)
        graph = self._with_routes(edges.graph(len(self._number)), ways)
        return CarryNetwork(list(self._number), wiring, graph, np.array(mtu, dtype=np.int64), outages, failover_ns)

    def _tables(self) -> dict[str, list[dict[str, Any]]]:
        for key in self._content:
            if key not in {*_TABLES, "failover_s"}:
                self._problems.append(f"[[{key}]] is unknown{_near(key, _TABLES)}")
        tables: dict[str, list[dict[str, Any]]] = {}
        for name, keys in _TABLES.items():
            rows = self._content.get(name, [])
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                self._problems.append(f"{name} must be written as [[{name}]], one for each")
                rows = []
            for k, row in enumerate(rows, start=1):
                self._problems += [
                    f"[[{name}]] {k}: {key} is unknown{_near(key, keys)}" for key in row if key not in keys
                ]
            tables[name] = rows
        if not tables["node"]:
            self._problems.append("has no [[node]]; write one for each, with its name")
        return tables

    def _nodes(self, rows: Sequence[Mapping[str, Any]]) -> Floats:
        xy_m = np.zeros((len(rows), 2))
        for k, row in enumerate(rows, start=1):
            name = row.get("name")
            if not isinstance(name, str) or not name:
                self._problems.append(f"[[node]] {k}: name is missing; write a text")
                name = f"\x00{k}"
            if name in self._number:
                self._problems.append(f"[[node]] {k}: name {name!r} is taken by another node")
                name = f"\x00{k}"
            self._number[name] = k - 1
            where = f"[[node]] {k}"
            xy_m[k - 1] = [self._value(where, row, axis, 0.0, -1e9, 1e9) for axis in ("x_m", "y_m")]
        return xy_m

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
        rate = self._value(where, row, "rate_bps", facts.uplink_bps if facts else 1.0, 0.0, 1e15, above=True)
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
        reach_m = self._value(where, row, "range_m", facts.range_m if facts else math.inf, 0.0, math.inf, above=True)
        base = 0
        if settings is not None and settings.has_base and "base" in row:
            node = self._node(where, row, "base")
            if node >= 0 and node not in members:
                self._problems.append(f"{where}: base {row['base']!r} is not among the members")
            base = members.index(node) if node in members else 0
        if len(self._problems) > before or settings is None:
            return
        limits = sending.pop("mtu_bytes")
        if settings.access == "queue":
            queued = bool(self._content.get("outage"))
            port = wiring.links(np.array([-1]), np.array([-1]), queued=queued, **sending)
            mtu.append(limits)
            self._share(np.array(members), port, -1, edges, sending["delay_ns"])
            return
        header, payload = sending.pop("header_bytes"), sending.pop("payload_bytes")
        settings = replace(settings, header_bytes=header, payload_bytes=payload)
        if "range_m" in row:
            settings = replace(
                settings,
                sense_m=row.get("sense_m", reach_m),
                interfere_m=row.get("interfere_m", reach_m),
            )
        nodes = np.array(members)
        rates = np.full(len(nodes), sending.pop("rate_bps"))
        has_base = settings.has_base
        if has_base and facts is not None and "rate_bps" not in row:
            rates[base] = facts.downlink_bps
        far_m = np.hypot(*(xy_m[nodes] - xy_m[nodes[base]]).T)
        spreading = _spreading(facts, far_m) if settings.access == "class-a" else None
        ports = wiring.medium(
            nodes, settings, rate_bps=rates, base=base if has_base else None, spreading=spreading, **sending
        )
        mtu.extend([limits] * len(nodes))
        delay_ns = sending["delay_ns"]
        if has_base:
            others = np.arange(len(nodes)) != base
            error = _pair_error(facts, far_m[others]) if "loss" not in row else 0.0
            edges.add(nodes[others], nodes[base], ports[others], ports[base], error, delay_ns)
            edges.add(nodes[base], nodes[others], ports[base], ports[others], error, delay_ns)
        elif math.isinf(reach_m) or not (facts is None or facts.multi_hop):
            self._share(nodes, ports, ports, edges, delay_ns)
        else:
            self._mesh(nodes, ports, facts, reach_m, "loss" in row, xy_m, edges, delay_ns)

    def _share(self, nodes: Ints, ports: Any, peers: Any, edges: _Edges, delay_ns: int) -> None:
        """One hop from each to each, by way of a node of the graph that stands for the medium."""
        hub = len(self._number) + self._hubs
        self._hubs += 1
        edges.add(nodes, hub, ports, -1, 0.0, delay_ns)
        edges.add(hub, nodes, -1, peers, 0.0, 0)

    def _mesh(
        self,
        nodes: Ints,
        ports: Ints,
        facts: Technology | None,
        reach_m: float,
        has_loss: bool,
        xy_m: Floats,
        edges: _Edges,
        delay_ns: int,
    ) -> None:
        """Hops between members in reach; a hop counts by its expected transmissions."""
        far_m = np.hypot(*(xy_m[nodes][:, None] - xy_m[nodes][None, :]).transpose(2, 0, 1))
        error = _pair_error(facts, far_m) if not has_loss else np.zeros_like(far_m)
        a, b = np.nonzero((far_m <= reach_m) & (error <= MESH_ERROR) & ~np.eye(len(nodes), dtype=bool))
        expected = 1.0 / (1.0 - error[a, b])
        weight = np.rint(max(1, delay_ns) * expected).astype(np.int64)
        edges.add(nodes[a], nodes[b], ports[a], ports[b], error[a, b], weight)

    def _members(self, where: str, row: Mapping[str, Any]) -> list[int]:
        members = row.get("members")
        if not isinstance(members, list) or len(members) < 2:
            self._problems.append(f"{where}: members must be a list of at least two nodes")
            return [0, 0]
        members = [name if isinstance(name, str) else repr(name) for name in members]
        unknown = [name for name in members if name not in self._number]
        self._problems += [f"{where}: member {name!r} is no node{_near(name, self._number)}" for name in unknown]
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
            default = getattr(settings, key)
            if isinstance(default, tuple):
                given = row[key]
                is_pair = isinstance(given, list) and len(given) == 2 and all(type(each) is int for each in given)
                if not is_pair or not 0 <= given[0] <= given[1] <= 30:
                    self._problems.append(
                        f"{where}: {key} is {given!r}; write the least and the most, from 0 to 30, as [3, 5]"
                    )
                else:
                    changes[key] = tuple(given)
            elif isinstance(default, int):
                changes[key] = self._whole(where, row, key, default, 0, 10**9)
            else:
                changes[key] = self._value(where, row, key, default, 0.0, math.inf)
        return replace(settings, **changes)

    def _technology(self, where: str, row: Mapping[str, Any]) -> Technology | None:
        name = row.get("technology")
        if name is None:
            return None
        known = technologies()
        if not isinstance(name, str) or name not in known:
            self._problems.append(
                f"{where}: technology {name!r} is unknown{_near(str(name), known)}; known are {', '.join(known)}"
            )
            return None
        return known[name]

    def _outage(
        self, k: int, row: Mapping[str, Any], ports: Mapping[tuple[int, int], list[int]]
    ) -> list[tuple[int, bool, int, bool]]:
        where = f"[[outage]] {k}"
        begin = self._value(where, row, "begin_s", 0.0, 0.0, 9e9)
        end = self._value(where, row, "end_s", 9e9, 0.0, 9e9)
        if end <= begin:
            self._problems.append(f"{where}: end_s must be later than begin_s")
        if "node" in row:
            which, is_link = [self._node(where, row, "node")], False
        else:
            pair = (self._node(where, row, "from"), self._node(where, row, "to"))
            if pair not in ports and min(pair) >= 0 and not self._problems:
                self._problems.append(f"{where}: there is no [[link]] from {row.get('from')!r} to {row.get('to')!r}")
            which, is_link = ports.get(pair, []), True
        times = ((round(begin * 1e9), False), (round(end * 1e9), True))
        return [(one, is_link, when_ns, up) for when_ns, up in times for one in which]

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

    def _node(self, where: str, row: Mapping[str, Any], key: str) -> int:
        name = row.get(key)
        if isinstance(name, str) and name in self._number:
            return self._number[name]
        found = "is missing" if name is None else f"{name!r} is no node{_near(str(name), self._number)}"
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
        is_number = isinstance(given, int | float) and not isinstance(given, bool) and not math.isnan(given)
        if key not in row or (is_number and low <= given <= high and not (above and given == low)):
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


def _near(word: str, known: Any) -> str:
    close = get_close_matches(str(word), [str(each) for each in known], n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _pair_error(facts: Technology | None, far_m: Floats) -> Floats:
    if facts is None or facts.budget is None:
        return np.zeros_like(far_m)
    return np.asarray(facts.budget.frame_error(far_m))


def _spreading(facts: Technology | None, far_m: Floats) -> Ints:
    """The least spreading factor, 7 to 12, that reaches; each step gains 2.5 dB (Semtech SX1276 datasheet)."""
    if facts is None or facts.budget is None:
        return np.full(len(far_m), 7)
    margin = np.asarray(facts.budget.margin_db(far_m))
    return np.asarray(np.clip(7 + np.ceil(np.maximum(0.0, -margin) / 2.5), 7, 12), dtype=np.int64)
