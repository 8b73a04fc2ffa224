"""OpenDSS, to compare with: circuits written as text, and what it makes of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from dss import DSS

SOURCE = "new circuit.test basekv={kv} phases=3 bus1=source pu=1.02 angle=10 r1=0.3 x1=1.1 r0=0.5 x0=2"


def engine(*commands: str, kv: float = 12.47) -> Any:
    """An engine of its own with a source at `kv` and these commands executed."""
    dss = DSS.NewContext()
    dss.AllowForms = False
    for command in ("clear", SOURCE.format(kv=kv), "set tolerance=1e-11 maxiterations=500", *commands):
        dss.Text.Command = command
    return dss


def primitive(dss: Any, element: str) -> np.ndarray:
    """(n, n) admittances between the element's conductors, its terminals one after another."""
    dss.ActiveCircuit.SetActiveElement(element)
    flat = np.array(dss.ActiveCircuit.ActiveCktElement.Yprim)
    y = flat[0::2] + 1j * flat[1::2]
    return y.reshape(int(np.sqrt(len(y))), -1)
