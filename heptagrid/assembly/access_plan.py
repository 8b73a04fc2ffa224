"""Reads the sites of an access network from a folder that `heptagrid plan --out` has written."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from heptagrid.foundation.errors import FileError
from heptagrid.planes.messages.links import Access
from heptagrid.planes.messages.planning.planned_sites import UNSERVED, PlannedSites

SITES, METERS = "sites.csv", "meters.csv"
Rows = Sequence[Mapping[str, str]]


def read_access_plan(given: Access, gateways: int) -> PlannedSites | None:
    """The sites that a town's access network is planned with; None if it names no plan.

    Raises
    ------
    FileError
        For a folder without a plan, one of another technology, or of another network.
    """
    if not given.plan:
        return None
    folder = Path(given.plan)
    sites, meters = (_rows(folder / name) for name in (SITES, METERS))
    problems = []
    if folder.resolve().name != given.technology:
        problems.append(f"is a plan for {folder.resolve().name}, and messages.access.technology is {given.technology}")
    if len(meters) != gateways:
        problems.append(
            f"is a plan for {len(meters):,} meters, and the network has {gateways:,}; plan for the same one"
        )
    if not sites:
        problems.append("has no sites; a network needs one at least")
    if problems:
        raise FileError(str(folder), problems)
    try:
        return _planned(sites, meters)
    except (KeyError, ValueError) as problem:
        raise FileError(str(folder), [f"is damaged ({problem}); write it again with heptagrid plan --out"]) from problem


def _planned(sites: Rows, meters: Rows) -> PlannedSites:
    number = {row["site"]: k for k, row in enumerate(sites)}
    meter = {row["meter"]: k for k, row in enumerate(meters)}
    served = [bool(row["site"]) for row in meters]

    def figures(name: str) -> np.ndarray:
        return np.array([float(row[name]) if row[name] else 0.0 for row in meters])

    def following(row: Mapping[str, str]) -> int:
        if not row["site"]:
            return UNSERVED
        return -1 if row["next"] == row["site"] else meter[row["next"]]

    return PlannedSites(
        degrees=np.array([[float(row["longitude_deg"]), float(row["latitude_deg"])] for row in sites]),
        site=np.array([number[row["site"]] if has else -1 for row, has in zip(meters, served, strict=True)]),
        following=np.array([following(row) for row in meters]),
        error=figures("loss_of_a_frame"),
        margin_db=figures("margin_db"),
    )


def _rows(path: Path) -> Rows:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise FileError(
            str(path), [f"cannot be read ({problem}); messages.access.plan names a technology's folder of a plan"]
        ) from problem
