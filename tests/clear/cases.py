"""Small markets with networks, as MATPOWER cases."""

from __future__ import annotations

from collections.abc import Sequence

# Three equal lines; 2-3 is limited. By hand: f23 = (p1 + 2 p2) / 3 <= 20, so p1 = 60; one MW more at bus 2 lets p1 rise by 2 and p3 fall by 1.
LOOP = """function mpc = loop
mpc.version = '2';
mpc.baseMVA = 100;
mpc.bus = [ % bus type Pd Qd Gs Bs area Vm Va baseKV zone Vmax Vmin
\t1 3   0 0 0 0 1 1 0 230 1 1.1 0.9;
\t2 1   0 0 0 0 1 1 0 230 1 1.1 0.9;
\t3 2 150 0 0 0 1 1 0 230 1 1.1 0.9;
];
mpc.gen = [ % bus Pg Qg Qmax Qmin Vg mBase status Pmax Pmin
\t1 0 0 0 0 1 100 1 300 0;
\t3 0 0 0 0 1 100 1 300 0;
];
mpc.branch = [ % from to r x b rateA rateB rateC ratio angle status angmin angmax
\t1 2 0 0.1 0  0 0 0 0 0 1 -360 360;
\t1 3 0 0.1 0  0 0 0 0 0 1 -360 360;
\t2 3 0 0.1 0 20 0 0 0 0 1 -360 360;
];
mpc.gencost = [ % model start stop n coefficients
\t2 0 0 2 10 0;
\t2 0 0 2 50 0;
];
"""


def one_bus(load_mw: float, units: Sequence[tuple[float, float]], gencost: Sequence[str]) -> str:
    """A case of one bus: units (least, most) in MW, and their rows of costs."""
    gen = "\n".join(f"\t1 0 0 0 0 1 100 1 {most} {least};" for least, most in units)
    cost = "\n".join(f"\t{row};" for row in gencost)
    return (
        "function mpc = one\nmpc.version = '2';\nmpc.baseMVA = 100;\n"
        f"mpc.bus = [\n\t1 3 {load_mw} 0 0 0 1 1 0 230 1 1.1 0.9;\n];\nmpc.gen = [\n{gen}\n];\n"
        f"mpc.branch = zeros(0, 13);\nmpc.gencost = [\n{cost}\n];\n"
    )
