"""Ascending points take in others as concatenating and sorting would have it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from heptagrid.foundation.merging import merged

POINTS = st.lists(st.integers(0, 40), unique=True)


@given(POINTS, POINTS, st.booleans(), st.randoms(use_true_random=False))
def test_merging_is_a_union_in_which_the_new_word_counts(kept: list[int], new: list[int], ascends: bool, draw) -> None:  # type: ignore[no-untyped-def]
    old, points = np.array(sorted(kept), dtype=np.int32), np.array(sorted(new) if ascends else new, dtype=np.int64)
    stays = np.array([draw.random() < 0.5 for _ in points], dtype=np.bool_)
    origin = merged(old, points, stays)
    expected = sorted([(one, k) for k, one in enumerate(sorted(kept)) if one not in new])
    expected += [(int(one), len(kept) + k) for k, one in enumerate(points) if stays[k]]
    assert origin.tolist() == [k for _, k in sorted(expected)]
