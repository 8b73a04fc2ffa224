"""Plug-ins: what parts of heptagrid and other packages register through entry points."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import entry_points
from typing import Any

from heptagrid.foundation.errors import HeptagridError

PARAMETERS = "heptagrid.parameters"
DEVICES = "heptagrid.devices"
IMPORTERS = "heptagrid.importers"
MARKETS = "heptagrid.markets"
TARIFFS = "heptagrid.tariffs"
DESKS = "heptagrid.desks"
BENEFITS = "heptagrid.benefits"
PROTOCOLS = "heptagrid.protocols"

LIVE = "live"
"""What the sections of protocols begin with."""

_NOT_INSTALLED = "heptagrid is not installed, only copied: its parts are found through entry points; pip install it"


@lru_cache
def parameter_sections() -> dict[str, type]:
    """The scenario's sections: name to the dataclass that declares its keys, in the order of their names.

    A class of devices, a tariff, a desk and a benefit each declare their own section; so does a protocol (`protocol_sections`).

    Raises
    ------
    HeptagridError
        If nothing is registered: the package was copied and not installed; or if two parts have sections of the same name.
    """
    found = {point.name: point.load() for point in entry_points(group=PARAMETERS)}
    if not found:
        raise HeptagridError(_NOT_INSTALLED)
    own = {name: one.section for name, one in devices().items()}
    own |= {f"tariffs.{one.name}": one.parameters for one in registered_tariffs() if one.parameters is not None}
    own |= {one.name: one.section for one in registered_desks() if one.section is not None}
    own |= {f"benefits.{name}": one.parameters for name, one in benefits().items()}
    if twice := sorted(found.keys() & own.keys()):
        raise HeptagridError(
            f"the entry point {twice[0]} of a device, tariff, desk or benefit: there is a section of this name; choose another"
        )
    return dict(sorted((found | own).items()))


@lru_cache
def protocol_sections() -> dict[str, type]:
    """The sections of the protocols of a live grid, `live.NAME` each: name to the dataclass that declares its keys.

    Apart from `parameter_sections`, for they load every adapter, which is a sixth of what a run's start takes.

    Raises
    ------
    HeptagridError
        If there is a section of the same name already.
    """
    own = {f"{LIVE}.{name}": one.section for name, one in protocols().items() if one.section is not None}
    if twice := sorted(parameter_sections().keys() & own.keys()):
        raise HeptagridError(
            f"the entry point {twice[0]} of a protocol: there is a section of this name; choose another"
        )
    return own


def all_sections() -> dict[str, type]:
    """The sections of `parameter_sections` and `protocol_sections`, in the order of their names."""
    return dict(sorted((parameter_sections() | protocol_sections()).items()))


@lru_cache
def devices() -> dict[str, Any]:
    """The classes of devices behind the meter in the order of their work: name to a `heptagrid.domains.customers.device.Device`.

    Raises
    ------
    HeptagridError
        For an entry point that is no such class.
    """
    found = {point.name: point.load() for point in entry_points(group=DEVICES)}
    for name, one in found.items():
        if not (hasattr(one, "section") and hasattr(one, "order")):
            raise HeptagridError(f"the entry point {name} of {DEVICES} is {one!r}; a subclass of Device is expected")
    return dict(sorted(found.items(), key=lambda pair: (pair[1].order, pair[0])))


@lru_cache
def registered_tariffs() -> tuple[Any, ...]:
    """The tariffs on offer, each a `heptagrid.planes.money.tariffs.tariff.Tariff`: the flat one, the dynamic one, others in the order of their names."""
    found = {point.name: point.load() for point in entry_points(group=TARIFFS)}
    if not found:
        raise HeptagridError(_NOT_INSTALLED)
    first = [name for name in ("flat", "dynamic") if name in found]
    return tuple(found[name] for name in (*first, *sorted(set(found) - set(first))))


@lru_cache
def registered_desks() -> tuple[Any, ...]:
    """Desks that other packages add, each a subclass of `heptagrid.assembly.desks.Desk`, in the order of their names."""
    return tuple(point.load() for point in sorted(entry_points(group=DESKS), key=lambda one: one.name))


@lru_cache
def protocols() -> dict[str, Any]:
    """The protocols of a live grid in the order of their names: name to a `heptagrid.live.protocol.Protocol`."""
    return {point.name: point.load() for point in sorted(entry_points(group=PROTOCOLS), key=lambda one: one.name)}


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


@lru_cache
def markets() -> dict[str, Any]:
    """The rules of markets in the order of their names: name to a `heptagrid.planes.money.markets.market.Market`.

    Raises
    ------
    HeptagridError
        If nothing is registered: the package was copied and not installed.
    """
    found = {point.name: point.load() for point in sorted(entry_points(group=MARKETS), key=lambda one: one.name)}
    if not found:
        raise HeptagridError(_NOT_INSTALLED)
    return found


@lru_cache
def benefits() -> dict[str, Any]:
    """What the business case counts, each a `heptagrid.planes.money.benefits.benefit.Benefit`: benefits first, then costs, by name.

    Raises
    ------
    HeptagridError
        If an entry point has another name than its benefit.
    """
    found = {point.name: point.load() for point in entry_points(group=BENEFITS)}
    for name, one in found.items():
        if getattr(one, "name", None) != name:
            raise HeptagridError(f"the entry point {name} of {BENEFITS} is {one!r}; a Benefit of that name is expected")
    return dict(sorted(found.items(), key=lambda pair: (pair[1].is_cost, pair[0])))
