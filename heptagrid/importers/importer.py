"""What an importer is: one file that turns what others wrote into a network of `world`, found through entry points.

    MATPOWER = Importer("matpower", "MATPOWER case (.m)", BalancedNetwork, claims=lambda source: source.endswith(".m"), read=read)

and, in pyproject.toml, under `heptagrid.importers`: `matpower = "heptagrid.importers.matpower:MATPOWER"`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from heptagrid.foundation.errors import FileError, HeptagridError
from heptagrid.world.balanced.network import BalancedNetwork
from heptagrid.world.circuit.circuit import Circuit

Network = BalancedNetwork | Circuit

ANY = "*"  # among the kinds to ignore: all of them


MOST_NAMES = 10


def some_of(names: Sequence[str]) -> str:
    """The first names of a list, and how many more there are."""
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more


@dataclass(frozen=True)
class Reading:
    """How a file is to be read.

    ignore: kinds of element to leave out although they count. controls: whether what controls taps and capacitors acts; if not, it stands as
    the file leaves it. q_limits: whether reactive limits are to hold, also of generators that hold no voltage. offers_ignore: whether who reads
    can say what to ignore.
    """

    ignore: frozenset[str] = field(default=frozenset())
    controls: bool = True
    q_limits: bool = False
    offers_ignore: bool = True


@dataclass(frozen=True)
class Importer:
    """format: in words, with how it is recognised. claims: whether a source (a path, or a code) is this importer's.

    network: the kind that it reads. read: the network in the source; raises FileError, with every problem, for what breaks the format or cannot be represented.
    """

    name: str
    format: str
    network: type[Network]
    claims: Callable[[str], bool]
    read: Callable[[str, Reading], Network]


class MissingPackageError(HeptagridError):
    """A package that reads a format is not installed."""

    exit_code = 1

    def __init__(self, format: str, package: str) -> None:
        super().__init__(f'reading {format} needs {package}; pip install "heptagrid[networks]"')


def unsupported(
    origin: str,
    elements: dict[str, list[str]],
    ignore: frozenset[str],
    known: frozenset[str],
    *,
    offers_ignore: bool = True,
) -> list[str]:
    """The lines that say which elements are ignored because they were asked to be.

    elements: of each kind, a line each, what cannot be represented. known: every kind that may be ignored.

    Raises
    ------
    FileError
        Naming the elements of kinds that are not to be ignored, and kinds that there are not.
    """
    problems = [
        f"{kind} {line}; it cannot be represented ({f'--ignore {kind} leaves it out' if offers_ignore else 'enabled=no leaves it out'})"
        for kind, lines in elements.items()
        if not ignore & {kind, ANY}
        for line in lines
    ]
    problems += [
        f"--ignore {kind}: there is no such kind here; there are {', '.join(sorted(known))}"
        for kind in sorted(ignore - known - {ANY})
    ]
    if problems:
        raise FileError(origin, problems)
    return [
        f"{kind} {line}: left out, as asked"
        if kind in ignore
        else f"{kind} {line}: it cannot be represented, and is left out"
        for kind, lines in elements.items()
        for line in lines
    ]
