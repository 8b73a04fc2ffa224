"""The interface of a live grid: what it shows, what it does, what it refuses."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from heptagrid.live.answers import Dropped, EventTold
from heptagrid.live.client import Client, ProblemError, UnreachableError
from heptagrid.live.http.openapi import document
from heptagrid.live.http.routes import ENDPOINTS
from heptagrid.scenario.schema import Scenario
from heptagrid.testing import GridUnderTest, live_grid


@pytest.fixture(scope="module")
def grid(lane: Scenario) -> Iterator[GridUnderTest]:
    """One for all tests here; each leaves its time standing still."""
    with live_grid(lane) as grid:
        yield grid


def ask(
    grid: GridUnderTest, method: str, path: str, body: bytes | str | None = None, **headers: str
) -> tuple[int, Any, dict[str, str]]:
    """Status, decoded body and headers."""
    at = urlsplit(grid.url)
    connection = HTTPConnection(at.hostname or "", at.port, timeout=30)
    try:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        connection.request(method, path, body.encode() if isinstance(body, str) else body, sent)
        answer = connection.getresponse()
        content = answer.read()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, json.loads(content) if content else None, found
    finally:
        connection.close()


def test_the_document_is_valid_and_names_every_endpoint(grid: GridUnderTest) -> None:
    from openapi_spec_validator import validate

    status, found, headers = ask(grid, "GET", "/openapi.json")
    assert status == 200 and headers["content-type"].startswith("application/vnd.oai.openapi+json")
    validate(found)
    assert found == json.loads(json.dumps(document(ENDPOINTS)))
    declared = {(path, method) for path, methods in found["paths"].items() for method in methods}
    assert declared == {(one.path, one.method.lower()) for one in ENDPOINTS}
    names = [each["operationId"] for methods in found["paths"].values() for each in methods.values()]
    assert len(names) == len(set(names))


def test_answers_are_as_the_document_says(grid: GridUnderTest) -> None:
    import jsonschema

    _, found, _ = ask(grid, "GET", "/openapi.json")
    paths = ["/clock", "/state", "/nodes", "/points", "/substations", "/plants", "/classes", "/devices", "/actions"]
    paths += ["/changes", "/messages", "/peers", "/frames", "/roles", "/money", "/money/accounts"]
    for path in [*paths, "/devices/vehicles/0", "/money/bills/3", "/devices/batteries/0", "/devices/plants/2"]:
        status, answer, _ = ask(grid, "GET", path)
        assert status == 200, path
        template = {"/devices/vehicles/0": "/devices/{class}/{number}", "/money/bills/3": "/money/bills/{point}"}
        of = template.get(path, "/devices/{class}/{number}" if path.count("/") == 3 else path)
        schema = found["paths"][of]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        jsonschema.validate(answer, schema | {"components": found["components"]})


def test_the_state_adds_up(grid: GridUnderTest) -> None:
    state, points, nodes = grid.client.state(), grid.client.points(), grid.client.nodes()
    assert state.customers_kw == pytest.approx(sum(one or 0.0 for one in points.p_kw))
    assert state.infeed_kw[0] == pytest.approx(state.customers_kw + state.losses_kw, rel=1e-3)
    assert state.v_min_pu == pytest.approx(min(one for one in nodes.v_pu if one))
    assert nodes.total == len(nodes.v_pu) and points.total == len(points.p_kw) == 17


def test_lists_come_in_pages_and_are_filtered(grid: GridUnderTest) -> None:
    classes = {one.name: one.count for one in grid.client.classes()}
    assert len(grid.client.devices()) == sum(classes.values())
    assert [one.name for one in grid.client.devices("vehicles")] == [
        f"vehicles/{k}" for k in range(classes["vehicles"])
    ]
    at = grid.client.devices(point=1)
    assert {one.device_class for one in at} >= {"meters"} and all(one.point == 1 for one in at)
    behind = grid.client.devices("meters", substation=1)
    assert 0 < len(behind) < classes["meters"] and all(one.substation == 1 for one in behind)
    _, page, _ = ask(grid, "GET", "/devices?class=vehicles&first=2&count=2")
    assert [one["number"] for one in page["devices"]] == [2, 3] and page["next_first"] == 4
    _, part, _ = ask(grid, "GET", "/nodes?first=5&count=3")
    assert part["v_pu"] == grid.client.nodes().v_pu[5:8]


def test_time_moves_only_when_a_client_says_so(grid: GridUnderTest) -> None:
    before = grid.client.clock()
    time.sleep(0.2)
    assert grid.client.clock().ns == before.ns and before.is_paused
    assert grid.advance(minutes=2).ns == before.ns + 120 * 10**9
    assert grid.client.state().until_ns == before.ns + 120 * 10**9


def test_spans_of_several_clients_are_added(grid: GridUnderTest) -> None:
    before, ends = grid.client.clock().ns, []

    def advance() -> None:
        with Client(grid.url) as client:
            ends.append(client.advance(60).ns)

    threads = [threading.Thread(target=advance) for _ in range(12)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert grid.client.clock().ns == before + 12 * 60 * 10**9
    assert len(ends) == 12 and min(ends) >= before + 60 * 10**9


def test_time_runs_and_is_paused(grid: GridUnderTest) -> None:
    before = grid.client.clock().ns
    assert not grid.client.go("max").is_paused
    time.sleep(0.3)
    paused = grid.client.pause()
    assert paused.is_paused and paused.ns > before
    time.sleep(0.1)
    assert grid.client.clock().until_ns == paused.until_ns
    grid.client._clock(speed=1.0)


def test_an_order_crosses_the_network_and_its_fate_is_told(grid: GridUnderTest) -> None:
    with grid.recorded(topic="order.batteries") as told:
        action = grid.order("batteries/0", 1.0, for_s=1800.0)
        assert (action.fate, action.by) == ("under way", "test")
        status, _, _ = ask(grid, "POST", "/devices/batteries/0/order", '{"power_kw": 1.5, "for_s": 1800}')
        assert status == 202
        grid.advance(minutes=3)
    assert [one.event for one in told] == ["sent", "sent", "delivered", "delivered"]
    assert told[0].source.startswith("aggregators/") and told[2].delay_s > 0.0
    done = grid.client.action(action.number)
    assert done.fate == "done" and done.fate_ns == told.of("delivered")[0].at_ns
    battery = grid.client.device("batteries/0")
    assert battery.ordered_kw == 1.5 and battery.ordered_until_ns is not None
    grid.client.withdraw("batteries/0")
    grid.advance(minutes=3)
    assert grid.client.device("batteries/0").ordered_kw is None


def test_set_points_reach_busbar_and_plant(grid: GridUnderTest) -> None:
    grid.client.play("scada_master", "test")
    with grid.recorded(event="delivered", topic="busbar") as told:
        grid.client.set_busbar(0.99)
        grid.advance(minutes=10)
    assert len(told) == 1 and told[0].destination == "primary_substations/0"
    _, shown, _ = ask(grid, "GET", "/state")
    assert shown["busbar_v_pu"][0] < 1.01
    assert grid.client.set_plant(3, 60.0).fate == "under way"
    grid.client.release("scada_master")
    grid.advance(minutes=1)


def test_while_a_program_plays_the_aggregator_the_built_in_one_is_silent(grid: GridUnderTest) -> None:
    grid.client.play("aggregator", "mine")
    with grid.recorded(event="sent", topic="signal.vehicles") as told:
        for _ in range(4):
            grid.advance(hours=0.5)
            grid.client.alive("aggregator")
    assert len(told) == 0
    role = next(one for one in grid.client.roles() if one.role == "aggregator")
    assert (role.player, role.plays, role.is_silent) == ("mine", "mine", False)
    with grid.recorded(event="sent", topic="signal.vehicles") as told:
        grid.advance(minutes=74)
        assert len(told) == 0
        for _ in range(12):  # within a day, at whatever time of it the tests before have left the grid
            grid.advance(hours=2)
            if told:
                break
    assert len(told) > 0
    role = next(one for one in grid.client.roles() if one.role == "aggregator")
    assert (role.player, role.plays, role.is_silent) == ("mine", "built in", True)
    grid.client.alive("aggregator")
    assert next(one for one in grid.client.roles() if one.role == "aggregator").plays == "mine"
    grid.client.release("aggregator")


def test_changes_are_listed_and_made(grid: GridUnderTest) -> None:
    known = {one.what: one for one in grid.client.changes()}
    assert {"jam", "cut", "blackout", "loss", "fail", "stuck_meter", "tap"} <= known.keys()
    assert next(one for one in known["jam"].fields if one.name == "where").is_required
    assert grid.change("jam", where="access", duration_s=600.0).fate == "done"
    grid.order("vehicles/1", 2.0)
    with grid.recorded(event="lost") as told:
        grid.advance(minutes=9)
    assert len(told) > 0 and all(one.cause for one in told)
    grid.advance(minutes=10)


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/changes", {"what": "hurricane"}, "what"),
        ("/changes", {"what": "jam", "given": {"where": "access"}}, "given.duration_s"),
        ("/changes", {"what": "jam", "given": {"where": "access", "duration_s": -1}}, "given.duration_s"),
        ("/changes", {"what": "jam", "given": {"where": 3, "duration_s": 60}}, "given.where"),
        ("/changes", {"what": "jam", "given": {"where": "access", "duration_s": 60, "x": 1}}, "given.x"),
        ("/clock", {"advance_s": -1}, "advance_s"),
        ("/clock", {"advance_s": "60"}, "advance_s"),
        ("/clock", {"advance_s": True}, "advance_s"),
        ("/clock", {"pause": True, "go": True}, "go"),
        ("/clock", {"speed": 0}, "speed"),
        ("/clock", {"step_s": 7}, None),
        ("/clock", {"until": "1900-01-01"}, "until"),
        ("/clock", {"until": "noon"}, "until"),
        ("/clock", {"hurry": 1}, "hurry"),
        ("/clock", {}, None),
        ("/devices/vehicles/0/order", {"power_kw": 1}, "for_s"),
        ("/devices/vehicles/0/order", {"power_kw": 1e300, "for_s": 60}, "power_kw"),
        ("/set-points/plant", {"unit": 3, "target_mw": 5000}, "target_mw"),
        ("/set-points/busbar", {"target_pu": 2}, "target_pu"),
        ("/roles", {"role": "king", "player": "x"}, "role"),
        ("/roles", {"role": "retailer", "player": "built in"}, "player"),
    ],
)
def test_a_wrong_field_is_named_with_its_remedy(
    grid: GridUnderTest, path: str, body: dict[str, Any], field: str | None
) -> None:
    status, problem, headers = ask(grid, "POST", path, json.dumps(body))
    assert status == 400 and headers["content-type"] == "application/problem+json"
    assert problem.get("field") == field and problem["detail"] and (problem.get("remedy") or field is None), problem


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"\xff\xfe", b"null", b"[]", b"1", b'"x"', b'{"power_kw": NaN, "for_s": 1}', b"{" * 60_000),
        *(b'{"power_kw": 1e999, "for_s": 1}', b'{"power_kw": Infinity, "for_s": 1}', b"[" * 60_000),
        b'{"power_kw": 1, "for_s": 99999999999999999999999999999999}',
    ],
)
def test_what_is_no_order_is_refused_and_nothing_is_sent(grid: GridUnderTest, body: bytes) -> None:
    before = len(grid.client.actions(1000))
    status, problem, _ = ask(grid, "POST", "/devices/vehicles/0/order", body)
    assert status == 400 and problem["status"] == 400
    assert len(grid.client.actions(1000)) == before


def test_bodies_have_a_type_and_a_limit(grid: GridUnderTest) -> None:
    assert ask(grid, "POST", "/clock", "{}", Content_Type="text/plain")[0] == 415
    assert ask(grid, "POST", "/clock", " " * 70_000)[0] == 413
    status, problem, headers = ask(grid, "PUT", "/clock", "{}")
    assert status == 405 and headers["allow"] == "GET, HEAD, POST" and problem["status"] == 405
    assert ask(grid, "GET", "/nothing")[0] == 404
    assert ask(grid, "GET", "/devices/vehicles/10000")[0] == 404
    assert ask(grid, "GET", "/devices/unicorns/0")[0] == 404
    assert ask(grid, "GET", "/actions/99999999")[0] == 404
    assert ask(grid, "GET", "/clock?when=now")[1]["field"] == "when"
    assert ask(grid, "GET", "/nodes?first=1&first=2")[1]["field"] == "first"
    assert ask(grid, "POST", "/devices/meters/0/order", '{"power_kw": 1, "for_s": 60}')[0] == 404


def test_messages_are_streamed_as_lines(grid: GridUnderTest) -> None:
    with Client(grid.url) as other, other.stream(kind="meter_reading", event="delivered", each=True) as events:
        grid.advance(minutes=30)
        first = next(events)
    assert isinstance(first, EventTold) and first.kind == "meter_reading" and first.receiver == "operations"
    assert first.count == len(first.messages) and first.messages[0].source.startswith("meters/")
    assert first.least_delay_s <= first.mean_delay_s <= first.longest_delay_s
    last = grid.client.messages(topic="reading", event="delivered")
    assert last and all(one.topic == "reading" for one in last)


def test_messages_are_streamed_to_a_websocket(grid: GridUnderTest) -> None:
    from websockets.sync.client import connect

    url = grid.url.replace("http", "ws") + "/messages/stream"
    with connect(f"{url}?device=meters/3&topic=reading") as socket:
        grid.advance(minutes=16)
        told = json.loads(socket.recv(timeout=10))
    assert told["count"] == 1 and told["topic"] == "reading"
    with connect(f"{url}?device=nobody/3") as socket:
        assert json.loads(socket.recv(timeout=10))["field"] == "device"


def test_a_reader_that_does_not_read_loses_events_and_holds_up_nobody(
    grid: GridUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    from heptagrid.live import message_feed

    monkeypatch.setattr(message_feed, "QUEUED", 5)
    at = urlsplit(grid.url)
    slow = HTTPConnection(at.hostname or "", at.port, timeout=30)
    slow.request("GET", "/messages/stream?each=true")
    answer = slow.getresponse()
    began = time.monotonic()
    grid.advance(hours=1)
    assert time.monotonic() - began < 30.0
    found = []
    while not any("dropped" in one for one in found) and len(found) < 5000:
        line = answer.readline()
        found += [json.loads(line)] if line.strip() else []
    slow.close()
    assert any(one.get("dropped", 0) > 0 for one in found)
    assert Dropped(3).dropped == 3


def test_money_sums_to_nothing_and_a_bill_grows(grid: GridUnderTest) -> None:
    before = grid.bill_eur(3)
    grid.advance(hours=1)
    money, bill = grid.client.money(), grid.client.bill(3)
    assert money.sum_eur == 0.0
    assert abs(sum(money.today_eur.values())) < 1e-6
    assert bill.total_eur + bill.today_eur > before
    assert bill.total_eur == pytest.approx(sum(one.amount_eur for one in bill.lines))


def test_the_client_says_what_is_wrong(grid: GridUnderTest) -> None:
    with pytest.raises(ProblemError, match="there is no 'vehicles/999'") as caught:
        grid.client.device("vehicles/999")
    assert caught.value.status == 404
    with pytest.raises(UnreachableError, match="heptagrid serve"):
        Client("http://127.0.0.1:9").clock()


def test_what_is_asserted_of_a_grid_names_what_is_wrong(grid: GridUnderTest) -> None:
    grid.assert_volts(0.9, 1.1)
    grid.assert_loading(150.0)
    with pytest.raises(AssertionError, match=r"nodes lie outside 1.2 to 1.3 pu at 2016-07-0.*node"):
        grid.assert_volts(1.2, 1.3)
    with pytest.raises(AssertionError, match="substation"):
        grid.assert_loading(0.1)
    with grid.recorded(topic="reading") as told:
        grid.advance(minutes=15)
    grid.assert_told(told, least=10, within_s=60.0)
    with pytest.raises(AssertionError, match="were expected"):
        grid.assert_told(told, least=1000)
