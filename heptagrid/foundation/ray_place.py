"""A place in a process on a node of a Ray cluster, for an object that lives away (`heptagrid.foundation.away`).

Ray chooses the node, starts the process, carries what goes to and fro, and says when the process is gone; all else is ours. It is an extra of its own, imported when a
cluster is asked for, and every node needs the same heptagrid.
"""

from __future__ import annotations

import logging
import pickle
import socket
from typing import Any

from heptagrid.foundation.away import PlaceLost
from heptagrid.foundation.errors import UsageError
from heptagrid.foundation.held import GIVE, HOLD, PEAK, Held

HERE = "auto"
"""The address of the cluster to which this machine belongs."""
_ANSWERS_S = 5.0


class RayPlace:
    """A process that takes a processor of a node, of the one with most to spare. node: which, as Ray calls it."""

    def __init__(self, address: str = HERE) -> None:
        """Start it on the cluster at an address, host:port.

        Raises
        ------
        UsageError
            If Ray is not installed, or there is no cluster.
        """
        self._ray = joined(address)
        process = self._ray.remote(_OnNode).options(num_cpus=1, max_restarts=0, scheduling_strategy="SPREAD")
        self._process = process.remote()
        self._answer = self._process.node.remote()
        self.node: str = self.result()

    def hold(self, content: bytes) -> None:
        """Begin to hold a pickled object."""
        self._ask(HOLD, (content,))

    def begin(self, method: str, given: tuple[Any, ...]) -> None:
        """Begin a call of the object's method."""
        self._ask(method, given)

    def give(self) -> None:
        """Begin to pickle the object."""
        self._ask(GIVE, ())

    def tell_peak(self) -> None:
        """Begin to ask for the process's greatest resident memory."""
        self._ask(PEAK, ())

    def _ask(self, what: str, given: tuple[Any, ...]) -> None:
        self._answer = self._process.answer.remote(pickle.dumps((what, given), protocol=5))

    def result(self) -> Any:
        """What was begun last came to; what a method raised is raised here."""
        try:
            is_well, found = pickle.loads(self._ray.get(self._answer))
        except self._ray.exceptions.RayActorError as problem:
            raise PlaceLost from problem
        if not is_well:
            raise found
        return found

    def end(self) -> None:
        """End the process."""
        self._ray.kill(self._process)


class _OnNode:
    """The far side. What goes to and fro is pickled here and there: arrays in Ray's own store could not be written."""

    def __init__(self) -> None:
        self._held = Held()

    def node(self) -> bytes:
        """Where it is."""
        import ray

        return pickle.dumps((True, ray.get_runtime_context().get_node_id()))

    def answer(self, asked: bytes) -> bytes:
        """Do what is asked."""
        return pickle.dumps(self._held.answer(*pickle.loads(asked)), protocol=5)


def joined(address: str) -> Any:
    """Ray, with this process as a part of the cluster at an address.

    Raises
    ------
    UsageError
        If Ray is not installed, or there is no cluster.
    """
    try:
        import ray
    except ImportError:
        raise UsageError('--cluster needs Ray; install it with: pip install "heptagrid[ray]"') from None
    if not ray.is_initialized():
        try:
            _look_for(address)
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        except (OSError, RuntimeError, ValueError) as problem:
            at = "this machine belongs to none" if address == HERE else f"nobody answers at {address} (host:port)"
            raise UsageError(
                f"--cluster: {at}; start one with `ray start --head`, and `ray start --address` on its other machines"
            ) from problem
    return ray


def _look_for(address: str) -> None:
    """Whether somebody listens there: Ray itself asks for minutes."""
    if address != HERE:
        host, _, port = address.rpartition(":")
        socket.create_connection((host, int(port)), timeout=_ANSWERS_S).close()
