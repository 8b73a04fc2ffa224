"""Select before operate: who has reserved which control of a station, for what, and until when."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class _Reserved:
    who: Hashable
    wanted: Any
    until: float
    is_executing: bool = False


class Selections:
    """Reservations of a station's controls by their addresses; times are of a monotonic clock, in seconds."""

    __slots__ = ("_by_address", "_for_s")

    def __init__(self, for_s: float) -> None:
        self._for_s = for_s
        self._by_address: dict[Hashable, _Reserved] = {}

    def select(self, address: Hashable, who: Hashable, wanted: Any, now: float) -> bool:
        """Reserve a control; whether it was free, or one's own."""
        held = self._held(address, now)
        if held is not None and (held.who != who or held.is_executing):
            return False
        self._by_address[address] = _Reserved(who, wanted, now + self._for_s)
        return True

    def execute(self, address: Hashable, who: Hashable, wanted: Any, now: float, must_select: bool) -> bool:
        """Begin to execute; whether one may. What was selected differently is free after that."""
        held = self._held(address, now)
        if held is None:
            if must_select:
                return False
        elif held.who != who or held.is_executing:
            return False
        elif held.wanted != wanted:
            del self._by_address[address]
            return False
        self._by_address[address] = _Reserved(who, wanted, float("inf"), is_executing=True)
        return True

    def cancel(self, address: Hashable, who: Hashable, now: float) -> bool:
        """Give up one's reservation; whether there was one."""
        held = self._held(address, now)
        if held is None or held.who != who or held.is_executing:
            return False
        del self._by_address[address]
        return True

    def is_held(self, address: Hashable, now: float) -> bool:
        """Whether somebody has a control reserved."""
        return self._held(address, now) is not None

    def end(self, address: Hashable) -> None:
        """What was executed is done."""
        self._by_address.pop(address, None)

    def forget(self, who: Hashable) -> None:
        """Free what somebody had reserved; what is being executed goes on."""
        self._by_address = {k: one for k, one in self._by_address.items() if one.who != who or one.is_executing}

    def clear(self) -> None:
        """Free everything that is not being executed."""
        self._by_address = {k: one for k, one in self._by_address.items() if one.is_executing}

    def _held(self, address: Hashable, now: float) -> _Reserved | None:
        held = self._by_address.get(address)
        return held if held is not None and now < held.until else None
