"""Which arm of a run is meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from heptagrid.foundation.errors import UsageError


def chosen_arm(manifest: Mapping[str, Any], arm: str | None) -> str:
    """The arm that is meant: the one that is named, or the smart one, or the only one."""
    arms = list(manifest["arms"])
    if arm is None:
        return "smart" if "smart" in arms else str(arms[0])
    if arm not in arms:
        raise UsageError(f"the run has no arm {arm!r}; it has {', '.join(arms)}")
    return arm
