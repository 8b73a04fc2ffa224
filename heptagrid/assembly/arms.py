"""The arms of a run: the same town with and without the smart grid, intact or with broken links."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from heptagrid.foundation.errors import UsageError

LINK_CLASSES = ("access", "backhaul", "wan")


@dataclass(frozen=True)
class Arm:
    """One way to run the scenario.

    break_loss: probability that a crossing of the (access, backhaul, wan) class is lost.
    """

    name: str
    smart: bool
    break_loss: tuple[float, float, float] = (0.0, 0.0, 0.0)


def arm_of(name: str, broken: Mapping[str, float]) -> Arm:
    """The arm of that name in a run with those breaks.

    Raises
    ------
    UsageError
        If there is none.
    """
    arms = {arm.name: arm for arm in (*arms_of(None, broken), Arm("intact", smart=True))}
    if name not in arms:
        raise UsageError(f"there is no arm {name!r}; the arms are {', '.join(arms)}")
    return arms[name]


def arms_of(single: str | None, broken: Mapping[str, float]) -> list[Arm]:
    """The arms to run: the pair, or one; and the intact smart arm beside a broken one."""
    a, b, c = (broken.get(name, 0.0) for name in LINK_CLASSES)
    conventional = Arm("conventional", smart=False, break_loss=(a, b, c))
    smart = Arm("smart", smart=True, break_loss=(a, b, c))
    arms = [conventional, smart] if single is None else [smart if single == "smart" else conventional]
    if broken and single != "conventional":
        arms.append(Arm("intact", smart=True))
    return arms
