"""Reads OpenDSS scripts: executes them in OpenDSS and takes the circuit over, conductor by conductor."""

from heptagrid.importers.opendss.circuit import read_circuit
from heptagrid.importers.opendss.script import MissingPackage

__all__ = ["MissingPackage", "read_circuit"]
