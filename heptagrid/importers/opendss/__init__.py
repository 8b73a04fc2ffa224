"""Reads OpenDSS scripts: executes them in OpenDSS and takes the circuit over, conductor by conductor."""

from heptagrid.importers.importer import Importer
from heptagrid.importers.opendss.circuit import read
from heptagrid.world.circuit.circuit import Circuit

OPENDSS = Importer(
    "opendss", "OpenDSS script (.dss)", Circuit, claims=lambda source: source.lower().endswith(".dss"), read=read
)

__all__ = ["OPENDSS", "read"]
