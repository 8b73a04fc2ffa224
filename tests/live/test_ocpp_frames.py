"""OCPP-J frames: what is understood, what is refused with which code, and that nothing else happens."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from typing import Any

import pytest

from heptagrid.live.protocols.ocpp.charger_16 import Charger16
from heptagrid.live.protocols.ocpp.charger_201 import Charger201
from heptagrid.live.protocols.ocpp.charging import Seen
from heptagrid.live.protocols.ocpp.dialogue import Dialogue
from heptagrid.live.protocols.ocpp.station_16 import Station16
from heptagrid.live.protocols.ocpp.station_201 import Station201
from heptagrid.live.protocols.ocpp.wire import (
    Call,
    CallProblem,
    Refusal,
    Result,
    Version,
    _fits,
    _validator,
    actions,
    check,
    decoded,
    encoded,
)

METER_VALUES = {
    "connectorId": 1,
    "meterValue": [
        {
            "timestamp": "2026-08-04T13:35:45Z",
            "sampledValue": [{"value": "3600", "measurand": "Power.Active.Import", "unit": "W"}],
        }
    ],
}

ANSWERS = {
    "BootNotification": {"status": "Accepted", "currentTime": "2026-08-04T13:35:45Z", "interval": 60},
    "Heartbeat": {"currentTime": "2026-08-04T13:35:45Z"},
    "DataTransfer": {"status": "Accepted"},
}


class Peer:
    """One end, which notes what it was asked to do."""

    def __init__(self, version: Version = "1.6", lenient: bool = True) -> None:
        self.done: list[tuple[str, dict[str, Any]]] = []
        self.counted: list[str] = []
        self.dialogue = Dialogue(version, lenient, self.handle, self.counted.append)

    def handle(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        if action in ("ReserveNow", "GetLog"):
            raise CallProblem("unsupported action", "not here")
        self.done.append((action, payload))
        return ANSWERS.get(action, {})

    def answer(self, text: str | bytes) -> Any:
        answer = self.dialogue.receive(text)
        return None if answer is None else json.loads(answer)


def test_a_frame_is_read_as_it_was_written() -> None:
    for frame in (
        Call("7", "Heartbeat", {}),
        Result("7", {"currentTime": "2026-08-04T13:35:45Z"}),
        Refusal("7", "InternalError", "why", {"more": 1}),
    ):
        assert decoded(encoded(frame), lenient=False) == (frame, False)


@pytest.mark.parametrize("lenient", [True, False])
def test_a_transaction_number_that_is_left_out(lenient: bool) -> None:
    """Reported of a charger (lbbrhzn/ocpp 2032): `"transactionId":,` in every reading."""
    peer = Peer(lenient=lenient)
    text = json.dumps([2, "7", "MeterValues", METER_VALUES]).replace(
        '"connectorId": 1', '"connectorId": 1, "transactionId":'
    )
    answer = peer.answer(text)
    if lenient:
        assert answer == [3, "7", {}]
        assert peer.done == [("MeterValues", METER_VALUES)]
    else:
        assert answer[:3] == [4, "7", "FormationViolation"]
        assert not peer.done
    assert peer.answer('[2,"8","Heartbeat",{}]')[:2] == [3, "8"], "the connection lives"


@pytest.mark.parametrize("lenient", [True, False])
@pytest.mark.parametrize(
    ("action", "payload", "code"),
    [
        (  # lbbrhzn/ocpp 1576
            "MeterValues",
            json.loads(json.dumps(METER_VALUES).replace('"W"', '"Hz"')),
            "PropertyConstraintViolation",
        ),
        (  # lbbrhzn/ocpp 1248
            "StatusNotification",
            {"connectorId": 0, "errorCode": "Error", "status": "Faulted"},
            "PropertyConstraintViolation",
        ),
        (  # lbbrhzn/ocpp 466
            "MeterValues",
            {"connectorId": 1, "meterValue": [{"timestamp": "2026-08-04T13:35:45Z", "sampledValue": []}]},
            "OccurenceConstraintViolation",
        ),
        (  # lbbrhzn/ocpp 213
            "BootNotification",
            {"chargePointModel": "X", "chargePointVendor": "Y", "chargeBoxSerialNumber": "E" * 34},
            "PropertyConstraintViolation",
        ),
    ],
)
def test_values_outside_the_standard(lenient: bool, action: str, payload: dict[str, Any], code: str) -> None:
    peer = Peer(lenient=lenient)
    answer = peer.answer(json.dumps([2, "7", action, payload]))
    if lenient:
        assert answer == [3, "7", ANSWERS.get(action, {})]
        assert peer.done == [(action, payload)]
        assert peer.counted[0].endswith("understood")
    else:
        assert answer[:3] == [4, "7", code]
        assert not peer.done
    assert peer.answer('[2,"8","Heartbeat",{}]')[:2] == [3, "8"], "the connection lives"


def test_a_list_that_begins_with_a_comma() -> None:
    """Reported of a charger (lbbrhzn/ocpp 1078): `"sampledValue":[,{`."""
    peer = Peer()
    text = json.dumps([2, "7", "MeterValues", METER_VALUES]).replace('"sampledValue": [', '"sampledValue": [,')
    assert peer.answer(text) == [3, "7", {}]
    assert peer.done == [("MeterValues", METER_VALUES)]


def test_text_in_quotes_is_not_mended() -> None:
    peer = Peer()
    text = '[2,"7","DataTransfer",{"vendorId":"a:,b","data":"[,]{,}:,","messageId":}]'
    assert peer.answer(text)[:2] == [3, "7"]
    assert peer.done == [("DataTransfer", {"vendorId": "a:,b", "data": "[,]{,}:,"})]


def test_an_error_of_four_parts_is_one() -> None:
    """Reported of a charger (lbbrhzn/ocpp 899): `[4,"id","FormationViolation",""]`."""
    peer = Peer()
    found: list[Any] = []
    peer.dialogue.ask("GetConfiguration", {}, lambda payload, why: found.append((payload, why)))
    assert peer.answer('[4,"1","FormationViolation",""]') is None
    assert found == [(None, "FormationViolation: ")]


@pytest.mark.parametrize("lenient", [True, False])
def test_an_answer_that_cannot_be_is_understood_or_given_up(lenient: bool) -> None:
    """Reported of a charger (evcc 17836): a rejected composite schedule with a start of "0" and an empty unit."""
    bad = {
        "status": "Rejected",
        "connectorId": 0,
        "scheduleStart": "0",
        "chargingSchedule": {"duration": 0, "chargingSchedulePeriod": [], "startSchedule": "0", "chargingRateUnit": ""},
    }
    peer, found = Peer(lenient=lenient), list[Any]()
    peer.dialogue.ask("GetCompositeSchedule", {"connectorId": 1, "duration": 60}, lambda *one: found.append(one))
    assert peer.answer(json.dumps([3, "1", bad])) is None
    assert (found[0][0] == bad) is lenient


@pytest.mark.parametrize(("version", "syntax"), [("1.6", "FormationViolation"), ("2.0.1", "FormatViolation")])
def test_codes_of_errors_are_those_of_the_version(version: Version, syntax: str) -> None:
    peer = Peer(version, lenient=False)
    assert peer.answer('[2,"1","Fly",{}]')[2] == "NotImplemented", "nobody knows it"
    unsupported = {
        "1.6": '[2,"2","ReserveNow",{"connectorId":1,"expiryDate":"2026-08-04T13:35:45Z","idTag":"A","reservationId":1}]',
        "2.0.1": '[2,"2","GetLog",{"logType":"SecurityLog","requestId":1,"log":{"remoteLocation":"ftp://a"}}]',
    }
    assert peer.answer(unsupported[version])[2] == "NotSupported", "known, but not done"
    assert peer.answer('[2,"3","Heartbeat",{"x":1}]')[2] == syntax
    assert peer.answer('[2,"4","Heartbeat",{')[:3] == [4, "4", syntax]
    assert peer.answer('[2,"5","Authorize",{}]')[2] == "OccurenceConstraintViolation"
    assert peer.answer('[2,"6","Authorize",{"idTag":7,"idToken":7}]')[2] in ("TypeConstraintViolation", syntax)


def test_a_frame_without_an_id_is_answered_as_each_version_says() -> None:
    assert Peer("2.0.1").answer("{}") == [
        4,
        "-1",
        "RpcFrameworkError",
        "a frame is a list of a type, an id and what follows",
        {},
    ]
    assert Peer("2.0.1").answer('[9,"1",{}]')[:3] == [4, "1", "MessageTypeNotSupported"]
    assert Peer("1.6").answer(b"\xff\xfe")[:2] == [4, "-1"]


def test_a_call_that_comes_twice_is_done_once() -> None:
    """Reported of chargers that repeat a call whose answer was late (EVerest/libocpp 907)."""
    peer = Peer()
    text = json.dumps([2, "7", "MeterValues", METER_VALUES])
    assert peer.answer(text) == peer.answer(text) == [3, "7", {}]
    assert len(peer.done) == 1


def test_answers_to_nothing_are_counted() -> None:
    peer = Peer()
    assert peer.answer('[3,"99",{}]') is None
    assert peer.answer('[4,"99","InternalError","",{}]') is None
    assert peer.counted == ["malformed: answer to nothing"] * 2


def _schemas() -> list[tuple[Version, str, bool]]:
    versions: tuple[Version, ...] = ("1.6", "2.0.1")
    return [
        (one, action, is_answer) for one in versions for action in sorted(actions(one)) for is_answer in (False, True)
    ]


def test_schemas_as_functions_say_what_jsonschema_says() -> None:
    """On what the schema asks for, and on the same with a value changed, for every schema of both versions."""
    for number, (version, action, is_answer) in enumerate(_schemas()):
        validator = _validator(version, action, is_answer)
        fits, chance = _fits(version, action, is_answer), random.Random(number)
        valid = 0
        for _ in range(40):
            payload = _made(validator.schema, validator.schema, chance)
            if chance.random() < 0.5:
                _changed(payload, chance)
            assert fits(payload) == validator.is_valid(payload), (version, action, is_answer, payload)
            valid += fits(payload)
        assert valid > 0, (version, action, is_answer)


def _made(schema: Any, root: Any, chance: random.Random) -> Any:
    """A value that a schema asks for, with some of what it may have."""
    if "$ref" in schema:
        return _made(root["definitions"][schema["$ref"].rsplit("/", 1)[-1]], root, chance)
    if "enum" in schema:
        return chance.choice(schema["enum"])
    kind = schema.get("type")
    if kind == "object":
        required = schema.get("required", [])
        return {
            name: _made(one, root, chance)
            for name, one in schema.get("properties", {}).items()
            if name in required or chance.random() < 0.2
        }
    if kind == "array":
        return [
            _made(schema["items"], root, chance) for _ in range(chance.randint(max(schema.get("minItems", 0), 1), 2))
        ]
    if kind == "string":
        return "x" * chance.randint(0, min(schema.get("maxLength", 20), 20))
    return {"integer": 0, "number": Decimal("0.5"), "boolean": True, None: "whatever"}[kind]


def _changed(target: Any, chance: random.Random) -> None:
    """Change one value somewhere in it."""
    while isinstance(target, dict | list) and target:
        key = chance.choice(list(target) if isinstance(target, dict) else range(len(target)))
        if chance.random() < 0.5 or not isinstance(target[key], dict | list):
            wrong = [None, -1, 10**9, 0.25, Decimal("0.05"), True, "", "x" * 6000, [], {}, [1], {"a": 1}]
            if isinstance(target, dict) and chance.random() < 0.3:
                del target[key]
            else:
                target[key] = chance.choice(wrong)
            return
        target = target[key]


def malformed_text(seed: int) -> str | bytes:
    """A frame that somebody broke: cut, with characters changed, with values of other types, or none at all."""
    chance = random.Random(seed)
    action, payload = chance.choice(
        [
            ("MeterValues", METER_VALUES),
            ("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available"}),
            (
                "StartTransaction",
                {"connectorId": 1, "idTag": "A", "meterStart": 0, "timestamp": "2026-08-04T13:35:45Z"},
            ),
            ("SetChargingProfile", {"connectorId": 0, "csChargingProfiles": {"chargingProfileId": 1}}),
            ("Reset", {"type": "Hard"}),
        ]
    )
    content: list[Any] = [2, str(seed), action, json.loads(json.dumps(payload))]
    kind = chance.randrange(6)
    if kind == 0:
        return chance.randbytes(chance.randrange(200))
    if kind == 1:
        content[chance.randrange(4)] = chance.choice([None, -1, 1e308, "", [], {}, True, "é" * 40, [[[[]]]]])
    if kind == 2:
        target: Any = content[3]
        while isinstance(target, dict | list) and target and chance.random() < 0.8:
            key = chance.choice(list(target) if isinstance(target, dict) else range(len(target)))
            if chance.random() < 0.4 or not isinstance(target[key], dict | list):
                target[key] = chance.choice([None, -(2**70), 1e308, "", "NaN", [], {}, True, "x" * 600, "\x00"])
                break
            target = target[key]
    text = json.dumps(content)
    if kind == 3:
        text = text[: chance.randrange(len(text))]
    if kind == 4:
        at = chance.randrange(len(text))
        text = text[:at] + chance.choice(["", ",", ":", "}", "[", '"', "\\", "\x00", "NaN", "1e999"]) + text[at + 1 :]
    if kind == 5:
        text = "[" * chance.randrange(1, 3000) + text
    return text


def _fuzz(frames: int) -> None:
    for lenient in (True, False):
        peer = Peer(lenient=lenient)
        for seed in range(frames):
            text = malformed_text(seed)
            try:
                peer.dialogue.receive(text)
            except Exception as problem:
                raise AssertionError(f"seed {seed}: {text!r}") from problem
        assert peer.answer('[2,"end","Heartbeat",{}]')[:2] == [3, "end"]
        assert peer.counted


def test_malformed_frames_break_nothing() -> None:
    _fuzz(2000)


@pytest.mark.slow
def test_many_malformed_frames_break_nothing() -> None:
    _fuzz(100_000)
    _fuzz_handlers(20_000)


def test_malformed_frames_break_neither_stations_nor_our_csms() -> None:
    _fuzz_handlers(500)


def _fuzz_handlers(frames: int) -> None:
    """Broken values for each call that a station or our CSMS does, through the handlers themselves."""
    station_16, station_201 = (kind("vehicles-0", "EV0", 11.0, 0) for kind in (Station16, Station201))
    chargers = [kind("GARAGE", 30, lambda what: None) for kind in (Charger16, Charger201)]
    for one in (station_16, station_201):
        one.observe(Seen(True, 11.0, 50.0, 1.0), 10**18)
    for side in (station_16, station_201, *chargers):
        counted: list[str] = []
        ours: Any = side
        dialogue = Dialogue(
            ours.version, True, lambda action, payload, to=ours: to.handle(action, payload, 10**18), counted.append
        )
        for seed in range(frames):
            chance = random.Random(seed)
            action = chance.choice(sorted(ours._handlers))
            schema = _validator(ours.version, action, False).schema
            payload = json.loads(json.dumps(_made(schema, schema, chance), default=float))
            for _ in range(chance.randrange(3)):
                _changed(payload, chance)
            text = json.dumps([2, str(seed), action, payload], default=float)
            try:
                answer = dialogue.receive(text)
            except Exception as problem:
                raise AssertionError(f"{type(ours).__name__}, seed {seed}: {text}") from problem
            assert answer is not None
            content = json.loads(answer)
            if content[0] == 3:
                check(ours.version, action, content[2], is_answer=True)
            if isinstance(ours, Station16 | Station201):
                point = ours.set_point(10**18)
                assert all(0.0 <= kw <= 11.0 for kw in point.power_kw)
