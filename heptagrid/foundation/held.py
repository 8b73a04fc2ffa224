"""The far side of a place (`heptagrid.foundation.away`): an object, and what is asked of it."""

from __future__ import annotations

import pickle
from typing import Any

from heptagrid.foundation.memory import peak_rss_mb

HOLD, GIVE, PEAK = "", "pickled", "peak"
"""Asked for: to hold an object, to pickle it, and the process's greatest resident memory so far in MB; all else are methods of the object."""


class Held:
    """Holds one object and does what is asked."""

    def __init__(self) -> None:
        self._object: Any = None

    def answer(self, what: str, given: tuple[Any, ...]) -> tuple[bool, Any]:
        """Whether it went well, and what it came to or raised."""
        try:
            return True, self._done(what, given)
        except BaseException as problem:
            return False, problem

    def _done(self, what: str, given: tuple[Any, ...]) -> Any:
        if what == HOLD:
            self._object = pickle.loads(given[0])
            return None
        if what == GIVE:
            return pickle.dumps(self._object, protocol=5)
        if what == PEAK:
            return peak_rss_mb()
        return getattr(self._object, what)(*given)
