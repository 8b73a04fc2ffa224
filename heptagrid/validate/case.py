"""What a validation case is: a named comparison that yields findings, each an expected figure and ours.

A case is a generator under the decorator `case`, in a file that `heptagrid.validate.registry` names:

    @case("m-d-1", plane="messages", kind="exact", source="Pollaczek-Khinchine formula, constant service")
    def m_d_1(live: bool) -> Iterator[Finding]:
        yield Finding("mean wait", expected=0.5, ours=simulated_s, tolerance=0.02, relative=True, unit="s")

`live` says that the peers are to be run again where they are installed. What cannot be compared raises NotRun.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.errors import HeptagridError

Plane = Literal["power", "messages", "money", "grid"]
Kind = Literal["exact", "band"]

PLANES: tuple[Plane, ...] = ("power", "messages", "money", "grid")
DATA = Path(__file__).parent / "cases"


class NotRun(HeptagridError):
    """A comparison that cannot be made here; `quantity` names it, the message says why."""

    def __init__(self, quantity: str, why: str) -> None:
        self.quantity = quantity
        super().__init__(why)


@dataclass(frozen=True)
class Finding:
    """One quantity: what it should be, what it is here, and how far apart the two may be.

    The difference is ours less expected, in `unit`, or in parts of the expected if `relative`; so is the tolerance.
    source: who says what is expected, if not the case's source. same_reader: whether it comes of the same reading of a file as ours,
    so that a mistake of the reader would show in neither.
    """

    quantity: str
    expected: float
    ours: float
    tolerance: float
    relative: bool = False
    unit: str = ""
    source: str = ""
    same_reader: bool = False

    @property
    def difference(self) -> float:
        """In the terms of the tolerance; infinite if relative to an expected zero that is missed."""
        apart = float(self.ours) - float(self.expected)
        if not self.relative or apart == 0.0:
            return apart
        return apart / abs(self.expected) if self.expected else np.copysign(np.inf, apart)


@dataclass(frozen=True)
class Case:
    """kind: `exact` can fail; `band` is a published range that real systems came to, and can only be missed.

    same_reader: of every finding, as there.
    """

    name: str
    plane: Plane
    kind: Kind
    source: str
    run: Callable[[bool], Iterator[Finding]]
    same_reader: bool = False


def case(
    name: str, *, plane: Plane, kind: Kind, source: str, same_reader: bool = False
) -> Callable[[Callable[[bool], Iterator[Finding]]], Case]:
    """Make a case of a generator of findings that takes `live`."""
    return lambda run: Case(name, plane, kind, source, run, same_reader)


def within(quantity: str, low: float, high: float, ours: float, unit: str = "") -> Finding:
    """The finding of a published band: its middle, and half its width as the tolerance."""
    return Finding(quantity, 0.5 * (low + high), ours, 0.5 * (high - low), unit=unit)


def farthest(
    quantity: str,
    expected: npt.ArrayLike,
    ours: npt.ArrayLike,
    tolerance: float,
    relative: bool = False,
    unit: str = "",
    source: str = "",
    same_reader: bool = False,
) -> Finding:
    """The finding of many alike comparisons: the one farthest apart, or one that is not a number.

    Raises
    ------
    ValueError
        If the two are not of one shape, or empty.
    """
    theirs, mine = np.asarray(expected, dtype=float), np.asarray(ours, dtype=float)
    if theirs.shape != mine.shape or not theirs.size:
        raise ValueError(f"{quantity}: {theirs.shape} expected figures against {mine.shape} of ours")
    pairs = zip(theirs.ravel(), mine.ravel(), strict=True)
    findings = [
        Finding(quantity, float(one), float(other), tolerance, relative, unit, source, same_reader)
        for one, other in pairs
    ]
    apart = np.abs([finding.difference for finding in findings])
    return findings[int(np.argmax(np.where(np.isnan(apart), np.inf, apart)))]
