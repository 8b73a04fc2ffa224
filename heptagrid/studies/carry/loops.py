"""Messages that cause others: answers after a time to think, repeats until an acknowledgement, copies to a group.

The kernel carries every copy as a message of its own. Time passes in spans that end before the earliest moment at which
an arrival could send something, so that what is caused leaves at its exact time; without a time to think that is from one
event to the next. A group is reached over a tree: a frame goes once over each link or bus, and is copied where the ways part.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import NamedTuple

import numpy as np

from heptagrid.planes.messages import tables as t
from heptagrid.planes.messages.kernel.event_queue import EventQueue
from heptagrid.planes.messages.routing.paths import Paths
from heptagrid.planes.messages.tables import CARRIER_SENSE, HORIZON, NEVER, TDMA, Ints
from heptagrid.studies.carry.detours import detoured
from heptagrid.studies.carry.network import CarryNetwork
from heptagrid.studies.carry.traffic_file import NOT_SENT, UNCOVERED, WAITING, WORDS, Loops, Traffic, row_name

_REACH_ALL = (CARRIER_SENSE, TDMA)  # methods of media of which every member hears every frame, and nothing collides


class Ways(NamedTuple):
    """(n,) where the path of each message stands, its hops, and whether it has one."""

    at: Ints
    hops: Ints
    is_covered: np.ndarray


@dataclass
class _Part:
    """A stretch of a way that copies take: the whole way of a plain message, one hop of the tree of a group.

    ends: legs that have arrived where it ends. under: legs that are lost with it. done: hops before it.
    """

    source: int
    destination: int
    at: int
    hops: int
    ends: list[int] = field(default_factory=list)
    under: list[int] = field(default_factory=list)
    following: list[_Part] = field(default_factory=list)
    done: int = 0


class _Copy(NamedTuple):
    """One message of the kernel: of a row, or its acknowledgement.

    answers: the message of the kernel that it goes back for, -1 for none. begun: the one with which its row left its source, -1 for
    itself. until_ns: how long it waits at a LoRaWAN gateway for its device to speak.
    """

    row: int
    part: _Part
    is_ack: bool
    answers: int = -1
    begun: int = -1
    until_ns: int = int(NEVER)


@dataclass
class Fates:
    """What became of each leg, a row to one destination, (n,) each; times are -1 if never."""

    left_ns: Ints
    delivered_ns: Ints
    acknowledged_ns: Ints
    copies: Ints
    status: Ints
    hops: Ints
    reason: list[str]


class LoopRun:
    """Traffic with loops on its way.

    Parameters
    ----------
    legs : the traffic with a row for each destination; `row_of` (legs,) which row of the file each belongs to.
    ways, ack_ways : of the legs and of their acknowledgements, the usual ones.
    check : refuses what a leg sends (bytes) if its detour (where it stands, hops) cannot take that.
    """

    def __init__(
        self,
        network: CarryNetwork,
        paths: Paths,
        queue: EventQueue,
        legs: Traffic,
        row_of: Ints,
        ways: Ways,
        ack_ways: Ways,
        check: Callable[[int, int, int, int], None],
    ) -> None:
        assert legs.loops is not None
        self._network, self._paths, self._queue = network, paths, queue
        self._legs, self._loops, self._ways, self._ack_ways = legs, legs.loops, ways, ack_ways
        self._check = check
        count = len(row_of)
        never = np.full(count, -1, dtype=np.int64)
        status = np.where(ways.is_covered, WAITING, UNCOVERED)
        self.fates = Fates(
            left_ns=never.copy(),
            delivered_ns=never.copy(),
            acknowledged_ns=never.copy(),
            copies=np.zeros(count, dtype=np.int64),
            status=status,
            hops=np.zeros(count, dtype=np.int64),
            reason=[""] * count,
        )
        self._legs_of: list[list[int]] = [[] for _ in range(int(row_of.max(initial=-1)) + 1)]
        for leg, row in enumerate(row_of.tolist()):
            self._legs_of[row].append(leg)
        self._followers: list[list[int]] = [[] for _ in self._legs_of]
        for row, mine in enumerate(self._legs_of):
            if self._loops.answers[mine[0]] >= 0:
                self._followers[int(self._loops.answers[mine[0]])].append(row)
        self._copies: dict[int, _Copy] = {}
        self._next_id = len(self._legs_of)
        self._numbers: dict[int, int] = {}
        self._sends: list[tuple[int, int, _Copy]] = []
        self._timers: list[tuple[int, int, int]] = []
        self._limits: list[tuple[int, int]] = []
        thinks = self._loops.think_ns[self._loops.answers >= 0]
        is_instant = (self._loops.ack_bytes > 0).any() or any(len(mine) > 1 for mine in self._legs_of)
        self._span_ns = 0 if is_instant else int(thinks.min(initial=NEVER))

    def run(self) -> None:
        """Carry everything to its end."""
        for row, mine in enumerate(self._legs_of):
            if self._loops.answers[mine[0]] < 0:
                self._start(row, int(self._legs.sent_ns[mine[0]]))
        next_ns = int(NEVER)
        while True:
            limit_ns = self._limits[0][0] if self._limits else int(NEVER)
            timer_ns = min(limit_ns, self._timers[0][0] if self._timers else int(NEVER))
            send_ns = self._sends[0][0] if self._sends else int(NEVER)
            now = min(next_ns, send_ns, timer_ns)
            if now >= HORIZON:
                break
            if timer_ns == now < min(next_ns, send_ns):
                if limit_ns > now:
                    self._time_out()
                else:
                    next_ns = self._give_up(now, next_ns)
                continue
            until = max(now, min(now + self._span_ns, timer_ns, int(HORIZON)) - 1)
            outcome = self._queue.advance(self._due(until), until)
            next_ns = self._queue.next_ns
            come = [(int(when), int(which), -1, 0) for which, when in outcome.arrived]
            gone = [(int(when), int(which), int(cause), int(hops)) for which, when, cause, hops in outcome.lost]
            for when, which, cause, hops in sorted(come + gone):
                copy = self._copies.pop(which)
                if cause < 0:
                    self._arrive(copy if copy.begun >= 0 else copy._replace(begun=which), when)
                else:
                    self._lose(copy, cause, hops)
        self._explain()

    def _due(self, until: int) -> Ints:
        """The messages that leave by then, as rows of the kernel's table, by time and number."""
        rows = []
        while self._sends and self._sends[0][0] <= until:
            when, which, copy = heappop(self._sends)
            part, leg = copy.part, self._legs_of[copy.row][0]
            at, hops = part.at, part.hops
            size = int(self._loops.ack_bytes[leg] if copy.is_ack else self._legs.size_bytes[leg])
            if self._network.outages:
                at, hops = self._detour(part, when)
                if at != part.at:
                    self._check(leg, size, at, hops)
            row = np.zeros(t.PENDING, dtype=np.int64)
            number = self._numbers.get(part.source, 0)
            self._numbers[part.source] = number + 1
            row[[t.ID, t.SOURCE, t.DESTINATION, t.BYTES, t.SENT]] = which, part.source, part.destination, size, when
            row[[t.NUMBER, t.GROUP, t.PRIORITY, t.PATH, t.HOPS]] = number, -1, self._legs.priority[leg], at, hops
            if copy.answers >= 0:
                row[[t.ACK_HOPS, t.ANSWERED]] = t.IS_ANSWER, copy.answers
            self._copies[which] = copy
            rows.append(row)
        return np.array(rows, dtype=np.int64).reshape(-1, t.PENDING)

    def _detour(self, part: _Part, when: int) -> tuple[int, int]:
        """Where the way of a part stands that leaves now, and its hops."""
        when_ns, source, destination, nothing = (np.array([each]) for each in (when, part.source, part.destination, 0))
        one = Traffic(when_ns, source, destination, nothing, nothing, table=None)
        at, hops = detoured(self._network, self._paths, one, np.array([part.at]), np.array([part.hops]))
        return int(at[0]), int(hops[0])

    def _send(self, copy: _Copy, when: int, which: int | None = None) -> None:
        if which is None:
            which, self._next_id = self._next_id, self._next_id + 1
        heappush(self._sends, (when, which, copy))
        if copy.until_ns < NEVER:
            heappush(self._limits, (max(when, copy.until_ns), which))

    def _start(self, row: int, when: int, answers: int = -1) -> None:
        """A row is sent, for the first time or again; `answers` is the message of the kernel that it goes back for."""
        mine = self._legs_of[row]
        fates, first = self.fates, self.fates.copies[mine[0]] == 0
        if not self._ways.is_covered[mine].any():
            return
        fates.copies[mine] += 1
        if first:
            fates.left_ns[mine] = when
        limit_ns = int(self._loops.uplink_timeout_ns[mine[0]])
        until_ns = when + limit_ns if limit_ns > 0 else int(NEVER)
        for k, part in enumerate(self._parts(mine)):
            copy = _Copy(row, part, False, answers, until_ns=until_ns)
            self._send(copy, when, row if first and k == 0 else None)
        if self._loops.ack_timeout_ns[mine[0]] > 0 and fates.copies[mine[0]] <= self._loops.retries[mine[0]]:
            heappush(self._timers, (when + int(self._loops.ack_timeout_ns[mine[0]]), row, int(fates.copies[mine[0]])))

    def _time_out(self) -> None:
        when, row, copies = heappop(self._timers)
        leg = self._legs_of[row][0]
        if self.fates.acknowledged_ns[leg] < 0 and self.fates.copies[leg] == copies:
            self._start(row, when)

    def _give_up(self, now: int, next_ns: int) -> int:
        """The time of a copy at its gateway is over; one that is still on its way there is looked for after each event. The next event."""
        _, which = heappop(self._limits)
        if which not in self._copies:
            return next_ns
        if self._queue.drop(which, now):
            return now
        heappush(self._limits, (next_ns, which))
        return next_ns

    def _arrive(self, copy: _Copy, now: int) -> None:
        if copy.is_ack:
            self._acknowledge(copy.row, now)
            return
        for following in copy.part.following:
            self._send(copy._replace(part=following), now)
        for leg in copy.part.ends:
            first = self.fates.delivered_ns[leg] < 0
            if first:
                self.fates.delivered_ns[leg], self.fates.status[leg] = now, 0
                self.fates.hops[leg] = copy.part.done + copy.part.hops
            self._answer(copy, leg, first, now)
            answered = int(self._loops.answers[leg])
            if first and answered >= 0 and self._acknowledges(copy.row, answered):
                self._acknowledge(answered, now)

    def _answer(self, copy: _Copy, leg: int, first: bool, now: int) -> None:
        """What the receiver of a copy sends: its answers; the acknowledging ones anew for each repeated copy."""
        row = copy.row
        if self._loops.ack_bytes[leg] > 0 and self._loops.ack_timeout_ns[leg] > 0:
            ways = self._ack_ways
            source, destination = int(self._legs.destination[leg]), int(self._legs.source[leg])
            back = _Part(source, destination, int(ways.at[leg]), int(ways.hops[leg]))
            self._send(_Copy(row, back, True, copy.begun), now)
        for follower in self._followers[row]:
            mine = self._legs_of[follower][0]
            if self._legs.source[mine] == self._legs.destination[leg] and (first or self._acknowledges(follower, row)):
                goes_back = self._legs.destination[mine] == self._legs.source[leg]
                self._start(follower, now + int(self._loops.think_ns[mine]), copy.begun if goes_back else -1)

    def _acknowledges(self, row: int, answered: int) -> bool:
        """Whether a row is what the sender of the one that it answers waits for."""
        mine, theirs = self._legs_of[row][0], self._legs_of[answered][0]
        back = self._legs.destination[mine] == self._legs.source[theirs]
        return bool(back and self._loops.ack_timeout_ns[theirs] > 0)

    def _acknowledge(self, row: int, now: int) -> None:
        leg = self._legs_of[row][0]
        if self.fates.acknowledged_ns[leg] >= 0:
            return
        self.fates.acknowledged_ns[leg] = now
        for follower in self._followers[row]:
            mine = self._legs_of[follower][0]
            if self._legs.source[mine] == self._legs.source[leg]:
                self._start(follower, now + int(self._loops.think_ns[mine]))

    def _lose(self, copy: _Copy, cause: int, hops: int) -> None:
        if copy.is_ack:
            return
        for leg in copy.part.under:
            if self.fates.delivered_ns[leg] < 0:
                self.fates.status[leg], self.fates.hops[leg] = 1 + cause, copy.part.done + hops

    def _parts(self, mine: list[int]) -> list[_Part]:
        """What a row's source sends: a message to its destination, or the first hops of the tree to a group."""
        legs, ways = self._legs, self._ways
        if len(mine) == 1:
            leg = mine[0]
            ends = int(legs.source[leg]), int(legs.destination[leg])
            return [_Part(*ends, int(ways.at[leg]), int(ways.hops[leg]), [leg], [leg])]
        root = _Part(int(legs.source[mine[0]]), -1, 0, 0)
        known: dict[tuple[int, ...], _Part] = {}
        for leg in (leg for leg in mine if ways.is_covered[leg]):
            way: tuple[int, ...] = ()
            above, before = root, int(legs.source[leg])
            for hop in range(int(ways.hops[leg])):
                at = int(ways.at[leg]) + hop
                port, node = int(self._paths.table["port"][at]), int(self._paths.table["node"][at])
                way = (*way, before, port, -1 if self._reaches_all(port) else leg)
                if way not in known:
                    known[way] = _Part(before, node, at, 1, done=hop)
                    above.following.append(known[way])
                above, before = known[way], node
                above.under.append(leg)
            above.ends.append(leg)
        return root.following

    def _reaches_all(self, port: int) -> bool:
        """Whether one frame of a port serves all that lies behind it."""
        net = self._queue.net
        medium = net.port[port, t.P_MEDIUM]
        return bool(medium < 0 or net.medium[medium, t.M_METHOD] in _REACH_ALL)

    def _explain(self) -> None:
        """Say of each row that was never sent which one it waited for."""
        for mine in self._legs_of:
            leg, answered = mine[0], int(self._loops.answers[mine[0]])
            if answered < 0 or self.fates.copies[leg] > 0:
                continue
            cause = self._legs_of[answered]
            mates = [one for one in cause if self._legs.destination[one] == self._legs.source[leg]] or cause
            word = WORDS[self.fates.status[mates[0]]]
            was = "was not acknowledged" if word == "delivered" else f"is {word}"
            for one in mine:
                if self._ways.is_covered[one]:
                    self.fates.status[one] = NOT_SENT
                    self.fates.reason[one] = f"{row_name(answered)} {was}"


def problems_of(loops: Loops, row_of: Ints, legs: Traffic) -> list[str]:
    """What is wrong with the rows that answer others or are repeated."""
    problems = []
    first_leg = np.unique(row_of, return_index=True)[1]
    size_of = np.bincount(row_of)
    destinations = np.split(legs.destination, first_leg[1:])
    answered_by: dict[int, list[int]] = {}
    for row, leg in enumerate(first_leg.tolist()):
        if loops.answers[leg] >= 0:
            answered_by.setdefault(int(loops.answers[leg]), []).append(row)
    for row, leg in enumerate(first_leg.tolist()):
        answered = int(loops.answers[leg])
        if answered >= 0:
            theirs, is_receiver = first_leg[answered], legs.source[leg] in destinations[answered]
            after = "its destination nor its source"
            if not is_receiver and legs.source[leg] != legs.source[theirs]:
                problems.append(f"{row_name(row)}: answers {row_name(answered)}, but its source is neither {after}")
            elif not is_receiver and loops.ack_timeout_ns[theirs] == 0:
                problems.append(
                    f"{row_name(row)}: waits for the acknowledgement of {row_name(answered)}, which has none; give that ack_timeout_s"
                )
        if loops.ack_timeout_ns[leg] > 0:
            backs = [
                first_leg[other]
                for other in answered_by.get(row, [])
                if legs.source[first_leg[other]] == legs.destination[leg]
                and legs.destination[first_leg[other]] == legs.source[leg]
            ]
            if size_of[row] > 1:
                problems.append(
                    f"{row_name(row)}: goes to a group, which acknowledges nothing; leave ack_timeout_s empty"
                )
            elif not backs and loops.ack_bytes[leg] == 0:
                problems.append(
                    f"{row_name(row)}: has ack_timeout_s, and no row answers it to its source; give ack_bytes, or an answering row"
                )
    chain = {row: int(loops.answers[leg]) for row, leg in enumerate(first_leg.tolist())}
    settled: set[int] = {-1}
    for row in chain:
        way: set[int] = set()
        at = row
        while at not in settled and at not in way:
            way.add(at)
            at = chain[at]
        if at not in settled:
            problems.append(
                f"{row_name(row)}: waits for itself, by the rows that it answers; let one of them have a sent_s"
            )
        settled.update(way)
    return problems
