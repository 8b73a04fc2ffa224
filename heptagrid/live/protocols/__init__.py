"""Protocols, one adapter a file, found through the entry point `heptagrid.protocols`."""
