"""Other people's programs, one file each, named as their package; imported only where a case is run live."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import Any

from heptagrid.validate.case import NotRun


def peer(package: str, quantity: str) -> Any:
    """The module that speaks to a peer.

    Raises
    ------
    NotRun
        If the peer is not installed; `quantity` is what would have been compared.
    """
    try:
        return import_module(f"heptagrid.validate.peers.{package}")
    except ModuleNotFoundError as missing:
        if missing.name != package:
            raise
        raise NotRun(quantity, f"{package} is not installed; pip install {package.replace('_', '-')}") from None


def run_now(package: str) -> str:
    """The source of figures that a peer has just given."""
    name = package.replace("_", "-")
    return f"{name} {version(name)}, run now"
