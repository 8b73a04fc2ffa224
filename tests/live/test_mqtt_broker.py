"""The broker, without sockets: who hears what, what is kept, and what ends a connection."""

from __future__ import annotations

import random
import time

import pytest

from heptagrid.live.protocols.mqtt import broker as broker_module
from heptagrid.live.protocols.mqtt import packets, subscriptions
from heptagrid.live.protocols.mqtt.broker import Broker, Login, Session
from heptagrid.live.protocols.mqtt.packets import MalformedError, Message, Publish, Splitter, matches
from heptagrid.live.protocols.mqtt.subscriptions import Subscriptions
from tests.live.damage import damaged


def text(value: str) -> bytes:
    return len(value.encode()).to_bytes(2, "big") + value.encode()


def framed(first: int, body: bytes) -> bytes:
    assert len(body) < 128
    return bytes((first, len(body))) + body


def connect(
    client: str = "a",
    *,
    flags: int = 0x02,
    rest: bytes = b"",
    keep_alive_s: int = 60,
    protocol: bytes = text("MQTT") + b"\x04",
) -> bytes:
    return framed(0x10, protocol + bytes((flags,)) + keep_alive_s.to_bytes(2, "big") + text(client) + rest)


def subscribe(name: str, qos: int = 0, number: int = 7) -> bytes:
    return framed(0x82, number.to_bytes(2, "big") + text(name) + bytes((qos,)))


class Client:
    """A client without a socket. greeted: the answer to its connect; raw: what it was sent since it was last looked at."""

    def __init__(self, broker: Broker, name: str = "a", **how: object) -> None:
        self.broker, self.raw, self.is_closed, self.is_slow = broker, b"", False, False
        self.session = Session(self._sent, self._close, lambda: self.is_slow)
        self.greeted = self.send(connect(name, **how))  # type: ignore[arg-type]

    def send(self, raw: bytes) -> bytes:
        """Send, and take what was answered."""
        self.broker.receive(self.session, raw)
        return self.taken()

    def taken(self) -> bytes:
        found, self.raw = self.raw, b""
        return found

    def heard(self) -> list[Message]:
        return [one.message for one in Splitter().feed(self.taken()) if isinstance(one, Publish)]

    def _sent(self, raw: bytes) -> None:
        self.raw += raw

    def _close(self) -> None:
        self.is_closed = True


def broker() -> Broker:
    return Broker(Login())


@pytest.mark.parametrize(
    ("name", "topic", "is_match"),
    [
        ("a/b", "a/b", True),
        ("a/+", "a/b", True),
        ("a/+", "a/b/c", False),
        ("+/+", "/b", True),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("#", "a/b", True),
        ("#", "$SYS/a", False),
        ("+/a", "$SYS/a", False),
        ("$SYS/#", "$SYS/a", True),
        ("a/b", "a/b/", False),
    ],
)
def test_filters(name: str, topic: str, is_match: bool) -> None:
    assert matches(name, topic) == is_match


@pytest.mark.parametrize("name", ["a+", "a/#/b", "a#", "", "a/b+/c"])
def test_filters_that_are_none(name: str) -> None:
    with pytest.raises(MalformedError):
        packets.checked_filter(name)


def test_what_is_published_is_heard_by_those_who_subscribed() -> None:
    one = broker()
    hearer, speaker, other = Client(one, "a"), Client(one, "b"), Client(one, "c")
    assert hearer.send(subscribe("x/+", 1)) == b"\x90\x03\x00\x07\x01"
    other.send(subscribe("y/#"))
    assert speaker.send(packets.publish(Message("x/1", b"hello", qos=1), 9)) == b"\x40\x02\x00\x09"
    assert hearer.heard() == [Message("x/1", b"hello", qos=1)]
    assert not other.heard()
    hearer.send(framed(0xA2, b"\x00\x08" + text("x/+")))
    one.publish(Message("x/1", b"again"))
    assert not hearer.heard()


def test_the_highest_quality_is_two_on_neither_side() -> None:
    one = Client(broker())
    assert one.send(subscribe("x", 2)) == b"\x90\x03\x00\x07\x01"
    with pytest.raises(MalformedError):
        one.send(packets.publish(Message("x", b"", qos=2), 1))


def test_retained_messages_wait_for_those_who_come_later() -> None:
    one = broker()
    one.publish(Message("a/1", b"kept", retain=True))
    one.publish(Message("a/2", b"not kept"))
    late = Client(one)
    raw = late.send(subscribe("a/#"))
    assert raw.startswith(b"\x90")
    assert raw.endswith(b"\x31\x09\x00\x03a/1kept")
    one.publish(Message("a/1", b"new", retain=True))
    assert late.heard() == [Message("a/1", b"new")], "to who is there it is not one that was kept"
    one.publish(Message("a/1", b"", retain=True))
    assert one.retained == {}


def test_a_will_is_published_when_a_client_is_lost_and_not_when_it_takes_its_leave() -> None:
    one = broker()
    hearer = Client(one, "hearer")
    hearer.send(subscribe("will", 1))
    will = {"flags": 0x0E, "rest": text("will") + text("gone")}
    one.lost(Client(one, "a", **will).session)
    assert hearer.heard() == [Message("will", b"gone", qos=1)]
    polite = Client(one, "a", **will)
    polite.send(b"\xe0\x00")
    one.lost(polite.session)
    assert polite.is_closed and not hearer.heard()


def test_a_second_client_of_a_name_takes_the_place_of_the_first() -> None:
    one = broker()
    first, second = Client(one, "same"), Client(one, "same")
    assert first.is_closed and not second.is_closed
    one.lost(first.session)
    assert one.sessions == {"same": second.session}


def test_only_who_knows_the_password_comes_in() -> None:
    one = Broker(Login("head", "secret"))
    assert Client(one).is_closed
    wrong = Client(one, flags=0xC2, rest=text("head") + text("wrong"))
    assert wrong.is_closed and one.refused == 2
    right = Client(one, flags=0xC2, rest=text("head") + text("secret"))
    assert not right.is_closed and right.greeted == b"\x20\x02\x00\x00"


@pytest.mark.parametrize(
    ("how", "code"),
    [({"protocol": text("MQTT") + b"\x05"}, 1), ({"name": "", "flags": 0x00}, 2)],
)
def test_connects_are_refused_with_their_reason(how: dict[str, object], code: int) -> None:
    one = Client(broker(), **how)  # type: ignore[arg-type]
    assert one.is_closed and one.greeted == bytes((0x20, 2, 0, code))


def test_a_slow_client_misses_messages_and_does_not_hold_up_others() -> None:
    one = broker()
    slow = Client(one)
    slow.send(subscribe("#"))
    slow.is_slow = True
    one.publish(Message("a", b"1"))
    assert one.dropped == 1 and not slow.heard()


def test_pings_are_answered_and_nothing_before_a_connect() -> None:
    assert Client(broker()).send(b"\xc0\x00") == b"\xd0\x00"
    with pytest.raises(MalformedError):
        broker().receive(Session(lambda raw: None, lambda: None, lambda: False), b"\xc0\x00")
    with pytest.raises(MalformedError):
        Client(broker()).send(connect())


def test_a_stream_is_cut_into_packets_wherever_it_is_torn() -> None:
    message = Message("a/b", bytes(300), qos=1)
    stream = packets.publish(message, 5) + b"\xc0\x00"
    for at in range(len(stream)):
        one = Splitter()
        found = one.feed(stream[:at]) + one.feed(stream[at:])
        assert found[0] == Publish(message, 5) and len(found) == 2


@pytest.mark.parametrize(
    "raw",
    [
        b"\x00\x00",
        b"\xf0\x00",
        b"\x30\xff\xff\xff\xff\x01",
        b"\x30\xff\xff\xff\x7f",
        b"\x80\x02\x00\x01",
        b"\x82\x02\x00\x01",
        b"\x36\x05\x00\x01a\x00\x01",
        b"\x30\x03\x00\x01#",
        b"\x32\x05\x00\x01a\x00\x00",
        b"\x30\x04\x00\x02\xff\xfe",
        b"\x38\x03\x00\x01a",
    ],
)
def test_packets_that_are_none(raw: bytes) -> None:
    with pytest.raises(MalformedError):
        Splitter().feed(raw)


def test_the_tree_of_filters_finds_what_matching_each_finds() -> None:
    chance = random.Random(3)
    levels = ("a", "b", "$c", "", "+")

    def name(ends: tuple[str, ...]) -> str:
        return "/".join(
            [chance.choice(levels[: 4 + (ends != ("",))]) for _ in range(chance.randrange(1, 5))]
        ) + chance.choice(ends)

    tree: Subscriptions[int] = Subscriptions()
    had: dict[tuple[int, str], int] = {}
    for _ in range(3000):
        hearer, of, qos = chance.randrange(20), name(("", "", "/#")), chance.randrange(2)
        if chance.random() < 0.6:
            assert tree.add(hearer, of, qos)
            had[hearer, of] = qos
        else:
            tree.remove(hearer, of)
            had.pop((hearer, of), None)
        topic = name(("",))
        wanted: dict[int, int] = {}
        for (each, filter_name), granted in had.items():
            if matches(filter_name, topic):
                wanted[each] = max(granted, wanted.get(each, 0))
        assert tree.hearers(topic) == wanted
    assert len(tree) == sum(of.count("/") + 1 for _, of in had)
    for hearer, of in had:
        tree.remove(hearer, of)
    assert len(tree) == 0 and not tree._root.below, "nothing is left of what was forgotten"


def test_a_million_subscriptions_cost_what_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a thousand clients with a thousand filters each, those beyond the room are refused, and a message still finds its hearers at once."""
    monkeypatch.setattr(subscriptions, "MOST_LEVELS", 50_000)
    one, granted = broker(), 0
    for number in range(100):
        client = Client(one, f"c{number}")
        for begin in range(0, 1000, 4):
            asked = b"".join(text(f"{number}/x/{k}/#") + b"\x00" for k in range(begin, begin + 4))
            granted += client.send(framed(0x82, b"\x00\x07" + asked)).count(b"\x00", 4)
    assert granted == 50_000 // 4 and sum(len(each.filters) for each in one.sessions.values()) == granted
    began = time.perf_counter()
    for k in range(1000):
        one.publish(Message(f"3/x/{k}/y", b"1"))
    assert time.perf_counter() - began < 1.0, (
        "a tenth of a millisecond each, a hundred times less than a look at each filter"
    )
    for session in list(one.sessions.values()):
        one.lost(session)
    assert len(one._subscriptions) == 0


@pytest.mark.parametrize("name", ["/" * 65_000, "/".join("a" * 201), "x" * 2000])
def test_filters_that_are_too_deep_or_long_are_refused(name: str) -> None:
    body = b"\x00\x07" + text(name) + b"\x00"
    packet = b"\x82" + bytes((len(body) & 0x7F | 0x80, len(body) >> 7 & 0x7F | 0x80, len(body) >> 14)) + body
    assert Client(broker()).send(packet) == b"\x90\x03\x00\x07\x80"


def test_nobody_speaks_in_the_name_of_a_device() -> None:
    one = Broker(Login(), lambda topic: topic.startswith("ours/"))
    hearer = Client(one, "a")
    hearer.send(subscribe("#"))
    speaker = Client(one, "b", flags=0x26, rest=text("ours/1") + text("dead"))
    assert speaker.send(packets.publish(Message("ours/1", b"forged", qos=1, retain=True), 9)) == b"\x40\x02\x00\x09"
    one.lost(speaker.session)
    assert one.forged == 2 and not hearer.heard() and not one.retained
    one.publish(Message("ours/1", b"true"))
    assert hearer.heard() == [Message("ours/1", b"true")]


def test_what_clients_retain_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_module, "MOST_RETAINED_BYTES", 10_000)
    one = broker()
    speaker = Client(one)
    for k in range(300):
        speaker.send(packets.publish(Message(f"t/{k:03}", bytes(95), retain=True)))
    assert len(one.retained) == 100 and one.retained_bytes == 10_000
    one.publish(Message("own", b"1", retain=True))
    assert one.retained["own"].payload == b"1", "this program's own are kept"
    for k in range(300):
        speaker.send(packets.publish(Message(f"t/{k:03}", b"", retain=True)))
    assert one.retained_bytes == 4


def test_retained_messages_come_as_they_are_read() -> None:
    one = broker()
    for k in range(1000):
        one.publish(Message(f"a/{k}", b"1", retain=True))
    client = Client(one)
    for k in range(50):
        client.is_slow = bool(k)
        client.send(subscribe("#", number=k + 1))
    assert len(client.session.asked) <= 50
    client.is_slow = False
    sent = 0
    while one.pump(client.session):
        sent += len(client.heard())
    assert sent + len(client.heard()) == 49 * 1000
    client.is_slow = True
    client.send(subscribe("a/+"))
    assert one.pump(client.session) and not client.heard()
    one.lost(client.session)
    client.is_slow = False
    assert not one.pump(client.session), "whoever has gone is sent nothing"


def test_what_is_said_meanwhile_is_not_followed_by_what_was_retained_before() -> None:
    one = broker()
    for topic in ("a", "b", "c"):
        one.publish(Message(topic, b"old", retain=True))
    client = Client(one)
    client.is_slow = True
    client.send(subscribe("#"))
    client.is_slow = False
    assert one.pump(client.session), "the filter's turn has come, and nothing was sent yet"
    one.publish(Message("b", b"new", retain=True))
    one.publish(Message("c", b"", retain=True))
    while one.pump(client.session):
        pass
    heard = [(message.topic, message.payload) for message in client.heard()]
    assert heard == [("b", b"new"), ("c", b""), ("a", b"old"), ("b", b"new")]


@pytest.mark.parametrize("turns", [0, 1])
def test_whoever_leaves_a_filter_hears_nothing_more_of_it(turns: int) -> None:
    one = broker()
    one.publish(Message("a", b"1", retain=True))
    client = Client(one)
    client.is_slow = True
    client.send(subscribe("a"))
    client.is_slow = False
    for _ in range(turns):
        one.pump(client.session)
    client.send(framed(0xA2, b"\x00\x08" + text("a")))
    while one.pump(client.session):
        pass
    assert not client.heard()


def malformed(seed: int, count: int) -> int:
    """Send packets that are damaged in every way; how many were refused. The broker must go on, and no other error come."""
    chance, one, refused = random.Random(seed), broker(), 0
    one.listen("set/#", lambda message: None)
    will = connect("w", flags=0x2E, rest=text("will") + text("gone"))
    samples = [
        connect(),
        will,
        subscribe("a/+/#"),
        packets.publish(Message("a/b", b"{}", 1), 3),
        b"\xc0\x00",
        b"\xe0\x00",
    ]
    for _ in range(count):
        client = Client(one, "fuzz")
        raw = damaged(chance, chance.choice(samples))
        try:
            client.send(raw)
        except MalformedError:
            refused += 1
        one.lost(client.session)
    assert Client(one, "well").send(b"\xc0\x00").endswith(b"\xd0\x00")
    assert set(one.sessions) == {"well"} and len(one.retained) < 100
    return refused


def test_malformed_packets_are_survived() -> None:
    assert malformed(1, 2000) > 500


@pytest.mark.slow
def test_a_hundred_thousand_malformed_packets_are_survived() -> None:
    assert malformed(2, 100_000) > 25_000
