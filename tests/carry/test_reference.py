"""`heptagrid carry` agrees with the plain reference, message by message: time to the nanosecond, status and hops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heptagrid.studies.carry import api
from tests.carry.networks import MS, WORDS, carried, case, content
from tests.carry.reference import Link, Message, Reference

pytestmark = pytest.mark.long

FEW_AND_MANY = [2, pytest.param(10, marks=pytest.mark.slow)]  # networks of each example


def agree(nodes: int, links: list[Link], messages: list[Message], seed: int) -> None:
    found = carried(content(nodes, links), messages, seed)
    Reference(links, messages, seed)
    for k, message in enumerate(messages):
        ours = (int(found.delivered_ns[k]), WORDS[found.status[k]], int(found.hops[k]))
        assert ours == (message.delivered_ns, message.status, message.hops), (links, message)


@pytest.mark.parametrize("networks", FEW_AND_MANY)
@settings(max_examples=400, deadline=None)
@given(first=st.integers(0, 2**40), seed=st.integers(0, 2**40))
def test_every_message_has_the_time_status_and_hops_of_the_reference(networks: int, first: int, seed: int) -> None:
    for number in range(networks):
        agree(*case(first + number), seed)


@pytest.mark.parametrize("networks", FEW_AND_MANY)
@settings(max_examples=60, deadline=None)
@given(first=st.integers(0, 2**40), batch=st.integers(1, 20))
def test_batches_change_nothing(networks: int, first: int, batch: int) -> None:
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(api, "_BATCH", batch)
        for number in range(networks):
            agree(*case(first + number), first)


def test_a_great_burst_over_a_long_chain_agrees() -> None:
    """More messages than the kernel takes at once, over as many hops as there may be."""
    rng = np.random.default_rng(5)
    links = [Link(k, k + 1, 10**9, loss=0.001, retries=1) for k in range(255)]
    starts = 255 - (rng.random(33_000) ** 200 * 255).astype(int).clip(1)
    messages = [Message(k, int(rng.integers(0, 3)) * MS, int(starts[k]), 255, 100) for k in range(len(starts))]
    messages[0].source = 0
    agree(256, links, messages, 1)
