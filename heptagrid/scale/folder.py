"""A sweep's folder: `definition.json` says what it sweeps, so that it can go on, and never mixes two sweeps."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from heptagrid.foundation.compiled.kernel import fingerprint_of_package
from heptagrid.foundation.errors import OutputError
from heptagrid.foundation.output_file import TEMPORARY, write_json
from heptagrid.foundation.results_folder import Kind, Place, results_folder
from heptagrid.recording.results import RUN
from heptagrid.scale.variations import Variation, as_json
from heptagrid.scenario.events import given_of
from heptagrid.scenario.load import tables_of_parts
from heptagrid.scenario.schema import Scenario

SWEEP = Kind(
    "sweep",
    "definition.json",
    frozenset({"definition.json", "sweep.json", "sweep.html", "communication.html"}),
    {"arms": (".json",)},
    {"runs": RUN},
)
"""The folder of a sweep: its mark is what it sweeps, and `sweep.json` is there once it is whole."""

WORK = f"{TEMPORARY}work"
"""Where arms write while they run."""


def definition_of(
    scenario: Scenario, variations: Sequence[Variation], seeds: Sequence[int], typical: bool
) -> dict[str, Any]:
    """All that the figures of a sweep depend on, as JSON content."""
    content = {
        **SWEEP.format(),
        "scenario": scenario.name,
        "vary": {one.key: [as_json(value) for value in one.values] for one in variations},
        "seeds": list(seeds),
        "start": str(scenario.start),
        "days": scenario.days,
        "step_s": scenario.step_s,
        "zone": str(scenario.zone),
        "typical": typical,
        "typical_days": [[str(day), weight] for day, weight in scenario.typical_days],
        "events": given_of(scenario.events),
        "parts": tables_of_parts(scenario),
        "settings": {name: asdict(one) for name, one in scenario.sections.items() if name != "run"},
        "data": _digest(scenario),
        "version": version("heptagrid"),
        "sources": fingerprint_of_package(),
    }
    loaded: dict[str, Any] = json.loads(json.dumps(content))
    return loaded


def data_digest(definition: Mapping[str, Any]) -> str:
    """What stands for the data and for the sources in the name of an arm."""
    return f"{definition['data']} {definition['sources']}"


def _digest(scenario: Scenario) -> str:
    """A hash of the files that the scenario's network, profiles and bulk system are read from."""
    digest = hashlib.sha256()
    for folder in (*(town.folder for town in scenario.towns), scenario.bulk_folder):
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            digest.update(path.name.encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@contextmanager
def sweep_folder(folder: Path, definition: Mapping[str, Any], force: bool) -> Iterator[Place]:
    """Hold a folder to write a sweep into, or to take up the same sweep where it stopped.

    Raises
    ------
    OutputError
        If it holds another sweep and `force` is not given, holds something else, is in use, or cannot be made.
    """
    if SWEEP.is_marked(folder) and not force:
        differing = _differing(folder / SWEEP.mark, definition)
        if differing:
            raise OutputError(
                f"{folder} holds another sweep (of another {differing}); choose another --out, or --force to replace it when the new "
                "one is whole"
            )
    with results_folder(folder, SWEEP, force, goes_on=definition) as place:
        shutil.rmtree(place.work / WORK, ignore_errors=True)
        if not SWEEP.is_marked(place.work):
            write_json(place.work / SWEEP.mark, definition)
        yield place


def _differing(path: Path, definition: Mapping[str, Any]) -> str:
    """What differs first between the definition in a folder and another; empty if nothing does."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return "definition, which cannot be read"
    keys = [*definition, *(key for key in found if key not in definition)]
    words = {
        "sources": "version of heptagrid",
        "data": "network or profiles",
        "settings": "scenario",
        "parts": "towns or companies",
    }
    return next((words.get(key, key) for key in keys if found.get(key) != definition.get(key)), "")
