"""The full flow of the bulk system: balance, limits, and the voltages of another program."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from heptagrid.foundation.errors import NetworkError
from heptagrid.importers.rts import read_bulk
from heptagrid.planes.power.balanced.ac import AcNetwork
from heptagrid.scenario.load import BULK
from heptagrid.world.bulk import CONVERTER, GAS, THERMAL, WATER, BulkSystem


@pytest.fixture(scope="module")
def system() -> BulkSystem:
    return read_bulk(BULK)


def loading(system: BulkSystem, share: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outputs, and loads in MW and Mvar, with all thermal units and water at a share of their greatest output."""
    output_mw = share * system.units.p_max_mw * np.isin(system.units.kind, (THERMAL, WATER))
    load_mw = system.bus_share / 3.0 * output_mw.sum() * 0.98
    return output_mw, load_mw, load_mw * system.mvar_per_mw


def test_what_is_given_is_drawn_or_lost(system: BulkSystem) -> None:
    output_mw, load_mw, load_mvar = loading(system, 0.6)
    flow = AcNetwork(system).solve(output_mw, load_mw, load_mvar)
    assert 0.005 < flow.loss_mw / load_mw.sum() < 0.03
    assert flow.v_pu.min() > 0.95 and flow.v_pu.max() < 1.1
    again = AcNetwork(system).solve(3.0 * output_mw, load_mw, load_mvar)
    assert again.loss_mw == pytest.approx(flow.loss_mw, rel=1e-4), "the shares of the units count, not their sum"


def test_units_hold_their_voltage_within_their_reactive_limits(system: BulkSystem) -> None:
    output_mw, load_mw, load_mvar = loading(system, 0.6)
    flow = AcNetwork(system).solve(output_mw, load_mw, load_mvar)
    held = np.flatnonzero(system.held_pu != 1.0)
    off = held[np.abs(flow.v_pu[held] - system.held_pu[held]) > 1e-6]
    assert len(off) <= flow.at_limit, "only who is at a limit lets go"
    heavy = AcNetwork(system).solve(output_mw, load_mw, 2.5 * load_mvar)
    assert heavy.at_limit > flow.at_limit
    assert heavy.v_pu.min() < flow.v_pu.min()


def test_what_cannot_be_carried_is_told(system: BulkSystem) -> None:
    output_mw, load_mw, load_mvar = loading(system, 0.6)
    with pytest.raises(NetworkError, match=r"it carries .* voltage collapse"):
        AcNetwork(system).solve(output_mw, 4.0 * load_mw, 4.0 * load_mvar)
    with pytest.raises(NetworkError, match="no unit"):
        AcNetwork(system).solve(np.zeros_like(output_mw), load_mw, load_mvar)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the peer's own
def test_voltages_are_those_of_pandapower(system: BulkSystem) -> None:
    pandapower = pytest.importorskip("pandapower")
    from pandapower.converter.pypower import from_ppc

    wide = np.full(len(system.units.bus), 1e4)
    free = replace(
        system,
        units=replace(system.units, q_min_mvar=-wide, q_max_mvar=wide),
        condenser_q_min_mvar=np.full(3, -1e4),
        condenser_q_max_mvar=np.full(3, 1e4),
    )
    output_mw, load_mw, load_mvar = loading(system, 0.6)
    network = AcNetwork(free)
    network.solve(
        output_mw, load_mw, load_mvar
    )  # the next begins with this one's losses, and spreads them to the last digit
    flow = network.solve(output_mw, load_mw, load_mvar)
    assert flow.at_limit == 0
    given = np.bincount(system.units.bus, output_mw, minlength=73) * ((load_mw.sum() + flow.loss_mw) / output_mw.sum())
    slack = int(system.units.bus[int(np.argmax(system.units.p_max_mw * (output_mw > 0.0)))])
    holds = (output_mw > 0.0) | np.isin(system.units.turbine, (CONVERTER, GAS))
    runs = np.union1d(system.units.bus[holds], system.condenser_bus)
    kind = np.ones(73)
    kind[runs], kind[slack] = 2.0, 3.0
    one, none, many = np.ones(73), np.zeros(73), len(system.branch_from)
    bus = [np.arange(73), kind, load_mw, load_mvar, system.shunt_mw, -system.shunt_mvar, one, one, none]
    gen = [runs, given[runs], 0 * runs, 0 * runs + 1e4, 0 * runs - 1e4, system.held_pu[runs], 0 * runs + 100.0]
    branch = [system.branch_from, system.branch_to, system.branch_r_pu, system.branch_x_pu, system.branch_b_pu]
    rated, ratio = np.full(many, 1e3), np.where(system.branch_ratio == 1.0, 0.0, system.branch_ratio)
    case = {
        "baseMVA": 100.0,
        "bus": np.column_stack([*bus, np.full(73, 100.0), one, 2.0 * one, none]),
        "gen": np.column_stack([*gen, np.ones(len(runs)), np.full(len(runs), 1e4), np.zeros((len(runs), 12))]),
        "branch": np.column_stack(
            [*branch, rated, rated, rated, ratio, np.zeros(many), np.ones(many), np.full((many, 2), [-360.0, 360.0])]
        ),
    }
    net = from_ppc(case, f_hz=60.0)
    pandapower.runpp(net, init="dc", tolerance_mva=1e-9, calculate_voltage_angles=True, trafo_model="pi")
    angle = flow.angle_deg - flow.angle_deg[slack] + net.res_bus.va_degree.to_numpy()[slack]
    assert flow.v_pu == pytest.approx(net.res_bus.vm_pu.to_numpy(), abs=1e-6)
    assert angle == pytest.approx(net.res_bus.va_degree.to_numpy(), abs=1e-4)
