"""A sunny day of the town whose inverters follow volt-var: what that does to voltages, and that reactive power balances as energy does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import heptagrid
from heptagrid.simulation.simulation import Simulation
from heptagrid.world.balanced.radial_network import BASE_KVA

pytestmark = pytest.mark.long

SUNNY = ("run.start=2016-06-05", "run.step_s=900")
NOON = 96 + 50
"""Steps: the day of the warm-up, and half a day."""


def run(*settings: str, steps: int = NOON) -> Simulation:
    one = Simulation(heptagrid.load("town", [*SUNNY, *settings]), "smart")
    one.begin()
    for _ in range(steps):
        one.step()
    return one


def lost_kvar(one: Simulation) -> float:
    """What lines and transformers take up, from the currents and voltages of the last solution."""
    world, grid = one.world, one.grid
    network, transformers, flow = world.network, world.grid.transformers, grid.distribution.flow
    assert flow is not None and not len(network.loops)
    taps = np.where(transformers.has_controller, grid.distribution.lines.of(0).changer.tap, transformers.tap_pos)
    inverse = np.ones(network.nodes)
    inverse[network.node_of_transformer] = 1.0 / (
        network.nominal_ratio * (1.0 + (taps - network.tap_neutral) * network.tap_step)
    )
    shunt = network.shunt_to_pu.copy()
    np.add.at(shunt, network.parent[1:], network.shunt_from_pu[1:] * inverse[1:] ** 2)
    series = network.z_pu.imag * (flow.current_re**2 + flow.current_im**2)
    return float((series - shunt.imag * flow.v_pu**2).sum() * BASE_KVA)


@pytest.fixture(scope="module")
def volt_var() -> Simulation:
    return run("inverters.mode=volt_var", "inverters.volt_watt=true")


def test_reactive_power_of_the_town_balances(volt_var: Simulation) -> None:
    terminals, inverters = volt_var.grid.terminals, volt_var.grid.customers.inverters
    drawn_kvar = float(terminals.point_q_kvar.sum())
    assert float(terminals.infeed_q_kvar[0]) == pytest.approx(drawn_kvar + lost_kvar(volt_var), abs=1e-3)
    assert inverters.q_kvar.min() < -1.0, "some absorb at noon"
    assert (np.hypot(inverters.p_kw, inverters.q_kvar) <= inverters.rated_kva * (1.0 + 1e-12)).all()


def test_volt_var_lowers_the_highest_voltage_and_energy_balances(volt_var: Simulation) -> None:
    """Energy is asserted to 1e-6 of what flowed when a simulation finishes."""
    before, after = run().finish(), volt_var.finish()
    assert after.extremes.customer_v_max.max() < before.extremes.customer_v_max.max() - 0.002
    assert abs(after.energy.residual) <= 1e-6 * (after.energy.generated + after.energy.imported)


def test_what_was_saved_goes_on_to_the_same_last_bit(volt_var: Simulation, tmp_path: Path) -> None:
    one = run("inverters.mode=volt_var", "inverters.volt_watt=true", steps=60)
    one.save(tmp_path / "half")
    other = Simulation.restore(tmp_path / "half")
    for _ in range(3):
        one.step()
        other.step()
    for name in ("point_p_kw", "point_q_kvar", "point_v_pu"):
        assert np.array_equal(getattr(one.grid.terminals, name), getattr(other.grid.terminals, name))


TRIP = """
[frequency]
enabled = true
before_s = 60
after_s = 180
[[events]]
kind = "unit_trip"
where = "largest"
begin = 2016-07-04T00:05:00
duration_s = 3600
"""


def test_batteries_answer_the_loss_of_a_unit_in_the_bulk_system(lane_file: Path, tmp_path: Path) -> None:
    """With a step of a minute they answer the frequency at its begin, all of it."""
    file = tmp_path / "trip.toml"
    file.write_text(lane_file.read_text(encoding="utf-8") + TRIP, encoding="utf-8")
    settings = ["run.start=2016-07-04", "run.step_s=60", "batteries.share=1.0", "gateways.enrolled_share=0.0"]
    settings += ["inverters.frequency_droop=true", "inverters.local_units=false"]
    one = Simulation(heptagrid.load(file, settings), "smart")
    one.begin()
    terminals, inverters = one.grid.terminals, one.grid.customers.inverters
    rows = inverters.rows("batteries")
    for _ in range(24 * 60 + 20):
        one.step()
        if terminals.deviation_hz < -0.05:
            break
    deviation_hz = terminals.deviation_hz
    assert deviation_hz < -0.05, "the unit is lost in the course of this step"
    before_kw = inverters.p_kw[rows].copy()
    one.step()
    more_kw = (-0.036 - deviation_hz) / (inverters.nominal_hz * 0.05) * 4.5
    given_kw = inverters.p_kw[rows]
    has_room = one.grid.customers.devices["batteries"].contents_kwh() > 0.1
    assert has_room.any() and more_kw > 0.01
    assert given_kw[has_room] == pytest.approx(np.minimum(before_kw[has_room] + more_kw, 4.5))
    assert given_kw.sum() > before_kw.sum()
