"""Values by point, ascending, that take in others: where each value of the merged list comes from."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.compiled.kernel import kernel

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def merged(kept: npt.NDArray[np.int32], points: npt.NDArray[Any], stays: Bools) -> Ints:
    """Where the merged list takes each of its points: of both lists one after the other, ascending by point.

    kept : (n,) ascending, each once. points : (k,) new ones, each once, in any order, which take the place of the same ones in `kept`.
    stays : (k,) which of them are in the merged list.
    """
    new: Ints = np.ascontiguousarray(points, dtype=np.int64)
    found = np.empty(len(kept) + len(new), dtype=np.int64)
    count = _merge(kept, new, stays, found)
    if count >= 0:
        return found[:count]
    order = np.argsort(new)
    count = _merge(kept, new[order], stays[order], found)
    found = found[:count]
    is_new = found >= len(kept)
    found[is_new] = len(kept) + order[found[is_new] - len(kept)]
    return found


@kernel(allocates=False)
def _merge(kept, new, stays, found):  # type: ignore[no-untyped-def]
    """Write where each point comes from into `found`; how many there are, or -1 if `new` is not ascending."""
    count = at = 0
    for k in range(new.shape[0]):
        if k > 0 and new[k] <= new[k - 1]:
            return -1
        while at < kept.shape[0] and kept[at] < new[k]:
            found[count] = at
            count += 1
            at += 1
        if at < kept.shape[0] and kept[at] == new[k]:
            at += 1
        if stays[k]:
            found[count] = kept.shape[0] + k
            count += 1
    while at < kept.shape[0]:
        found[count] = at
        count += 1
        at += 1
    return count
