"""What a recorder takes from a step's arrays: power drawn and fed in, extremes of voltages and loading, the extent of a wave."""

from __future__ import annotations

import numpy as np

from heptagrid.foundation.compiled.kernel import kernel


@kernel
def split(p_kw):  # type: ignore[no-untyped-def]
    """Sum of what is drawn and of what is fed in."""
    drawn = 0.0
    fed_in = 0.0
    for k in range(p_kw.shape[0]):
        if p_kw[k] > 0.0:
            drawn += p_kw[k]
        else:
            fed_in -= p_kw[k]
    return drawn, fed_in


@kernel
def follow_nodes(v_pu, i_re, i_im, pct_per_pu, is_line, v_min, v_max, peak_pct):  # type: ignore[no-untyped-def]
    """Update each node's extremes; the least and greatest voltage and the highest loading of a line in this step."""
    least, greatest, most_pct = np.inf, -np.inf, 0.0
    for k in range(v_pu.shape[0]):
        v = v_pu[k]
        if v == 0.0:
            continue
        least, greatest = min(least, v), max(greatest, v)
        v_min[k], v_max[k] = min(v_min[k], v), max(v_max[k], v)
        pct = np.sqrt(i_re[k] ** 2 + i_im[k] ** 2) * pct_per_pu[k]
        peak_pct[k] = max(peak_pct[k], pct)
        if is_line[k]:
            most_pct = max(most_pct, pct)
    return least, greatest, most_pct


@kernel
def extent(sent_ns, cause):  # type: ignore[no-untyped-def]
    """When the first and the last message of a wave leave, and whether their causes differ."""
    least = greatest = sent_ns[0]
    apart = False
    for k in range(1, len(sent_ns)):
        least, greatest = min(least, sent_ns[k]), max(greatest, sent_ns[k])
        apart = apart or cause[k] != cause[0]
    return least, greatest, apart
