"""pandapower networks and SimBench codes against pandapower's own power flow, and what they may not hold."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from heptagrid.cli import main
from heptagrid.studies.flow.api import flow
from heptagrid.studies.flow.snapshot import Snapshot

pytestmark = pytest.mark.long

pandapower = pytest.importorskip("pandapower")


@pytest.fixture(autouse=True)
def _their_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def write(net: Any, folder: Path) -> Path:
    path = folder / "net.json"
    pandapower.to_json(net, str(path))
    return path


def call(*words: object) -> Result:
    return CliRunner().invoke(main, ["flow", *map(str, words)])


def apart(net: Any, found: Snapshot) -> float:
    """The greatest difference of complex voltages, in pu; that the same buses are dead, with no voltage here, is asserted."""
    theirs = net.res_bus.vm_pu.to_numpy() * np.exp(1j * np.deg2rad(net.res_bus.va_degree.to_numpy()))
    ours = found.nodes.v_pu * np.exp(1j * np.deg2rad(found.nodes.angle_deg))
    assert (np.isnan(theirs) == (ours == 0.0)).all()
    return float(np.nanmax(np.abs(theirs - ours)))


def losses_kw(net: Any) -> float:
    return 1e3 * sum(float(net[f"res_{kind}"].pl_mw.sum()) for kind in ("line", "trafo", "trafo3w", "impedance"))


def every_element() -> Any:
    """All that a balanced pandapower network may hold."""
    from pandapower import networks

    net = networks.example_multivoltage()
    bus = net.bus.index[net.bus.vn_kv == 10.0]
    pandapower.create_motor(net, bus[0], pn_mech_mw=0.3, cos_phi=0.8, efficiency_percent=93.0)
    pandapower.create_storage(net, bus[1], p_mw=-0.2, max_e_mwh=1.0, q_mvar=0.05)
    pandapower.create_ward(net, bus[2], 0.1, 0.05, 0.2, 0.1)
    pandapower.create_xward(net, bus[1], 0.1, 0.02, 0.1, 0.05, r_ohm=2.0, x_ohm=3.0, vm_pu=1.01)
    pandapower.create_dcline(
        net, bus[0], bus[3], p_mw=0.4, loss_percent=1.0, loss_mw=0.01, vm_from_pu=1.0, vm_to_pu=1.0
    )
    pandapower.create_load(
        net, bus[1], 0.4, 0.1, const_z_p_percent=30, const_i_p_percent=20, const_z_q_percent=10, const_i_q_percent=40
    )
    pandapower.create_asymmetric_load(net, bus[2], p_a_mw=0.1, p_b_mw=0.05, q_c_mvar=0.02)
    pandapower.create_impedance(net, bus[0], bus[2], rft_pu=0.01, xft_pu=0.1, sn_mva=10.0, rtf_pu=0.02, xtf_pu=0.12)
    net.trafo.loc[net.trafo.index[0], "tap_pos"] = -3
    return net


@pytest.mark.parametrize("angles", [True, False])
def test_every_element_counts_as_in_pandapower(tmp_path: Path, angles: bool) -> None:
    net = every_element()
    pandapower.set_user_pf_options(net, calculate_voltage_angles=angles)
    found = flow(str(write(net, tmp_path)))
    pandapower.runpp(net, tolerance_mva=1e-11)
    assert apart(net, found) < 1e-8
    assert found.totals.losses_kw == pytest.approx(losses_kw(net), abs=1e-3)
    totals = found.totals
    drawn_kw = totals.taken_back_kw + totals.loads_kw + totals.shunts_kw + totals.losses_kw
    assert totals.fed_in_kw == pytest.approx(drawn_kw, abs=1e-3)
    assert any("asymmetric_load" in remark for remark in found.remarks)


@pytest.mark.parametrize("name", ["case118", "mv_oberrhein", "create_cigre_network_lv", "case5"])
def test_networks_agree_with_pandapower(tmp_path: Path, name: str) -> None:
    from pandapower import networks

    net = getattr(networks, name)()
    found = flow(str(write(net, tmp_path)))
    pandapower.runpp(net, tolerance_mva=1e-11)
    assert apart(net, found) < 1e-8


def test_reactive_limits_bind_as_in_pandapower(tmp_path: Path) -> None:
    from pandapower import networks

    net = networks.case118()
    found = flow(str(write(net, tmp_path)), q_limits=True)
    pandapower.runpp(net, tolerance_mva=1e-11, enforce_q_lims=True)
    assert apart(net, found) < 1e-8
    assert sum("reactive power" in remark for remark in found.remarks) > 1


@pytest.mark.parametrize("most", [2.0, 1e4])
def test_generators_at_one_bus_share_their_limits_as_in_pandapower(tmp_path: Path, most: float) -> None:
    from pandapower import networks

    net = networks.case9()
    for limit in (most, np.nan):
        pandapower.create_gen(net, 6, 5.0, vm_pu=1.0, min_q_mvar=-limit, max_q_mvar=limit)
    pandapower.create_gen(net, 4, 5.0, vm_pu=1.0, min_q_mvar=-most, max_q_mvar=most)
    pandapower.create_gen(net, 4, 5.0, vm_pu=1.0, min_q_mvar=1.0, max_q_mvar=1.0)
    found = flow(str(write(net, tmp_path)), q_limits=True)
    pandapower.runpp(net, tolerance_mva=1e-11, enforce_q_lims=True)
    assert apart(net, found) < 1e-8
    assert any("reactive power" in remark for remark in found.remarks) == (most == 2.0)


def test_a_line_that_a_closed_switch_bypasses_only_charges(tmp_path: Path) -> None:
    net = small()
    net.load.loc[1, "in_service"] = False
    pandapower.create_line(net, 1, 2, 30.0, "NA2XS2Y 1x185 RM/25 12/20 kV")
    pandapower.create_impedance(net, 1, 2, 0.01, 0.1, 10.0)
    pandapower.create_switch(net, 1, 2, et="b")
    found = flow(str(write(net, tmp_path)))
    pandapower.runpp(net, tolerance_mva=1e-11)
    assert apart(net, found) < 1e-10
    assert found.totals.losses_kw == pytest.approx(losses_kw(net), abs=1e-6)


@pytest.mark.parametrize("asked", [False, True])
@pytest.mark.parametrize("q_limits", [False, True])
def test_reactive_limits_hold_with_the_switch_whatever_the_file_asks_for(
    tmp_path: Path, asked: bool, q_limits: bool
) -> None:
    net = small()
    pandapower.create_sgen(net, 2, 0.1, q_mvar=5.0, min_q_mvar=-0.2, max_q_mvar=0.2)
    pandapower.set_user_pf_options(net, enforce_q_lims=asked)
    found = flow(str(write(net, tmp_path)), q_limits=q_limits)
    assert any("enforce_q_lims" in remark for remark in found.remarks) == (asked and not q_limits)
    net.user_pf_options.clear()
    pandapower.runpp(net, tolerance_mva=1e-11, enforce_q_lims=q_limits)
    assert apart(net, found) < 1e-8


def test_how_pandapower_would_solve_it_does_not_matter(tmp_path: Path) -> None:
    net = small()
    plain = flow(str(write(net, tmp_path)))
    pandapower.set_user_pf_options(net, algorithm="helm", init_vm_pu=1.02, init_va_degree="flat")
    assert np.array_equal(flow(str(write(net, tmp_path))).nodes.v_pu, plain.nodes.v_pu, equal_nan=True)


def test_an_option_of_the_file_that_is_ignored_has_no_effect(tmp_path: Path) -> None:
    from pandapower import networks

    net = networks.case9()
    net.gen["slack_weight"] = net.ext_grid["slack_weight"] = 1.0
    pandapower.set_user_pf_options(net, distributed_slack=True)
    found = flow(str(write(net, tmp_path)), ignore=("distributed_slack",))
    net.user_pf_options.clear()
    pandapower.runpp(net, tolerance_mva=1e-11)
    assert apart(net, found) < 1e-8


def small() -> Any:
    net = pandapower.create_empty_network()
    for name in ("a", "b", None, "b"):
        pandapower.create_bus(net, 20.0, name=name)
    pandapower.create_ext_grid(net, 0)
    for start, end in ((0, 1), (1, 2)):
        pandapower.create_line(net, start, end, 1.0, "NAYY 4x150 SE")
    pandapower.create_load(net, 2, 0.1)
    pandapower.create_load(net, 3, 0.25)
    return net


def test_rows_have_names_where_these_are_unique_else_the_index_and_dead_loads_are_named(tmp_path: Path) -> None:
    found = flow(str(write(small(), tmp_path)))
    assert found.nodes.node == ["a", "1", "2", "3"]
    assert found.nodes.v_pu[3] == 0.0 and (found.nodes.v_pu[:3] > 0.9).all()
    assert found.nodes.conductor == ["phase", "phase", "phase", "de-energised"]
    assert (found.not_served.names, found.not_served.kw) == (["3"], pytest.approx(250.0))
    assert any("bus 3 is de-energised" in remark and "0.25 MW" in remark for remark in found.remarks)


def test_loads_that_are_not_served_are_those_of_the_file_whatever_cut_them_off(tmp_path: Path) -> None:
    """Behind an open breaker 20 kW beside 100 kW of generation; behind a transformer's open switch 50 kW; at a bus out of service 0.6 times 30 kW
    three phases of 1, 2 and 3 kW, and a motor of 45 kW at an efficiency of 90 %."""
    net = pandapower.create_empty_network()
    high, low, lone, out = (
        pandapower.create_bus(net, kv, name=f"{kv} {k}") for k, kv in enumerate((20.0, 0.4, 20.0, 20.0))
    )
    pandapower.create_ext_grid(net, high)
    pandapower.create_transformer(net, high, low, "0.4 MVA 20/0.4 kV")
    pandapower.create_switch(net, high, 0, et="t", closed=False)
    pandapower.create_switch(net, high, lone, et="b", closed=False)
    pandapower.create_load(net, high, 0.3)
    pandapower.create_load(net, low, 0.05, 0.01)
    pandapower.create_load(net, lone, 0.02)
    pandapower.create_sgen(net, lone, 0.1)
    pandapower.create_load(net, out, 0.03, scaling=0.6)
    pandapower.create_load(net, out, 0.5, in_service=False)
    pandapower.create_asymmetric_load(net, out, 0.001, 0.002, 0.003)
    pandapower.create_motor(net, out, 0.045, 0.8, efficiency_percent=90.0)
    net.bus.loc[out, "in_service"] = False
    found = flow(str(write(net, tmp_path)))
    assert found.not_served.names == ["0.4 1", "20.0 2", "20.0 3"]
    assert found.not_served.kw == pytest.approx(50.0 + 20.0 + 0.6 * 30.0 + 6.0 + 45.0 / 0.9)
    assert found.not_served.kvar == pytest.approx(10.0 + 50.0 * 0.6 / 0.8)
    assert found.totals.loads_kw == pytest.approx(300.0)


def _svc(net: Any) -> None:
    pandapower.create_svc(net, 1, x_l_ohm=1.0, x_cvar_ohm=-10.0, set_vm_pu=1.0, thyristor_firing_angle_degree=144.0)


def _controller(net: Any) -> None:
    from pandapower.control import ConstControl

    ConstControl(net, "load", "p_mw", [0])


@pytest.mark.parametrize(("add", "kind"), [(_svc, "svc"), (_controller, "controller")])
def test_what_cannot_be_represented_stops_it_unless_ignored(
    tmp_path: Path, add: Callable[[Any], None], kind: str
) -> None:
    net = small()
    add(net)
    path = write(net, tmp_path)
    stopped = call(path)
    assert stopped.exit_code == 3 and f"{kind} 0" in stopped.stderr and f"--ignore {kind}" in stopped.stderr
    ignored = call(path, "--ignore", kind, "--json")
    assert ignored.exit_code == 0 and json.loads(ignored.stdout)["converged"] and f"{kind} 0" in ignored.stderr
    unknown = call(path, "--ignore", kind, "--ignore", "flux")
    assert unknown.exit_code == 3 and "flux" in unknown.stderr


def test_without_controls_controllers_are_listed(tmp_path: Path) -> None:
    net = small()
    _controller(net)
    done = call(write(net, tmp_path), "--controls", "off")
    assert done.exit_code == 0 and "controller: 1 row without effect" in done.stderr


def _set(kind: str, column: str, value: float) -> Callable[[Any], None]:
    def change(net: Any) -> None:
        net[kind][column] = net[kind][column].astype(type(value))
        net[kind].loc[0, column] = value

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_set("load", "p_mw", float("nan")), "load 0: p_mw is nan"),
        (_set("line", "length_km", -1.0), "length_km is -1"),
        (_set("line", "to_bus", 77), "to_bus 77 is not among the buses"),
        (_set("line", "x_ohm_per_km", float("nan")), "x_ohm_per_km is nan"),
        (_set("ext_grid", "in_service", False), "reference"),
    ],
)
def test_wrong_figures_are_named(tmp_path: Path, change: Callable[[Any], None], words: str) -> None:
    net = small()
    change(net)
    done = call(write(net, tmp_path))
    assert done.exit_code in (3, 4) and words in done.stderr, done.stderr


def test_figures_that_are_words_and_transformers_without_reactance_are_named(tmp_path: Path) -> None:
    net = small()
    net.bus["vn_kv"] = net.bus["vn_kv"].astype(object)
    net.bus.loc[1, "vn_kv"] = "twenty"
    done = call(write(net, tmp_path))
    assert done.exit_code == 3 and "vn_kv is twenty" in done.stderr, done.stderr
    for vk, vkr in ((0.0, 0.0), (4.0, 9.0), (-4.0, 9.0)):
        net = small()
        low = pandapower.create_bus(net, 0.4)
        pandapower.create_transformer(net, 2, low, "0.63 MVA 20/0.4 kV")
        net.trafo["vk_percent"], net.trafo["vkr_percent"] = vk, vkr
        done = call(write(net, tmp_path))
        assert done.exit_code == 3 and "no less than vkr_percent" in done.stderr, done.stderr


def test_a_negative_short_circuit_voltage_is_a_capacitive_branch(tmp_path: Path) -> None:
    net = pandapower.create_empty_network(sn_mva=1.0)
    high, low = pandapower.create_bus(net, 20.0), pandapower.create_bus(net, 0.4)
    pandapower.create_ext_grid(net, high)
    pandapower.create_transformer_from_parameters(net, high, low, 1.0, 20.0, 0.4, 0.0, 10.0, 0.0, 0.0)
    pandapower.create_load(net, low, 0.0, 0.05)
    net.trafo["vk_percent"] = -10.0
    found = flow(str(write(net, tmp_path)))
    # A load of Q = 0.05 pu alone behind X = -0.1 pu raises the voltage: V^2 - V + Q X = 0.
    assert found.nodes.v_pu[1] == pytest.approx((1.0 + np.sqrt(1.0 + 4.0 * 0.05 * 0.1)) / 2.0, abs=1e-9)


def test_a_line_without_impedance_is_named(tmp_path: Path) -> None:
    net = small()
    net.line.loc[0, ["r_ohm_per_km", "x_ohm_per_km"]] = 0.0
    done = call(write(net, tmp_path))
    assert done.exit_code == 3 and "impedance is zero" in done.stderr, done.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is no JSON"),
        ("[1]", "no pandapower network"),
        ('{"a": 1}', "no pandapower network"),
        (
            '{"bus": {"vn_kv": {"0": 20.0}}, "ext_grid": {}, "version": 1.2}',
            "form of pandapower 1.2, which is not read here: read it with pandapower.from_json and save it with pandapower.to_json",
        ),
    ],
)
def test_other_json_is_no_network(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "net.json").write_text(text)
    done = call(tmp_path / "net.json")
    assert done.exit_code == 3 and words in done.stderr


def test_a_simbench_code_is_solved_and_an_unknown_one_named() -> None:
    simbench = pytest.importorskip("simbench")
    found = flow("1-LV-rural1--0-sw")
    net = simbench.get_simbench_net("1-LV-rural1--0-sw")
    pandapower.runpp(net, tolerance_mva=1e-11)
    assert apart(net, found) < 1e-8
    assert found.nodes.node == net.bus.name.tolist()
    unknown = call("1-LV-rural7--0-sw")
    assert unknown.exit_code == 3 and "did you mean" in unknown.stderr


def test_without_the_package_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(small(), tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "pandapower", None)
    done = call(path)
    assert done.exit_code == 1 and 'pip install "heptagrid[networks]"' in done.stderr
