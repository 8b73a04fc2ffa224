"""A place in a process of its own on this machine, for an object that lives away (`heptagrid.foundation.away`)."""

from __future__ import annotations

import multiprocessing
from multiprocessing.connection import Connection
from typing import Any

from heptagrid.foundation.away import PlaceLost
from heptagrid.foundation.beside import end_with_parent, main_hidden
from heptagrid.foundation.exchange import Exchange
from heptagrid.foundation.garbage import collect_rarely
from heptagrid.foundation.held import GIVE, HOLD, PEAK, Held
from heptagrid.foundation.interrupts import inherited_by_none

_PATIENCE_S = 5.0  # that a process has to end in when its connection has been closed


class ProcessPlace:
    """A process, spawned; it leaves Ctrl-C to its parent and ends with it."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe(duplex=True)
        self.process = context.Process(target=_serve, args=(theirs,), daemon=True)
        with main_hidden(), inherited_by_none():
            self.process.start()
        theirs.close()
        self._exchange = Exchange(ours)

    def hold(self, content: bytes) -> None:
        """Begin to hold a pickled object."""
        self._send(HOLD, (content,))

    def begin(self, method: str, given: tuple[Any, ...]) -> None:
        """Begin a call of the object's method."""
        self._send(method, given)

    def give(self) -> None:
        """Begin to pickle the object."""
        self._send(GIVE, ())

    def tell_peak(self) -> None:
        """Begin to ask for the process's greatest resident memory."""
        self._send(PEAK, ())

    def _send(self, what: str, given: tuple[Any, ...]) -> None:
        try:
            self._exchange.send((what, given))
        except OSError as problem:
            raise PlaceLost from problem

    def result(self) -> Any:
        """What was begun last came to; what a method raised is raised here."""
        try:
            is_well, found = self._exchange.receive()
        except (EOFError, OSError) as problem:
            raise PlaceLost from problem
        if not is_well:
            raise found
        return found

    def end(self) -> None:
        """End the process."""
        self._exchange.close()
        self.process.join(_PATIENCE_S)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def _serve(connection: Connection) -> None:
    """Hold an object and do what is asked, until nobody asks any more."""
    collect_rarely()
    end_with_parent()
    exchange, held = Exchange(connection), Held()
    while True:
        try:
            what, given = exchange.receive()
        except (EOFError, OSError):
            return
        exchange.send(held.answer(what, given))
