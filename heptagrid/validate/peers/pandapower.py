"""A bulk system for pandapower's DC power flow, by way of its converter of PYPOWER cases."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandapower
from pandapower.converter.pypower.from_ppc import from_ppc

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
