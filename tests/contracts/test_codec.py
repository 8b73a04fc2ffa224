"""Messages as bytes."""

from __future__ import annotations

import numpy as np

from heptagrid.contracts import flexibility
from heptagrid.contracts.codec import decode_all, encode, encode_all
from heptagrid.contracts.outside import FRAMES, Frame
from heptagrid.foundation.domains import Domain


def test_a_wave_encoded_at_once_is_that_of_its_messages_one_by_one() -> None:
    frame = FRAMES[Domain.OPERATIONS, Domain.CUSTOMERS]
    numbers = Frame(np.array([1, 2**40, -3]))
    joined = encode_all(frame, numbers, 3)
    assert joined == b"".join(encode(frame, numbers, row) for row in range(3))
    assert [one.number.tolist() for one in decode_all(frame, joined, 3)] == [[1], [2**40], [-3]]
    cap = flexibility.Cap(np.array([1.5, -2.0]), np.array([7, 8]))
    assert encode_all(flexibility.CAP, cap, 2) == b"".join(encode(flexibility.CAP, cap, row) for row in range(2))
    assert encode_all(flexibility.CAP, cap, 0) == b"" and decode_all(flexibility.CAP, b"", 0) == []


def test_a_wave_with_shared_fields_is_encoded_as_well() -> None:
    order = flexibility.order("vehicles")
    payload = flexibility.Order(np.array([1, 2]), np.array([0.5, 1.5]), 9, np.array([3, 4]))
    assert encode_all(order, payload, 2) == b"".join(encode(order, payload, row) for row in range(2))
