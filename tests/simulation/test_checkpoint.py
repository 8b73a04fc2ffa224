"""Checkpoints: a simulation that goes on from a file comes to the same last bit; a file that does not fit is refused with the reason."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest

import heptagrid
from heptagrid import Simulation
from heptagrid.assembly.span import Phase
from heptagrid.foundation.errors import OutputError
from heptagrid.recording.arm_result import ArmResult
from heptagrid.scenario.schema import Scenario
from heptagrid.simulation.checkpoint import read_checkpoint, write_checkpoint
from tests.simulation.test_frequency import TRIP

pytestmark = pytest.mark.long

OF_THE_MACHINE = {"seconds", "peak_rss_mb", "process"}


def differences(one: Any, other: Any, where: str = "") -> list[str]:
    """Where two results differ, in whatever; but for what the machine took."""
    if type(one) is not type(other):
        return [where]
    if is_dataclass(one) and not isinstance(one, type):
        names = [field.name for field in fields(one) if field.name not in OF_THE_MACHINE]
        parts = [differences(getattr(one, name), getattr(other, name), f"{where}.{name}") for name in names]
    elif isinstance(one, dict):
        if one.keys() != other.keys():
            return [where]
        parts = [differences(one[key], other[key], f"{where}[{key!r}]") for key in one]
    elif isinstance(one, list | tuple):
        if len(one) != len(other):
            return [where]
        parts = [differences(a, b, f"{where}[{k}]") for k, (a, b) in enumerate(zip(one, other, strict=True))]
    elif isinstance(one, np.ndarray):
        return (
            [] if one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f") else [where]
        )
    else:
        return [] if one == other or (one != one and other != other) else [where]
    return [each for part in parts for each in part]


def to_the_end(simulation: Simulation) -> ArmResult:
    while simulation.step():
        pass
    return simulation.finish()


@pytest.mark.parametrize("steps", [1, 100, 290, 305])
def test_a_restored_simulation_comes_to_the_same_last_bit(lane: Scenario, tmp_path: Path, steps: int) -> None:
    """Saved in the warm-up, in the day, before its end, and in the closing hour; and whoever saves goes on undisturbed."""
    parts = [tmp_path / name for name in ("one", "other")]
    for folder in parts:
        folder.mkdir()
    simulation = Simulation(lane, "smart", parts=parts[0])
    simulation.begin()
    for _ in range(min(steps, simulation.span.all_steps - 1)):
        simulation.step()
    simulation.save(tmp_path / "saved")
    for part in parts[0].iterdir():
        (parts[1] / part.name).write_bytes(part.read_bytes())
    (parts[1] / "totals.smart.000.0099.part").write_bytes(b"of a run that went further")
    restored = Simulation.restore(tmp_path / "saved", scenario=lane, parts=parts[1])
    assert (restored.steps_done, restored.phase) == (simulation.steps_done, simulation.phase)
    assert differences(to_the_end(simulation), to_the_end(restored)) == []
    names = [sorted(part.name for part in folder.iterdir()) for folder in parts]
    assert names[0] == names[1] and len(names[0]) > 5
    for name in names[0]:
        assert polars.read_parquet(parts[0] / name).equals(polars.read_parquet(parts[1] / name))


def test_events_frequency_and_a_second_restoring(tmp_path: Path) -> None:
    """A unit trips and the frequency is followed in sub-steps: all of that goes on from the file of a file."""
    (tmp_path / "trip.toml").write_text(TRIP.replace("T17:20:00", "T00:20:00"), encoding="utf-8")
    simulation = Simulation(heptagrid.load(tmp_path / "trip.toml", ["run.step_s=900"]), "smart")
    simulation.begin()
    while simulation.phase is not Phase.COUNTED:
        simulation.step()
    simulation.save(tmp_path / "first")
    again = Simulation.restore(tmp_path / "first")
    again.step()
    again.save(tmp_path / "second")
    last = Simulation.restore(tmp_path / "second")
    for _ in range(3):
        simulation.step()
    for _ in range(2):
        last.step()
    whole, restored = simulation.finish(), last.finish()
    assert whole.frequency is not None and whole.frequency["min_hz"] < 49.5
    assert differences(whole, restored) == []


def test_views_of_one_memory_stay_that(tmp_path: Path) -> None:
    table = np.arange(24.0).reshape(6, 4)
    column, turned = table[:, 1], np.asfortranarray(table)
    write_checkpoint(tmp_path / "saved", {}, {"table": table, "column": column, "turned": turned, "again": table})
    found = read_checkpoint(tmp_path / "saved", lambda about: None)
    found["table"][2, 1] = -1.0
    assert found["column"][2] == -1.0
    assert found["again"] is found["table"]
    assert found["turned"].flags.f_contiguous and np.array_equal(found["turned"], turned)
    places = [one.__array_interface__["data"][0] % 64 for one in (table, found["table"])]
    assert places[0] == places[1]


def test_what_does_not_fit_is_refused_with_the_reason(
    lane: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulation = Simulation(lane, "conventional")
    simulation.begin()
    simulation.step()
    path = tmp_path / "saved"
    simulation.save(path)
    with pytest.raises(OutputError, match="is of another scenario"):
        Simulation.restore(path, scenario=replace(lane, seed=lane.seed + 1))
    whole = path.read_bytes()
    for content, said in (
        (whole[:-1], "is damaged"),
        (whole[:200], "is damaged"),
        (whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:], "is damaged"),
        (b"PK" + whole, "no checkpoint"),
        (b"", "no checkpoint"),
    ):
        path.write_bytes(content)
        with pytest.raises(OutputError, match=said):
            Simulation.restore(path)
    path.write_bytes(whole)
    monkeypatch.setattr("heptagrid.simulation.checkpoint.fingerprint_of_package", lambda: "another")
    with pytest.raises(OutputError, match="another heptagrid"):
        Simulation.restore(path)
    with pytest.raises(OutputError, match="cannot be read"):
        Simulation.restore(tmp_path / "nowhere")
    with pytest.raises(OutputError, match="cannot be written"):
        simulation.save(tmp_path / "nowhere" / "saved")
