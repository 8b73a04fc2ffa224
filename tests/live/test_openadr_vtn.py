"""The VTN without sockets: what it answers, what it refuses, and what other implementations were reported to get wrong."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from typing import Any

import pytest

from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_S
from heptagrid.live.protocols.openadr.access import BL, TOKEN_S, VEN, Access, basic_credentials, bearer
from heptagrid.live.protocols.openadr.notify import notifications
from heptagrid.live.protocols.openadr.objects import V301, V310
from heptagrid.live.protocols.openadr.store import Store
from heptagrid.live.protocols.openadr.vtn import Answer, Request, Vtn

NOON_NS = int(datetime(2016, 7, 4, 12, tzinfo=UTC).timestamp()) * NS_PER_S
NOON = "2016-07-04T12:00:00Z"


class Bench:
    """A VTN with a desk "bl" and two end nodes, "ven" and "other"."""

    def __init__(self) -> None:
        self.now_ns, self.wall_s = NOON_NS, 0.0
        self.counts: dict[str, int] = {}
        access = Access(clock=lambda: self.wall_s)
        self.tokens = {
            name: access.token_for(access.enrol(name, role))
            for name, role in (("bl", BL), ("ven", VEN), ("other", VEN))
        }
        self.vtn = Vtn(Store(lambda: self.now_ns), access, count=self._count)

    def ask(
        self, who: str, method: str, path: str, body: Any = None, version: str = V310, **query: list[str]
    ) -> Answer:
        content = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
        return self.vtn.handle(Request(method, path, query, content, f"Bearer {self.tokens.get(who, who)}", version))

    def make(self, who: str, path: str, body: Any, version: str = V310) -> dict[str, Any]:
        answer = self.ask(who, "POST", path, body, version)
        assert answer.status == 201, answer.body
        made: dict[str, Any] = answer.body
        return made

    def program(self, **content: Any) -> str:
        return str(self.make("bl", "/programs", {"programName": f"p{random.random()}", **content})["id"])

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1


def test_objects_say_what_they_are_and_when_they_were_made() -> None:
    bench = Bench()
    event = bench.make("bl", "/events", {"programID": bench.program()})
    assert event["objectType"] == "EVENT", "it was missing elsewhere: openleadr-rs 469"
    assert event["createdDateTime"] == event["modificationDateTime"] == NOON
    bench.now_ns += NS_PER_HOUR
    changed = bench.ask("bl", "PUT", f"/events/{event['id']}", {"programID": event["programID"], "eventName": "x"}).body
    assert (changed["createdDateTime"], changed["modificationDateTime"]) == (NOON, "2016-07-04T13:00:00Z")
    assert bench.ask("bl", "GET", "/events").body == [changed]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/programs", {"programName": "mine"}),
        ("POST", "/events", {"programID": "p"}),
        ("DELETE", "/programs/p", None),
        ("PUT", "/events/e", {"programID": "p"}),
    ],
)
def test_an_end_node_writes_no_programs_and_events(method: str, path: str, body: Any) -> None:
    bench = Bench()
    bench.vtn.store.add("PROGRAM", {"programName": "p"}, "p")
    bench.vtn.store.add("EVENT", {"programID": "p"}, "e")
    answer = bench.ask("ven", method, path, body)
    assert answer.status == 403 and answer.body["status"] == 403 and answer.body["title"] == "Forbidden"
    assert sum(bench.counts.values()) == 1
    assert bench.ask("bl", "POST", "/reports", {}).status == 403, "and a desk no reports"


def test_without_a_good_token_nothing_is_served() -> None:
    bench = Bench()
    assert bench.ask("forged", "GET", "/programs").status == 401
    assert bench.ask("forged", "GET", "/programs", version=V301).status == 403, "3.0.1 knows no 401"
    assert bench.ask("bl", "GET", "/programs").status == 200
    bench.wall_s += TOKEN_S + 1.0
    assert bench.ask("bl", "GET", "/programs").status == 401, "it has expired"


def test_an_event_of_an_endless_interval_is_kept_as_it_was_sent() -> None:
    bench = Bench()
    period = {"start": "0001-01-01", "duration": "P9999Y"}
    made = bench.make("bl", "/events", {"programID": bench.program(), "intervalPeriod": period, "intervals": []})
    assert made["intervalPeriod"] == period
    assert bench.ask("bl", "GET", "/events", active=["true"]).body == [], "it has no interval"


def test_null_stands_for_a_field_that_is_not_there() -> None:
    """openadr3-client writes every optional field as null; openleadr-rs answers with `"priority": null`."""
    bench = Bench()
    program = bench.program()
    given = {
        "programID": program,
        "eventName": None,
        "priority": None,
        "targets": None,
        "intervalPeriod": None,
        "duration": None,
    }
    made = bench.make("bl", "/events", given)
    assert None not in made.values() and "priority" not in made


def test_targets_come_back_as_they_were_sent() -> None:
    """openleadr-rs 317: VENs vanished from a program's targets."""
    bench = Bench()
    given = [{"type": "VEN_NAME", "values": ["a", "b"]}, {"type": "GROUP", "values": ["g"]}]
    made = bench.make("bl", "/programs", {"programName": "p", "targets": given}, V301)
    assert made["targets"] == given
    assert bench.ask("bl", "GET", f"/programs/{made['id']}").body["targets"] == ["a", "b", "g"]


def test_a_list_has_one_order_so_that_pages_add_up_to_it() -> None:
    """openleadr-rs 313: without an order, skip and limit mean nothing."""
    bench = Bench()
    program = bench.program()
    ids = [bench.make("bl", "/events", {"programID": program})["id"] for _ in range(7)]
    bench.ask("bl", "PUT", f"/events/{ids[2]}", {"programID": program, "eventName": "later"})
    pages = [bench.ask("bl", "GET", "/events", skip=[str(k)], limit=["3"]).body for k in (0, 3, 6)]
    assert [one["id"] for page in pages for one in page] == ids
    assert bench.ask("bl", "GET", "/events", limit=["0"]).body == []
    for wrong in ("51", "-1", "x", "1e3", "", "٣"):
        assert bench.ask("bl", "GET", "/events", limit=[wrong]).status == 400


def test_a_resource_has_the_client_of_its_ven() -> None:
    """openleadr-rs 313 and 315: a resource's clientID was missing, or another than its ven's."""
    bench = Bench()
    ven = bench.make("ven", "/vens", {"objectType": "VEN_VEN_REQUEST", "venName": "v"})
    given = {"objectType": "BL_RESOURCE_REQUEST", "resourceName": "r", "venID": ven["id"], "clientID": "somebody"}
    assert bench.make("bl", "/resources", given)["clientID"] == "ven" == ven["clientID"]
    assert bench.ask("bl", "POST", "/resources", given).status == 409, "names are unique within a ven"
    assert bench.ask("other", "POST", "/resources", {"resourceName": "x", "venID": ven["id"]}).status == 403
    nested = bench.ask("ven", "GET", f"/vens/{ven['id']}/resources", version=V301)
    assert [one["resourceName"] for one in nested.body] == ["r"]
    assert bench.ask("ven", "GET", "/resources", version=V301).status == 404, "3.0.1 has them within vens alone"


def test_end_nodes_see_what_is_theirs_and_what_they_were_granted() -> None:
    """openleadr-rs 277: object privacy of 3.1, with target hiding."""
    bench = Bench()
    program = bench.program()
    ven = bench.make("ven", "/vens", {"venName": "v", "targets": ["secret"]})
    assert ven["targets"] == [], "a VEN grants itself nothing"
    granting = {"objectType": "BL_VEN_REQUEST", "clientID": "ven", "venName": "v", "targets": ["group-1"]}
    assert bench.ask("bl", "PUT", f"/vens/{ven['id']}", granting).status == 200
    event = bench.make("bl", "/events", {"programID": program, "targets": ["group-1", "secret"]})
    free = bench.make("bl", "/events", {"programID": program})
    assert [one["id"] for one in bench.ask("ven", "GET", "/events").body] == [free["id"]]
    (seen,) = bench.ask("ven", "GET", "/events", targets=["group-1"]).body
    assert seen["id"] == event["id"] and seen["targets"] == ["group-1"], "the other target is hidden"
    assert bench.ask("ven", "GET", "/events", targets=["secret"]).body == []
    assert bench.ask("ven", "GET", f"/events/{event['id']}").body["targets"] == ["group-1"]
    assert bench.ask("other", "GET", f"/events/{event['id']}").status == 404
    assert bench.ask("other", "GET", "/vens").body == []
    assert bench.ask("other", "GET", f"/vens/{ven['id']}").status == 403
    old = bench.ask("ven", "GET", "/events", version=V301).body
    assert {one["id"] for one in old} == {event["id"], free["id"]}, "3.0.1 has no targets that must be asked for"
    assert {one["id"] for one in bench.ask("bl", "GET", "/events").body} == {event["id"], free["id"]}
    assert bench.ask("bl", "GET", "/events", targets=["group-1", "none"]).body == [], "all of them must be the object's"


def test_a_report_belongs_to_its_event_and_is_read_by_the_desk() -> None:
    bench = Bench()
    event = bench.make("bl", "/events", {"programID": bench.program()})
    given = {"eventID": event["id"], "clientName": "v", "resources": []}
    report = bench.make("ven", "/reports", given)
    assert report["clientID"] == "ven" and "programID" not in report
    assert bench.ask("bl", "GET", f"/reports/{report['id']}", version=V301).body["programID"] == event["programID"]
    assert bench.ask("other", "GET", "/reports").body == []
    assert bench.ask("ven", "POST", "/reports", {**given, "eventID": "nowhere"}).status == 400
    assert bench.ask("ven", "DELETE", f"/reports/{report['id']}").body["id"] == report["id"]


def test_names_are_unique_and_what_depends_goes_with_what_it_needs() -> None:
    bench = Bench()
    program = bench.make("bl", "/programs", {"programName": "one"})
    assert bench.ask("bl", "POST", "/programs", {"programName": "one"}).status == 409
    event = bench.make("bl", "/events", {"programID": program["id"]})
    told: list[tuple[str, str]] = []
    bench.vtn.store.changed.append(lambda operation, kind, one: told.append((operation, kind)))
    assert bench.ask("bl", "DELETE", f"/programs/{program['id']}").status == 200
    assert bench.ask("bl", "GET", f"/events/{event['id']}").status == 404
    assert told == [("DELETE", "EVENT"), ("DELETE", "PROGRAM")]
    assert bench.make("bl", "/programs", {"programName": "one"})["id"] != program["id"]


def test_notifications_go_to_those_who_may_see_in_the_words_of_their_version() -> None:
    bench = Bench()
    program = bench.program()
    for who, version, words in (("bl", V310, "CREATE"), ("ven", V310, "CREATE"), ("ven", V301, "POST")):
        operation = {"objects": ["EVENT"], "operations": [words], "callbackUrl": f"http://127.0.0.1:1/{who}/{version}"}
        bench.make(
            who, "/subscriptions", {"clientName": who, "programID": program, "objectOperations": [operation]}, version
        )
    store, access = bench.vtn.store, bench.vtn.access
    private = store.add("EVENT", {"programID": program, "targets": [("", "group-1")]})
    assert [one.client for one in notifications("CREATE", "EVENT", private, store, access)] == ["bl"]
    public = store.add("EVENT", {"programID": program})
    bodies = [json.loads(one.body) for one in notifications("CREATE", "EVENT", public, store, access)]
    assert [one["operation"] for one in bodies] == ["CREATE", "CREATE", "POST"]
    assert notifications("UPDATE", "EVENT", public, store, access) == []
    elsewhere = store.add("EVENT", {"programID": bench.program()})
    assert notifications("CREATE", "EVENT", elsewhere, store, access) == []


def test_credentials_come_in_a_form_or_in_a_header() -> None:
    assert basic_credentials("Basic dmVuJTQwMTphJTNBYg==") == ("ven@1", "a:b"), "encoded as RFC 6749 says"
    assert basic_credentials("Basic !!!") is None and basic_credentials("Bearer x") is None
    assert bearer("bearer  abc ") == "abc" and bearer("Basic abc") == ""
    access = Access()
    client = access.enrol("v", VEN)
    assert access.client_with("v", client.secret) is client
    assert access.client_with("v", "wrong") is None and access.client_with("nobody", "-") is None
    token = access.token_for(client)
    access.enrol("v", VEN)
    assert access.holder(token) is None, "a new secret ends old tokens"


def test_what_is_wrong_is_said_all_at_once() -> None:
    bench = Bench()
    given = {
        "programID": bench.program(),
        "priority": -1,
        "intervals": [{"id": "x", "payloads": [{"type": "A"}]}],
        "targets": [7],
    }
    detail = bench.ask("bl", "POST", "/events", given).body["detail"]
    assert all(
        word in detail for word in ("priority", "intervals[0].id", "intervals[0].payloads[0].values", "targets[0]")
    )


def fuzzed(count: int, seed: int) -> None:
    """Malformed requests: each is answered, none breaks the VTN, and none of an end node changes programs or events."""
    luck, bench = random.Random(seed), Bench()
    program = bench.program()
    event = bench.make("bl", "/events", {"programID": program, "intervals": []})["id"]
    before = bench.ask("bl", "GET", "/events").body, bench.ask("bl", "GET", "/programs").body
    words = [
        "programID",
        "eventName",
        "intervals",
        "intervalPeriod",
        "targets",
        "payloads",
        "values",
        "type",
        "id",
        "start",
        "duration",
    ]
    words += [
        "resources",
        "resourceName",
        "objectOperations",
        "callbackUrl",
        "venName",
        "clientName",
        "eventID",
        "objects",
        "operations",
    ]
    leaves: list[Any] = [
        None,
        True,
        -1,
        1e308,
        10**40,
        "",
        "P9999Y",
        "PT1S" * 20,
        NOON,
        "\ud800",
        "\x00",
        program,
        event,
        "EVENT",
        "http://[",
        [],
    ]

    def value(depth: int) -> Any:
        pick = luck.random()
        if depth > 4 or pick < 0.4:
            return luck.choice(leaves)
        if pick < 0.6:
            return [value(depth + 1) for _ in range(luck.randrange(4))]
        return {luck.choice(words): value(depth + 1) for _ in range(luck.randrange(6))}

    paths = [
        "",
        *(
            f"/{one}"
            for one in ("programs", "events", "reports", "subscriptions", "vens", "resources", "notifiers", "x")
        ),
    ]
    answered = 0
    for _ in range(count):
        body = json.dumps(value(0)).encode()
        if luck.random() < 0.3:
            torn = bytearray(body)
            torn[luck.randrange(len(torn))] = luck.randrange(256)
            body = bytes(torn[: luck.randrange(len(torn) + 1)])
        path = luck.choice(paths) + luck.choice(
            ["", "/", f"/{event}", f"/{program}", "/%00", "/a/b/c", "/" + "y" * 500]
        )
        query = {
            luck.choice(["skip", "limit", "targets", "active", "targetType", "programID"]): [
                luck.choice(["1", "-1", "true", "\x00", "9" * 99])
            ]
        }
        method = luck.choice(["GET", "POST", "PUT", "DELETE", "PATCH"])
        answer = bench.vtn.handle(
            Request(method, path, query, body, f"Bearer {bench.tokens['ven']}", luck.choice([V301, V310]))
        )
        assert 200 <= answer.status < 500, (path, body)
        assert answer.status < 400 or answer.body["status"] == answer.status
        json.dumps(answer.body, allow_nan=False).encode()
        answered += answer.status >= 400
    assert sum(bench.counts.values()) == answered, "each that is refused is counted"
    assert (bench.ask("bl", "GET", "/events").body, bench.ask("bl", "GET", "/programs").body) == before


def test_malformed_requests_are_answered_and_change_nothing() -> None:
    fuzzed(2_000, 1)


@pytest.mark.slow
def test_a_hundred_thousand_malformed_requests() -> None:
    fuzzed(100_000, 2)


def test_bodies_that_break_parsers_are_refused() -> None:
    bench = Bench()
    for body in (
        b"[" * 100_000,
        b"{" * 50_000,
        b"\xff\xfe",
        b"NaN",
        b'{"programID": NaN}',
        b"9" * 100_000,
        b"",
        b"null",
        b"[]",
    ):
        assert bench.ask("bl", "POST", "/events", body).status == 400
