"""Whatever a rate or readings hold, a bill adds up or the file is refused with a sentence; files are changed at random, by a seed."""

from __future__ import annotations

import copy
import json
import math
import random
from pathlib import Path
from typing import Any

import pytest

from heptagrid.foundation.errors import HeptagridError
from heptagrid.studies.bill.api import bill
from tests.documents.pages import DOCS, blocks

VALUES: list[Any] = [
    *(None, True, "x", "", -1, 0, 1e300, 1e-320, math.nan, math.inf, -1e9, 10**400, [], {}, [[]], [{}], 0.5, 999999),
    *("$/day", "kWh/kW", "kWh/kW daily", "Net Metering", "hp", "\x1b[31m", [[{"rate": 1, "max": 1}]], [0] * 12),
]
CELLS = [
    "",
    "x",
    "-1",
    "nan",
    "inf",
    "1e400",
    "1e12",
    "1,5",
    "2016-03-27T02:30",
    "0001-01-01T00:00",
    "9999-12-31T23:00+01:00",
    "\x00",
    "9" * 5000,
]


def changed(content: Any, chance: random.Random) -> Any:
    """The content with one of its values replaced, removed or renamed, at any depth."""
    made = copy.deepcopy(content)
    at = made
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        if not keys:
            return made
        key = chance.choice(keys)
        inner = at[key]
        if isinstance(inner, dict | list) and inner and chance.random() < 0.75:
            at = inner
            continue
        if chance.random() < 0.2:
            del at[key]
        elif isinstance(at, dict) and chance.random() < 0.2:
            at[key + chance.choice(["x", "s", ""]).upper()] = at.pop(key)
        else:
            at[key] = chance.choice(VALUES)
        return made


def holds(rate: Path, readings: Path) -> None:
    try:
        found = bill(rate, readings, zone="Europe/Berlin", tax=0.2, digits=5)
    except HeptagridError:
        return
    cents = found.bill.in_cents
    assert (cents.lines.sum(axis=0) + cents.rounding == cents.net).all()
    assert (cents.net + cents.taxes.sum(axis=0) == cents.total).all()
    json.dumps(found.summary(), allow_nan=False)


@pytest.mark.parametrize("seed", range(60))
def test_any_rate_is_billed_or_refused(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    rate = json.loads(blocks(DOCS / "bills.md", "json")[0]) | {
        "demandratestructure": [[{"rate": 1.0, "max": 3}, {"rate": 2.0}]],
        "demandweekdayschedule": [[0] * 24] * 12,
        "demandweekendschedule": [[0] * 24] * 12,
        "demandratchetpercentage": [0.5] * 12,
        "lookbackRange": 6,
        "demandwindow": 30,
        "fueladjustmentsmonthly": [0.01] * 12,
        "mincharge": 5.0,
        "minchargeunits": "$/day",
    }
    for _ in range(chance.randint(1, 3)):
        rate = changed(rate, chance)
    (tmp_path / "rate.json").write_text(json.dumps(rate), encoding="utf-8")
    (tmp_path / "readings.csv").write_text(blocks(DOCS / "bills.md", "csv")[0], encoding="utf-8")
    holds(tmp_path / "rate.json", tmp_path / "readings.csv")


@pytest.mark.parametrize("seed", range(60))
def test_any_readings_are_billed_or_refused(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    rows = [line.split(",") for line in blocks(DOCS / "bills.md", "csv")[seed % 2].splitlines()]
    for _ in range(chance.randint(1, 3)):
        row = chance.choice(rows)
        what = chance.random()
        if what < 0.6:
            row[chance.randrange(len(row))] = chance.choice(CELLS)
        elif what < 0.8:
            rows.remove(row)
        else:
            rows.insert(chance.randrange(len(rows)), list(row))
        if not rows:
            break
    rate = json.loads(blocks(DOCS / "bills.md", "json")[0])
    if seed % 2:
        del rate["flatdemandstructure"]
    (tmp_path / "rate.json").write_text(json.dumps(rate), encoding="utf-8")
    (tmp_path / "readings.csv").write_text("\n".join(",".join(row) for row in rows), encoding="utf-8")
    holds(tmp_path / "rate.json", tmp_path / "readings.csv")
