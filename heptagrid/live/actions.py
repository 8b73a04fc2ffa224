"""What others asked the grid to do, numbered, and what became of each: set-points and orders on their way, changes not made yet."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from heptagrid.foundation.errors import HeptagridError
from heptagrid.live.answers import Fate
from heptagrid.live.crossing import LostError, RefusedError

KEPT = 10_000
"""Actions that are remembered."""
UNDER_WAY = 5_000
"""Actions that may be under way at a time."""


@dataclass
class Action:
    """One thing that was asked for. fate_ns: simulated, when it arrived or was done, None unless it did. detail: what was wrong.

    fate: "done" is said when a message has arrived, or a change is made; "abandoned" if the grid stopped before.
    """

    number: int
    what: str
    by: str
    asked_ns: int
    fate: Fate = "under way"
    fate_ns: int | None = None
    detail: str = ""


class TooManyError(HeptagridError):
    """More is under way than is remembered."""


class Actions:
    """The last actions by number; used by the event loop's thread alone."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, Action] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self._asked = 0

    async def begin(
        self, what: str, by: str, now_ns: int, work: Callable[[], Awaitable[int]], wait_s: float = 0.0
    ) -> Action:
        """Ask for something, and wait at most so many seconds of the wall clock for what becomes of it.

        work: does it, and returns the simulated instant at which it was done.

        Raises
        ------
        TooManyError
        """
        if len(self._tasks) >= UNDER_WAY:
            raise TooManyError(f"{UNDER_WAY} actions are under way; let time go on until some are done")
        action = Action(self._asked, what, by, now_ns)
        self._asked += 1
        self._known[action.number] = action
        if len(self._known) > KEPT:
            self._known.popitem(last=False)
        task = asyncio.create_task(_follow(action, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.wait({task}, timeout=wait_s)
        return action

    def get(self, number: int) -> Action | None:
        """An action, if it is remembered."""
        return self._known.get(number)

    def page(self, before: int | None, count: int) -> list[Action]:
        """The last actions whose number is below `before`, the youngest first."""
        found = (one for number, one in reversed(self._known.items()) if before is None or number < before)
        return [one for one, _ in zip(found, range(count), strict=False)]

    async def close(self) -> None:
        """Abandon what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _follow(action: Action, work: Callable[[], Awaitable[int]]) -> None:
    try:
        action.fate_ns = await work()
        action.fate = "done"
    except LostError as problem:
        action.fate, action.detail = "lost", str(problem)
    except RefusedError as problem:
        action.fate, action.detail = "refused", str(problem)
    except HeptagridError as problem:
        action.fate, action.detail = "wrong", str(problem)
    except asyncio.CancelledError:
        action.fate = "abandoned"
    except Exception as problem:  # a task's exception would only be seen when it is collected
        action.fate, action.detail = "wrong", f"a defect in heptagrid: {type(problem).__name__}: {problem}"
