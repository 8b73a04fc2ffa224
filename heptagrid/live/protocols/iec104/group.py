"""Redundancy groups (IEC 60870-5-104, clause 10): several connections of which one carries data, and what waits while none does."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable
from typing import Protocol

from heptagrid.live.protocols.iec104.asdu import Cause

_UNASKED = frozenset((Cause.PERIODIC, Cause.SPONTANEOUS, Cause.INITIALISED, Cause.RETURN_REMOTE))


class Member(Protocol):
    """A connection of a group."""

    def pump(self) -> None:
        """Send what may be sent now."""

    def set_aside(self) -> None:
        """Carry no data any more; another one does."""


class Group:
    """The connections of one group. active: the one that carries data. is_known: whether a connection was ever started. dropped: what was told and found no room."""

    __slots__ = ("_waiting", "active", "dropped", "is_known")

    def __init__(self, most: int) -> None:
        self.active: Member | None = None
        self.is_known = False
        self.dropped = 0
        self._waiting: deque[bytes] = deque(maxlen=most)

    def tell(self, asdus: Iterable[bytes]) -> None:
        """Something has happened."""
        waiting = self._waiting
        for one in asdus:
            self.dropped += len(waiting) == waiting.maxlen
            waiting.append(one)
        if self.active is not None:
            self.active.pump()

    def next(self) -> bytes | None:
        """What is to be told first; None if nothing is."""
        return self._waiting.popleft() if self._waiting else None

    def clear(self) -> None:
        """Forget what waits: a station was reset."""
        self._waiting.clear()

    def start(self, member: Member) -> bool:
        """A connection was started, and the one before is set aside; whether it is the first ever."""
        before, self.active = self.active, member
        if before is not None and before is not member:
            before.set_aside()
        is_first, self.is_known = not self.is_known, True
        return is_first

    def stop(self, member: Member, unconfirmed: Iterable[bytes]) -> None:
        """A connection was stopped, set aside or ended; of what it had sent and was not confirmed, what was told unasked is told again."""
        if self.active is member:
            self.active = None
        again = [one for one in unconfirmed if one[2] & 0x3F in _UNASKED]
        room = (self._waiting.maxlen or 0) - len(self._waiting)
        self.dropped += max(len(again) - room, 0)
        self._waiting.extendleft(reversed(again[len(again) - min(len(again), room) :]))


class Groups:
    """The redundancy groups of all stations, by the name of the station's device, empty for the front end."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._groups: dict[str, dict[Hashable, Group]] = {}

    def join(self, name: str, mark: Hashable) -> Group:
        """The group of a station that is known by a mark; it is made if there is none."""
        return self._groups.setdefault(name, {}).setdefault(mark, Group(self._most))

    def forget(self, name: str, mark: Hashable) -> None:
        """There is no such group any more."""
        groups = self._groups.get(name, {})
        groups.pop(mark, None)
        if not groups:
            self._groups.pop(name, None)

    def listening(self, name: str) -> list[Group]:
        """The groups that listen to a station."""
        return [one for one in self._groups.get(name, {}).values() if one.is_known]

    def names(self) -> list[str]:
        """The stations to which somebody listens."""
        return [name for name in self._groups if self.listening(name)]
