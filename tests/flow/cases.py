"""Small MATPOWER cases that the tests read, and change."""

from __future__ import annotations

RING = """function mpc = ring
%RING  Five buses in a ring, three generators, a transformer that shifts.
mpc.version = '2';
mpc.baseMVA = 100;
mpc.bus = [ % bus type Pd Qd Gs Bs area Vm Va baseKV zone Vmax Vmin
\t1 3   0  0   0  0  1 1 0 230 1 1.1 0.9;
\t2 2  80 30   0  0  1 1 0 230 1 1.1 0.9;
\t3 1 120 40   0 20  1 1 0 230 1 1.1 0.9;
\t4 1  90 30   2  0  1 1 0 110 1 1.1 0.9;
\t9 2  40 10   0  0  1 1 0 110 1 1.1 0.9;
];
mpc.gen = [ % bus Pg Qg Qmax Qmin Vg mBase status Pmax Pmin
\t1  0 0 300 -300 1.02 100 1 500 0;
\t2 90 0  60  -60 1.01 100 1 200 0;
\t9 60 0  20  -20 1.03 100 1 100 0;
];
mpc.branch = [ % from to r x b rateA rateB rateC ratio angle status angmin angmax
\t1 2 0.01 0.06 0.03 250 250 250 0    0 1 -360 360;
\t2 3 0.02 0.12 0.02 250 250 250 0    0 1 -360 360;
\t3 4 0    0.08 0    250 250 250 0.98 5 1 -360 360;
\t4 9 0.03 0.10 0.01 250 250 250 0    0 1 -360 360;
\t1 9 0    0.09 0    250 250 250 1.02 0 1 -360 360;
\t1 4 0.01 0.05 0    250 250 250 0    0 0 -360 360;
];
"""
