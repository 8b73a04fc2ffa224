"""A scenario on an engineer's own feeder: the file becomes the network, everything else stays the scenario's."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

from heptagrid.foundation.errors import NetworkError, UsageError
from heptagrid.foundation.printable import printable, printable_names
from heptagrid.importers.feeder import HOUSEHOLD_KW, write_town
from heptagrid.importers.importer import Reading
from heptagrid.planes.power.unbalanced.conductors import Conductors, conductors_of
from heptagrid.planes.power.unbalanced.solver import UnbalancedSolver
from heptagrid.planes.power.unbalanced.voltage_bases import misfits, misrated
from heptagrid.scenario.schema import Scenario
from heptagrid.world.circuit.circuit import Circuit, terminals_of

_SHOWN = 20


def read_feeder(scenario: Scenario, path: Path) -> Circuit:
    """The circuit of a file that a scenario is to run on; remarks about what it holds beyond are warnings.

    Raises
    ------
    UsageError, FileError, NetworkError
        For a file that is no feeder or cannot be read, a circuit without a meaning, and a scenario with events, whose places are those of its own network.
    """
    if path.suffix.lower() != ".dss":
        raise UsageError(f"--feeder {path}: a feeder is an OpenDSS script, such as Master.dss")
    if len(scenario.towns) > 1:
        names = ", ".join(town.name for town in scenario.towns)
        raise UsageError(
            f"scenario {scenario.name!r} has several towns ({names}); a feeder takes the place of one town's network"
        )
    if scenario.events:
        raise UsageError(
            f"scenario {scenario.name!r} has events at places of its own network; remove them to run it on {path}"
        )
    from heptagrid.importers.opendss import read

    circuit = printable_names(read(str(path), Reading(offers_ignore=False)))
    try:
        conductors = conductors_of(UnbalancedSolver(circuit))
    except NetworkError as problem:
        raise NetworkError(f"{path}: {problem}") from problem
    if circuit.alike_phases > 1:
        raise NetworkError(
            f"{path}: its circuit is of the positive sequence (CktModel=Positive), one of three equal phases, so that its loads are no customers; "
            "take MakePosSeq out of the script"
        )
    remarks = (
        *circuit.left_out,
        *misfits(circuit, conductors),
        *misrated(circuit, conductors),
        *_without_power(circuit, conductors),
        *_feeding_in(circuit),
        *_stuck(circuit),
        *_without_homes(circuit),
    )
    for remark in remarks:
        warnings.warn(remark, stacklevel=2)
    return circuit


def _without_power(circuit: Circuit, conductors: Conductors) -> list[str]:
    """Customers that no source feeds; raises NetworkError if there are no others."""
    loads, _ = terminals_of(circuit)
    names = circuit.devices.names[loads[conductors.served_share(circuit.devices)[loads] == 0.0]].tolist()
    if names and len(names) == len(loads):
        raise NetworkError(
            f"circuit {circuit.name!r}: no source feeds any of its loads; close a switch, or correct a bus's name"
        )
    return (
        [f"no source feeds these loads: their customers are without power all the time: {_some(names)}"]
        if names
        else []
    )


def _feeding_in(circuit: Circuit) -> list[str]:
    """Loads that are no customers and generators that are."""
    loads, units = terminals_of(circuit)
    kinds, names = circuit.devices.kinds, circuit.devices.names
    feeding, drawing = names[units[kinds[units] == "load"]].tolist(), names[loads[kinds[loads] != "load"]].tolist()
    words = (
        (feeding, "below 0 kW, so it is local generation and no customer"),
        (drawing, "below 0 kW, so it is a customer and no generation"),
    )
    return [f"{_some(these)}: {what}" for these, what in words if these]


def _some(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def _stuck(circuit: Circuit) -> list[str]:
    """Regulators that a script has locked, in their snapshot's taps."""
    names = circuit.regulators.names[circuit.regulators.max_taps == 0].tolist()
    return [f"{', '.join(names)}: maxtapchange=0, so their taps stay where the script left them"] if names else []


def _without_homes(circuit: Circuit) -> list[str]:
    """That the arms will hardly differ, where nobody has what the aggregator controls."""
    loads, _ = terminals_of(circuit)
    if not len(loads) or (np.abs(circuit.devices.p_kw[loads]) <= HOUSEHOLD_KW).any():
        return []
    return [
        f"none of its {len(loads)} loads is at most {HOUSEHOLD_KW:g} kW, so there is no household with vehicles, heat "
        "pumps or batteries that the aggregator could control, and the arms differ little"
    ]


def on_feeder(scenario: Scenario, circuit: Circuit, path: Path, folder: Path) -> Scenario:
    """The scenario with a circuit, read from `path`, as its network, which is written to `folder`.

    Raises
    ------
    NetworkError
        For a circuit in which nobody could live.
    """
    write_town(folder, circuit, scenario.folder, scenario.seed)
    town = replace(scenario.towns[0], folder=folder)
    return replace(scenario, name=printable(circuit.name or path.stem), towns=(town,), feeder=str(path))
