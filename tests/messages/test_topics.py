"""Every topic is declared once, is allowed by policy, and stands in the docs; nothing else is sent."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from heptagrid.foundation.domains import Domain, Kind
from heptagrid.foundation.errors import PolicyError
from heptagrid.planes.messages.policy import POLICY
from heptagrid.planes.messages.topics import TOPICS, check_topic

ROOT = Path(__file__).parents[2]


def test_every_kind_but_the_acknowledgement_has_a_topic_and_policy_allows_each() -> None:
    assert {one.kind for one in TOPICS} == set(Kind) - {Kind.ACK}
    assert all((one.kind, one.sender, one.receiver) in POLICY for one in TOPICS)
    named = [(one.kind, one.name, one.sender, one.receiver) for one in TOPICS]
    assert len(named) == len(set(named))


def test_what_policy_allows_has_a_topic() -> None:
    told = {(one.kind, one.sender, one.receiver) for one in TOPICS}
    assert {one for one in POLICY if one[0] is not Kind.ACK} <= told


def test_a_wave_about_nothing_declared_is_refused() -> None:
    check_topic(Kind.ALARM, "last_gasp", Domain.CUSTOMERS, Domain.OPERATIONS, ["meter", "of_ns"])
    with pytest.raises(PolicyError, match="alarm about 'gossip' from customers to operations"):
        check_topic(Kind.ALARM, "gossip", Domain.CUSTOMERS, Domain.OPERATIONS, [])
    with pytest.raises(PolicyError, match="has no colour"):
        check_topic(Kind.ALARM, "last_gasp", Domain.CUSTOMERS, Domain.OPERATIONS, ["meter", "colour"])


def test_the_docs_hold_every_topic() -> None:
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        from topics_page import with_topics  # type: ignore[import-not-found]
    finally:
        sys.path.pop(0)
    page = (ROOT / "docs/messages.md").read_text(encoding="utf-8")
    assert with_topics(page) == page, "run `make docs`"
