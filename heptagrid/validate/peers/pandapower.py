"""Networks for pandapower's power flows, some by way of its converter of PYPOWER cases, and networks that it brings along."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandapower
from pandapower.converter.pypower.from_ppc import from_ppc

from heptagrid.importers.importer import Reading
from heptagrid.importers.pandapower import convert, quiet
from heptagrid.importers.simbench import with_taps
from heptagrid.world.balanced.network import BalancedNetwork, Complex
from heptagrid.world.bulk import BulkSystem

Floats = npt.NDArray[np.float64]


def dc_flows_mw(system: BulkSystem, injection_mw: Floats) -> Floats:
    """Flows from `from` to `to` for net injections that sum to zero, (branches,); bus 0 is the slack."""
    buses, branches = len(system.bus_numbers), len(system.branch_from)
    bus = np.zeros((buses, 13))
    bus[:, 0], bus[:, 1], bus[:, 2] = np.arange(buses), 1, -injection_mw
    bus[0, 1], bus[:, 7], bus[:, 9] = 3, 1.0, system.bus_kv
    bus[:, 6] = bus[:, 10] = 1
    bus[:, 11], bus[:, 12] = 1.1, 0.9
    branch = np.zeros((branches, 13))
    branch[:, 0], branch[:, 1] = system.branch_from, system.branch_to
    branch[:, 2], branch[:, 3] = system.branch_r_pu, system.branch_x_pu
    branch[:, 5:8] = system.branch_rating_mw[:, np.newaxis]
    is_transformer = system.bus_kv[system.branch_from] != system.bus_kv[system.branch_to]
    branch[:, 8] = np.where(is_transformer, system.branch_ratio, 0.0)
    branch[:, 10], branch[:, 11], branch[:, 12] = 1, -360, 360
    slack = np.zeros((1, 21))
    slack[0, [3, 4, 5, 6, 7, 8]] = [1e4, -1e4, 1.0, system.base_mva, 1, 1e4]
    case = {"baseMVA": system.base_mva, "bus": bus, "branch": branch, "gen": slack, "version": "2"}
    network = from_ppc(case, f_hz=60.0)
    pandapower.rundcpp(network)
    lookup = network._from_ppc_lookups["branch"]
    flows = np.empty(branches)
    for k, (element, kind) in enumerate(zip(lookup["element"], lookup["element_type"], strict=True)):
        result = network[f"res_{kind}"].loc[element]
        if kind == "trafo":
            side = "hv" if network.trafo.loc[element, "hv_bus"] == system.branch_from[k] else "lv"
        else:
            side = "from"
        flows[k] = result[f"p_{side}_mw"]
    return flows


def ac_voltages(network: BalancedNetwork) -> Complex:
    """Complex voltages of a balanced network's buses, by way of the same converter; (buses,)."""
    buses, branches, generators = network.buses, network.branches, network.generators
    bus = np.zeros((len(buses.names), 13))
    bus[:, 0], bus[:, 1] = np.arange(len(bus)), buses.kind
    bus[:, 2], bus[:, 3], bus[:, 4], bus[:, 5] = buses.p_mw, buses.q_mvar, buses.shunt_p_mw, -buses.shunt_q_mvar
    bus[:, 6], bus[:, 7], bus[:, 8], bus[:, 9], bus[:, 10] = 1, buses.v_pu, buses.angle_deg, buses.v_base_kv, 1
    bus[:, 11], bus[:, 12] = 1.1, 0.9
    branch = np.zeros((len(branches.names), 13))
    branch[:, 0], branch[:, 1] = branches.from_bus, branches.to_bus
    branch[:, 2], branch[:, 3], branch[:, 4] = branches.z_pu.real, branches.z_pu.imag, 2.0 * branches.y_to_pu.imag
    branch[:, 5:8] = np.nan_to_num(branches.rated_mva, nan=1e4)[:, np.newaxis]
    has_ratio = branches.kinds == "transformer"
    branch[:, 8], branch[:, 9] = np.where(has_ratio, np.abs(branches.ratio), 0.0), np.rad2deg(np.angle(branches.ratio))
    branch[:, 10], branch[:, 11], branch[:, 12] = branches.in_service, -360, 360
    # The converter takes a ratio to be at the higher voltage: others are turned round, which changes nothing.
    turned = has_ratio & (buses.v_base_kv[branches.from_bus] < buses.v_base_kv[branches.to_bus])
    ratio = branch[turned, 8]
    branch[turned, 0], branch[turned, 1] = branches.to_bus[turned], branches.from_bus[turned]
    branch[turned, 2:4] *= ratio[:, np.newaxis] ** 2
    branch[turned, 4], branch[turned, 8], branch[turned, 9] = (
        branch[turned, 4] / ratio**2,
        1.0 / ratio,
        -branch[turned, 9],
    )
    generator = np.zeros((len(generators.names), 21))
    generator[:, 0], generator[:, 1], generator[:, 2] = generators.bus, generators.p_mw, generators.q_mvar
    generator[:, 3], generator[:, 4], generator[:, 5] = generators.q_max_mvar, generators.q_min_mvar, generators.v_pu
    generator[:, 6], generator[:, 7], generator[:, 8] = network.base_mva, generators.in_service, 1e4
    case = {"baseMVA": network.base_mva, "bus": bus, "branch": branch, "gen": generator, "version": "2"}
    with quiet():
        net = from_ppc(case, f_hz=60.0)
    return solved(net, calculate_voltage_angles=True, init="dc")


def network(name: str) -> Any:
    """One of pandapower's own networks."""
    with quiet():
        from pandapower import networks

        return getattr(networks, name)()


def simbench(code: str) -> Any:
    """A SimBench grid, its taps typed; without a type pandapower 3 would leave them out."""
    with quiet():
        from simbench import get_simbench_net

        return with_taps(get_simbench_net(code))


def converted(net: Any, name: str) -> BalancedNetwork:
    """The network for our solver, as `heptagrid flow` has it from a file."""
    return convert(net, name, Reading())


def solved(net: Any, **options: Any) -> Complex:
    """pandapower's complex voltages, (buses,) in the order of its table; as narrow a tolerance as it reaches."""
    with quiet():
        for tolerance_mva in (1e-11, 1e-9, 1e-8):
            try:
                pandapower.runpp(net, tolerance_mva=tolerance_mva, max_iteration=20, **options)
                break
            except pandapower.LoadflowNotConverged:
                if tolerance_mva == 1e-8:
                    raise
    v_pu, angle_deg = net.res_bus["vm_pu"].to_numpy(), net.res_bus["va_degree"].to_numpy()
    return np.asarray(v_pu * np.exp(1j * np.deg2rad(angle_deg)), dtype=np.complex128)
