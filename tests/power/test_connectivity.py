"""Connected parts and depth-first orders are those of scipy, node for node."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components, depth_first_order

from heptagrid.planes.power.connectivity import connected_parts, depth_first


@pytest.mark.parametrize("pairs_of_100", [0, 20, 60, 100, 300])
def test_parts_and_depth_first_order_are_those_of_scipy(pairs_of_100: int) -> None:
    random = np.random.default_rng(pairs_of_100)
    for nodes in (1, 2, 7, 50, 400):
        pairs = np.sort(random.integers(0, nodes, (nodes * pairs_of_100 // 100, 2)), axis=1)
        pairs = np.unique(pairs[pairs[:, 0] < pairs[:, 1]], axis=0)
        graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(nodes, nodes)).tocsr()
        shuffled = random.permutation(pairs)[:, ::-1]
        assert connected_parts(shuffled, nodes).tolist() == connected_components(graph, directed=False)[1].tolist()
        root = int(random.integers(nodes))
        order, before = depth_first(pairs, nodes, root)
        theirs, their_before = depth_first_order(graph, root, directed=False)
        assert order.tolist() == theirs.tolist()
        assert before.tolist() == np.where(their_before < 0, -1, their_before).tolist()
