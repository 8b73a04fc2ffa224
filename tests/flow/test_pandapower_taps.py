"""Taps of pandapower's transformers: each counts as the file's figures say, or is refused by name.

The right voltages come from the ratio by hand: without load and without no-load losses, a transformer's low side is at
the ratio of its rated voltages, the tap's turns included.
"""

from __future__ import annotations

import csv
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from heptagrid.foundation.errors import FileError
from heptagrid.studies.flow.api import flow
from heptagrid.studies.flow.snapshot import Snapshot

pytestmark = pytest.mark.long

pandapower = pytest.importorskip("pandapower")


@pytest.fixture(autouse=True)
def _their_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def unloaded(transformers: int = 1, **tap: Any) -> Any:
    """Transformers of 20/0.4 kV from one bus, without load or no-load losses; -4 steps of 2.5 % at the high voltage unless `tap` says other."""
    net = pandapower.create_empty_network()
    high = pandapower.create_bus(net, 20.0)
    pandapower.create_ext_grid(net, high)
    values = {"tap_side": "hv", "tap_neutral": 0, "tap_pos": -4, "tap_step_percent": 2.5, "tap_step_degree": 0.0} | tap
    for _ in range(transformers):
        low = pandapower.create_bus(net, 0.4)
        pandapower.create_transformer_from_parameters(
            *(net, high, low, 0.4, 20.0, 0.4, 1.0, 6.0, 0.0, 0.0), tap_min=-9, tap_max=9, **values
        )
    return net


def unloaded3w(**tap: Any) -> Any:
    net = pandapower.create_empty_network()
    high, middle, low = (pandapower.create_bus(net, kv) for kv in (110.0, 20.0, 10.0))
    pandapower.create_ext_grid(net, high)
    values = {"tap_neutral": 0, "tap_pos": 3, "tap_step_percent": 2.0, "tap_step_degree": 0.0} | tap
    pandapower.create_transformer3w_from_parameters(
        *(net, high, middle, low, 110.0, 20.0, 10.0, 40.0, 25.0, 15.0, 10.0, 10.0, 10.0, 0.3, 0.3, 0.3, 0.0, 0.0),
        tap_min=-9,
        tap_max=9,
        **values,
    )
    return net


def solved(net: Any, folder: Path, **changes: Any) -> Snapshot:
    path = folder / "net.json"
    pandapower.to_json(net, str(path))
    if changes:
        content = json.loads(path.read_text())
        content["_object"] |= changes
        path.write_text(json.dumps(content))
    return flow(str(path))


@pytest.mark.parametrize(
    ("tap", "v_pu"),
    [
        ({"tap_pos": -4}, 1.0 / (1.0 - 4 * 0.025)),
        ({"tap_pos": 3}, 1.0 / (1.0 + 3 * 0.025)),
        ({"tap_pos": 3, "tap_neutral": 1}, 1.0 / (1.0 + 2 * 0.025)),
        ({"tap_pos": 2, "tap_side": "lv"}, 1.0 + 2 * 0.025),
        ({"tap_pos": 0}, 1.0),
    ],
)
@pytest.mark.parametrize("type_of_tap", [None, "Ratio"])
def test_a_ratio_tap_counts_with_and_without_its_type(
    tmp_path: Path, tap: dict[str, Any], v_pu: float, type_of_tap: str | None
) -> None:
    found = solved(unloaded(tap_changer_type=type_of_tap, **tap), tmp_path)
    assert found.nodes.v_pu[1] == pytest.approx(v_pu, abs=1e-9)
    told = [remark for remark in found.remarks if "trafo 0" in remark and "tap_changer_type" in remark]
    assert len(told) == (type_of_tap is None and v_pu != 1.0)


def test_an_untyped_tap_in_degrees_shifts_the_phase(tmp_path: Path) -> None:
    found = solved(unloaded(tap_step_percent=0.0, tap_step_degree=2.0), tmp_path)
    assert found.nodes.v_pu[1] == pytest.approx(1.0, abs=1e-9)
    assert found.nodes.angle_deg[1] == pytest.approx(8.0, abs=1e-9)
    assert any("counts as Ideal, 2 degrees a step" in remark for remark in found.remarks)


@pytest.mark.parametrize(("side", "v_pu"), [("hv", (1 / 1.06, 1 / 1.06)), ("mv", (1.06, 1.0)), ("lv", (1.0, 1.06))])
@pytest.mark.parametrize("type_of_tap", [None, "Ratio"])
def test_taps_of_three_windings_count_at_their_side(
    tmp_path: Path, side: str, v_pu: tuple[float, float], type_of_tap: str | None
) -> None:
    found = solved(unloaded3w(tap_side=side, tap_changer_type=type_of_tap), tmp_path)
    assert found.nodes.v_pu[1:] == pytest.approx(v_pu, abs=1e-9)
    assert any("trafo3w 0" in remark for remark in found.remarks) == (type_of_tap is None)


def test_phase_shifters_of_earlier_versions_shift_the_phase_and_other_taps_the_ratio(tmp_path: Path) -> None:
    net = unloaded(2)
    net.trafo["tap_phase_shifter"] = [True, False]
    net.trafo = net.trafo.drop(columns=["tap_changer_type", "tap_dependency_table", "id_characteristic_table"])
    found = solved(net, tmp_path, version="2.14.6", format_version="2.14.0")
    # By pandapower 2: an ideal shifter given in per cent turns by 2 arcsin(steps * per cent / 200).
    assert found.nodes.v_pu[1:] == pytest.approx((1.0, 1.0 / 0.9), abs=1e-9)
    assert found.nodes.angle_deg[1] == pytest.approx(2.0 * np.rad2deg(np.arcsin(0.05)), abs=1e-9)


@pytest.mark.parametrize(
    ("tap", "words"),
    [
        ({"tap_side": None}, "needs a tap_side, one of hv, lv"),
        ({"tap_side": "mv"}, "needs a tap_side, one of hv, lv"),
        ({"tap_neutral": np.nan}, "needs a tap_neutral"),
        ({"tap_changer_type": "ratio"}, "tap_changer_type 'ratio'; it must be one of Ratio, Symmetrical, Ideal"),
        (
            {"tap_changer_type": "Ratio", "tap_step_percent": np.nan, "tap_step_degree": 1.0},
            "of type Ratio, which needs a tap_step_percent",
        ),
    ],
)
def test_a_tap_whose_effect_is_not_stated_is_refused(tmp_path: Path, tap: dict[str, Any], words: str) -> None:
    net = unloaded()
    for column, value in tap.items():
        net.trafo[column] = net.trafo[column].astype(object)
        net.trafo.loc[0, column] = value
    with pytest.raises(FileError) as raised:
        solved(net, tmp_path)
    assert words in str(raised.value) and "trafo 0" in str(raised.value)


def with_table(positions: list[int]) -> Any:
    """Transformers that share a table: ratio 1.00, 1.02 and 1.05 at steps 0, 1 and 2."""
    import pandas

    net = unloaded(len(positions))
    net.trafo["tap_pos"] = positions
    net.trafo["tap_dependency_table"] = True
    net.trafo["id_characteristic_table"] = pandas.array([7] * len(positions), dtype="Int64")
    net["trafo_characteristic_table"] = pandas.DataFrame(
        {
            "id_characteristic": pandas.array([7, 7, 7], dtype="Int64"),
            "step": pandas.array([0, 1, 2], dtype="Int64"),
            "voltage_ratio": [1.0, 1.02, 1.05],
            "angle_deg": [0.0, 0.5, 1.0],
            "vk_percent": 6.0,
            "vkr_percent": 1.0,
            **{f"{name}_{side}_percent": np.nan for name in ("vk", "vkr") for side in ("hv", "mv", "lv")},
        }
    )
    return net


def test_transformers_that_share_a_table_have_each_its_own_step(tmp_path: Path) -> None:
    found = solved(with_table([0, 1, 2]), tmp_path)
    assert found.nodes.v_pu[1:] == pytest.approx([1.0, 1.0 / 1.02, 1.0 / 1.05], abs=1e-9)
    assert found.nodes.angle_deg[1:] == pytest.approx([0.0, -0.5, -1.0], abs=1e-9)
    assert not any("without effect" in remark for remark in found.remarks)


def test_a_table_that_no_transformer_follows_is_said_to_have_no_effect(tmp_path: Path) -> None:
    net = with_table([1])
    net.trafo["tap_dependency_table"] = False
    found = solved(net, tmp_path)
    assert found.nodes.v_pu[1] == pytest.approx(1.0 / 1.025, abs=1e-9)
    assert any("trafo_characteristic_table: 3 rows without effect" in remark for remark in found.remarks)


def test_a_step_that_its_table_lacks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="trafo 1: its tap_pos 5 stands 0 times under id_characteristic 7"):
        solved(with_table([1, 5]), tmp_path)


def test_simbench_taps_are_those_of_its_tables() -> None:
    """The ratio of every transformer by hand from SimBench's own files, which are read here as text."""
    simbench = pytest.importorskip("simbench")
    from heptagrid.importers.simbench import read

    folder = Path(simbench.__file__).parent / "networks" / "1-complete_data-mixed-all-0-sw"

    def table(name: str) -> dict[str, dict[str, str]]:
        with (folder / f"{name}.csv").open(encoding="utf-8") as file:
            return {row["id"]: row for row in csv.DictReader(file, delimiter=";")}

    transformers, types, nodes = table("Transformer"), table("TransformerType"), table("Node")
    network = read("1-MV-urban--0-sw")
    branches = network.branches
    found = {name: abs(ratio) for name, ratio in zip(branches.names.tolist(), branches.ratio.tolist(), strict=True)}
    ours = [name for name in found if name in transformers]
    assert sorted(ours) == ["HV1-MV3.101-Trafo1", "HV1-MV3.101-Trafo2"]
    for name in ours:
        row = transformers[name]
        kind = types[row["type"]]
        steps = int(row["tappos"]) - int(kind["tapNeutr"])
        assert steps == -1 and kind["tapside"] == "HV"
        high_kv = float(kind["vmHV"]) * (1.0 + steps * float(kind["dVm"]) / 100.0)
        expected = high_kv / float(kind["vmLV"])
        expected *= float(nodes[row["nodeLV"]]["vmR"]) / float(nodes[row["nodeHV"]]["vmR"])
        assert found[name] == pytest.approx(expected, rel=1e-12)
    assert flow("1-MV-urban--0-sw").nodes.v_pu.min() == pytest.approx(0.98285, abs=5e-6)
