"""Edge nodes of Sparkplug B: payloads, births and deaths, counting, commands; and when devices report."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from heptagrid.foundation.domains import Domain
from heptagrid.foundation.errors import UsageError
from heptagrid.live.inventory import DeviceClass
from heptagrid.live.protocols.mqtt.edge import BD_SEQ, REBIRTH, EdgeNode, Rebirth, SetPoint
from heptagrid.live.protocols.mqtt.packets import MalformedError, Message
from heptagrid.live.protocols.mqtt.reports import Rule, Watch, changed
from heptagrid.live.protocols.mqtt.section import Parameters
from heptagrid.live.protocols.mqtt.sparkplug import Datatype, Metric, decoded, encoded
from heptagrid.live.state import State
from tests.live.damage import damaged

POWER = [Metric("power_kw", Datatype.DOUBLE, 1.5)]
DEVICE = "vehicles-1"


@pytest.mark.parametrize(
    ("datatype", "value"),
    [
        (Datatype.INT8, -3),
        (Datatype.INT32, -123_456),
        (Datatype.INT64, -(2**40)),
        (Datatype.UINT32, 2**32 - 1),
        (Datatype.UINT64, 2**63),
        (Datatype.FLOAT, 0.5),
        (Datatype.DOUBLE, 1e300),
        (Datatype.BOOLEAN, True),
        (Datatype.STRING, "Straße"),
        (Datatype.DOUBLE, None),
    ],
)
def test_metrics_survive_the_way_there_and_back(datatype: Datatype, value: Any) -> None:
    one = Metric("a/b", datatype, value)
    assert decoded(encoded([one, one], 1467648000316, 255)) == [one, one]


def test_a_payload_is_the_bytes_that_the_definition_says() -> None:
    raw = encoded([Metric("m", Datatype.INT32, 5)], 1, 2)
    assert raw.hex() == "0801" + "1209" + "0a016d" + "1801" + "2003" + "5005" + "1802"


def node() -> EdgeNode:
    one = EdgeNode("g", "n")
    one.will(0)
    return one


def bd_seq(message: Message) -> int:
    return next(int(one.value) for one in decoded(message.payload) if one.name == BD_SEQ and one.value is not None)


def seq(message: Message) -> int | None:
    """The number of a message: the third field, after the metrics."""
    return message.payload[-1] if message.payload[-2:-1] == b"\x18" else None


def test_births_are_neither_retained_nor_confirmed_and_deaths_are_wills_of_quality_one() -> None:
    one = EdgeNode("g", "n")
    will = one.will(5)
    birth = one.birth(POWER, 6)
    assert (will.topic, will.qos, will.retain) == ("spBv1.0/g/NDEATH/n", 1, False)
    assert (birth.topic, birth.qos, birth.retain) == ("spBv1.0/g/NBIRTH/n", 0, False)
    assert bd_seq(will) == bd_seq(birth) == 0
    assert seq(birth) == 0 and seq(will) is None
    assert [metric.name for metric in decoded(birth.payload)] == [BD_SEQ, REBIRTH, "power_kw"]
    device = one.device_birth(DEVICE, POWER, 7)
    assert (device.topic, device.qos, device.retain) == ("spBv1.0/g/DBIRTH/n/vehicles-1", 0, False)


def test_a_rebirth_keeps_the_number_of_the_connection_and_a_new_connection_has_the_next() -> None:
    one = node()
    assert [bd_seq(one.birth(POWER, k)) for k in range(3)] == [0, 0, 0]
    will = one.will(9)
    assert bd_seq(will) == bd_seq(one.birth(POWER, 10)) == 1
    for _ in range(255):
        one.will(11)
    assert bd_seq(one.birth(POWER, 12)) == 0, "after 255 it begins again"


def test_messages_are_counted_over_node_and_devices_and_begin_again_with_a_birth() -> None:
    one = node()
    made = [
        one.birth(POWER, 0),
        one.device_birth(DEVICE, POWER, 1),
        one.data(POWER, 2),
        one.device_data(DEVICE, POWER, 3),
    ]
    assert [seq(message) for message in made] == [0, 1, 2, 3]
    for _ in range(252):
        one.data(POWER, 4)
    assert seq(one.data(POWER, 5)) == 0
    assert one.born == {DEVICE}
    one.birth(POWER, 6)
    assert one.born == set(), "its devices are to be born again"


def command(kind: str, *metrics: Metric, device: str = "") -> Message:
    topic = f"spBv1.0/g/{kind}/n" + (f"/{device}" if device else "")
    return Message(topic, encoded(metrics, 1, None))


def test_commands() -> None:
    one = node()
    assert one.commanded(command("NCMD", Metric(REBIRTH, Datatype.BOOLEAN, True))) == Rebirth()
    assert one.commanded(command("NCMD", Metric(REBIRTH, Datatype.BOOLEAN, False))) is None
    set_point = Metric("setpoint_kw", Datatype.INT32, 3), Metric("setpoint_for_s", Datatype.FLOAT, 600.0)
    assert one.commanded(command("DCMD", *set_point, device=DEVICE)) == SetPoint(DEVICE, 3.0, 600.0)
    assert one.commanded(command("DCMD", set_point[0], device=DEVICE)) == SetPoint(DEVICE, 3.0, None)
    assert one.commanded(command("DCMD", Metric("setpoint_kw", Datatype.BOOLEAN, True), device=DEVICE)) is None
    assert one.commanded(command("DCMD", Metric("unknown", Datatype.DOUBLE, 1.0), device=DEVICE)) is None


def malformed(seed: int, count: int) -> int:
    """Damage commands in every way; how many were refused. No other error may come."""
    chance, one, refused = random.Random(seed), node(), 0
    samples = [
        command("DCMD", Metric("setpoint_kw", Datatype.DOUBLE, 3.0), device=DEVICE).payload,
        command("NCMD", Metric(REBIRTH, Datatype.BOOLEAN, True)).payload,
    ]
    for _ in range(count):
        raw = damaged(chance, chance.choice(samples))
        try:
            one.commanded(Message("spBv1.0/g/DCMD/n/vehicles-1", raw))
        except MalformedError:
            refused += 1
    return refused


def test_malformed_payloads_are_survived() -> None:
    assert malformed(1, 2000) > 200


@pytest.mark.slow
def test_a_hundred_thousand_malformed_payloads_are_survived() -> None:
    assert malformed(2, 100_000) > 10_000


def watch(count: int = 10, **rule: float) -> Watch:
    nothing = np.zeros(count, dtype=np.int64)
    of = DeviceClass("vehicles", "vehicle", Domain.CUSTOMERS, nothing, nothing, np.zeros(count))
    return Watch([of], Rule(rule.get("deadband_kw", 0.1), rule.get("deadband_pct", 5.0), 900))


def state(*power_kw: float) -> State:
    return cast(State, SimpleNamespace(devices={"vehicles": SimpleNamespace(power_kw=np.array(power_kw))}))


def test_only_changes_above_the_deadband_are_reported_and_each_after_the_longest_time() -> None:
    one, all_may = watch(3), np.ones(3, dtype=np.bool_)
    assert one.due(state(1.0, 10.0, 0.0), 0, all_may, 9) == [0, 1, 2]
    assert one.due(state(1.05, 10.4, 0.2), 1, all_may, 9) == [2]
    assert one.due(state(1.2, 10.6, 0.2), 2, all_may, 9) == [0, 1]
    assert one.due(state(1.2, 10.6, 0.2), 901, all_may, 9) == [2]
    one.forget(1)
    assert one.due(state(1.2, 10.6, 0.2), 901, all_may, 9) == [1]


def test_when_few_may_report_at_a_time_all_get_their_turn() -> None:
    one, all_may, seen = watch(10), np.ones(10, dtype=np.bool_), []
    for k in range(20):
        seen += one.due(state(*np.full(10, float(k))), k, all_may, 3)
    assert {number: seen.count(number) for number in range(10)} == dict.fromkeys(range(10), 6)


def test_who_is_under_way_or_may_not_waits() -> None:
    one, may = watch(3), np.array([True, True, False])
    one.is_under_way[0] = True
    assert one.due(state(1.0, 1.0, 1.0), 0, may, 9) == [1]


def test_only_what_is_new_is_told_and_what_is_not_a_number_is_not_new_again() -> None:
    nan = float("nan")
    assert changed(None, {"a": 1.0, "b": nan}) == {"a": 1.0, "b": nan}
    assert changed({"a": 1.0, "b": nan}, {"a": 2.0, "b": nan}) == {"a": 2.0}
    assert changed({"a": 1.0, "b": 3.0}, {"a": 1.0, "b": nan}).keys() == {"b"}


def test_the_address_of_an_outside_broker() -> None:
    assert Parameters().outside is None
    assert Parameters(broker="mqtt://localhost").outside == ("localhost", 1883, False)
    assert Parameters(broker="mqtts://[::1]:99").outside == ("::1", 99, True)
    for wrong in ("localhost:1883", "http://x", "mqtt://x:port"):
        with pytest.raises(UsageError, match="mqtt://HOST:PORT"):
            _ = Parameters(broker=wrong).outside
