"""Records OpenDSS's own totals of `feeder.dss`.

python heptagrid/validate/cases/positive_sequence/record.py
"""

from __future__ import annotations

import json
from pathlib import Path

from heptagrid.importers.opendss.script import opendss

HERE = Path(__file__).parent


def main() -> None:
    """Solve to 1e-9 and write what OpenDSS reports for the circuit."""
    with opendss() as engine:
        engine.Text.Command = f'Compile "{HERE / "feeder.dss"}"'
        circuit = engine.ActiveCircuit
        circuit.Solution.Tolerance, circuit.Solution.MaxIterations = 1e-9, 1000
        circuit.Solution.Solve()
        fed_in, losses = circuit.TotalPower, circuit.Losses
        totals = {
            "fed_in_kw": -float(fed_in[0]),
            "fed_in_kvar": -float(fed_in[1]),
            "losses_kw": float(losses[0]) / 1e3,
            "losses_kvar": float(losses[1]) / 1e3,
        }
    (HERE / "totals.json").write_text(json.dumps(totals, indent=2) + "\n")


if __name__ == "__main__":
    main()
