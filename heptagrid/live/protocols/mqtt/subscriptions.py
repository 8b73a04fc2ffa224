"""Who has subscribed to what: filters as a tree of their levels, so that a message finds its hearers in as many steps as its topic has levels, however many filters there are."""

from __future__ import annotations

from typing import Generic, TypeVar

MOST_LEVELS = 500_000
"""Levels of all filters together: about 100 MB of this program's memory."""
DEEPEST = 200
"""Levels of one filter, as mosquitto has it since CVE-2019-11779."""
LONGEST = 1024
"""Bytes of one filter."""

Hearer = TypeVar("Hearer")


class _Node(Generic[Hearer]):
    """A level. below: the next ones by name; here: the quality of service that hearers of the filter that ends here were granted."""

    __slots__ = ("below", "here")

    def __init__(self) -> None:
        self.below: dict[str, _Node[Hearer]] = {}
        self.here: dict[Hearer, int] = {}


class Subscriptions(Generic[Hearer]):
    """The filters of all hearers."""

    def __init__(self) -> None:
        self._root: _Node[Hearer] = _Node()
        self._levels = 0

    def __len__(self) -> int:
        """How many levels all filters have together."""
        return self._levels

    def add(self, hearer: Hearer, name: str, qos: int) -> bool:
        """Let a hearer have a filter; whether there is room for it."""
        levels = name.split("/")
        if len(levels) > DEEPEST or len(name.encode()) > LONGEST or self._levels + len(levels) > MOST_LEVELS:
            return False
        node = self._root
        for level in levels:
            node = node.below.setdefault(level, _Node())
        if hearer not in node.here:
            self._levels += len(levels)
        node.here[hearer] = qos
        return True

    def remove(self, hearer: Hearer, name: str) -> None:
        """Take a filter from a hearer, if it has it."""
        levels = name.split("/")
        path = [self._root]
        for level in levels:
            if level not in path[-1].below:
                return
            path.append(path[-1].below[level])
        if path[-1].here.pop(hearer, None) is None:
            return
        self._levels -= len(levels)
        for above, level in zip(reversed(path[:-1]), reversed(levels), strict=True):
            node = above.below[level]
            if node.below or node.here:
                return
            del above.below[level]

    def hearers(self, topic: str) -> dict[Hearer, int]:
        """Who hears a topic, each with the highest quality of service that one of its filters was granted."""
        found: dict[Hearer, int] = {}
        nodes = [self._root]
        for depth, level in enumerate(topic.split("/")):
            # Topics that begin with $ are for filters that say so.
            names = (level,) if depth == 0 and level.startswith("$") else (level, "+")
            if len(names) == 2:
                self._take([node.below["#"] for node in nodes if "#" in node.below], found)
            nodes = [node.below[name] for node in nodes for name in names if name in node.below]
        self._take([*nodes, *(node.below["#"] for node in nodes if "#" in node.below)], found)
        return found

    def _take(self, nodes: list[_Node[Hearer]], found: dict[Hearer, int]) -> None:
        for node in nodes:
            for hearer, qos in node.here.items():
                found[hearer] = max(qos, found.get(hearer, 0))
