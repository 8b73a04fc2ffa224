"""The folder of plans: `plan.json`, a page, and a folder for each technology."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from heptagrid.foundation.output_file import write_json
from heptagrid.foundation.results_folder import Kind, results_folder
from heptagrid.planes.messages.planning.siting import plannable
from heptagrid.studies.plan.api import Plans
from heptagrid.studies.plan.files import write_plan

PAGE = "plan.html"


def kind() -> Kind:
    """The kind of folder."""
    return Kind(
        "plan",
        "plan.json",
        frozenset({"plan.json", PAGE}),
        dict.fromkeys(plannable(), (".csv", ".geojson", ".toml")),
    )


def write_plans(folder: Path, found: Plans, force: bool) -> None:
    """Write the figures of plans, and each one's files.

    Raises
    ------
    OutputError
        If the folder holds something else, or a plan without `force`.
    """
    this = kind()
    with results_folder(folder, this, force) as place:
        content: dict[str, Any] = {**this.format(), **found.summary()}
        place.work.mkdir(parents=True, exist_ok=True)
        write_json(place.work / this.mark, content)
        for one in found.planned:
            inside = place.work / one.facts.name
            inside.mkdir(exist_ok=True)
            write_plan(inside, one, one.network, found.scenario.sections["plan"].reading_s, found.seed)
        place.promote()
