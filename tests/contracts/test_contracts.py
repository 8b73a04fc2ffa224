"""Every message has a contract: its arrays are checked by it, policy allows it, the docs show it, and it can be written as bytes."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptagrid.contracts import flexibility, metering, outside, retail, telemetry
from heptagrid.contracts.codec import decode, encode
from heptagrid.contracts.policy import declared, refusal
from heptagrid.contracts.protection import METERING
from heptagrid.foundation.contract import Contract, Delivery, columns, each
from heptagrid.foundation.domains import Domain, Kind
from heptagrid.foundation.errors import ContractError

ROOT = Path(__file__).parents[2]
G, T, D, C, O, M, P = Domain  # noqa: E741


def test_every_kind_but_the_acknowledgement_has_a_contract() -> None:
    assert {one.kind for one in declared()} == set(Kind) - {Kind.ACK}


def test_who_may_send_what_to_whom_is_this_and_nothing_else() -> None:
    table = {
        Kind.METER_READING: {(C, O)},
        Kind.TELEMETRY: {(G, O), (T, O), (D, O), (D, M), (O, P), (O, M)},
        Kind.DISPATCH: {(O, G), (O, T), (O, D)},
        Kind.BID: {(G, M), (P, M), (C, M)},
        Kind.SCHEDULE: {(M, G), (M, O), (M, P), (P, O)},
        Kind.PRICE: {(M, P), (P, C), (M, C)},
        Kind.SETPOINT: {(P, C)},
        Kind.ALARM: {(D, O), (C, O), (O, P)},
        Kind.BILL: {(P, C), (M, G), (M, P)},
        Kind.FIRMWARE: {(O, C)},
    }
    allowed = {(one.kind, one.sender, one.receiver) for one in declared() if one.payload is not outside.Frame}
    assert allowed == {(kind, *pair) for kind, pairs in table.items() for pair in pairs}


def test_frames_go_between_desks_and_what_they_ask_both_ways() -> None:
    frames = {(one.sender, one.receiver) for one in declared() if one.payload is outside.Frame}
    one_way = {(O, C), (P, C), (O, D), (O, T), (O, G), (O, P)}
    assert frames == one_way | {(receiver, sender) for sender, receiver in one_way}


def reading(meters: int = 2, **changed: Any) -> metering.Reading:
    energy, register = np.ones(meters, dtype=np.float32), np.ones(meters)
    given: dict[str, Any] = {"moved_kwh": register, "asked_by": np.full(meters, -1)}
    given |= {"meter": np.arange(meters), "import_kwh": energy, "export_kwh": energy, "import_register_kwh": register}
    return metering.Reading(**(given | {"export_register_kwh": register, "quarter": 7} | changed))


def test_a_wave_holds_a_number_for_each_message_and_keeps_what_is_shared() -> None:
    wave = metering.READING.wave(reading(), np.array([4, 5]), 9, 1000)
    assert wave.source.tolist() == [4, 5] and wave.destination.tolist() == [9, 9] and wave.cause.tolist() == [-1, -1]
    second = np.array([1])
    told = metering.READING.read(Delivery(wave, second, second, second))
    assert told.meter.tolist() == [1] and told.quarter == 7


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"import_kwh": np.ones(2)}, "import_kwh is float32 with 1 axes, not float64"),
        ({"import_register_kwh": [1.0, 1.0]}, "import_register_kwh is float64 with 1 axes, not list"),
        ({"meter": np.zeros(3, dtype=np.int64)}, "its arrays have 2 and 3 messages"),
        ({"quarter": np.zeros(2)}, "quarter is one number, not ndarray"),
        ({"quarter": "noon"}, "quarter is one number, not str"),
    ],
)
def test_a_wave_that_breaks_its_contract_is_named_by_field(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(ContractError, match="meter_reading about 'reading' from customers to operations: " + says):
        metering.READING.wave(reading(**changed), np.array([4, 5]), 9, 1000)


def test_fields_over_the_same_axis_have_the_same_length() -> None:
    energy, status = np.ones((96, 3), dtype=np.float32), np.zeros((96, 2), dtype=np.uint8)
    with pytest.raises(ContractError, match="status has 2 points, other fields have 3"):
        retail.DAY_READS.wave(retail.DayReads(0, np.arange(3), energy, energy, status), 1, 2, 3)


def test_what_arrived_is_read_by_its_own_contract_alone() -> None:
    wave = metering.READING.wave(reading(), np.array([4, 5]), 9, 1000)
    rows = np.array([0])
    with pytest.raises(ContractError, match="is read as a alarm about 'last_gasp'"):
        metering.LAST_GASP.read(Delivery(wave, rows, rows, rows))
    assert metering.LAST_GASP.of(wave) is None and metering.READING.of(wave) is wave.payload


@dataclass(frozen=True)
class Gossip:
    said: np.ndarray = each("")


def test_policy_refuses_what_nobody_declared() -> None:
    gossip = Contract(Gossip, Kind.ALARM, "gossip", C, O, "at all times", METERING)
    assert "no alarm about 'gossip' from customers to operations is declared" in str(refusal(gossip, declared()))
    assert refusal(gossip, [*declared(), gossip]) is None
    with pytest.raises(ValueError, match="two contracts for alarm about 'gossip'"):
        Contract(Gossip, Kind.ALARM, "gossip", C, O, "never", METERING)


def test_a_contract_read_back_is_the_same_object() -> None:
    for contract in (*declared(), flexibility.signal("vehicles")):
        assert pickle.loads(pickle.dumps(contract)) is contract


def test_a_contract_that_a_checkpoint_brings_to_a_new_process_is_the_one_that_is_made_there() -> None:
    """Resuming reads the waves under way before anybody has asked for the signals' contracts."""
    saved = pickle.dumps([*declared(), flexibility.signal("vehicles")]).hex()
    program = (
        f"import pickle; read = pickle.loads(bytes.fromhex('{saved}')); "
        "from heptagrid.contracts import flexibility; from heptagrid.contracts.policy import declared; "
        "assert read[-1] is flexibility.signal('vehicles') and set(read) == set(declared())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@st.composite
def payloads(draw: st.DrawFn) -> tuple[Contract[Any], Any]:
    """A contract and a payload of one message that fits it."""
    contract = draw(st.sampled_from(declared()))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    found: dict[str, Any] = {}
    sizes = {axis: draw(st.integers(0, 4)) for _, one in columns(contract.payload) for axis in one.axes}
    for name, one in columns(contract.payload):
        if one.dtype:
            shape = tuple(sizes[axis] for axis in one.axes) if one.is_shared else (1,)
            found[name] = rng.integers(0, 2 if one.dtype == "bool" else 100, shape).astype(one.dtype)
        else:
            number = draw(st.integers(-(2**40), 2**40))
            found[name] = number / 8 if name == "for_s" else number
    return contract, contract.payload(**found)


@given(payloads())
def test_a_message_survives_its_bytes(case: tuple[Contract[Any], Any]) -> None:
    contract, payload = case
    message = encode(contract, payload)
    back = decode(contract, message)
    for name, one in columns(contract.payload):
        was, now = getattr(payload, name), getattr(back, name)
        assert np.array_equal(was, now) and (not one.dtype or was.dtype == now.dtype), name
    with pytest.raises(ContractError, match="beyond its fields"):
        decode(contract, message + b"!")
    if message:
        with pytest.raises(ContractError, match="ends within its fields"):
            decode(contract, message[:-1])


def test_one_message_of_many_is_written_alone() -> None:
    payload = telemetry.Substation(np.array([3, 4]), np.array([1.0, 0.9]), np.array([50.0, 60.0]), np.zeros(2))
    assert decode(telemetry.SUBSTATION, encode(telemetry.SUBSTATION, payload, 1)).v_pu.tolist() == [0.9]


def test_the_size_of_a_days_reads_follows_from_them() -> None:
    energy = np.ones((96, 3), dtype=np.float32)
    day = retail.DayReads(0, np.arange(3), energy, energy, np.zeros((96, 3), dtype=np.uint8))
    wave = retail.DAY_READS.wave(day, 1, 2, 3)
    assert wave.size == 4 * 96 * 3 + 4 * 3, "four bytes for each quarter hour and meter, and for the meter's number"
    moved = flexibility.Moved(0, np.arange(3), np.zeros(3), np.full(3, -1))
    assert flexibility.MOVED.wave(moved, 1, 2, 3).size == 12 * 3


def test_the_docs_hold_every_contract() -> None:
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        from topics_page import with_topics  # type: ignore[import-not-found]
    finally:
        sys.path.pop(0)
    page = (ROOT / "docs/messages.md").read_text(encoding="utf-8")
    assert with_topics(page) == page, "run `make docs`"
