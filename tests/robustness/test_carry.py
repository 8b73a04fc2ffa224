"""Whatever a communication network holds within its bounds, what is carried over it ends and adds up, and memory holds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from heptagrid.foundation.errors import FileError
from heptagrid.studies.carry.network_file import build_network
from tests.carry.networks import WORDS, carried
from tests.carry.reference import Message
from tests.robustness import carry_cases

S = 1_000_000_000
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_numbers_within_their_bounds_are_carried_or_refused(first: int) -> None:
    for seed in range(first, first + 20):
        assert carry_cases.check(seed) in ("carried", "refused"), seed


@pytest.mark.slow
def test_no_index_is_out_of_bounds() -> None:
    """Kernels compiled with bounds checks, in a process of their own."""
    command = [sys.executable, "-m", "tests.robustness.carry_cases", "1000", "400"]
    environment = os.environ | {"NUMBA_BOUNDSCHECK": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=3600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_many_more_numbers_within_their_bounds() -> None:
    wrong = {}
    for seed in range(100_000, 103_000):
        try:
            carry_cases.check(seed)
        except Exception as fault:
            wrong[seed] = repr(fault)
    assert not wrong


def test_a_node_that_fails_again_and_again_keeps_its_events_apart() -> None:
    """Two thousand outages of a relay, in each of which the same long frames of fifty links begin anew: 100,000 stale events."""
    nodes = [{"name": "relay"}, *({"name": f"n{k}"} for k in range(50))]
    links = [{"from": "relay", "to": f"n{k}", "rate_bps": 8.0} for k in range(50)]
    links += [{"from": "n0", "to": "relay", "rate_bps": 1e9}]
    outages = [{"node": "relay", "begin_s": 1.0 + 0.01 * k, "end_s": 1.005 + 0.01 * k} for k in range(2000)]
    messages = [Message(k, 30 * S * (k // 49), 0, 2 + k % 49, 1000) for k in range(98)]
    tables: dict[str, Any] = {"node": nodes, "link": links, "outage": outages}
    found = carried(tables, messages, 1)
    assert [WORDS[status] for status in found.status[:49]] == ["outage"] * 49
    assert (found.delivered_ns[49:] == 30 * S + 1000 * S).all()


def test_slots_that_are_counted_for_long_leave_no_stale_events_behind() -> None:
    """A station that counts up to a million slots of 802.11 while another sends 20,000 frames: each makes a new plan of both."""
    nodes = [{"name": name} for name in ("a", "b", "c")]
    medium = {"access": "dcf", "rate_bps": 6e6, "members": ["a", "b", "c"], "exponents": [20, 20], "slot_s": 1e-3}
    messages = [Message(0, 0, 1, 0, 100), *(Message(k, k, 2, 0, 100) for k in range(1, 400))]
    found = carried({"node": nodes, "medium": [medium]}, messages, 1)
    assert (found.status == 0).all()


@pytest.mark.parametrize(("sense_s", "is_taken"), [(0.01, True), (0.010001, False), (10_000.0, False)])
def test_a_look_ends_within_its_slot(sense_s: float, is_taken: bool) -> None:
    """Who finds two slots free sends at the end of the second; a longer look would send frames back in time."""
    medium = {"members": ["a", "b"], "access": "slotted-csma-ca", "rate_bps": 1e5, "slot_s": 0.01, "sense_s": sense_s}
    tables = {"node": [{"name": "a"}, {"name": "b"}], "medium": [medium]}
    if not is_taken:
        with pytest.raises(FileError, match=r"must be at most slot_s, 0\.01"):
            build_network(tables, "network")
        return
    messages = [Message(0, S, 0, 1, 100)]
    found = carried(tables, messages, 1)
    assert found.delivered_ns[0] >= S + 20_000_000, "two looks of a slot each"


def test_traffic_that_would_outlast_the_clock_is_refused() -> None:
    """Every hour a message of nine days, which is repeated 200 times: 300 years, and the clock has 253."""
    row = {"from": "a", "to": "b", "rate_bps": 1.0, "retries": 200, "loss": 1.0}
    tables: dict[str, Any] = {"node": [{"name": "a"}, {"name": "b"}], "link": [row]}
    messages = [Message(k, 3600 * S * k, 0, 1, 100_000) for k in range(60)]
    with pytest.raises(FileError, match="the clock ends"):
        carried(tables, messages, 1)


@pytest.mark.parametrize("value", carry_cases.STRANGE, ids=repr)
@pytest.mark.parametrize("key", ["rate_bps", "duty_cycle", "channels", "slot_s", "sense_m", "range_m", "ack_s", "x_m"])
def test_a_strange_number_is_read_or_refused(key: str, value: object) -> None:
    node: dict[str, Any] = {"name": "b"}
    medium: dict[str, Any] = {"members": ["a", "b"], "access": "csma-ca", "rate_bps": 1e5}
    (node if key == "x_m" else medium)[key] = value
    tables = {"node": [{"name": "a"}, node], "medium": [medium]}
    refusal, network = None, None
    try:
        network = build_network(tables, "network")
    except FileError as problem:
        refusal = str(problem)
    if network is None:
        assert refusal is not None
        assert key in refusal
    else:
        assert np.isfinite(network.wiring.net().rate_bps).all()
        assert not np.isnan(network.wiring.net().reach).any()
