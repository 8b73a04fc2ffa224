"""`python -m heptagrid` is the command line."""

from heptagrid.cli import main

main()
