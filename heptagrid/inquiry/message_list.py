"""`heptagrid trace --list`: messages of a run and what became of them, from a replay."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.place_names import Places
from heptagrid.foundation.contract import Delivery, Wave
from heptagrid.foundation.domains import KIND_NAMES, Kind
from heptagrid.foundation.errors import UsageError
from heptagrid.foundation.time import to_ns
from heptagrid.foundation.transport import Listener
from heptagrid.inquiry.replay import Progress, Replay
from heptagrid.inquiry.waves import local
from heptagrid.planes.messages import tables as t
from heptagrid.recording.results import open_run

_KEPT = 512  # waves kept before those are dropped whose messages have all ended


@dataclass
class ListedMessage:
    id: int
    wave: Wave
    row: int
    fate: tuple[str, int] | None = None


def list_messages(
    folder: str | Path,
    kind: str | None = None,
    customer: int | None = None,
    lost: bool = False,
    limit: int = 20,
    since: str | None = None,
    arm: str | None = None,
    day: date | str | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Some messages of a run with their indices, in order of sending from the first counted day, or `since`, on.

    Raises
    ------
    UsageError, OutputError
        As `trace`; and for a kind or a customer that does not exist.
    """
    run = open_run(folder)
    replay = Replay(run, arm, day)
    if kind is not None and (kind not in KIND_NAMES or kind == "ack"):
        raise UsageError(
            f"there is no kind {kind!r} of messages; the kinds are {', '.join(name for name in KIND_NAMES if name != 'ack')}"
        )
    check_customer(replay.world.customers_count, customer)
    from_here_ns = _since(since, replay)
    tracker = Tracker(
        None if kind is None else {Kind[kind.upper()]},
        None if customer is None else int(replay.world.endpoints.gateways[customer]),
        from_here_ns,
        None if lost else limit,
    )
    tracker.attach(replay)

    def see(*_: Any) -> bool:
        if lost:
            return len(tracker.lost) >= limit
        return len(tracker.listed) >= limit and all(one.fate is not None for one in tracker.listed.values())

    replay.advance(see, progress)
    places, zone = Places(replay.world), replay.scenario.zone
    chosen = sorted((tracker.lost if lost else tracker.listed).values(), key=lambda one: one.id)[:limit]
    return {
        "run": str(run.folder),
        "arm": replay.arm.name,
        "remarks": replay.remarks,
        "messages": [listed_entry(one.id, one.wave, one.row, one.fate, places, zone) for one in chosen],
    }


def check_customer(customers: int, customer: int | None) -> None:
    """Raise UsageError for a customer that does not exist."""
    if customer is not None and not 0 <= customer < customers:
        raise UsageError(f"there is no customer {customer}; they are numbered from 0 to {customers - 1}")


def listed_entry(
    message: int, wave: Wave, row: int, fate: tuple[str, int] | None, places: Places, zone: ZoneInfo
) -> dict[str, Any]:
    """One line of a list of messages."""
    sent_ns = int(wave.sent_ns[row])
    status, at_ns = fate or ("under way", None)
    return {
        "id": message,
        "kind": KIND_NAMES[wave.kind],
        "topic": wave.topic,
        "from": places.name(int(wave.source[row])),
        "to": places.name(int(wave.destination[row])),
        "sent": local(sent_ns, zone),
        "status": status,
        "delay_s": None if at_ns is None or status != "delivered" else (at_ns - sent_ns) * 1e-9,
    }


class Tracker(Listener):
    """Follows messages of a replay, of some kinds and of one place, and what becomes of them.

    listed: by index, those that are kept from their sending on, `limit` at most (None: none but the lost ones).
    """

    def __init__(self, kinds: set[Kind] | None, place: int | None, since_ns: int, limit: int | None) -> None:
        self.listed: dict[int, ListedMessage] = {}
        self.lost: dict[int, ListedMessage] = {}
        self._waves: list[Wave] = []
        self._first_ids: list[int] = []
        self._kinds, self._place, self._since_ns, self._limit = kinds, place, since_ns, limit

    def attach(self, replay: Replay) -> None:
        """Follow every wave that is sent, and what becomes of it."""
        self._transport = replay.grid.transport
        self._transport.listen(self)

    def sent(self, first: int, wave: Wave) -> None:
        """Keep what is to be listed."""
        limit = self._limit
        if limit is None:
            self._first_ids.append(first)
            self._waves.append(wave)
            return
        if len(self.listed) >= limit or (self._kinds is not None and wave.kind not in self._kinds):
            return
        mine = wave.sent_ns >= self._since_ns
        if self._place is not None:
            mine = mine & ((wave.source == self._place) | (wave.destination == self._place))
        for row in np.flatnonzero(mine)[: limit - len(self.listed)]:
            self.listed[first + int(row)] = ListedMessage(first + int(row), wave, int(row))

    def travelled(self, deliveries: Sequence[Delivery], lost: npt.NDArray[np.int64]) -> None:
        """Take in what became known in a step."""
        if self.listed:
            for delivery in deliveries:
                mine = np.isin(delivery.ids, list(self.listed))
                for message, at_ns in zip(
                    delivery.ids[mine].tolist(), delivery.delivered_ns[mine].tolist(), strict=True
                ):
                    self.listed[message].fate = "delivered", at_ns
        for message, at_ns, cause, _ in lost.tolist():
            fate = f"lost: {t.CAUSES[cause].replace('_', ' ')}", at_ns
            if message in self.listed:
                self.listed[message].fate = fate
            if self._limit is None:
                k = bisect_right(self._first_ids, message) - 1
                wave, row = self._waves[k], message - self._first_ids[k]
                ends = int(wave.source[row]), int(wave.destination[row])
                is_mine = (self._kinds is None or wave.kind in self._kinds) and (
                    self._place is None or self._place in ends
                )
                if is_mine and wave.sent_ns[row] >= self._since_ns:
                    self.lost[message] = ListedMessage(message, wave, row, fate)
        if len(self._waves) > _KEPT:
            done = max(0, bisect_right(self._first_ids, self._transport.oldest_under_way()) - 1)
            del self._waves[:done], self._first_ids[:done]


def _since(since: str | None, replay: Replay) -> int:
    """The instant from which to list: a local time of the span's first day, or a local date and time."""
    if since is None:
        return replay.span.start_ns
    zone = replay.scenario.zone
    try:
        words = f"{replay.span.first}T{since}" if "-" not in since else since
        return to_ns(datetime.fromisoformat(words).replace(tzinfo=zone))
    except ValueError:
        raise UsageError(f"{since!r} is not a time; write 18:00, or 2016-01-26T12:00") from None
