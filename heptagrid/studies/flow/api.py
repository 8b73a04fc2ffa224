"""One file, one power flow: finds who reads the file and what solves it, and writes the rows.

The modules of a solver are loaded when it is known that it is needed, while the file is read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from heptagrid.foundation.errors import FileError, UsageError
from heptagrid.foundation.output_file import refuse_overwriting
from heptagrid.foundation.printable import printable_names
from heptagrid.foundation.registry import importers
from heptagrid.importers.importer import ANY, Importer, Network, Reading
from heptagrid.studies.flow.snapshot import Snapshot
from heptagrid.world.balanced.network import BalancedNetwork

if TYPE_CHECKING:
    from heptagrid.studies.flow.inventory import Inventory


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
    importer = importer_of(source)
    with _loaded_meanwhile(_solver_of(importer.network)):
        network = printable_names(importer.read(source, Reading(frozenset(ignore), controls, q_limits)))
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
        tables = [
            (Path(path), vars(rows))
            for path, rows in ((out, found.nodes), (branches, found.branches))
            if path is not None
        ]
        if tables:
            from heptagrid.studies.rows_file import write_rows

            write_rows(tables)
    return found


def inspect(source: str) -> Inventory:
    """What is in the network in a file (or with a code); what cannot be represented is among the remarks.

    Raises
    ------
    FileError, UsageError
        For files that break rules, unknown formats.
    """
    importer = importer_of(source)
    network = printable_names(importer.read(source, Reading(frozenset({ANY}))))
    if isinstance(network, BalancedNetwork):
        from heptagrid.studies.flow import balanced_inventory

        return balanced_inventory.inventory(network, source, importer.format)
    from heptagrid.studies.flow import unbalanced_inventory

    return unbalanced_inventory.inventory(network, source, importer.format)


def importer_of(source: str) -> Importer:
    """Who reads a source.

    Raises
    ------
    FileError, UsageError
        If there is no such file, or nothing here reads it.
    """
    known: list[Importer] = []
    importer: Importer
    for importer in importers():
        if importer.claims(source):
            return importer
        known.append(importer)
    formats = "; ".join(one.format for one in known)
    if not Path(source).exists():
        raise FileError(source, [f"there is no such file; what is read here: {formats}"])
    raise UsageError(f"{source} is in no format that is read here: {formats}")


def snapshot(network: Network, source: str, format: str, *, q_limits: bool = False) -> Snapshot:
    """The power flow of a network of any kind.

    Raises
    ------
    NetworkError
        As its solver.
    """
    if isinstance(network, BalancedNetwork):
        from heptagrid.studies.flow import balanced

        return balanced.snapshot(network, source, format, q_limits=q_limits)
    from heptagrid.studies.flow import unbalanced

    return unbalanced.snapshot(network, source, format)


def _solver_of(network: type[Network]) -> str:
    return f"heptagrid.studies.flow.{'balanced' if network is BalancedNetwork else 'unbalanced'}"


@contextmanager
def _loaded_meanwhile(module: str) -> Iterator[None]:
    """Import a module in a thread of its own while the body runs; reading a file is mostly waiting for another process."""
    loading = Thread(target=import_module, args=(module,))
    loading.start()
    try:
        yield
    finally:
        loading.join()
