"""What a change of a grid is that somebody makes while it runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from heptagrid.foundation.errors import UsageError
from heptagrid.foundation.time import Step
from heptagrid.simulation.simulation import Simulation


class Change(ABC):
    """A change; its fields are declared with `parameter`."""

    title: ClassVar[str]

    @abstractmethod
    def make(self, simulation: Simulation, step: Step) -> None:
        """Change a simulation before a step.

        Raises
        ------
        UsageError
            If it cannot be made; with the reason.
        """


def check_number(what: str, number: int, count: int) -> None:
    """Whether there is so high a number.

    Raises
    ------
    UsageError
        If not.
    """
    if not 0 <= number < count:
        raise UsageError(f"there is no {what} {number}; they are numbered from 0 to {count - 1}")
