"""The manifest of a run: what was run, as resolved, with every parameter's unit and source."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from heptagrid.assembly.arms import Arm
from heptagrid.assembly.span import Span
from heptagrid.foundation.compiled.kernel import fingerprint_of_package
from heptagrid.foundation.parameters import declarations
from heptagrid.recording.results import RUN
from heptagrid.scenario.events import given_of
from heptagrid.scenario.load import tables_of_parts
from heptagrid.scenario.schema import Scenario

SIMBENCH = (
    "SimBench, 1-MVLV-semiurb-all-0-sw (Meinecke et al. 2020, simbench.de), extract, Open Database License (ODbL) 1.0"
)
ATTRIBUTION = [
    f"Network, loads and profiles: {SIMBENCH}",
    "Transmission network, units, loads, water, wind and sun above the towns: RTS-GMLC (GridMod), by courtesy of DOE/NREL/ALLIANCE, see its NOTICE",
    "Weather: test reference year 2010, region 3 (Hamburg), Deutscher Wetterdienst, as carried by the package demandlib",
]

NOTES = [
    "Weather and load profiles are of different years: 27 January is the day of the largest net import in the "
    "profiles of 2016, and a mild day in the test reference year.",
    "Prices and dispatch use all loads of the 73-bus system. The loads beyond the {town} settle with generation through "
    "accounts of their own (`rest`), which balance in the ledger and stay outside who pays whom, value per domain and net "
    "present value: otherwise price changes for the other four thousand megawatts would hide those of the {town}.",
    "Both arms share one commitment of the bulk units, found for what is expected of both alike, and dispatch their own demand exactly with it; how far the "
    "commitment may lie from the cheapest (`market.commitment_gap`) does not enter the difference, nor do starts.",
    "A lower peak lowers what distribution pays transmission. That moves money between two domains; what transmission "
    "and generation need not build for a lower peak is not valued.",
    "Loads draw constant power whatever the voltage, so a better voltage saves losses only.",
    "What an actor learns within a step it acts on at the step's end; that rounding is the only coupling error.",
    "Messages are counted from the first to the last counted instant; the bills and settlement of the last day travel in "
    "the closing hour after it and are not counted, those of the day before the first are.",
]
NOTE_OF_TOWNS = (
    "The weather is the first town's in all towns. Cells of an operator are laid out for each town by itself."
)


def manifest_of(
    scenario: Scenario,
    spans: Sequence[Span],
    typical: bool,
    arms: Sequence[Arm],
    broken: Mapping[str, float],
    command: str,
) -> dict[str, Any]:
    """The manifest as JSON content; `partial` holds until the run has ended well."""
    dates = [str(span.first + timedelta(days=k)) for span in spans for k in range(span.days)]
    weights = {str(day): weight for day, weight in scenario.typical_days}
    return {
        **RUN.format(),
        "name": scenario.name,
        "version": _version("heptagrid"),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command,
        "partial": True,
        "seed": scenario.seed,
        "step_s": scenario.step_s,
        "zone": str(scenario.zone),
        "arms": [arm.name for arm in arms],
        "break": dict(broken),
        "typical_days": [{"date": day, "weight": weights[day]} for day in dates] if typical else [],
        "dates": dates,
        "sources": fingerprint_of_package(),
        "data": {
            "networks": {town.name: str(town.folder.resolve()) for town in scenario.towns},
            "bulk": str(scenario.bulk_folder.resolve()),
            "files": data_fingerprints(scenario),
        },
        "scenario": {
            section: {
                name: {
                    "value": getattr(parameters, name),
                    "unit": declaration.unit,
                    "info": declaration.info,
                    "source": declaration.source,
                    "default": default,
                }
                for name, _, default, declaration in declarations(type(parameters))
            }
            for section, parameters in scenario.sections.items()
        },
        "parts": tables_of_parts(scenario),
        "events": given_of(scenario.events),
        "versions": {
            "python": platform.python_version(),
            **{name: _version(name) for name in ("heptagrid", "numpy", "numba", "polars")},
        },
        "feeder": scenario.feeder,
        "attribution": _attribution(scenario),
        "notes": _notes(scenario),
    }


def _notes(scenario: Scenario) -> list[str]:
    is_one = len(scenario.towns) == 1
    notes = [note.replace("{town}", "town" if is_one else "towns") for note in NOTES]
    return notes if is_one else [NOTE_OF_TOWNS, *notes]


def _attribution(scenario: Scenario) -> list[str]:
    if not scenario.feeder:
        return ATTRIBUTION
    own = f"Network and loads: {Path(scenario.feeder).name}, as given; profiles of its customers: {SIMBENCH}"
    return [own, *ATTRIBUTION[1:]]


def data_fingerprints(scenario: Scenario) -> dict[str, str]:
    """SHA-256 of each file that the scenario's network, profiles, weather and bulk system are read from."""
    folders = [(town.name or town.folder.name, town.folder) for town in scenario.towns]
    found = {}
    for name, folder in (*folders, (scenario.bulk_folder.name, scenario.bulk_folder)):  # a town may have its name
        for path in sorted((*folder.glob("*.np[yz]"), *folder.glob("*.csv"))):
            found[f"{name}/{path.name}"] = hashlib.sha256(path.read_bytes()).hexdigest()
    if scenario.sections["weather"].file:
        path = Path(scenario.sections["weather"].file)
        found[f"weather/{path.name}"] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
