"""Draws injections at the buses of the Reliability Test System and records pandapower's DC flows."""

from __future__ import annotations

import numpy as np

from heptagrid.importers.rts import read_bulk
from heptagrid.validate.peers import pandapower
from heptagrid.validate.power_bulk import ANSWERS, BULK


def main() -> None:
    """Write the injections, which sum to zero, and the flows."""
    system = read_bulk(BULK)
    injection_mw = np.random.default_rng(1979).normal(0.0, 150.0, (4, len(system.bus_numbers)))
    injection_mw -= injection_mw.mean(axis=1, keepdims=True)
    flow_mw = np.array([pandapower.dc_flows_mw(system, injection) for injection in injection_mw])
    np.savez_compressed(ANSWERS, injection_mw=injection_mw, flow_mw=flow_mw)
    print(f"{ANSWERS.stat().st_size} bytes; flows up to {np.abs(flow_mw).max():.0f} MW")


if __name__ == "__main__":
    main()
