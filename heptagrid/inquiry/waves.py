"""The waves of messages that a run sent, as its table `waves` has them, and the chains of causes among them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from heptagrid.foundation.time import from_ns
from heptagrid.recording.results import Run

if TYPE_CHECKING:
    import polars


@dataclass(frozen=True)
class SentWave:
    """A wave of a run as its table `waves` has it; `cause_of` says what caused a message of it (-1: nothing)."""

    first_id: int
    messages: int
    first_sent_ns: int
    kind: str
    sender: str
    receiver: str
    topic: str
    cause: int
    causes: tuple[int, ...] | None

    def cause_of(self, message: int) -> int:
        return self.cause if self.causes is None else self.causes[message - self.first_id]


class Waves:
    """The waves of one arm over one span of days, by the indices of their messages."""

    def __init__(self, run: Run, arm: str, run_day: int) -> None:
        import polars

        table = run.waves
        self._frame = table.filter((polars.col("arm") == arm) & (polars.col("run_day") == run_day)).sort("first_id")
        self._first = self._frame["first_id"].to_numpy()

    @property
    def messages(self) -> int:
        """How many messages were sent in all; they are numbered from 0."""
        return int(self._first[-1] + self._frame["messages"][-1]) if len(self._first) else 0

    def of(self, message: int) -> SentWave:
        """The wave that a message belongs to."""
        return self._row(int(np.searchsorted(self._first, message, side="right")) - 1)

    def chain(self, message: int) -> Iterator[tuple[int, SentWave]]:
        """What caused a message, what caused that, and so on."""
        cause = self.of(message).cause_of(message)
        while cause >= 0:
            wave = self.of(cause)
            yield cause, wave
            cause = wave.cause_of(cause)

    def caused_by(self, message: int) -> list[SentWave]:
        """The waves with messages that a message caused."""
        import polars

        mine = (polars.col("cause") == message) | polars.col("causes").list.contains(message).fill_null(value=False)
        return [SentWave(**row) for row in self._chosen(self._frame.filter(mine))]

    def first(self, topic: str, from_ns: int) -> list[SentWave]:
        """The first waves about `topic` that were sent at `from_ns` or later: one, or one to each of several at the same time."""
        import polars

        found = self._frame.filter((polars.col("topic") == topic) & (polars.col("first_sent_ns") >= from_ns))
        at_once = found.filter(polars.col("first_sent_ns") == found["first_sent_ns"].min())
        return [SentWave(**row) for row in self._chosen(at_once)]

    def _row(self, k: int) -> SentWave:
        return SentWave(**next(iter(self._chosen(self._frame[k : k + 1]))))

    @staticmethod
    def _chosen(frame: polars.DataFrame) -> Iterator[dict[str, Any]]:
        for row in frame.iter_rows(named=True):
            causes = row["causes"]
            kept = {name: row[name] for name in SentWave.__dataclass_fields__ if name != "causes"}
            yield kept | {"causes": None if causes is None else tuple(causes)}


def local(ns: int | None, zone: ZoneInfo) -> str | None:
    """A time as local ISO text to the microsecond."""
    return None if ns is None else from_ns(ns, zone).isoformat(timespec="microseconds")


_ROOTS = {
    "reading": "a measurement: the quarter hour had ended",
    "substation": "a measurement at the substation",
    "unit": "a measurement of the unit's output",
    "flows": "a measurement in the transmission network",
    "forecast": "the clock: operations forecasts every hour",
    "rest_forecast": "the clock: operations forecasts the other loads before the market's gate",
    "offer": "the market's gate: the units' offers for the next day",
    "demand": "the market's gate",
    "infeed": "the clock: once an hour",
    "local_load": "a measurement at the substation, when bids leave",
}


def root(topic: str) -> str:
    """Why a message was sent that no other message caused."""
    if topic.startswith("bid."):
        return "the local market's gate, before the device had heard any price"
    return _ROOTS.get(topic, "the clock, or a plan of the sender's own")


def cause_entry(message: int, wave: SentWave, zone: ZoneInfo) -> dict[str, Any]:
    """One link of a chain of causes."""
    return {
        "id": message,
        "kind": wave.kind,
        "topic": wave.topic,
        "sender": wave.sender,
        "receiver": wave.receiver,
        "sent": local(wave.first_sent_ns, zone),
        "root": root(wave.topic) if wave.cause_of(message) < 0 else None,
    }
