"""SunSpec's tables as they are published, and values as registers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from heptagrid.live.protocols.modbus import layout
from heptagrid.live.protocols.modbus.image import Scales, number, power_of_ten, put
from heptagrid.live.protocols.modbus.inverters import Inverters
from heptagrid.live.protocols.modbus.layout import BASE, RegisterMap, table
from heptagrid.live.protocols.modbus.meters import Loads, Meters
from heptagrid.live.protocols.modbus.storage import Storage

KINDS = [Inverters, Storage, Meters, Loads]


def published(model: int) -> dict[str, Any]:
    sunspec2 = pytest.importorskip("sunspec2", reason="not run: pysunspec2 is not installed")
    file = Path(sunspec2.__file__).parent / f"models/json/model_{model}.json"
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))["group"]
    return found


def points(group: dict[str, Any], path: str = "") -> list[tuple[str, str, int, str, bool]]:
    found = [
        (path + one["name"], one["type"], one["size"], str(one.get("sf", "")), one.get("access") == "RW")
        for one in group.get("points", [])
    ]
    for one in group.get("groups", []):
        repeats = "[]" if "count" in one and one["count"] != 1 else ""
        found += points(one, f"{path}{one['name']}{repeats}.")
    return found


@pytest.mark.parametrize("model", sorted({model for kind in KINDS for model in kind.models} | {101, 201}))
def test_the_tables_are_those_that_are_published(model: int) -> None:
    assert [tuple(one)[:5] for one in table(model)] == points(published(model))


@pytest.mark.parametrize("kind", KINDS)
def test_models_follow_one_another_to_the_end_model(kind: Any) -> None:
    registers = RegisterMap(kind.models, kind.counts)
    words = registers.template
    assert words[:2].astype(">u2").tobytes() == b"SunS"
    at, found = 2, []
    while words[at] != layout.END_MODEL:
        found.append(int(words[at]))
        at += 2 + int(words[at + 1])
    assert tuple(found) == kind.models
    assert words[at + 1] == 0 and at + 2 == len(words), "the end model has no length, and nothing comes after it"
    assert BASE + len(words) < 50_000


@pytest.mark.parametrize("one", [101, 103])
def test_single_and_three_phase_models_have_one_layout(one: int) -> None:
    assert [point[1:5] for point in table(101)] == [point[1:5] for point in table(103)]
    assert [point[1:5] for point in table(201)] == [point[1:5] for point in table(203)]


def stored(model: int, point: str, value: float, scale: int = 0) -> tuple[int | None, bytes]:
    """What a point holds after a value was put into it, unscaled and as bytes."""
    registers = RegisterMap((model,), {})
    words = np.tile(registers.template, (1, 1))
    where = registers.points[f"{model}.{point}"]
    put(words, registers, {where.name: np.array([value])}, Scales({where.scale: scale} if where.scale else {}, 1))
    data = words[0, where.at : where.at + where.registers].astype(">u2").tobytes()
    return number(where, data), data


@pytest.mark.parametrize(
    ("model", "point", "value", "scale", "raw", "data"),
    [
        (103, "W", -1234.0, 0, -1234, "fb2e"),
        (103, "W", 1234.0, 1, 123, "007b"),
        (103, "PhVphA", 230.94, -1, 2309, "0905"),
        (103, "W", np.nan, 0, None, "8000"),
        (103, "PhVphA", np.nan, -1, None, "ffff"),
        (103, "WH", np.nan, 0, 0, "00000000"),
        (103, "WH", 2.0**32 + 5.0, 0, 5, "00000005"),
        (103, "W", 1e9, 0, 32_767, "7fff"),
        (103, "W", -1e9, 0, -32_767, "8001"),
        (103, "PhVphA", 1e9, 0, 65_534, "fffe"),
        (701, "TotWhInj", np.nan, 0, None, "ffffffffffffffff"),
        (701, "TotWhInj", 123_456_789_012.0, 0, 123_456_789_012, "0000001cbe991a14"),
        (701, "Hz", 49.987, -3, 49_987, "0000c343"),
        (704, "WSet", -70_000.0, 0, -70_000, "fffeee90"),
        (122, "ActWh", np.nan, 0, 0, "0000000000000000"),
    ],
)
def test_values_are_registers_as_the_types_say(
    model: int, point: str, value: float, scale: int, raw: int | None, data: str
) -> None:
    assert stored(model, point, value, scale) == (raw, bytes.fromhex(data))


def test_scale_factors_keep_values_within_their_registers() -> None:
    most = np.array([10.0, 32_767.0, 32_768.0, 2.1e6])
    assert power_of_ten(most, 32_767.0, 0).tolist() == [0, 0, 1, 2]
    assert power_of_ten(most, 32_767.0, -2).tolist() == [-2, 0, 1, 2]
