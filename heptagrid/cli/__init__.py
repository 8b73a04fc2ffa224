"""The command line: it parses, calls the rest of heptagrid, prints. No logic."""

from heptagrid.cli.group import main

__all__ = ["main"]
