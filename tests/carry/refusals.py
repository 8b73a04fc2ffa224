"""A small network and the command that carries traffic over it, for tests of files that are refused."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from heptagrid.cli import main

NETWORK = """
[[node]]
name = "alpha"
[[node]]
name = "beta"
[[node]]
name = "gamma"
[[link]]
from = "alpha"
to = "beta"
rate_bps = 1e6
"""
HEADER = "sent_s,source,destination,bytes"
LINK = '[[link]]\nfrom = "beta"\nto = "gamma"\n'
MEDIUM = '[[medium]]\nmembers = ["alpha", "beta"]\n'


def carry(folder: Path, network: str | bytes, traffic: str | bytes, *more: str) -> Result:
    files = []
    for name, text in (("network.toml", network), ("traffic.csv", traffic)):
        files.append(folder / name)
        files[-1].write_bytes(text if isinstance(text, bytes) else text.encode())
    return CliRunner().invoke(main, ["carry", *map(str, files), *more])
