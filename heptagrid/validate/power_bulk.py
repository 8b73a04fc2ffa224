"""The DC power flow of the bulk system against pandapower's."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from heptagrid.importers.rts import read_bulk
from heptagrid.planes.power.balanced.dc import DcNetwork
from heptagrid.scenario import load
from heptagrid.validate.case import DATA, Finding, case, farthest
from heptagrid.validate.peers import peer, run_now
from heptagrid.world.bulk import BulkSystem

Floats = npt.NDArray[np.float64]

BULK = load.BULK
ANSWERS = DATA / "rts_dc/answers.npz"


@case(
    "rts-dc",
    plane="power",
    kind="exact",
    source="pandapower 3.5 (rundcpp, recorded) on the network of RTS-GMLC, four random injections",
    same_reader=True,
)
def rts_dc(live: bool) -> Iterator[Finding]:
    """Flows of every branch of the 73-bus Reliability Test System, without losses, as the peer has none."""
    system = read_bulk(BULK)
    recorded = np.load(ANSWERS)
    flows = flows_mw(system, recorded["injection_mw"])
    yield farthest("flow of every branch", recorded["flow_mw"], flows, 1e-6, unit="MW")
    if live:
        quantity = "flow of every branch, live"
        module = peer("pandapower", quantity)
        theirs = [module.dc_flows_mw(system, injection) for injection in recorded["injection_mw"]]
        yield farthest(quantity, theirs, flows, 1e-6, unit="MW", source=run_now("pandapower"))


def flows_mw(system: BulkSystem, injection_mw: Floats) -> Floats:
    """Our flows, (cases, branches), for net injections (cases, buses)."""
    network = DcNetwork(
        len(system.bus_numbers),
        system.branch_from,
        system.branch_to,
        np.zeros_like(system.branch_r_pu),
        system.branch_x_pu,
        system.branch_ratio,
        system.base_mva,
    )
    return np.array([network.solve(injection).flow_mw for injection in injection_mw])
