"""`heptagrid carry` agrees with the plain reference, message by message: time to the nanosecond, status and hops."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.carry.networks import WORDS, carried, case, content
from tests.carry.reference import Link, Message, Reference

CASES_EACH = 10


def agree(nodes: int, links: list[Link], messages: list[Message], seed: int) -> None:
    found = carried(content(nodes, links), messages, seed)
    Reference(links, messages, seed)
    for k, message in enumerate(messages):
        ours = (int(found.delivered_ns[k]), WORDS[found.status[k]], int(found.hops[k]))
        assert ours == (message.delivered_ns, message.status, message.hops), (links, message)


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 2**40), st.integers(0, 2**40))
def test_every_message_has_the_time_status_and_hops_of_the_reference(first: int, seed: int) -> None:
    for number in range(CASES_EACH):
        agree(*case(first + number), seed)
