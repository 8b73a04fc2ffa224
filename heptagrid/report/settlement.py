"""The settlement runs of an arm: how much each settled, and what the later ones changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from heptagrid.report.rendering import render


def settlement_table(arm: Mapping[str, Any]) -> str:
    """The table; empty for a summary that knows of no settlement."""
    found = arm.get("settlement")
    return "" if not found else render("run/settlement.html", found)
