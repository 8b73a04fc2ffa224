"""The page of a run's folder, for whoever writes it: without the modules that this takes until then."""

from __future__ import annotations

from pathlib import Path


def write_page(folder: Path) -> None:
    """Write `report.html` into a run's folder from what the folder holds."""
    from heptagrid.report import page

    page.write_page(folder)


def prepare_page() -> None:
    """Load what `write_page` takes."""
    from heptagrid.report import page, rendering

    rendering.prepare(page.TEMPLATE)
