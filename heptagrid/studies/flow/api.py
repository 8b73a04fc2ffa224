"""One file, one power flow: finds who reads the file and what solves it, and writes the rows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from heptagrid.foundation.errors import FileError, UsageError
from heptagrid.foundation.output_file import refuse_overwriting
from heptagrid.foundation.printable import printable_names
from heptagrid.foundation.registry import importers
from heptagrid.importers.importer import ANY, Importer, Network, Reading
from heptagrid.simulation.precompile import say_what_is_compiled
from heptagrid.studies.flow import balanced, balanced_inventory, unbalanced, unbalanced_inventory
from heptagrid.studies.flow.inventory import Inventory
from heptagrid.studies.flow.snapshot import Snapshot
from heptagrid.studies.flow.tables import write_rows
from heptagrid.world.balanced.network import BalancedNetwork


def flow(
    source: str,
    out: str | Path | None = None,
    branches: str | Path | None = None,
    *,
    controls: bool = True,
    q_limits: bool = False,
    ignore: Collection[str] = (),
) -> Snapshot:
    """Solve the network in a file (or with a code) once; write its nodes to `out` and its branches to `branches`, if given.

    A network that does not converge is returned with `converged` false and without figures; nothing is written.

    Raises
    ------
    FileError, NetworkError, OutputError, UsageError
        For files that break rules or hold what cannot be represented, networks without a slack, places that are
        unwritable or the file itself, unknown formats.
    """
    refuse_overwriting([source], [out, branches])
    importer, network = read(source, Reading(frozenset(ignore), controls, q_limits))
    say_what_is_compiled()
    found = snapshot(network, source, importer.format, q_limits=q_limits)
    if q_limits and not isinstance(network, BalancedNetwork):
        found = replace(
            found,
            remarks=(
                *found.remarks,
                "--q-limits: without effect here; generators of a script have limits of their own",
            ),
        )
    if found.converged:
        tables = ((out, found.nodes), (branches, found.branches))
        write_rows([(Path(path), rows) for path, rows in tables if path is not None])
    return found


def inspect(source: str) -> Inventory:
    """What is in the network in a file (or with a code); what cannot be represented is among the remarks.

    Raises
    ------
    FileError, UsageError
        For files that break rules, unknown formats.
    """
    importer, network = read(source, Reading(frozenset({ANY})))
    if isinstance(network, BalancedNetwork):
        return balanced_inventory.inventory(network, source, importer.format)
    return unbalanced_inventory.inventory(network, source, importer.format)


def read(source: str, reading: Reading) -> tuple[Importer, Network]:
    """The network in a source, and who read it.

    Raises
    ------
    FileError, UsageError
        If there is no such file, or nothing here reads it.
    """
    known = importers().values()
    importer = next((one for one in known if one.claims(source)), None)
    if importer is None:
        formats = "; ".join(one.format for one in known)
        if not Path(source).exists():
            raise FileError(source, [f"there is no such file; what is read here: {formats}"])
        raise UsageError(f"{source} is in no format that is read here: {formats}")
    return importer, printable_names(importer.read(source, reading))


def snapshot(network: Network, source: str, format: str, *, q_limits: bool = False) -> Snapshot:
    """The power flow of a network of any kind.

    Raises
    ------
    NetworkError
        As its solver.
    """
    if isinstance(network, BalancedNetwork):
        return balanced.snapshot(network, source, format, q_limits=q_limits)
    return unbalanced.snapshot(network, source, format)
