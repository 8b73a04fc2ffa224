"""Plug-ins: what parts of heptagrid and other packages register through entry points."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import entry_points
from typing import Any

from heptagrid.foundation.errors import HeptagridError

PARAMETERS = "heptagrid.parameters"
IMPORTERS = "heptagrid.importers"

_NOT_INSTALLED = "heptagrid is not installed, only copied: its parts are found through entry points; pip install it"


@lru_cache
def parameter_sections() -> dict[str, type]:
    """The scenario's sections: name to the dataclass that declares its keys, in the order of their names.

    Raises
    ------
    HeptagridError
        If nothing is registered: the package was copied and not installed.
    """
    found = {point.name: point.load() for point in sorted(entry_points(group=PARAMETERS), key=lambda one: one.name)}
    if not found:
        raise HeptagridError(_NOT_INSTALLED)
    return found


def importers() -> Iterator[Any]:
    """What reads network files, each a `heptagrid.importers.importer.Importer`, in the order of their names; loaded one by one.

    Raises
    ------
    HeptagridError
        If nothing is registered: the package was copied and not installed.
    """
    points = sorted(entry_points(group=IMPORTERS), key=lambda one: one.name)
    if not points:
        raise HeptagridError(_NOT_INSTALLED)
    return (point.load() for point in points)
