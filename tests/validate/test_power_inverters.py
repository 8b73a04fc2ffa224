"""An hour at noon of each day with photovoltaics, from where OpenDSS's taps stood before; whole days are `heptagrid validate`'s."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from heptagrid.foundation.errors import FileError
from heptagrid.importers.circuit_file import read_circuit, write_circuit
from heptagrid.validate.power_inverters import (
    DAYS,
    FOLDER,
    STORED_KW,
    STORED_PU,
    Day,
    answer,
    read_answer,
    run,
    scenario,
)

pytestmark = pytest.mark.long

NOON = slice(700, 745)


@pytest.mark.parametrize("day", [day for day in DAYS if not day.with_delays], ids=lambda day: day.name)
def test_noon_goes_as_in_opendss(day: Day) -> None:
    theirs = read_answer(day.answers)
    ours = run(scenario(), day, NOON, taps=theirs.taps[NOON.start - 1])
    np.testing.assert_array_equal(ours.taps, theirs.taps[NOON])
    shown = answer(ours)
    np.testing.assert_allclose(shown.v_pu, theirs.v_pu[NOON], atol=STORED_PU)
    np.testing.assert_allclose(shown.p_kw, theirs.p_kw[NOON], atol=STORED_KW)
    np.testing.assert_allclose(shown.q_kvar, theirs.q_kvar[NOON], atol=STORED_KW)
    assert (np.ptp(ours.taps, axis=0) > 0).any()


def test_a_circuit_comes_back_from_its_file(tmp_path: Path) -> None:
    circuit = scenario().circuit
    write_circuit(circuit, tmp_path / "again.npz")
    again = read_circuit(tmp_path / "again.npz")
    assert again.name == circuit.name
    np.testing.assert_array_equal(again.lines.z_ohm, circuit.lines.z_ohm)
    np.testing.assert_array_equal(again.regulators.is_reversible, circuit.regulators.is_reversible)


def test_a_file_without_a_column_is_refused(tmp_path: Path) -> None:
    with np.load(FOLDER / "circuit.npz") as archive:
        columns = {name: archive[name] for name in archive if name != "lines.z_ohm"}
    np.savez(tmp_path / "poor.npz", **columns)
    with pytest.raises(FileError, match=r"there is no column lines\.z_ohm"):
        read_circuit(tmp_path / "poor.npz")
