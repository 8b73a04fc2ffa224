"""One application over one technology in a network of published size: what share of its messages comes in time.

A neighbourhood is 500 homes and twelve devices of the feeder around their collectors, at suburban density; a home is ten
devices; a wide area is twelve substations. On top of the application's messages run readings of every meter, each
quarter of an hour, each acknowledged. Only one technology is on trial: everything beyond it is fibre.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from heptagrid.contracts.kinds import FACTS, KindFacts
from heptagrid.contracts.requirements import Requirement, Verdict, verdict
from heptagrid.foundation.domains import Domain, Kind
from heptagrid.foundation.random import Stream, uniforms
from heptagrid.planes.messages.links import Access, Backhaul, Wan
from heptagrid.planes.messages.plane import MessagePlane
from heptagrid.planes.messages.planning.base_stations import EARTH_RADIUS_M, REACH
from heptagrid.planes.messages.planning.network_planner import plan_network
from heptagrid.planes.messages.planning.planned_network import Plan
from heptagrid.planes.messages.tables import Floats, Ints
from heptagrid.planes.messages.technology import Technology, technologies, technology

HOMES = 500
HOMES_PER_KM2 = 800.0
"""Suburban: NIST's guidelines for wireless in the smart grid (NISTIR 7761), source not read."""
FIELD_DEVICES = 12
"""Capacitors, regulators, reclosers and sensors of a feeder: assumption."""
HOME_DEVICES, HOME_RADIUS_M = 10, 12.0
SUBSTATIONS, REGION_RADIUS_M = 12, 10_000.0

WARM_S = 1800.0
READING_S = 900.0
SAMPLE = 4000
"""Messages of an application that are looked at, more where it sends more in the shortest window."""
WINDOW_S = (4.0, 43_200.0)
BLOCK_BYTES = 1024
"""A longer message than `WHOLE_BYTES` is sent in blocks of this, as CoAP does (RFC 7959)."""
WHOLE_BYTES = 4096
LONGEST_WAIT_S = 7200.0
BROADCASTS = (
    "pricing TOU broadcast",
    "pricing RTP broadcast",
    "pricing CPP broadcast",
    "direct load control",
    "demand response",
)
"""Sent to every home, one message each, over the first half of the latency; no technology here multicasts."""

_S = 1_000_000_000
_UP = (Kind.ALARM, Domain.DISTRIBUTION, Domain.OPERATIONS)
_DOWN = (Kind.SETPOINT, Domain.PROVIDERS, Domain.CUSTOMERS)


@dataclass(frozen=True)
class Outcome:
    """What an application got. p95_s: delay that 95 % of all its messages did not exceed; infinite if more are lost.

    met: not missed; `verdict` says whether so many messages show it.
    """

    application: str
    technology: str
    messages: int
    share_in_time: float
    p95_s: float
    verdict: Verdict

    @property
    def met(self) -> bool:
        return self.verdict is not Verdict.MISSED


@dataclass(frozen=True)
class Setting:
    """A planned network and its ends: who sends readings and to whom, and the places of each role."""

    plan: Plan
    homes: Ints
    field: Ints
    substations: Ints
    operations: int


def setting_of(one: Requirement) -> str:
    """Where an application is tried: "home", "neighbourhood" or "wide area"."""
    if one.network == "HAN":
        return "home"
    ends = {one.sender, one.receiver}
    return "neighbourhood" if one.network == "NAN" and ends & {"customers", "distribution"} else "wide area"


def technologies_for(setting: str) -> list[str]:
    """Those that a utility uses there; the yardstick of one shared queue is none."""
    used = {"home": {"home"}, "neighbourhood": {"access"}, "wide area": {"backhaul", "wan"}}[setting]
    return [name for name, each in technologies().items() if used & set(each.networks) and name != "shared-queue"]


def outcome(one: Requirement, name: str, seed: int = 1) -> Outcome:
    """Offer an application's messages over a technology, on top of the readings, and see what comes in time."""
    place = setting_of(one)
    setting = _setting(place, name)
    traffic = _Traffic(one, setting, place, seed)
    plane = MessagePlane(setting.plan.topology, seed, facts=_facts(one, traffic.size_bytes))
    kind, sender, receiver = traffic.way
    first = plane.send(kind, traffic.source, traffic.destination, traffic.sent_ns, sender=sender, receiver=receiver)
    for wave in _readings(setting, place, traffic.end_ns, seed):
        plane.send(Kind.METER_READING, *wave, sender=Domain.CUSTOMERS, receiver=Domain.OPERATIONS)
    ids, times = plane.advance(traffic.end_ns + round(min(one.latency_s, LONGEST_WAIT_S) * _S))
    delay_s = np.full(len(traffic.due_ns), np.inf)
    mine = (ids >= first) & (ids < first + len(delay_s))
    delay_s[ids[mine] - first] = (times[mine] - traffic.due_ns[ids[mine] - first]) / _S
    in_time = int((delay_s <= traffic.latency_s).sum())
    p95_s = float(np.sort(delay_s)[math.ceil(0.95 * len(delay_s)) - 1])
    count = len(delay_s)
    return Outcome(one.application, name, count, in_time / count, p95_s, verdict(one, in_time, count))


class _Traffic:
    """The messages of an application: (n,) source, destination, when each is sent, and since when it is awaited."""

    def __init__(self, one: Requirement, setting: Setting, place: str, seed: int) -> None:
        ends, hub, is_up = _ends(one, setting, place)
        self.way = _UP if is_up else _DOWN
        self.size_bytes, self.latency_s = one.payload_bytes, one.latency_s
        if one.payload_bytes > WHOLE_BYTES:
            # A steady stream of blocks that brings the whole within half of the latency; each may take the other half.
            self.size_bytes, self.latency_s = BLOCK_BYTES, 0.5 * one.latency_s
            per_s = math.ceil(one.payload_bytes / BLOCK_BYTES) / self.latency_s * len(ends)
        else:
            per_s = one.per_day / 86_400.0 * len(ends)
        window_s = min(max(SAMPLE / per_s, WINDOW_S[0]), WINDOW_S[1])
        if one.application in BROADCASTS:
            times = math.ceil(SAMPLE / len(ends))
            who = np.tile(np.arange(len(ends)), times)
            event_s = np.repeat(WARM_S + WINDOW_S[1] / times * np.arange(times), len(ends))
            later_s = 0.5 * one.latency_s * np.asarray(uniforms(seed, int(Stream.SAMPLE), np.arange(len(who)), 4))
            end_s = WARM_S + WINDOW_S[1]
        else:
            # An event that is too rare to be seen is sampled: as many as make a verdict, spread over the window.
            count = max(math.ceil(per_s * window_s), SAMPLE // 4)
            who = np.floor(np.asarray(uniforms(seed, int(Stream.SAMPLE), np.arange(count), 2)) * len(ends)).astype(int)
            event_s = WARM_S + window_s * np.asarray(uniforms(seed, int(Stream.SAMPLE), np.arange(count), 3))
            later_s = np.zeros(count)
            end_s = WARM_S + window_s
        order = np.argsort(event_s + later_s, kind="stable")
        ends, event_s, later_s = ends[who][order], event_s[order], later_s[order]
        far = hub[who][order] if len(hub) > 1 else np.full(len(ends), hub[0])
        self.source: Ints = ends if is_up else far
        self.destination: Ints = far if is_up else ends
        self.due_ns = np.rint(event_s * _S).astype(np.int64)
        self.sent_ns = self.due_ns + np.rint(later_s * _S).astype(np.int64)
        self.end_ns = round(end_s * _S)


def _ends(one: Requirement, setting: Setting, place: str) -> tuple[Ints, Ints, bool]:
    """(ends,) who sends or receives; the other end of all, or of each; whether messages go from the former to the latter."""
    centre = np.array([setting.operations])
    if place == "home":
        return setting.homes, setting.substations, True
    if place == "neighbourhood":
        ends = setting.field if "distribution" in (one.sender, one.receiver) else setting.homes
        return ends, centre, one.sender in ("customers", "distribution")
    if one.sender == one.receiver and one.sender in ("transmission", "generation"):
        return setting.substations, np.roll(setting.substations, 1), True
    return (
        setting.substations,
        centre,
        one.sender in ("transmission", "distribution", "generation") or (one.sender == one.receiver),
    )


def _readings(setting: Setting, place: str, end_ns: int, seed: int) -> list[tuple[Ints, Ints, Ints]]:
    """Waves of the meters' readings, each at its own time in the quarter hour; a substation forwards those of 500 homes."""
    if place == "home":
        return []
    sources = setting.homes if place == "neighbourhood" else np.repeat(setting.substations, HOMES)
    offset_s = READING_S * np.asarray(uniforms(seed, int(Stream.METER_OFFSET), np.arange(len(sources)), 0))
    order = np.argsort(offset_s, kind="stable")
    sources, offset_ns = sources[order], np.rint(offset_s[order] * _S).astype(np.int64)
    to = np.full(len(sources), setting.operations)
    waves = []
    for start_ns in range(0, end_ns, round(READING_S * _S)):
        soon = start_ns + offset_ns <= end_ns
        waves.append((sources[soon], to[soon], start_ns + offset_ns[soon]))
    return waves


def _facts(one: Requirement, size_bytes: int) -> dict[Kind, KindFacts]:
    """The kinds' facts, with the application's own in place of an alarm's and a set-point's.

    What may take some seconds is acknowledged and sent again after a quarter and three quarters of its latency; of what
    must come sooner, the next message replaces a lost one.
    """
    timeout_s = min(one.latency_s / 4.0, 300.0)
    acknowledged = one.latency_s >= 4.0
    own = KindFacts(
        payload_bytes=size_bytes,
        deadline_s=one.latency_s,
        acknowledged=acknowledged,
        timeout_s=timeout_s if acknowledged else 0.0,
        retries=2 if acknowledged else 0,
        priority=one.priority_class,
        source=one.source,
    )
    reading = replace(FACTS[Kind.METER_READING], timeout_s=300.0)
    return FACTS | {_UP[0]: own, _DOWN[0]: own, Kind.METER_READING: reading}


@lru_cache(maxsize=64)
def _setting(place: str, name: str) -> Setting:
    """The network of a setting; a technology of the wide area joins substations as backhaul, or as WAN if it is no backhaul."""
    facts = technology(name)
    middle = np.zeros((1, 2))
    access, backhaul, wan = Access(technology="fibre"), Backhaul(technology="fibre"), Wan(technology="fibre")
    if place == "home":
        homes_m, stations_m = _scattered(HOME_DEVICES, HOME_RADIUS_M, 0), middle
        access = Access(technology=name)
    elif place == "neighbourhood":
        radius_m = 1000.0 * math.sqrt(HOMES / HOMES_PER_KM2 / math.pi)
        homes_m = _scattered(HOMES + FIELD_DEVICES, radius_m, 1)
        stations_m = _spread(_collectors(facts, radius_m), radius_m)
        access = Access(technology=name)
    else:
        stations_m = _spread(SUBSTATIONS, REGION_RADIUS_M)
        homes_m = stations_m
        is_trunk = "backhaul" in facts.networks
        backhaul = Backhaul(technology=name if is_trunk else "fibre")
        wan = Wan(technology="fibre" if is_trunk else name)
    nearest = np.argmin(((homes_m[:, None] - stations_m[None]) ** 2).sum(axis=2), axis=1)
    sites = {"operations": (0.0, 0.0)}
    on_wan = place == "wide area" and "backhaul" not in facts.networks
    if on_wan:
        sites |= {f"substation {k}": (float(x), float(y)) for k, (x, y) in enumerate(_degrees(stations_m))}
    plan = plan_network(
        _degrees(homes_m),
        nearest,
        _degrees(stations_m),
        np.zeros(len(stations_m), dtype=np.int64),
        _degrees(middle),
        sites,
        [access],
        [backhaul],
        wan,
    )
    homes = plan.gateways[:HOMES] if place == "neighbourhood" else plan.gateways
    substations = (
        np.array([plan.sites[f"substation {k}"] for k in range(SUBSTATIONS)]) if on_wan else plan.concentrators
    )
    return Setting(plan, homes, plan.gateways[len(homes) :], substations, plan.sites["operations"])


def _collectors(facts: Technology, radius_m: float) -> int:
    """How many collectors, gateways or base stations serve a neighbourhood: by their members and, of cells, their reach."""
    needed = math.ceil((HOMES + FIELD_DEVICES) / facts.members_per_site)
    if facts.medium is None:
        return 1
    if facts.medium.has_base:
        needed = max(needed, math.ceil((radius_m / (REACH * facts.range_m)) ** 2))
    return needed


def _scattered(count: int, radius_m: float, occasion: int) -> Floats:
    """(count, 2) places in a disc, at random; the same for every technology and seed."""
    apart, turn = (np.asarray(uniforms(1, int(Stream.SAMPLE), np.arange(count), 10 * occasion + k)) for k in (0, 1))
    return _polar(radius_m * np.sqrt(apart), 2.0 * np.pi * turn)


def _spread(count: int, radius_m: float) -> Floats:
    """(count, 2) places spread evenly over a disc: one in its middle, or a sunflower's seeds (Vogel 1979)."""
    k = np.arange(count)
    apart_m = radius_m * np.sqrt((k + 0.5) / count) * (count > 1)
    return _polar(apart_m, np.asarray(k * np.pi * (3.0 - math.sqrt(5.0)), dtype=np.float64))


def _polar(apart_m: Floats, turn: Floats) -> Floats:
    return np.column_stack([apart_m * np.cos(turn), apart_m * np.sin(turn)])


def _degrees(xy_m: Floats) -> Floats:
    return np.degrees(xy_m / EARTH_RADIUS_M)
