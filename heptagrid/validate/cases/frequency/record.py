"""Record ANDES's frequency after the loss of a generator (development only; needs `pip install andes`, GPL 3).

python heptagrid/validate/cases/frequency/record.py

Four classical machines on short lossless lines, each with a TGOV1 governor of its own parameters, and a load of constant
power. One machine is lost at 1 s. Written: the frequency of the remaining machines' centre of inertia.
"""

from __future__ import annotations

import csv
from pathlib import Path

import andes
import numpy as np

HERE = Path(__file__).parent
F0_HZ = 50.0
BASE_MVA = 100.0
LOST_AT_S = 1.0
END_S = 40.0
# Machines: MVA, inertia constant s, damping pu, MW at the start, droop, valve s, reheater s, part before it.
MACHINES = (
    (300.0, 5.0, 1.0, 180.0, 0.05, 0.2, 7.0, 0.3),
    (200.0, 3.5, 1.0, 110.0, 0.04, 0.3, 9.0, 0.25),
    (150.0, 3.0, 1.0, 80.0, 0.05, 0.4, 0.1, 1.0),
    (100.0, 4.0, 1.0, 50.0, 0.05, 0.2, 7.0, 0.3),
)
LOST = 3
LOAD_MW = 420.0


def system() -> andes.System:
    ss = andes.System()
    ss.config.freq = F0_HZ
    hub = len(MACHINES) + 1
    for bus in range(1, hub + 1):
        ss.add("Bus", {"idx": bus, "name": f"bus {bus}", "Vn": 230.0, "v0": 1.0, "a0": 0.0})
    for k, (mva, inertia, damping, p_mw, droop, valve, reheater, before) in enumerate(MACHINES, start=1):
        ss.add(
            "Line",
            {"idx": f"line {k}", "bus1": k, "bus2": hub, "r": 0.0, "x": 0.02, "b": 0.0, "Vn1": 230.0, "Vn2": 230.0},
        )
        common = {"idx": f"static {k}", "bus": k, "Sn": mva, "Vn": 230.0, "v0": 1.0, "p0": p_mw / BASE_MVA}
        limits = {"pmax": mva / BASE_MVA, "pmin": 0.0, "qmax": 9.0, "qmin": -9.0}
        ss.add("Slack" if k == 1 else "PV", common | limits | ({"a0": 0.0} if k == 1 else {}))
        ss.add(
            "GENCLS",
            {
                "idx": f"machine {k}", "bus": k, "gen": f"static {k}", "Sn": mva, "Vn": 230.0, "fn": F0_HZ,
                "M": 2.0 * inertia, "D": damping, "ra": 0.0, "xd1": 0.2,
            },
        )  # fmt: skip
        ss.add(
            "TGOV1",
            {
                "idx": f"governor {k}", "syn": f"machine {k}", "R": droop, "T1": valve, "T2": before * reheater,
                "T3": reheater, "VMAX": 1.0, "VMIN": 0.0, "Dt": 0.0,
            },
        )  # fmt: skip
    ss.add("PQ", {"idx": "load", "bus": hub, "Vn": 230.0, "p0": LOAD_MW / BASE_MVA, "q0": 0.2})
    ss.add("Toggle", {"idx": "loss", "model": "GENCLS", "dev": f"machine {LOST + 1}", "t": LOST_AT_S})
    ss.PQ.config.update({"p2p": 1.0, "p2z": 0.0, "q2q": 1.0, "q2z": 0.0})
    ss.setup()
    return ss


def main() -> None:
    andes.config_logger(30)
    ss = system()
    assert ss.PFlow.run()
    ss.TDS.config.tf = END_S
    ss.TDS.config.tstep = 0.005
    ss.TDS.config.fixt = 1
    ss.TDS.config.criteria = 0
    ss.TDS.config.tol = 1e-9
    ss.TDS.config.no_tqdm = 1
    assert ss.TDS.run()
    time_s = np.asarray(ss.dae.ts.t)
    omega = np.asarray(ss.dae.ts.x)[:, np.asarray(ss.GENCLS.omega.a)]
    stays = [k for k in range(len(MACHINES)) if k != LOST]
    weight = np.array([MACHINES[k][0] * MACHINES[k][1] for k in stays])
    coi_hz = F0_HZ * (omega[:, stays] @ weight) / weight.sum()
    spread_hz = F0_HZ * (omega[:, stays].max(axis=1) - omega[:, stays].min(axis=1))
    print("start MW", np.asarray(ss.GENCLS.p0.v) if hasattr(ss.GENCLS, "p0") else None)
    print("nadir", coi_hz.min(), time_s[coi_hz.argmin()], "end", coi_hz[-1], "spread", spread_hz.max())
    at = np.round(
        np.concatenate([np.arange(0.9, 1.0, 0.05), np.arange(1.05, 6.0, 0.05), np.arange(6.0, END_S + 0.01, 0.25)]), 3
    )
    with (HERE / "andes.csv").open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["time_s", "frequency_hz"])
        rows.writerows([f"{t:g}", f"{hz:.6f}"] for t, hz in zip(at, np.interp(at, time_s, coi_hz), strict=True))


if __name__ == "__main__":
    main()
