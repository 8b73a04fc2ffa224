"""How many vehicles may charge in the street at once? Solve an OpenDSS feeder again and again, with one more each time.

Reading OpenDSS scripts needs `pip install "heptagrid[networks]"`.

python examples/flow_on_a_feeder.py
"""

import tempfile
from pathlib import Path

import numpy as np

import heptagrid

STREET = Path(__file__).with_name("street.dss")
LOWEST_PU = 0.9  # EN 50160
CHARGERS = [
    f"new load.car{k} phases=1 bus1={bus}.{1 + k % 3} kv=0.23 kw=7.4 pf=1"
    for k, bus in enumerate(["end", "two", "one"] * 3)
]

with tempfile.TemporaryDirectory() as folder:
    for count in range(len(CHARGERS) + 1):
        script = Path(folder) / f"{count}.dss"
        script.write_text(STREET.read_text(encoding="utf-8") + "\n".join(CHARGERS[:count]), encoding="utf-8")
        solved = heptagrid.flow(str(script))
        solved.check()  # raises what kept it from converging

        # One entry for each conductor of each bus; `where` picks phases, neutrals or what is de-energised.
        phases = solved.nodes.where("phase")
        v_pu = solved.nodes.v_pu[phases]
        worst = phases[np.argmin(v_pu)]
        print(
            f"{count} charging: {v_pu.min():.3f} pu at {solved.nodes.node[worst]}, phase {solved.nodes.phase[worst]}; "
            f"{solved.totals.losses_kw:.1f} kW lost; highest current {np.nanmax(solved.branches.i_from_a):.0f} A"
        )
        if v_pu.min() < LOWEST_PU:
            break
